import { CloudTrailClient, CreateTrailCommand, GetTrailStatusCommand, StartLoggingCommand, StopLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from '@jest/globals';
import control from '../../../remediations/cloudtrail/cloudtrail-logging-on.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

type Stage = 'made' | 'logging' | 'stopped';

const trail =
  (stage: Stage, region = 'us-east-1'): Arrange =>
  async (admin) => {
    await admin.client(S3Client).send(new CreateBucketCommand({ Bucket: 'trail-records' }));
    const client = admin.in(region).client(CloudTrailClient);
    const { TrailARN } = await client.send(new CreateTrailCommand({ Name: 'audit', S3BucketName: 'trail-records', IsMultiRegionTrail: true }));
    if (stage !== 'made') await client.send(new StartLoggingCommand({ Name: 'audit' }));
    if (stage === 'stopped') await client.send(new StopLoggingCommand({ Name: 'audit' }));
    return TrailARN!;
  };

const arn = 'arn:aws:cloudtrail:us-east-1:123456789012:trail/audit';
const called = (requestParameters: unknown, responseElements: unknown = null) => ({
  eventSource: 'cloudtrail.amazonaws.com',
  requestParameters,
  responseElements,
});

testControl(control, {
  compliant: { logging: trail('logging'), 'logging, and listed as exempt': { given: trail('logging'), params: { exemptTrails: ['audit'] } } },
  notApplicable: {
    'stopped, exempt by name': { given: trail('stopped'), params: { exemptTrails: ['audit'] } },
    'stopped, exempt by ARN': { given: trail('stopped'), params: { exemptTrails: [arn] } },
  },
  remediated: {
    stopped: { given: trail('stopped'), annotation: /was stopped at 20\d\d-/, change: { before: false, after: true } },
    'made and not started': { given: trail('made'), annotation: 'never logged', params: { exemptTrails: ['other'] } },
    'the home region is another one': {
      given: trail('stopped', 'us-west-2'),
      async then(admin) {
        const { IsLogging } = await admin
          .in('us-west-2')
          .client(CloudTrailClient)
          .send(new GetTrailStatusCommand({ Name: 'audit' }));
        expect(IsLogging).toBe(true);
      },
    },
  },
  gone: 'no-such-trail',
  events: {
    StopLogging: { detail: called({ name: 'audit' }), ids: ['audit'] },
    'StopLogging by ARN, home in another region': {
      detail: { ...called({ name: 'arn:aws:cloudtrail:us-west-2:123456789012:trail/audit' }), eventName: 'StopLogging' },
      ids: ['arn:aws:cloudtrail:us-west-2:123456789012:trail/audit'],
    },
    "StopLogging on the organization's trail": {
      detail: { ...called({ name: 'arn:aws:cloudtrail:us-east-1:210987654321:trail/org' }), eventName: 'StopLogging' },
      ids: [],
    },
    StartLogging: { detail: called({ name: 'audit' }), ids: ['audit'] },
    CreateTrail: { detail: called({ name: 'audit', s3BucketName: 'trail-records' }, { name: 'audit', trailARN: arn }), ids: [arn] },
    DeleteTrail: { detail: called({ name: 'audit' }), ids: ['audit'] },
    'StopLogging with null blocks': { detail: { ...called(null), eventName: 'StopLogging' }, sweep: true },
  },
});
