import {
  type BucketCannedACL,
  CreateBucketCommand,
  GetBucketAclCommand,
  type ObjectOwnership,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutPublicAccessBlockCommand as PutAccountBlockCommand, S3ControlClient } from '@aws-sdk/client-s3-control';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { TerminalError } from '../../../engine/errors.ts';
import { change } from '../../../engine/model.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/s3/s3-bucket-acl-not-public.ts';
import { type Arrange, accountId, task, testControl } from '../../support/control-tester.ts';

const everyone = 'http://acs.amazonaws.com/groups/global/AllUsers';
const anyAccount = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
const logDelivery = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
const owner = '75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a';
const partner = 'a9a7b886d6fd24a52fe8ca5bef65f89a64e0193f23000e241bf9b1c61be666e9';

interface Given {
  readonly acl?: BucketCannedACL;
  readonly ownership?: ObjectOwnership;
  readonly grants?: readonly (readonly [grantee: string, permission: 'READ' | 'WRITE' | 'READ_ACP' | 'FULL_CONTROL'])[];
  readonly ignored?: 'bucket' | 'account';
}

const bucket =
  ({ acl, ownership, grants, ignored }: Given): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'records', ACL: acl }));
    if (grants) {
      const Grants = grants.map(([grantee, Permission]) => ({
        Grantee: grantee.startsWith('http') ? { Type: 'Group' as const, URI: grantee } : { Type: 'CanonicalUser' as const, ID: grantee },
        Permission,
      }));
      await s3.send(new PutBucketAclCommand({ Bucket: 'records', AccessControlPolicy: { Owner: { ID: owner }, Grants } }));
    }
    if (ownership) {
      await s3.send(new PutBucketOwnershipControlsCommand({ Bucket: 'records', OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } }));
    }
    const PublicAccessBlockConfiguration = { IgnorePublicAcls: true };
    if (ignored === 'bucket') await s3.send(new PutPublicAccessBlockCommand({ Bucket: 'records', PublicAccessBlockConfiguration }));
    if (ignored === 'account') {
      await admin.client(S3ControlClient).send(new PutAccountBlockCommand({ AccountId: accountId, PublicAccessBlockConfiguration }));
    }
    return 'records';
  };

const grantsLeft = async (admin: Parameters<Arrange>[0]) => {
  const { Grants = [] } = await admin.client(S3Client).send(new GetBucketAclCommand({ Bucket: 'records' }));
  return Grants.map(({ Grantee, Permission }) => [Grantee?.URI ?? Grantee?.ID, Permission]);
};

const called = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });

testControl(control, {
  compliant: {
    'the owner alone': bucket({ acl: 'private' }),
    'log delivery and another account': bucket({
      grants: [
        [owner, 'FULL_CONTROL'],
        [logDelivery, 'WRITE'],
        [partner, 'READ'],
      ],
    }),
    // AWS then shows the owner's grant alone; moto shows the grants that no longer count.
    'the bucket owner is enforced': { given: bucket({ acl: 'public-read', ownership: 'BucketOwnerEnforced' }), annotation: 'BucketOwnerEnforced' },
    'the bucket ignores public ACLs': { given: bucket({ acl: 'public-read', ignored: 'bucket' }), annotation: 'of the bucket' },
    'the account ignores public ACLs': { given: bucket({ acl: 'public-read', ignored: 'account' }), annotation: 'of the account' },
  },
  remediated: {
    'everybody may list': {
      given: bucket({ acl: 'public-read' }),
      annotation: 'READ to AllUsers',
      change: { before: [{ grantee: everyone, permission: 'READ' }], after: [] },
    },
    'everybody may list and write': {
      given: bucket({
        grants: [
          [everyone, 'WRITE'],
          [everyone, 'READ'],
          [owner, 'FULL_CONTROL'],
        ],
      }),
      annotation: 'READ to AllUsers, WRITE to AllUsers',
    },
    'anybody with an AWS account, although the bucket owner is preferred': {
      given: bucket({ acl: 'authenticated-read', ownership: 'BucketOwnerPreferred' }),
      change: { before: [{ grantee: anyAccount, permission: 'READ' }] },
    },
    'other grants stay': {
      given: bucket({
        grants: [
          [owner, 'FULL_CONTROL'],
          [everyone, 'READ_ACP'],
          [logDelivery, 'WRITE'],
          [partner, 'READ'],
        ],
      }),
      change: { before: [{ grantee: everyone, permission: 'READ_ACP' }] },
      then: async (admin) => {
        expect(await grantsLeft(admin)).toEqual(
          expect.arrayContaining([
            [owner, 'FULL_CONTROL'],
            [logDelivery, 'WRITE'],
            [partner, 'READ'],
          ]),
        );
      },
    },
  },
  gone: 'no-such-bucket',
  events: {
    'CreateBucket with a public canned ACL': {
      detail: called({ bucketName: 'records', 'x-amz-acl': 'public-read', Host: 's3.amazonaws.com' }),
      ids: ['records'],
    },
    DeleteBucket: { detail: called({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    'PutAccountPublicAccessBlock names no bucket': { detail: called({ accountId: '123456789012', publicAccessBlock: '' }), sweep: true },
    'DeleteAccountPublicAccessBlock names no bucket': { detail: called({ accountId: '123456789012' }), sweep: true },
    'PutBucketAcl with a grant': {
      detail: called({ bucketName: 'records', acl: '', AccessControlPolicy: { AccessControlList: { Grant: { Permission: 'READ' } } } }),
      ids: ['records'],
    },
    PutBucketOwnershipControls: { detail: called({ bucketName: 'records', ownershipControls: '' }), ids: ['records'] },
    DeleteBucketOwnershipControls: { detail: called({ bucketName: 'records', ownershipControls: '' }), ids: ['records'] },
    PutBucketPublicAccessBlock: { detail: called({ bucketName: 'records', publicAccessBlock: '' }), ids: ['records'] },
    DeleteBucketPublicAccessBlock: { detail: called({ bucketName: 'records', publicAccessBlock: '' }), ids: ['records'] },
    'PutBucketAcl with null request parameters': { detail: called(null), sweep: true },
  },
});

test.each([
  ['an owner', { Grants: [] }],
  ['grants', { Owner: { ID: owner } }],
  ['a grantee', { Owner: { ID: owner }, Grants: [{ Permission: 'READ' as const }] }],
  ['a permission', { Owner: { ID: owner }, Grants: [{ Grantee: { Type: 'Group' as const, URI: everyone } }] }],
])('an ACL without %s is an error, never a verdict', async (_, answer) => {
  const fake = mockClient(S3Client);
  try {
    fake.on(GetBucketAclCommand).resolves(answer);
    const aws = awsAccess()({ accountId, region: 'us-east-1' }, { share: false });
    const resource = { accountId, region: 'us-east-1', type: control.resourceType, id: 'arn:aws:s3:::records' };
    await expect(control.inspect(resource, aws)).rejects.toThrow(TerminalError);
  } finally {
    fake.restore();
  }
});

test('a public grant that comes between plan and fix is left to the next plan: undo could not give back what nobody recorded', async () => {
  const fake = mockClient(S3Client);
  try {
    const grant = (uri: string, Permission: 'READ' | 'WRITE') => ({ Grantee: { Type: 'Group' as const, URI: uri }, Permission });
    fake.on(GetBucketAclCommand).resolves({ Owner: { ID: owner }, Grants: [grant(everyone, 'READ'), grant(everyone, 'WRITE')] });
    fake.on(PutBucketAclCommand).resolves({});
    const aws = awsAccess()({ accountId, region: 'us-east-1' }, { share: false });
    const resource = { accountId, region: 'us-east-1', type: control.resourceType, id: 'arn:aws:s3:::records' };
    const planned = change({ action: 's3:PutBucketAcl', summary: 'Take back', before: [{ grantee: everyone, permission: 'READ' }], after: [] });
    await control.remediate!(resource, planned, aws, task);
    expect(fake.commandCalls(PutBucketAclCommand)[0]!.args[0].input.AccessControlPolicy!.Grants).toEqual([grant(everyone, 'WRITE')]);
  } finally {
    fake.restore();
  }
});
