/** Trails. */
import {
  CloudTrailClient,
  CreateTrailCommand,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { Scenario } from './model.ts';

export const trail = (name: string, control: string, kind: 'logging' | 'validation'): Scenario => ({
  name,
  controls: [control],
  fixes: true,
  async make(admin, Name) {
    const client = admin.client(CloudTrailClient);
    await admin.client(S3Client).send(new CreateBucketCommand({ Bucket: Name }));
    const { TrailARN } = await client.send(new CreateTrailCommand({ Name, S3BucketName: Name, EnableLogFileValidation: kind === 'logging' }));
    const stop = async () => void (await client.send(new StopLoggingCommand({ Name })));
    const weaken = async () => void (await client.send(new UpdateTrailCommand({ Name, EnableLogFileValidation: false })));
    return {
      broken: [{ control, id: TrailARN!, region: admin.region, right: (live) => live === true }],
      told: {
        source: 'cloudtrail',
        eventName: kind === 'logging' ? 'StopLogging' : 'UpdateTrail',
        detail: { requestParameters: { name: Name }, ...(kind === 'validation' && { responseElements: { trailARN: TrailARN } }) },
      },
      marks: [Name],
      again: kind === 'logging' ? stop : weaken,
      read: async () => {
        if (kind === 'logging') return (await client.send(new GetTrailStatusCommand({ Name }))).IsLogging;
        // moto lists all of them, whatever the names.
        const { trailList = [] } = await client.send(new DescribeTrailsCommand({ trailNameList: [Name] }));
        return trailList.find((found) => found.Name === Name)?.LogFileValidationEnabled;
      },
    };
  },
});
