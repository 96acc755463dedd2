/** How long a drift stood, from what its finding keeps. Pure; a bound that is not known is said to be none. */
import { beginOf, isBeginning } from './edges.ts';
import type { Actor, Finding, TriggerSource } from './model.ts';

export interface Exposure {
  /** ISO 8601. */
  readonly driftedAt: string;
  /** It began then or earlier: nothing shows when. */
  readonly atOrBefore?: true;
  /** AWS itself shows the time. */
  readonly shown?: true;
  /** What `driftedAt` is the time of. */
  readonly by: { readonly source: TriggerSource; readonly eventName?: string };
  readonly seenAt: string;
  /** The time of the verified read, or of the call that ended it. */
  readonly endedAt?: string;
  /** It ended then or earlier: it was found in order at that time, by nobody's doing that is known. */
  readonly endedAtOrBefore?: true;
  readonly endedBy?: { readonly what: 'fix' } | { readonly what: 'call'; readonly eventName?: string; readonly actor?: Actor };
  /** How long it is known to have stood, or the most that it can have. */
  readonly seconds: number;
  /** `seconds` is a lower or an upper bound; undefined = both ends are known. */
  readonly bound?: 'at least' | 'at most';
  /** No end is known: it stands, or the bot no longer looks (`until` = when it last did). */
  readonly openEnd?: true;
  readonly until?: string;
}

/** What began as "cannot see" was no drift that was seen. */
const unseen = ({ evaluation, wrong }: Finding) => evaluation.complianceType === 'INSUFFICIENT_DATA' && evaluation.annotation === wrong;

const secondsBetween = (from: string, to: string): number => Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1_000));

/** Undefined for what is no state of a resource: a single event, the bot itself, something that could not be seen. */
export function exposureOf(finding: Finding, now: Date): Exposure | undefined {
  if (finding.fold !== undefined || finding.openedBy.source === 'tick' || unseen(finding)) return undefined;
  const begun = beginning(finding);
  const ended = ending(finding, now);
  const { driftedAt, atOrBefore } = begun;
  if (ended.openEnd) return { ...begun, seenAt: finding.openedAt, ...ended, seconds: secondsBetween(driftedAt, ended.until), bound: 'at least' };
  // With neither end known it stood at least from the first to the last time it was seen.
  const until = atOrBefore && ended.endedAtOrBefore ? finding.lastSeenAt : ended.endedAt;
  const bound = atOrBefore ? 'at least' : ended.endedAtOrBefore ? 'at most' : undefined;
  return { ...begun, seenAt: finding.openedAt, ...ended, seconds: secondsBetween(driftedAt, until), ...(bound && { bound }) };
}

function beginning(finding: Finding): Pick<Exposure, 'driftedAt' | 'atOrBefore' | 'shown' | 'by'> {
  const begin = beginOf(finding);
  const by = { source: begin.source, ...(begin.eventName && { eventName: begin.eventName }) };
  if (finding.shownAt) return { driftedAt: finding.shownAt, shown: true, by };
  const known = isBeginning(begin) && !finding.backlog;
  // A call that began nothing, and what is no call, was there when the drift was read, not when the drift began.
  return { driftedAt: isBeginning(begin) ? begin.time : finding.openedAt, ...(!known && { atOrBefore: true }), by };
}

type Ending =
  | { readonly openEnd: true; readonly until: string }
  | ({ readonly openEnd?: never; readonly endedAt: string } & Pick<Exposure, 'endedAtOrBefore' | 'endedBy'>);

function ending({ state, outcome, resolvedAt, endedBy, changes }: Finding, now: Date): Ending {
  if (state === 'open' || !resolvedAt) return { openEnd: true, until: now.toISOString() };
  if (outcome?.status === 'OFF' || outcome?.status === 'EXCEPTED') return { openEnd: true, until: resolvedAt };
  if (outcome?.status === 'REMEDIATED') return { endedAt: changes.at(-1)?.doneAt ?? resolvedAt, endedBy: { what: 'fix' } };
  if (!endedBy) return { endedAt: resolvedAt, endedAtOrBefore: true };
  return { endedAt: endedBy.time, endedBy: { what: 'call', eventName: endedBy.eventName, actor: endedBy.actor } };
}

/** "4 min", "2 h 5 min", "3 days": the two largest parts. */
export function spanOf(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['days', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const largest = units.findIndex(([, size]) => seconds >= size);
  if (largest < 0) return '0 s';
  const parts = units
    .slice(largest, largest + 2)
    .map(([name, size], at) => [Math.floor(at === 0 ? seconds / size : (seconds % units[largest]![1]) / size), name] as const);
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${count === 1 && name === 'days' ? 'day' : name}`)
    .join(' ');
}

export const noticed: Readonly<Record<TriggerSource, string>> = {
  cloudtrail: 'a call',
  config: 'AWS Config',
  'config-rule': 'an AWS Config rule',
  securityhub: 'Security Hub',
  sweep: 'a sweep',
  operator: 'an operator',
  tick: 'the bot itself',
};

/** One line for a person. `still` = what to say of one that stands. */
export function exposureWords(exposure: Exposure, still = 'not ended when last read'): string {
  const { driftedAt, atOrBefore, shown, by } = exposure;
  const seen = atOrBefore ? `seen by ${noticed[by.source]}${by.eventName ? `, ${by.eventName}` : ''}` : by.eventName;
  const how = shown ? 'as AWS shows it' : seen;
  return `${lengthWords(exposure)}since ${driftedAt}${atOrBefore ? ' or before' : ''}${how ? ` (${how})` : ''}; ${endWords(exposure, still)}`;
}

function lengthWords({ seconds, bound, openEnd }: Exposure): string {
  if (seconds > 0) return `for ${bound ? `${bound} ` : ''}${spanOf(seconds)}, `;
  if (bound === 'at least') return openEnd ? '' : 'for a time that nothing shows, ';
  // CloudTrail tells whole seconds.
  return 'for at most 1 s, ';
}

function endWords({ openEnd, until, endedAt, endedBy }: Exposure, still: string): string {
  if (openEnd) return `${still}${until ? `, at ${until}` : ''}`;
  if (endedBy?.what === 'fix') return `ended by the fix, verified at ${endedAt}`;
  if (endedBy?.what === 'call') return `ended by ${endedBy.eventName ?? 'a call'} at ${endedAt}${endedBy.actor ? `, made by ${endedBy.actor.arn}` : ''}`;
  return `gone when read at ${endedAt}`;
}
