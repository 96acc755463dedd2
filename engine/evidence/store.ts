/** Brings entries from the table to the bucket, and signs hour by hour what has come there. Every step may be repeated. */
import { randomUUID } from 'node:crypto';
import { canonical } from '../canonical.ts';
import { RetryLaterError } from '../errors.ts';
import type { Entry } from '../model.ts';
import type { Clock, Ledger } from '../ports.ts';
import { type Digest, digestObject, entryObject, type Head, type LastDigest, publicOf, signedText, textHash, type UnsignedDigest } from './form.ts';
import { unchained } from './seal.ts';

/** The bucket: what is there stays. */
export interface EvidenceStore {
  /** Does nothing where there is something of that name. False: there is. */
  add(key: string, text: string): Promise<boolean>;
  read(key: string): Promise<string | undefined>;
}

/** How far a finding's entries are in the bucket, while no digest has signed that. */
export interface Mark extends Head {
  /** Time of the oldest entry that is not signed, ISO 8601. */
  readonly oldest: string;
}

export interface Marks {
  /** Where the mark that is there is not further; `after` and `oldest` stay as they were first noted. */
  note(mark: Mark): Promise<void>;
  pending(): AsyncIterable<Mark>;
  /** Takes the mark away, or, where it has gone on since, only what is signed of it. */
  signed(head: Head): Promise<void>;
}

export interface Signer {
  readonly keyArn: string;
  /** ECDSA with SHA-256; DER, base64. */
  sign(text: string): Promise<string>;
}

export interface EvidencePorts {
  readonly store: EvidenceStore;
  readonly marks: Marks;
  readonly signer: Signer;
  readonly ledger: Pick<Ledger, 'recall' | 'remember' | 'lease' | 'release'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** @param entries of one finding, in their order */
export async function storeEntries(entries: readonly Entry[], { store, marks }: Pick<EvidencePorts, 'store' | 'marks'>): Promise<void> {
  const chained = entries.filter(({ hash }) => hash !== unchained);
  for (const entry of chained) await store.add(entryObject(entry.findingId, entry.seq), canonical(publicOf(entry)));
  const [first, last] = [chained[0], chained.at(-1)];
  // Noted after they are there: a digest speaks of nothing that is still to come.
  if (first && last) await marks.note({ id: last.findingId, length: last.seq, hash: last.hash, after: first.seq - 1, oldest: first.at });
}

/** Seconds; more than a run may take. */
const leaseSeconds = 120;
export const digestLease = 'evidence digest';

/** One digest more. @throws RetryLaterError while another process is at it */
export async function signEvidence({ store, marks, signer, ledger, clock }: EvidencePorts): Promise<Digest> {
  const lease = await ledger.lease(digestLease, randomUUID(), leaseSeconds);
  if (!lease) throw new RetryLaterError('another process is signing evidence', leaseSeconds);
  try {
    let last = await ledger.recall<LastDigest>('evidence');
    // Somebody may have died between storing the last one and noting it.
    for (;;) {
      const text = await store.read(digestObject((last?.number ?? 0) + 1));
      if (text === undefined) break;
      last = await noted(JSON.parse(text), text);
    }
    const pending = await Array.fromAsync(marks.pending());
    const oldest = pending.map((mark) => mark.oldest).sort()[0] ?? null;
    const findings = pending.map(({ oldest: _, ...head }) => head).sort((a, b) => (a.id < b.id ? -1 : 1));
    const unsigned: UnsignedDigest = {
      number: (last?.number ?? 0) + 1,
      at: clock.now().toISOString(),
      previous: last?.hash ?? null,
      oldest,
      findings,
      keyArn: signer.keyArn,
    };
    const digest: Digest = { ...unsigned, signature: await signer.sign(textHash(signedText(unsigned))) };
    const text = canonical(digest);
    if (!(await store.add(digestObject(digest.number), text))) throw new RetryLaterError(`somebody else has stored digest ${digest.number}`, leaseSeconds);
    await noted(digest, text);
    return digest;
  } finally {
    await ledger.release(lease);
  }

  async function noted(digest: Digest, text: string): Promise<LastDigest> {
    const stored: LastDigest = { number: digest.number, at: digest.at, hash: textHash(text) };
    await ledger.remember('evidence', stored);
    for (let from = 0; from < digest.findings.length; from += atOnce)
      await Promise.all(digest.findings.slice(from, from + atOnce).map((head) => marks.signed(head)));
    return stored;
  }
}

const atOnce = 32;
