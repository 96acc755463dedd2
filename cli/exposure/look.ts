/** Looks for readers in a window, and says what could not be told. Cannot see is never "nobody". */
import type { ResourceRef } from '../../engine/model.ts';
import type { Aws } from '../../engine/ports.ts';
import { explain, UsageError } from '../errors.ts';
import { eventsOf } from '../input.ts';
import { elsewhere, type Readers, readers } from './readers.ts';
import { recordOf, type Tally, tallyOf, type Window } from './readings.ts';
import { deliveryMs, filesOf, readFiles, type Source, trailsFor } from './trails.ts';

export interface Looked {
  readonly readers: ReturnType<Tally['readers']>;
  /** Where: trails, or the files that were named. */
  readonly at: readonly string[];
  readonly files: number;
  readonly records: number;
  readonly refused: number;
  /** Why "nobody" cannot be said; empty = it can. */
  readonly untold: readonly string[];
}

const nothing = { readers: [], at: [], files: 0, records: 0, refused: 0 };

/** In log files that a person has. Nobody can see from them whether others are missing. @throws UsageError for a file that is none */
export async function lookInFiles(files: readonly string[], resource: ResourceRef, window: Window): Promise<Looked> {
  const wanted = readers[resource.type];
  const events = await eventsOf(files);
  const wrong = events.find(({ event }) => !recordOf(event));
  if (wrong) throw new UsageError(`${wrong.place}: is no CloudTrail event; name log files of a trail, or events as EventBridge delivers them`, 2);
  if (!wanted) return { ...nothing, at: files, untold: [elsewhere(resource.type)] };
  const tally = tallyOf(resource, wanted, window);
  for (const { event } of events) tally.add(event);
  const { inWindow, data } = tally.looked;
  const untold = [
    ...(wanted.data && data === 0 ? ['the files hold no data event of the resource, so nothing shows that its reads are recorded'] : []),
    ...(inWindow === 0 ? ['the files hold no event of the window'] : []),
  ];
  return told(tally, wanted, { at: files, files: files.length, untold });
}

/** In the log files of the account's trails. */
export async function lookInTrails(aws: Aws, resource: ResourceRef, window: Window, now: Date, progress: (line: string) => void): Promise<Looked> {
  const wanted = readers[resource.type];
  if (!wanted) return { ...nothing, untold: [elsewhere(resource.type)] };
  const { sources, unread } = await trailsFor(aws, resource, wanted, window);
  const tally = tallyOf(resource, wanted, window);
  const untold = [...unread, ...notRecorded(sources, wanted, resource)];
  let files = 0;
  for (const source of sources) {
    try {
      const keys = await filesOf(aws, source, resource, window);
      progress(`Reading ${keys.length} log ${keys.length === 1 ? 'file' : 'files'} of ${source.trail}`);
      await readFiles(aws, source, keys, tally.add);
      files += keys.length;
      if (keys.length === 0) untold.push(`the bucket ${source.bucket} of ${source.trail} holds no log file of the window`);
    } catch (error) {
      untold.push(`the log files of ${source.trail} in the bucket ${source.bucket} cannot be read: ${explain(error).message}`);
    }
  }
  const due = Date.parse(window.to) + deliveryMs;
  if (sources.length > 0 && due > now.getTime()) untold.push(`not all log files of the window are there yet: look again after ${new Date(due).toISOString()}`);
  return told(tally, wanted, { at: sources.map(({ trail }) => trail), files, untold });
}

/** Of several trails one that records it all is enough. */
function notRecorded(sources: readonly Source[], { data, management, page }: Readers, resource: ResourceRef): string[] {
  const whole = sources.filter(({ gap }) => gap === undefined);
  const gaps = sources.flatMap(({ trail, gap }) => (gap ? [`of ${trail}, ${gap}`] : []));
  const misses = (what: string) => (gaps.length > 0 ? gaps : [what]);
  const recorded = sources.some((source) => source.data !== 'none');
  return [
    ...(data && !whole.some((source) => source.data === 'all')
      ? recorded
        ? misses('only some of the reads are recorded')
        : [`no trail records data events of it, so nobody can tell from CloudTrail who read it. ${howTo(data, resource)} See ${page}`]
      : []),
    ...(management && !whole.some((source) => source.management) ? misses('no trail records management events') : []),
  ];
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html */
function howTo({ type, arn }: NonNullable<Readers['data']>, resource: ResourceRef): string {
  const fields = [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: [type] },
    { Field: 'resources.ARN', StartsWith: [arn(resource)] },
  ];
  const selector = JSON.stringify([{ Name: 'reads', FieldSelectors: fields }]);
  return `From now on a trail does with \`aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors '${selector}'\` (beside the selectors that it has; data events cost money).`;
}

const told = (tally: Tally, { blind }: Readers, { at, files, untold }: Pick<Looked, 'at' | 'files' | 'untold'>): Looked => ({
  readers: tally.readers(),
  at,
  files,
  records: tally.looked.records,
  refused: tally.looked.refused,
  untold: [...new Set([...untold, ...(blind ? [blind] : [])])],
});
