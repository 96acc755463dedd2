/** Checks digests: each signed, each following the one before it, none missing. Pure. */
import { type KeyObject, verify } from 'node:crypto';
import * as z from 'zod';
import { canonical } from '../canonical.ts';
import { type Digest, type Head, signedText, textHash } from './form.ts';
import type { Fault } from './report.ts';
import type { Material } from './verify.ts';

/** One stored text. `name`: what the place where it was found says of it. */
export interface DigestPiece {
  readonly name?: number;
  readonly text: string;
}

export interface Checkpoint extends Head {
  readonly digest: number;
}

export interface DigestChain {
  readonly faults: readonly Fault[];
  /** What digests with a good signature say of each finding, in their order. */
  readonly heads: ReadonlyMap<string, readonly Checkpoint[]>;
  readonly span?: { readonly first: number; readonly last: number; readonly at: string };
}

export type PublicKeys = (keyArn: string) => KeyObject | undefined;

const count = z.int().min(1);
const digestShape = z.object({
  number: count,
  at: z.string(),
  previous: z.string().nullable(),
  oldest: z.string().nullable(),
  findings: z.array(z.object({ id: z.string(), length: count, hash: z.string(), after: z.int().min(0) })),
  keyArn: z.string(),
  signature: z.string(),
});

/** @param partial it may begin later than with the first */
export async function checkDigests(
  pieces: AsyncIterable<DigestPiece>,
  keyOf: PublicKeys,
  partial: boolean,
  expectedLast?: Material['lastDigest'],
): Promise<DigestChain> {
  const faults: Fault[] = [];
  const heads = new Map<string, Checkpoint[]>();
  let span: DigestChain['span'];
  /** Undefined: the one before cannot speak for the next. */
  let previous: string | null | undefined = null;
  let expected = 1;
  for await (const { name, text } of pieces) {
    const read = readDigest(text);
    const number = name ?? (typeof read === 'string' ? expected : read.number);
    const fault = (kind: Fault['kind'], says: string, digest = number) => faults.push({ kind, digest, says });
    if (!span && partial) [expected, previous] = [number, undefined];
    if (number > expected) {
      const missing = number - 1 > expected ? `digests ${expected} to ${number - 1} are` : `digest ${expected} is`;
      fault('digest-missing', `${missing} missing`, expected);
      previous = undefined;
    } else if (number < expected) {
      fault('digest-changed', `digest ${number} comes after digest ${expected - 1}`);
      continue;
    }
    expected = number + 1;
    const wrong = typeof read === 'string' ? read : wrongOf(read, number, keyOf);
    if (wrong || typeof read === 'string') {
      fault('digest-changed', `digest ${number} ${wrong}`);
      span = { first: span?.first ?? number, last: number, at: span?.at ?? '' };
      previous = undefined;
      continue;
    }
    if (previous !== undefined && read.previous !== previous) fault('digest-changed', `digest ${number} does not follow the digest ${number - 1} that is here`);
    previous = textHash(text);
    if (number === expectedLast?.number && expectedLast.hash !== undefined && expectedLast.hash !== previous)
      fault('digest-changed', `digest ${number} is not the one that the table knows`);
    span = { first: span?.first ?? number, last: number, at: read.at };
    for (const head of read.findings) heads.set(head.id, [...(heads.get(head.id) ?? []), { ...head, digest: number }]);
  }
  if (expectedLast && expectedLast.number >= expected) {
    const missing = expectedLast.number > expected ? `digests ${expected} to ${expectedLast.number} are` : `digest ${expected} is`;
    faults.push({ kind: 'digest-missing', digest: expected, says: `${missing} missing at the end` });
  }
  return { faults, heads, ...(span && { span }) };
}

/** Or what is wrong with it. */
const readDigest = (text: string): Digest | string => {
  try {
    const parsed: unknown = JSON.parse(text);
    const { success, data } = digestShape.safeParse(parsed);
    if (!success) return 'is not a digest';
    // Members that the shape does not know would be signed, but never looked at; members named twice would hide each other.
    return canonical(data) === text ? data : 'is not in the form in which it was stored';
  } catch {
    return 'is not JSON';
  }
};

const wrongOf = (digest: Digest, number: number, keyOf: PublicKeys): string | undefined => {
  if (digest.number !== number) return `holds digest ${digest.number}`;
  const key = keyOf(digest.keyArn);
  if (!key) return `was signed with ${digest.keyArn}, whose public key is not known here`;
  return verify('sha256', Buffer.from(textHash(signedText(digest))), key, Buffer.from(digest.signature, 'base64'))
    ? undefined
    : 'has a signature that is not of its key';
};
