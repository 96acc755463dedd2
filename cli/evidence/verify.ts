/** Evidence from wherever it is, verified. */
import { canonical } from '../../engine/canonical.ts';
import { publicOf } from '../../engine/evidence/form.ts';
import type { Report } from '../../engine/evidence/report.ts';
import { unchained } from '../../engine/evidence/seal.ts';
import { type EntryPiece, type Material, verifyEvidence } from '../../engine/evidence/verify.ts';
import type { Ledger } from '../../engine/ports.ts';
import { existingState } from '../context.ts';
import { UsageError } from '../errors.ts';
import { sqliteLedger } from '../state/sqlite-ledger.ts';
import { openExport } from './file.ts';
import { readKey, type SigningKey } from './keys.ts';

export interface Verified extends Report {
  /** Undefined: nothing is signed. */
  readonly key?: SigningKey;
}

export interface Asked {
  readonly file?: string;
  readonly stack?: string;
  readonly region?: string;
  readonly state: string;
  /** Each entry's raw part in the table too. */
  readonly deep?: true;
  readonly publicKey?: string;
}

export async function verified(asked: Asked, now: Date): Promise<Verified> {
  const pinned = asked.publicKey === undefined ? undefined : ({ arn: '', key: readKey(asked.publicKey), from: 'a file of yours' } as const);
  if (asked.file !== undefined) return ofFile(asked.file, pinned, now);
  return asked.stack === undefined ? ofState(asked.state, now) : ofStack(asked.stack, asked, pinned, now);
}

async function* each<One>(all: Iterable<One>): AsyncIterable<One> {
  yield* all;
}

async function ofFile(file: string, pinned: SigningKey | undefined, now: Date): Promise<Verified> {
  const { head, keys, digests, entries } = await openExport(file);
  const keyOf: Material['keyOf'] = (arn) => pinned?.key ?? keys.find((one) => one.arn === arn)?.key;
  const lastDigest = head.digests ? { number: head.digests[1] } : undefined;
  const report = await verifyEvidence({ entries: entries(), digests: each(digests), keyOf, partial: true, lastDigest, now });
  const key = pinned ?? keys[0];
  return demanding({ ...report, ...(report.digests && key && { key }) }, pinned);
}

/** Who names a key wants to see it used. */
const demanding = (report: Verified, pinned: SigningKey | undefined): Verified =>
  pinned && !report.digests && report.entries > 0
    ? { ...report, sound: false, faults: [...report.faults, { kind: 'digest-missing', says: 'there is no digest that the given key could have signed' }] }
    : report;

async function ofStack(name: string, { region, deep }: Asked, pinned: SigningKey | undefined, now: Date): Promise<Verified> {
  const { openEvidence } = await import('./bucket.ts');
  const { ledger, key, digests, lastDigest, entries } = await openEvidence(name, region);
  const keyOf: Material['keyOf'] = (arn) => pinned?.key ?? (arn === key.arn ? key.key : undefined);
  const madeAt = async (id: string, seq: number) => (await ledger.entries(id)).find((entry) => entry.seq === seq)?.at;
  const report = await verifyEvidence({ entries: entries(), digests: each(digests), keyOf, lastDigest, table: ledger.findings({}), madeAt, now });
  const inTable = deep && (await verifyEvidence({ entries: piecesOf(ledger), digests: each(digests), keyOf, now }));
  const more = inTable ? inTable.faults.filter(({ digest }) => digest === undefined).map((fault) => ({ ...fault, says: `in the table: ${fault.says}` })) : [];
  return { ...report, sound: report.sound && more.length === 0, faults: [...report.faults, ...more], key: pinned ?? key };
}

async function ofState(state: string, now: Date): Promise<Verified> {
  const directory = existingState(state);
  if (directory === undefined) throw new UsageError(`nothing has been recorded in ${state} yet; name a deployed stack with --stack, or an export`, 2);
  const ledger = sqliteLedger({ directory, clock: { now: () => now } });
  try {
    return await verifyEvidence({ entries: piecesOf(ledger), digests: each([]), keyOf: () => undefined, table: ledger.findings({}), now });
  } finally {
    ledger.close();
  }
}

/** The table's own entries, as they should be elsewhere, each with its raw part. */
async function* piecesOf(ledger: Ledger): AsyncIterable<EntryPiece> {
  for await (const { id } of ledger.findings({}))
    for (const entry of await ledger.entries(id))
      if (entry.hash !== unchained) yield { name: { finding: id, seq: entry.seq }, text: canonical(publicOf(entry)), raw: entry.raw };
}
