import { CloudTrailClient, CreateTrailCommand, DescribeTrailsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from '@jest/globals';
import control from '../../../remediations/cloudtrail/cloudtrail-log-validation.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const trail =
  (EnableLogFileValidation?: boolean, region = 'us-east-1'): Arrange =>
  async (admin) => {
    await admin.client(S3Client).send(new CreateBucketCommand({ Bucket: 'trail-records' }));
    const { TrailARN } = await admin
      .in(region)
      .client(CloudTrailClient)
      .send(new CreateTrailCommand({ Name: 'audit', S3BucketName: 'trail-records', S3KeyPrefix: 'logs', IsMultiRegionTrail: true, EnableLogFileValidation }));
    return TrailARN!;
  };

const arn = 'arn:aws:cloudtrail:us-east-1:123456789012:trail/audit';
const called = (requestParameters: unknown, responseElements: unknown = null) => ({
  eventSource: 'cloudtrail.amazonaws.com',
  requestParameters,
  responseElements,
});

testControl(control, {
  compliant: { 'writes digests': trail(true), 'writes digests, home in another region': trail(true, 'us-west-2') },
  remediated: {
    'turned off': { given: trail(false), change: { before: false, after: true } },
    'never asked for: the rest of the trail stays as it was': {
      given: trail(undefined, 'us-west-2'),
      async then(admin) {
        const { trailList } = await admin.in('us-west-2').client(CloudTrailClient).send(new DescribeTrailsCommand({}));
        expect(trailList).toEqual([expect.objectContaining({ S3KeyPrefix: 'logs', IsMultiRegionTrail: true, LogFileValidationEnabled: true })]);
      },
    },
  },
  gone: 'no-such-trail',
  events: {
    CreateTrail: { detail: called({ name: 'audit', enableLogFileValidation: false }, { name: 'audit', trailARN: arn }), ids: [arn] },
    UpdateTrail: { detail: called({ name: 'audit' }, { trailARN: arn }), ids: [arn] },
    'UpdateTrail without an answer': { detail: { ...called({ name: 'audit' }), eventName: 'UpdateTrail' }, ids: [arn] },
    DeleteTrail: { detail: called({ name: 'audit' }), ids: [arn] },
    'UpdateTrail with null blocks': { detail: { ...called(null), eventName: 'UpdateTrail' }, sweep: true },
  },
});
