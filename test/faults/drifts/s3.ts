import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { letsAllIn, plain, refusesHttp, type Scenario, statementsOf } from './model.ts';

export const accessBlock: Scenario = {
  name: 'bucket access block',
  controls: ['s3-bucket-public-access-block'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const open = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    const again = async () => void (await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: open })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await again();
    return {
      broken: [
        {
          control: 's3-bucket-public-access-block',
          id: `arn:aws:s3:::${Bucket}`,
          region: admin.region,
          right: (live) => Object.values(live as object).every((on) => on === true) && Object.keys(live as object).length === 4,
        },
      ],
      told: { source: 's3', eventName: 'PutBucketPublicAccessBlock', detail: { requestParameters: { bucketName: Bucket, publicAccessBlock: '' } } },
      marks: [Bucket],
      again,
      read: async () => (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
    };
  },
};

export const versioning: Scenario = {
  name: 'bucket versioning',
  controls: ['s3-bucket-versioning'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const put = async (Status: 'Enabled' | 'Suspended') =>
      void (await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await put('Enabled');
    await put('Suspended');
    return {
      broken: [{ control: 's3-bucket-versioning', id: `arn:aws:s3:::${Bucket}`, region: admin.region, right: (live) => live === 'Enabled' }],
      told: { source: 's3', eventName: 'PutBucketVersioning', detail: { requestParameters: { bucketName: Bucket, versioning: '' } } },
      marks: [Bucket],
      again: () => put('Suspended'),
      read: async () => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status,
    };
  },
};

export const bucketPolicy: Scenario = {
  name: 'bucket policy that lets in everybody, by plain HTTP: two controls, one setting',
  controls: ['s3-bucket-policy-not-public', 's3-bucket-tls-only'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const Policy = plain({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'Downloads', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
        { Sid: 'Partner', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
      ],
    });
    const again = async () => void (await s3.send(new PutBucketPolicyCommand({ Bucket, Policy })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await again();
    const at = { id: `arn:aws:s3:::${Bucket}`, region: admin.region };
    return {
      broken: [
        {
          ...at,
          control: 's3-bucket-policy-not-public',
          right: (live) => !statementsOf(live).some(letsAllIn),
          effect: (body) => statementsOf(JSON.parse(body)).filter(letsAllIn),
        },
        {
          ...at,
          control: 's3-bucket-tls-only',
          right: (live) => statementsOf(live).some(refusesHttp),
          effect: (body) => statementsOf(JSON.parse(body)).filter(refusesHttp),
        },
      ],
      told: { source: 's3', eventName: 'PutBucketPolicy', detail: { requestParameters: { bucketName: Bucket, policy: '', bucketPolicy: JSON.parse(Policy) } } },
      marks: [Bucket],
      again,
      read: async () => JSON.parse((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy!),
    };
  },
};
