import { CreateBucketCommand, PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { everythingBlocked } from '../../../remediations/s3/s3.ts';
import control from '../../../remediations/s3/s3-bucket-public-access-block.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const bucket =
  (block?: Partial<typeof everythingBlocked>): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'records' }));
    if (block) await s3.send(new PutPublicAccessBlockCommand({ Bucket: 'records', PublicAccessBlockConfiguration: block }));
    return 'records';
  };

const created = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });

testControl(control, {
  compliant: { 'all four on': bucket(everythingBlocked) },
  remediated: {
    'no configuration': { given: bucket(), annotation: 'are off', change: { before: null, after: everythingBlocked } },
    'one of four off': {
      given: bucket({ ...everythingBlocked, BlockPublicPolicy: false }),
      annotation: /^BlockPublicPolicy is off/,
      change: { before: { ...everythingBlocked, BlockPublicPolicy: false } },
    },
    'members left out count as off': {
      given: bucket({ BlockPublicAcls: true }),
      annotation: 'IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets are off',
    },
  },
  gone: 'no-such-bucket',
  events: {
    CreateBucket: { detail: created({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    DeleteBucket: { detail: created({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    PutBucketPublicAccessBlock: { detail: created({ bucketName: 'records', publicAccessBlock: '' }), ids: ['records'] },
    DeleteBucketPublicAccessBlock: { detail: created({ bucketName: 'records' }), ids: ['records'] },
    'CreateBucket with null request parameters': { detail: { ...created(null), eventName: 'CreateBucket' }, sweep: true },
  },
});
