/** Checks the chains of findings against themselves, the digests and the table. Pure; holds one line for each finding, not for each entry. */
import * as z from 'zod';
import { canonical } from '../canonical.ts';
import type { Entry, Finding } from '../model.ts';
import { type Checkpoint, checkDigests, type DigestPiece, type PublicKeys } from './digests.ts';
import type { LastDigest, PublicEntry } from './form.ts';
import type { Fault, FaultKind, Report } from './report.ts';
import { hashOf, macOf, unchained } from './seal.ts';

/** One stored text, or the line of it in a file. `raw`: the table's part of it, where that is at hand. */
export interface EntryPiece {
  readonly name?: { readonly finding: string; readonly seq: number };
  readonly text: string;
  readonly raw?: Entry['raw'];
}

/** All entries of one finding come together, in the order in which they are stored. */
export interface Material {
  readonly entries: AsyncIterable<EntryPiece>;
  readonly digests: AsyncIterable<DigestPiece>;
  readonly keyOf: PublicKeys;
  /** Chains and digests may begin later than with the first. */
  readonly partial?: boolean;
  /** The findings as the table has them. */
  readonly table?: AsyncIterable<Pick<Finding, 'id' | 'version' | 'chain'>>;
  /** When the table's entry was made, ISO 8601; asked for the first one that is not there. Undefined: the entries are the table's own, so that none can be on its way. */
  readonly madeAt?: (findingId: string, seq: number) => Promise<string | undefined>;
  /** The last digest, as the table or the head of a file knows it. */
  readonly lastDigest?: Pick<LastDigest, 'number'> & Partial<LastDigest>;
  readonly now: Date;
}

/** Longer than the stream needs after an hour of trouble. */
export const lateMs = 3_600_000;

interface Progress {
  last: number;
  hash: string;
  /** So many entries of it are signed. */
  signed: number;
  fault?: Fault;
}

const entryShape = z.looseObject({
  findingId: z.string(),
  seq: z.int().min(1),
  at: z.string(),
  prev: z.string().nullable(),
  hash: z.string(),
  mac: z.string(),
});
type Link = z.output<typeof entryShape>;

export async function verifyEvidence(material: Material): Promise<Report> {
  const { entries, digests, keyOf, partial = false, lastDigest } = material;
  const chain = await checkDigests(digests, keyOf, partial, lastDigest);
  const chains = new Map<string, Progress>();
  const midway: Report['midway'][number][] = [];
  const older = new Set<string>();
  let total = 0;
  const tail = { entries: 0, oldest: null as string | null };

  for await (const piece of entries) {
    total += 1;
    const read = readEntry(piece.text);
    const id = piece.name?.finding ?? (typeof read === 'string' ? 'unreadable' : read.findingId);
    const heads = chain.heads.get(id) ?? [];
    const known = chains.get(id);
    const progress: Progress = known ?? { last: 0, hash: '', signed: heads.at(-1)?.length ?? 0 };
    chains.set(id, progress);
    const seq = piece.name?.seq ?? (typeof read === 'string' ? progress.last + 1 : read.seq);
    // What comes after a gap may be what was missing in it.
    if (progress.fault?.kind === 'dropped' && progress.fault.seq === seq)
      progress.fault = { kind: 'reordered', finding: id, seq, says: `entry ${seq} comes after entry ${progress.last}` };
    if (progress.fault) continue;
    const fault = (kind: FaultKind, at: number, says: string) => {
      progress.fault = { kind, finding: id, seq: at, says };
    };

    if (typeof read === 'string') fault('changed', seq, `entry ${seq} ${read}`);
    else if (read.findingId !== id || read.seq !== seq) fault('reordered', seq, `in the place of entry ${seq} is entry ${read.seq} of ${read.findingId}`);
    else if (known && seq !== known.last + 1) {
      if (seq <= known.last) fault('reordered', seq, `entry ${seq} comes after entry ${known.last}`);
      else fault('dropped', known.last + 1, gap(known.last + 1, seq - 1));
    } else if (!known && seq > 1) begin(read, heads);
    else if (!known && read.prev !== null) fault('changed', 1, 'entry 1 follows another one');
    else if (known && read.prev !== known.hash) fault('changed', known.last, `entry ${known.last} is not the one that entry ${seq} follows`);
    if (!progress.fault && typeof read !== 'string') {
      const signedAs = heads.find(({ length, hash }) => length === seq && hash !== read.hash);
      if (signedAs) fault('rewritten', seq, `digest ${signedAs.digest} signed another entry ${seq}: it, or one that it follows, was made anew`);
      else if (piece.raw && macOf(piece.raw) !== read.mac) fault('raw-changed', seq, `what the table keeps of entry ${seq} is not what the entry commits to`);
    }
    progress.last = seq;
    if (typeof read === 'string') continue;
    progress.hash = read.hash;
    if (seq > progress.signed) {
      tail.entries += 1;
      if (tail.oldest === null || read.at < tail.oldest) tail.oldest = read.at;
    }

    function begin({ prev }: Link, signed: readonly Checkpoint[]): void {
      const from = signed[0]?.after ?? seq - 1;
      // Only where no digest has signed anything before it.
      if (prev === unchained && seq === from + 1) older.add(id);
      else if (!partial || seq > from + 1) {
        const first = partial ? from + 1 : 1;
        fault('dropped', first, gap(first, seq - 1));
      } else midway.push({ finding: id, seq, signed: signed.some(({ length }) => length >= seq - 1) });
    }
  }

  for (const [id, heads] of chain.heads) {
    const { length, digest } = heads.reduce((longest, head) => (head.length > longest.length ? head : longest));
    const found = chains.get(id);
    if (!found)
      chains.set(id, {
        last: 0,
        hash: '',
        signed: length,
        fault: { kind: 'removed', finding: id, says: `digest ${digest} knows ${length} entries of it, and there are none` },
      });
    else if (!found.fault && found.last < length)
      found.fault = { kind: 'cut', finding: id, seq: found.last + 1, says: `${gap(found.last + 1, length)}: digest ${digest} knows ${length} entries` };
  }
  const lag = await compare(material, chains, older);
  const faults = [...chain.faults, ...[...chains.values()].flatMap(({ fault }) => fault ?? [])];
  return {
    sound: faults.length === 0,
    faults,
    entries: total,
    findings: chains.size,
    ...(chain.span && { digests: chain.span }),
    tail,
    midway,
    unchained: [...older],
    lag,
  };
}

/** Entries that have not arrived yet; what is worse becomes the fault of the finding. */
async function compare({ table, madeAt, now }: Material, chains: Map<string, Progress>, older: Set<string>): Promise<number> {
  if (!table) return 0;
  let lag = 0;
  const known = new Set<string>();
  for await (const { id, version, chain } of table) {
    known.add(id);
    const found = chains.get(id);
    if (found?.fault) continue;
    if (!found && chain === unchained) {
      older.add(id);
      continue;
    }
    const last = found?.last ?? 0;
    const progress = found ?? { last, hash: '', signed: 0 };
    chains.set(id, progress);
    if (last < version) {
      if (!madeAt) {
        progress.fault = { kind: 'cut', finding: id, seq: last + 1, says: `${gap(last + 1, version)}: the finding knows ${version} entries` };
        continue;
      }
      lag += version - last;
      const at = (await madeAt(id, last + 1)) ?? now.toISOString();
      if (now.getTime() - Date.parse(at) > lateMs)
        progress.fault = { kind: 'late', finding: id, seq: last + 1, says: `${gap(last + 1, version)}: the table has them since ${at}` };
    } else if (last > version || chain !== progress.hash)
      progress.fault = { kind: 'table', finding: id, seq: version, says: `the table ends it with another entry ${version}` };
  }
  for (const [id, progress] of chains)
    if (!known.has(id) && !progress.fault) progress.fault = { kind: 'table', finding: id, seq: progress.last, says: 'the table does not know this finding' };
  return lag;
}

const gap = (from: number, to: number): string => (to > from ? `entries ${from} to ${to} are missing` : `entry ${from} is missing`);

/** Or what is wrong with it. */
const readEntry = (text: string): Link | string => {
  try {
    const parsed: unknown = JSON.parse(text);
    const { success, data } = entryShape.safeParse(parsed);
    if (!success) return 'is not an entry';
    if (hashOf(data as unknown as PublicEntry) !== data.hash) return 'does not have the hash that it was stored with';
    return canonical(data) === text ? data : 'is not in the form in which it was stored';
  } catch {
    return 'is not JSON';
  }
};
