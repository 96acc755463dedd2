import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketPolicyCommand,
  PutBucketAclCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  S3Client,
  type ServerSideEncryptionConfiguration,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/s3/s3-default-encryption-kms.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';

const key = (region = 'us-east-1') => `arn:aws:kms:${region}:${accountId}:key/1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9`;
const otherKey = `arn:aws:kms:us-east-1:${accountId}:key/0a1b2c3d-4e5f-4607-9182-93a4b5c6d7e8`;
const sse = (SSEAlgorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse', KMSMasterKeyID?: string, BucketKeyEnabled = false): ServerSideEncryptionRule => ({
  ApplyServerSideEncryptionByDefault: { SSEAlgorithm, KMSMasterKeyID },
  BucketKeyEnabled,
});

interface Given {
  readonly name?: string;
  readonly principal?: unknown;
  readonly effect?: 'Allow' | 'Deny';
  readonly logGroup?: boolean;
  readonly location?: 'eu-west-1';
}

const bucket =
  (rule?: ServerSideEncryptionRule, { name = 'records', principal, effect = 'Allow', logGroup, location }: Given = {}): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: name, ...(location && { CreateBucketConfiguration: { LocationConstraint: location } }) }));
    if (rule) await s3.send(new PutBucketEncryptionCommand({ Bucket: name, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
    if (principal) {
      const Statement = { Effect: effect, Principal: principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${name}/*` };
      await s3.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    }
    if (logGroup) {
      const Grants = [{ Grantee: { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/s3/LogDelivery' }, Permission: 'WRITE' as const }];
      await s3.send(new PutBucketAclCommand({ Bucket: name, AccessControlPolicy: { Owner: { ID: 'owner' }, Grants } }));
    }
    return name;
  };

const called = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });
const params = { kmsKeyArn: key() };
const guest = (reason: string | RegExp, given: Given) => ({ params, given: bucket(sse('AES256'), given), reason });

testControl(control, {
  params,
  compliant: {
    'a key of its own': bucket(sse('aws:kms', otherKey)),
    'two layers of encryption': bucket(sse('aws:kms:dsse', otherKey)),
    "AWS's key for S3, where that is enough": { given: bucket(sse('aws:kms')), params: { requireCmk: false } },
  },
  remediated: {
    'S3 keys': {
      given: bucket(sse('AES256')),
      annotation: 'with AES256',
      change: {
        before: { algorithm: 'AES256', key: null, bucketKey: false, blockedTypes: [] },
        after: { algorithm: 'aws:kms', key: key(), bucketKey: true, blockedTypes: [] },
      },
    },
    'no configuration, which only moto has': { given: bucket(), change: { before: null } },
    "AWS's key for S3, bucket key off": {
      given: bucket(sse('aws:kms')),
      annotation: 'AWS keeps',
      change: { after: { algorithm: 'aws:kms', key: key(), bucketKey: false, blockedTypes: [] } },
    },
    "the alias of AWS's key, two layers": {
      given: bucket(sse('aws:kms:dsse', `arn:aws:kms:us-east-1:${accountId}:alias/aws/s3`)),
      change: { after: { algorithm: 'aws:kms:dsse', key: key(), bucketKey: false, blockedTypes: [] } },
    },
    'a name with logs inside a word': { given: bucket(sse('AES256'), { name: 'catalogs' }) },
    'a policy that lets a role of the account in': { given: bucket(sse('AES256'), { principal: { AWS: `arn:aws:iam::${accountId}:role/app` } }) },
    'a policy that lets the account in by its number': { given: bucket(sse('AES256'), { principal: { AWS: [accountId] } }) },
    'a policy that only denies': { given: bucket(sse('AES256'), { principal: '*', effect: 'Deny' }) },
  },
  blocked: {
    'no key chosen': { given: bucket(sse('AES256')), params: {}, reason: 'A person must choose the key' },
    'a key of another region': {
      given: bucket(sse('AES256')),
      params: { kmsKeyArn: key('eu-west-1') },
      reason: 'key is in eu-west-1, the bucket in us-east-1',
    },
    'a bucket of another region than its event': { given: bucket(sse('AES256'), { location: 'eu-west-1' }), params, reason: 'the bucket in eu-west-1' },
    'the name of a log target': guest('name says', { name: 'hospital-access-logs-2026' }),
    'S3 access logs': guest('logging.s3.amazonaws.com', { principal: { Service: 'logging.s3.amazonaws.com' } }),
    'S3 access logs by the ACL': guest('log delivery group', { logGroup: true }),
    'network logs among others': guest('delivery.logs.amazonaws.com', {
      principal: { AWS: `arn:aws:iam::${accountId}:root`, Service: ['cloudtrail.amazonaws.com', 'delivery.logs.amazonaws.com'] },
    }),
    'load balancer logs, by the account that writes them': guest('lets 1 other in', { principal: { AWS: 'arn:aws:iam::127311923021:root' } }),
    everybody: guest('lets everybody in', { principal: '*' }),
  },
  gone: 'no-such-bucket',
  events: {
    CreateBucket: { detail: called({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    DeleteBucket: { detail: called({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    PutBucketEncryption: {
      detail: called({
        bucketName: 'records',
        encryption: '',
        ServerSideEncryptionConfiguration: { Rule: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } } },
      }),
      ids: ['records'],
    },
    DeleteBucketEncryption: { detail: called({ bucketName: 'records', encryption: '' }), ids: ['records'] },
    'DeleteBucketEncryption with null request parameters': { detail: called(null), sweep: true },
  },
});

// moto does not keep blocked encryption types.
test('what uploads may not ask for is carried over and survives the undo', async () => {
  const original: ServerSideEncryptionConfiguration = { Rules: [{ ...sse('AES256'), BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } }] };
  let stored = original;
  const fake = mockClient(S3Client);
  try {
    fake.resolves({});
    fake.on(GetBucketAclCommand).resolves({ Owner: { ID: 'owner' }, Grants: [] });
    fake.on(GetBucketPolicyCommand).rejects(Object.assign(new Error('The bucket policy does not exist'), { name: 'NoSuchBucketPolicy' }));
    fake.on(GetBucketEncryptionCommand).callsFake(async () => ({ ServerSideEncryptionConfiguration: stored }));
    fake.on(PutBucketEncryptionCommand).callsFake(async (input) => {
      stored = input.ServerSideEncryptionConfiguration;
      return {};
    });
    const aws = awsAccess()({ accountId, region: 'us-east-1' }, { share: false });
    const resource = { accountId, region: 'us-east-1', type: control.resourceType, id: 'arn:aws:s3:::records' };
    const planned = control.plan!((await control.inspect(resource, aws))!, control.params.parse(params));
    if (planned.kind === 'blocked') throw new Error(planned.reason);
    await control.remediate!(resource, planned, aws, { findingId: 'f-1' });
    expect(stored.Rules).toEqual([{ ...sse('aws:kms', key(), true), BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } }]);
    await control.undo!(resource, planned, aws, { findingId: 'f-1' });
    expect(stored).toEqual(original);
  } finally {
    fake.restore();
  }
});

test('params that cannot work are refused', () => {
  expect(control.params.safeParse({ kmsKeyArn: `arn:aws:kms:us-east-1:${accountId}:alias/records` }).success).toBe(false);
  expect(control.params.safeParse({ exemptBucketsPattern: '(logs' }).success).toBe(false);
});
