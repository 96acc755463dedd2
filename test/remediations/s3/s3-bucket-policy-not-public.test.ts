import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  type PublicAccessBlockConfiguration,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutPublicAccessBlockCommand as PutAccountBlockCommand, S3ControlClient } from '@aws-sdk/client-s3-control';
import { expect } from '@jest/globals';
import { codeOf } from '../../../engine/errors.ts';
import control from '../../../remediations/s3/s3-bucket-policy-not-public.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';

const everybody = { Sid: 'Downloads', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::records/*' };
const uploads = { Sid: 'Uploads', Effect: 'Allow', Principal: { AWS: '*' }, Action: ['s3:PutObject'], Resource: 'arn:aws:s3:::records/in/*' };
const partner = {
  Sid: 'Partner',
  Effect: 'Allow',
  Principal: { AWS: 'arn:aws:iam::111122223333:root' },
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::records/*',
};
const organisation = { ...everybody, Sid: 'Organisation', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } };

const bucket =
  (policy?: object, block?: PublicAccessBlockConfiguration): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'records' }));
    if (policy) await s3.send(new PutBucketPolicyCommand({ Bucket: 'records', Policy: JSON.stringify(policy) }));
    if (block) await s3.send(new PutPublicAccessBlockCommand({ Bucket: 'records', PublicAccessBlockConfiguration: block }));
    return 'records';
  };

const withAccountBlock =
  (given: Arrange, PublicAccessBlockConfiguration: PublicAccessBlockConfiguration): Arrange =>
  async (admin) => {
    await admin.client(S3ControlClient).send(new PutAccountBlockCommand({ AccountId: accountId, PublicAccessBlockConfiguration }));
    return given(admin);
  };

const named = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });

testControl(control, {
  compliant: {
    'public, but the bucket restricts it': {
      given: bucket({ Version: '2012-10-17', Statement: [everybody] }, { RestrictPublicBuckets: true }),
      annotation: 'RestrictPublicBuckets of the bucket',
    },
    'public, but the account restricts it': {
      given: withAccountBlock(bucket({ Version: '2012-10-17', Statement: [everybody] }, { RestrictPublicBuckets: false }), { RestrictPublicBuckets: true }),
      annotation: 'RestrictPublicBuckets of the account',
    },
    'no policy': bucket(),
    'another account by name': bucket({ Version: '2012-10-17', Statement: [partner] }),
    'everybody of one organisation': bucket({ Version: '2012-10-17', Statement: organisation }),
    'a Deny to everybody': bucket({ Version: '2012-10-17', Statement: [{ ...everybody, Effect: 'Deny' }] }),
  },
  remediated: {
    'two public statements among others': {
      given: bucket({ Version: '2012-10-17', Id: 'records', Statement: [everybody, partner, uploads, organisation] }),
      annotation: /^2 public statements .* let in/,
      change: { before: { Version: '2012-10-17', Id: 'records', Statement: [everybody, uploads] }, after: null },
      async then(admin) {
        const { Policy = '' } = await admin.client(S3Client).send(new GetBucketPolicyCommand({ Bucket: 'records' }));
        expect(JSON.parse(Policy)).toEqual({ Version: '2012-10-17', Id: 'records', Statement: [partner, organisation] });
      },
    },
    'nothing else in the policy': {
      given: bucket({ Version: '2008-10-17', Id: 'old', Statement: everybody }),
      annotation: /^1 public statement .* lets in/,
      change: { before: { Version: '2008-10-17', Id: 'old', Statement: [everybody] }, after: null },
      async then(admin) {
        const answer = await admin
          .client(S3Client)
          .send(new GetBucketPolicyCommand({ Bucket: 'records' }))
          .then(JSON.stringify, codeOf);
        expect(answer).toBe('NoSuchBucketPolicy');
      },
    },
    'the other blocks of the account do not undo a public policy': {
      given: withAccountBlock(bucket({ Version: '2012-10-17', Statement: [everybody] }), { BlockPublicPolicy: true, RestrictPublicBuckets: false }),
    },
    'the blocks of ACLs do not stop a policy': {
      given: bucket({ Version: '2012-10-17', Statement: [everybody, partner] }, { BlockPublicAcls: true, IgnorePublicAcls: true }),
      change: { before: { Version: '2012-10-17', Statement: [everybody] } },
    },
  },
  gone: 'no-such-bucket',
  events: {
    CreateBucket: { detail: named({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    DeleteBucket: { detail: named({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    'PutAccountPublicAccessBlock names no bucket': { detail: named({ accountId: '123456789012', publicAccessBlock: '' }), sweep: true },
    'DeleteAccountPublicAccessBlock names no bucket': { detail: named({ accountId: '123456789012' }), sweep: true },
    PutBucketPolicy: {
      detail: named({ bucketName: 'records', bucketPolicy: { Version: '2012-10-17', Statement: [everybody] }, policy: '' }),
      ids: ['records'],
    },
    DeleteBucketPolicy: { detail: named({ bucketName: 'records', policy: '' }), ids: ['records'] },
    PutBucketPublicAccessBlock: { detail: named({ bucketName: 'records', publicAccessBlock: '' }), ids: ['records'] },
    DeleteBucketPublicAccessBlock: { detail: named({ bucketName: 'records', publicAccessBlock: '' }), ids: ['records'] },
    'PutBucketPolicy with null request parameters': { detail: { ...named(null), eventName: 'PutBucketPolicy' }, sweep: true },
  },
});
