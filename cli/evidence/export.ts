/** What an export holds: whole digests, the entries that they sign, and, up to now, those that none has signed yet. */
import { canonical } from '../../engine/canonical.ts';
import { entryObject, publicOf } from '../../engine/evidence/form.ts';
import { unchained } from '../../engine/evidence/seal.ts';
import type { Ledger } from '../../engine/ports.ts';
import { readDigest, type StackEvidence } from './bucket.ts';
import type { ExportHead } from './file.ts';
import { pemOf } from './keys.ts';
import { readAhead } from './read-ahead.ts';

/** ISO 8601, both included. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export interface Exported {
  readonly head: ExportHead;
  readonly keys: readonly { readonly arn: string; readonly pem: string }[];
  readonly digests: readonly string[];
  /** Texts as they are stored, by finding. */
  readonly entries: AsyncIterable<string>;
}

/** Entries `after` + 1 to `length` of one finding. */
interface Stretch {
  readonly after: number;
  readonly length: number;
}

const covered = (known: Stretch | undefined, { after, length }: Stretch): Stretch =>
  known ? { after: Math.min(known.after, after), length: Math.max(known.length, length) } : { after, length };

/** A digest signs what happened from its oldest entry on until it was made: those that overlap the range, and all between them. */
export async function exportOfStack({ digests, key, store, pending }: StackEvidence, { from, to }: Range, now: Date): Promise<Exported> {
  const read = digests.map(({ text }) => ({ text, digest: readDigest(text) }));
  const overlaps = read.map(({ digest }) => digest !== undefined && digest.at >= from && (digest.oldest ?? digest.at) <= to);
  const [first, last] = [overlaps.indexOf(true), overlaps.lastIndexOf(true)];
  const chosen = first < 0 ? [] : read.slice(first, last + 1);
  const stretches = new Map<string, Stretch>();
  for (const { digest } of chosen) for (const head of digest?.findings ?? []) stretches.set(head.id, covered(stretches.get(head.id), head));
  for await (const mark of pending()) if (mark.oldest <= to) stretches.set(mark.id, covered(stretches.get(mark.id), mark));
  return {
    head: { version: 1, from, to, at: now.toISOString(), digests: first < 0 ? null : [digests[first]!.name, digests[last]!.name] },
    keys: [{ arn: key.arn, pem: pemOf(key.key) }],
    digests: chosen.map(({ text }) => text),
    entries: textsOf(stretches, (name) => store.read(name)),
  };
}

async function* textsOf(stretches: ReadonlyMap<string, Stretch>, read: (name: string) => Promise<string | undefined>): AsyncIterable<string> {
  const names = [...stretches]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, { after, length }]) => Array.from({ length: length - after }, (_, index) => entryObject(id, after + 1 + index)));
  // What is missing is for the verification to name.
  for await (const text of readAhead(names, read)) if (text !== undefined) yield text;
}

/** Of the embedded database: the chains alone, nothing of them signed. */
export const exportOfState = (ledger: Ledger, { from, to }: Range, now: Date): Exported => ({
  head: { version: 1, from, to, at: now.toISOString(), digests: null },
  keys: [],
  digests: [],
  entries: (async function* () {
    for await (const { id } of ledger.findings({}))
      for (const entry of await ledger.entries(id)) if (entry.hash !== unchained && entry.at >= from && entry.at <= to) yield canonical(publicOf(entry));
  })(),
});
