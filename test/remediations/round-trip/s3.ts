/** Access blocks, ACLs and default encryption of buckets, and the account's own block. */
import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  type Grant,
  type ObjectOwnership,
  PutBucketAclCommand,
  PutBucketEncryptionCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import {
  DeletePublicAccessBlockCommand,
  GetPublicAccessBlockCommand as GetAccountBlockCommand,
  PutPublicAccessBlockCommand as PutAccountBlockCommand,
  S3ControlClient,
} from '@aws-sdk/client-s3-control';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { type AccessBlock, orNone } from '../../../remediations/s3/s3.ts';
import { own, someOf } from '../../support/arbitraries.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

const create = async (aws: Aws, Bucket: string) => {
  await aws.client(S3Client).send(new CreateBucketCommand({ Bucket }));
  return Bucket;
};

const on = { BlockPublicAcls: fc.boolean(), IgnorePublicAcls: fc.boolean(), BlockPublicPolicy: fc.boolean(), RestrictPublicBuckets: fc.boolean() };
/** None at all, or one in which something is off or left out. */
const blocks = fc.option(
  someOf<AccessBlock>(on).filter((block) => Object.values(block).filter(Boolean).length < 4),
  { nil: null },
);
type Block = Partial<AccessBlock> | null;
const noBlock = 'NoSuchPublicAccessBlockConfiguration';

const bucketBlock: RoundTrip<Block> = {
  prior: blocks,
  async arrange(aws, PublicAccessBlockConfiguration, Bucket) {
    await create(aws, Bucket);
    if (PublicAccessBlockConfiguration) await aws.client(S3Client).send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    return Bucket;
  },
  async told(aws, Bucket) {
    const answer = await orNone(aws.client(S3Client).send(new GetPublicAccessBlockCommand({ Bucket })), noBlock);
    return {
      own: answer && { ...answer.PublicAccessBlockConfiguration },
      other: (await aws.client(S3Client).send(new GetBucketAclCommand({ Bucket }))).Grants,
    };
  },
};

const AccountId = own;
const accountBlock: RoundTrip<Block> = {
  prior: blocks,
  async arrange(aws, PublicAccessBlockConfiguration) {
    if (PublicAccessBlockConfiguration) await aws.client(S3ControlClient).send(new PutAccountBlockCommand({ AccountId, PublicAccessBlockConfiguration }));
    return `arn:aws:iam::${own}:root`;
  },
  async told(aws) {
    const answer = await orNone(aws.client(S3ControlClient).send(new GetAccountBlockCommand({ AccountId })), noBlock);
    return { own: answer && { ...answer.PublicAccessBlockConfiguration }, other: null };
  },
  async clear(aws) {
    await aws.client(S3ControlClient).send(new DeletePublicAccessBlockCommand({ AccountId }));
  },
};

const ownerId = '75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a';
const group = (name: string, Permission: Grant['Permission']): Grant => ({
  Grantee: { Type: 'Group', URI: `http://acs.amazonaws.com/groups/${name}` },
  Permission,
});
const account = (ID: string, Permission: Grant['Permission']): Grant => ({ Grantee: { Type: 'CanonicalUser', ID }, Permission });
const late = account('c'.repeat(64), 'READ');

interface Acl {
  readonly grants: readonly Grant[];
  readonly ownership: ObjectOwnership | null;
}

const isOpen = ({ Grantee }: Grant) => Grantee?.URI?.includes('/global/') ?? false;
const asText = ({ Grantee, Permission }: Grant) => `${Permission} to ${Grantee?.URI ?? Grantee?.ID}`;
const aclOf = async (aws: Aws, Bucket: string) => (await aws.client(S3Client).send(new GetBucketAclCommand({ Bucket }))).Grants ?? [];
const writeAcl = (aws: Aws, Bucket: string, Grants: readonly Grant[]) =>
  aws.client(S3Client).send(new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Owner: { ID: ownerId }, Grants: [...Grants] } }));

const bucketAcl: RoundTrip<Acl> = {
  moto: 'moto refuses a list without grants, which S3 takes',
  prior: fc
    .record({
      open: fc.subarray(
        (['READ', 'WRITE', 'READ_ACP', 'WRITE_ACP', 'FULL_CONTROL'] as const).flatMap((permission) => [
          group('global/AllUsers', permission),
          group('global/AuthenticatedUsers', permission),
        ]),
        { minLength: 1 },
      ),
      others: fc.subarray([
        account('a'.repeat(64), 'READ'),
        account('a'.repeat(64), 'WRITE'),
        account('b'.repeat(64), 'FULL_CONTROL'),
        group('s3/LogDelivery', 'WRITE'),
        group('s3/LogDelivery', 'READ_ACP'),
      ]),
      ownership: fc.constantFrom<ObjectOwnership | null>(null, 'ObjectWriter', 'BucketOwnerPreferred'),
    })
    .map(({ open, others, ownership }) => ({ grants: [...others, ...open, account(ownerId, 'FULL_CONTROL')], ownership })),
  async arrange(aws, { grants, ownership }, Bucket) {
    await create(aws, Bucket);
    const OwnershipControls = ownership && { Rules: [{ ObjectOwnership: ownership }] };
    if (OwnershipControls) await aws.client(S3Client).send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    await writeAcl(aws, Bucket, grants);
    return Bucket;
  },
  async told(aws, Bucket) {
    const grants = await aclOf(aws, Bucket);
    return {
      own: grants.filter(isOpen).map(asText).sort(),
      other: grants
        .filter((grant) => !isOpen(grant))
        .map(asText)
        .sort(),
    };
  },
  async meanwhile(aws, Bucket) {
    await writeAcl(aws, Bucket, [...(await aclOf(aws, Bucket)), late]);
  },
};

const key = (id: string) => `arn:aws:kms:us-east-1:${own}:key/${id}`;

const encryption: RoundTrip<{ readonly rule: ServerSideEncryptionRule | null; readonly policy: boolean }> = {
  prior: fc.record({
    rule: fc.oneof(
      // Only moto has buckets without a configuration.
      fc.constant(null),
      fc.record(
        {
          ApplyServerSideEncryptionByDefault: fc.constantFrom<ServerSideEncryptionRule['ApplyServerSideEncryptionByDefault']>(
            { SSEAlgorithm: 'AES256' },
            { SSEAlgorithm: 'aws:kms' },
            { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'alias/aws/s3' },
            { SSEAlgorithm: 'aws:kms:dsse' },
            { SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: `arn:aws:kms:us-east-1:${own}:alias/aws/s3` },
          ),
          BucketKeyEnabled: fc.boolean(),
        },
        { requiredKeys: ['ApplyServerSideEncryptionByDefault'] },
      ),
    ),
    policy: fc.boolean(),
  }),
  params: () => ({ kmsKeyArn: key('1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9') }),
  async arrange(aws, { rule, policy }, Bucket) {
    await create(aws, Bucket);
    const s3 = aws.client(S3Client);
    if (rule) await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
    const Statement = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${own}:root` }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` };
    if (policy) await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    return Bucket;
  },
  async told(aws, Bucket) {
    const s3 = aws.client(S3Client);
    const answer = await orNone(s3.send(new GetBucketEncryptionCommand({ Bucket })), 'ServerSideEncryptionConfigurationNotFoundError');
    const policy = await orNone(s3.send(new GetBucketPolicyCommand({ Bucket })), 'NoSuchBucketPolicy');
    // AWS always shows the bucket key; moto what was sent.
    const rules = answer?.ServerSideEncryptionConfiguration?.Rules?.map((rule) => ({ ...rule, BucketKeyEnabled: rule.BucketKeyEnabled ?? false }));
    return { own: rules, other: policy?.Policy };
  },
};

export const s3 = {
  's3-account-public-access-block': accountBlock,
  's3-bucket-public-access-block': bucketBlock,
  's3-bucket-acl-not-public': bucketAcl,
  's3-default-encryption-kms': encryption,
};
