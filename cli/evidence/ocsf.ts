/** One OCSF finding for each finding of an export, as its latest entry in the time has it. */

import { type About, ocsfOf } from '../../engine/evidence/ocsf.ts';
import type { Entry } from '../../engine/model.ts';
import { ownControl } from '../../engine/own.ts';
import manifest from '../../package.json' with { type: 'json' };
import { catalogue } from '../context.ts';
import { UsageError } from '../errors.ts';
import type { Range } from './export.ts';

type Exportable = Omit<Entry, 'raw'>;

/** @param texts of entries, those of one finding together, in their order */
export async function* ocsfFindings(texts: AsyncIterable<string>, { from, to }: Range): AsyncIterable<object> {
  const known = new Map<string, About | undefined>();
  const convert = async (entry: Exportable) => {
    const id = entry.facts?.control ?? '';
    if (!known.has(id)) known.set(id, await aboutOf(id));
    return ocsfOf(entry, known.get(id), manifest.version);
  };
  let last: Exportable | undefined;
  for await (const text of texts) {
    const entry = entryOf(text);
    if (last && last.findingId !== entry.findingId) yield* listed(await convert(last));
    if (last?.findingId !== entry.findingId) last = undefined;
    if (entry.at >= from && entry.at <= to) last = entry;
  }
  if (last) yield* listed(await convert(last));
}

const listed = (finding: object | undefined): object[] => (finding ? [finding] : []);

const entryOf = (text: string): Exportable => {
  try {
    return JSON.parse(text) as Exportable;
  } catch (cause) {
    throw new UsageError('an entry is not JSON: `npx phidelity evidence verify` names it', 1, { cause });
  }
};

async function aboutOf(id: string): Promise<About | undefined> {
  const own = ownControl(id);
  if (own) return { title: own.title, rationale: own.impact, hipaa: own.hipaa };
  return catalogue.find((entry) => entry.id === id)?.load();
}
