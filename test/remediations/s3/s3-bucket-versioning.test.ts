import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import control from '../../../remediations/s3/s3-bucket-versioning.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const bucket =
  (...statuses: readonly ('Enabled' | 'Suspended')[]): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'records' }));
    for (const Status of statuses) await s3.send(new PutBucketVersioningCommand({ Bucket: 'records', VersioningConfiguration: { Status } }));
    return 'records';
  };

const called = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });

testControl(control, {
  compliant: { 'versions are kept': bucket('Enabled'), 'kept again': bucket('Enabled', 'Suspended', 'Enabled') },
  remediated: {
    'never kept': { given: bucket(), annotation: 'never kept', change: { before: null, after: 'Enabled' } },
    suspended: { given: bucket('Enabled', 'Suspended'), annotation: 'suspended', change: { before: 'Suspended', after: 'Enabled' } },
  },
  gone: 'no-such-bucket',
  events: {
    CreateBucket: { detail: called({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    DeleteBucket: { detail: called({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    PutBucketVersioning: {
      detail: called({
        bucketName: 'records',
        versioning: '',
        VersioningConfiguration: { Status: 'Suspended', xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' },
      }),
      ids: ['records'],
    },
    'PutBucketVersioning with null request parameters': { detail: called(null), sweep: true },
  },
});

// moto does not keep MFA delete.
test('suspended with MFA delete on: blocked, since only root may change it', () => {
  const state = { status: 'Suspended', mfaDelete: true } as const;
  expect(control.evaluate(state, {}, new Date()).complianceType).toBe('NON_COMPLIANT');
  expect(control.plan!(state, {})).toEqual({ kind: 'blocked', reason: expect.stringMatching('root user') });
});
