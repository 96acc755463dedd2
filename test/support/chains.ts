/** Chains of entries as the engine makes them, and digests signed with a key of the test's own. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { canonical } from '../../engine/canonical.ts';
import { type Digest, digestName, digestObject, entryName, entryObject, type Head, publicOf, signedText, textHash } from '../../engine/evidence/form.ts';
import type { Material } from '../../engine/evidence/verify.ts';
import { opened, resolved, step } from '../../engine/finding.ts';
import { compliant, type Entry, nonCompliant, type Trigger } from '../../engine/model.ts';

export const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const keyArn = 'arn:aws:kms:us-east-1:123456789012:key/signing';
const place = { accountId: '123456789012', region: 'us-east-1' };
export const began = Date.parse('2026-11-01T03:00:00.000Z');
export const after = (seconds: number): string => new Date(began + seconds * 1_000).toISOString();

/** A finding that is opened, seen and resolved, in `length` entries a minute apart. */
export const chainOf = (name: string, length: number): Entry[] => {
  const trigger: Trigger = { ...place, source: 'config', eventId: `event-${name}`, time: after(0), resourceType: 'AWS::S3::Bucket', resourceId: name };
  const resource = { ...place, type: 'AWS::S3::Bucket', id: `arn:aws:s3:::${name}` };
  const verdict = { evaluation: nonCompliant('The lamp is on.'), decision: { action: 'notify', reason: 'The policy says so.' }, actor: undefined } as const;
  const steps = [opened({ control: 'lamp-off', resource }, { severity: 'HIGH' }, verdict, trigger, undefined, after(0))];
  while (steps.length < length) {
    const { finding } = steps.at(-1)!;
    const at = after(steps.length * 60);
    const last = steps.length === length - 1;
    steps.push(
      last
        ? resolved(finding, compliant('The lamp is off.'), { status: 'COMPLIANT', reason: 'Somebody switched it off.', at }, 'detect')
        : step(finding, { seen: finding.seen + 1 }, { kind: 'SEEN', by: 'detect', at, note: 'Still on.' }),
    );
  }
  return steps.map(({ entry }) => entry);
};

export const headOf = (entries: readonly Entry[], from = 0): Head => ({
  id: entries.at(-1)!.findingId,
  length: entries.at(-1)!.seq,
  hash: entries.at(-1)!.hash,
  after: from,
});

/** A digest of every hour, each with the heads that are given for it. */
export const digestsOf = (hours: readonly (readonly Head[])[]): Digest[] => {
  const digests: Digest[] = [];
  for (const findings of hours) {
    const number = digests.length + 1;
    const previous = digests.length > 0 ? textHash(canonical(digests.at(-1))) : null;
    digests.push(signed({ number, at: after(number * 3_600), previous, oldest: findings.length > 0 ? after(0) : null, findings, keyArn }));
  }
  return digests;
};

export const signed = (digest: Omit<Digest, 'signature'>): Digest => ({
  ...digest,
  signature: sign('sha256', Buffer.from(textHash(signedText(digest))), privateKey).toString('base64'),
});

/** A bucket: texts by key, changed as a test likes. */
export type Bucket = Map<string, string>;
export const bucketOf = (entries: readonly Entry[], digests: readonly Digest[]): Bucket =>
  new Map([
    ...entries.map((entry) => [entryObject(entry.findingId, entry.seq), canonical(publicOf(entry))] as const),
    ...digests.map((digest) => [digestObject(digest.number), canonical(digest)] as const),
  ]);

/** What a verification is given of it. */
export const materialOf = (bucket: Bucket, more: Partial<Material> = {}): Material => {
  const keys = [...bucket.keys()].sort();
  const entries = keys.flatMap((key) => (entryName(key) ? { name: entryName(key)!, text: bucket.get(key)! } : []));
  const digests = keys.flatMap((key) => (digestName(key) ? { name: digestName(key)!, text: bucket.get(key)! } : []));
  return { entries: pieces(entries), digests: pieces(digests), keyOf: (arn) => (arn === keyArn ? publicKey : undefined), now: new Date(began), ...more };
};

export async function* pieces<Piece>(all: Iterable<Piece>): AsyncIterable<Piece> {
  yield* all;
}
