/** The evidence of a deployed stack: its bucket, its table, and the key that signs. */
import { createPublicKey } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { type Digest, digestName, entryName, type LastDigest } from '../../engine/evidence/form.ts';
import type { EvidenceStore, Mark } from '../../engine/evidence/store.ts';
import type { EntryPiece } from '../../engine/evidence/verify.ts';
import type { Ledger } from '../../engine/ports.ts';
import { bucketStore } from '../../handlers/aws/evidence.ts';
import { marksIn } from '../../handlers/aws/marks.ts';
import { type OpenStack, openStack, outputOf } from '../stack.ts';
import type { SigningKey } from './keys.ts';
import { readAhead } from './read-ahead.ts';

export interface StackEvidence {
  readonly name: string;
  readonly ledger: Ledger;
  readonly store: EvidenceStore;
  readonly key: SigningKey;
  /** In their order. */
  readonly digests: readonly { readonly name: number; readonly text: string }[];
  /** As the table knows it; asked before the bucket was listed. */
  readonly lastDigest: LastDigest | undefined;
  entries(): AsyncIterable<EntryPiece>;
  /** Entries in the bucket that no digest has signed. */
  pending(): AsyncIterable<Mark>;
}

export async function openEvidence(name: string, region: string | undefined): Promise<StackEvidence> {
  const open = await openStack(name, region);
  const { stack, aws, ledger } = open;
  const bucket = outputOf(stack, 'EvidenceBucketName');
  const store = bucketStore(bucket, aws);
  const text = async (key: string) => (await store.read(key)) ?? '';
  const lastDigest = await ledger.recall<LastDigest>('evidence');
  const digests = await Array.fromAsync(
    readAhead(keysIn(open, bucket, 'digests', digestName), async ({ key, name: number }) => ({ name: number, text: await text(key) })),
  );
  return {
    name: stack.name,
    ledger,
    store,
    key: await signingKey(open),
    digests,
    lastDigest,
    entries: () => readAhead(keysIn(open, bucket, 'entries', entryName), async ({ key, name: entry }) => ({ name: entry, text: await text(key) })),
    pending: () => marksIn(aws.client(DynamoDBClient), outputOf(stack, 'LedgerTableName')).pending(),
  };
}

/** Objects of that folder, by name; S3 lists them in the order of their names, which is that of their numbers. */
export async function* keysIn<Name>(
  { aws }: OpenStack,
  Bucket: string,
  Prefix: string,
  nameOf: (key: string) => Name | undefined,
): AsyncIterable<{ readonly key: string; readonly name: Name }> {
  for await (const { Contents = [] } of paginateListObjectsV2({ client: aws.client(S3Client) }, { Bucket, Prefix }))
    for (const { Key = '' } of Contents) {
      const name = nameOf(Key);
      if (name !== undefined) yield { key: Key, name };
    }
}

async function signingKey({ stack, aws }: OpenStack): Promise<SigningKey> {
  const arn = outputOf(stack, 'SigningKeyArn');
  const { PublicKey } = await aws.client(KMSClient).send(new GetPublicKeyCommand({ KeyId: arn }));
  return { arn, key: createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }), from: 'KMS' };
}

export const readDigest = (text: string): Digest | undefined => {
  try {
    const digest = JSON.parse(text) as Partial<Digest>;
    return Array.isArray(digest.findings) ? (digest as Digest) : undefined;
  } catch {
    return undefined;
  }
};
