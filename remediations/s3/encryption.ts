/** Default encryption of buckets, and who could be cut off by a KMS key that knows nothing of them. */
import {
  DeleteBucketEncryptionCommand,
  type EncryptionType,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  PutBucketEncryptionCommand,
  S3Client,
  type ServerSideEncryption,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { type Aws, orUndefined, type ResourceRef } from '../define.ts';
import { textsOf } from '../resource-policy.ts';
import { bucketAclOf } from './acl.ts';
import { bucketPolicyOf } from './bucket-policy.ts';
import { bucketOf, orNone } from './s3.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html */
export interface Encryption {
  readonly algorithm: string;
  /** Id, alias or ARN; `null` = the key that AWS keeps for S3, or none. */
  readonly key: string | null;
  readonly bucketKey: boolean;
  /** Encryption that uploads may not ask for, e.g. `SSE-C`. */
  readonly blockedTypes: readonly string[];
}

/** `null` = the bucket has no configuration; undefined = there is no such bucket. */
export const encryptionOf = (aws: Aws, resource: ResourceRef): Promise<Encryption | null | undefined> =>
  orUndefined(
    orNone(
      aws
        .client(S3Client)
        .send(new GetBucketEncryptionCommand(bucketOf(aws, resource)))
        .then(({ ServerSideEncryptionConfiguration }) => fromRule(ServerSideEncryptionConfiguration?.Rules?.[0])),
      'ServerSideEncryptionConfigurationNotFoundError',
    ),
    'NoSuchBucket',
  );

const fromRule = ({ ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled, BlockedEncryptionTypes }: ServerSideEncryptionRule = {}): Encryption => ({
  algorithm: by?.SSEAlgorithm ?? 'AES256',
  key: by?.KMSMasterKeyID ?? null,
  bucketKey: BucketKeyEnabled ?? false,
  blockedTypes: [...(BlockedEncryptionTypes?.EncryptionType ?? [])].sort(),
});

const toRule = ({ algorithm, key, bucketKey, blockedTypes }: Encryption): ServerSideEncryptionRule => ({
  ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm as ServerSideEncryption, ...(key !== null && { KMSMasterKeyID: key }) },
  BucketKeyEnabled: bucketKey,
  ...(blockedTypes.length > 0 && { BlockedEncryptionTypes: { EncryptionType: blockedTypes as EncryptionType[] } }),
});

export async function setEncryption(aws: Aws, resource: ResourceRef, setting: Encryption | null): Promise<void> {
  const client = aws.client(S3Client);
  const bucket = bucketOf(aws, resource);
  if (setting === null) await client.send(new DeleteBucketEncryptionCommand(bucket));
  else await client.send(new PutBucketEncryptionCommand({ ...bucket, ServerSideEncryptionConfiguration: { Rules: [toRule(setting)] } }));
}

/** Where the bucket lives, whatever region its event came from: a key of another region stops every upload. */
export async function regionOf(aws: Aws, resource: ResourceRef): Promise<string | undefined> {
  const answer = await orUndefined(aws.client(S3Client).send(new GetBucketLocationCommand(bucketOf(aws, resource))), 'NoSuchBucket');
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
  return answer && (answer.LocationConstraint === 'EU' ? 'eu-west-1' : answer.LocationConstraint || 'us-east-1');
}

/** Services, log delivery and other accounts that the bucket's policy or ACL lets in; their rights on a key are not seen from here. */
export async function guestsOf(aws: Aws, resource: ResourceRef): Promise<readonly string[]> {
  const [policy, acl] = await Promise.all([bucketPolicyOf(aws, resource), bucketAclOf(aws, resource)]);
  const statements = policy?.Statement ?? [];
  const allows = statements.filter(({ Effect }) => Effect === 'Allow');
  const guests = allows
    .flatMap(({ Principal }) => principalsOf(Principal))
    .filter((principal) => !principal.includes(`:${aws.accountId}:`) && principal !== aws.accountId);
  const granted = (acl?.grants ?? []).filter(({ grantee }) => grantee !== acl?.owner).map(({ grantee }) => grantee);
  const others = allows.some((statement) => 'NotPrincipal' in statement) ? ['everybody but some'] : [];
  return [...new Set([...guests, ...granted, ...others])].sort();
}

const principalsOf = (principal: unknown): string[] =>
  typeof principal === 'object' && principal !== null ? Object.values(principal).flatMap(textsOf) : textsOf(principal);
