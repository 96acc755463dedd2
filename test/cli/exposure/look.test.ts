/** Denials and faults on the way to the log files, on a shaped fake: moto answers CloudTrail's denials in a form that its SDK cannot read. */

import { gzipSync } from 'node:zlib';
import { CloudTrailClient, DescribeTrailsCommand, GetEventSelectorsCommand, GetTrailStatusCommand } from '@aws-sdk/client-cloudtrail';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { lookInTrails } from '../../../cli/exposure/look.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';

const account = '123456789012';
const arn = (name: string, region = 'us-east-1') => `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
const bucket = { accountId: account, region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::records' };
const snapshot = { ...bucket, type: 'AWS::EC2::Snapshot', id: 'arn:aws:ec2:us-east-1::snapshot/snap-1' };
const window = { from: '2026-03-01T12:00:00.000Z', to: '2026-03-01T12:04:00.000Z' };
const now = new Date('2026-03-01T18:00:00Z');
const key = `AWSLogs/${account}/CloudTrail/us-east-1/2026/03/01/${account}_CloudTrail_us-east-1_20260301T1205Z_x.json.gz`;
const trail = (name: string, more = {}) => ({
  TrailARN: arn(name),
  Name: name,
  S3BucketName: `${name}-logs`,
  HomeRegion: 'us-east-1',
  IsMultiRegionTrail: true,
  ...more,
});
const denied = () => Object.assign(new Error('User is not authorized to perform this'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
const everything = { EventSelectors: [{ IncludeManagementEvents: true, DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }] };
const managementOnly = { EventSelectors: [{ IncludeManagementEvents: true }] };
const record = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  eventTime: '2026-03-01T12:01:00Z',
  eventID: 'r-1',
  eventCategory: 'Data',
  requestParameters: { bucketName: 'records', key: 'x' },
};
const body = (...Records: object[]) => ({ Body: { transformToByteArray: async () => gzipSync(JSON.stringify({ Records })) } });

const cloudtrail = mockClient(CloudTrailClient);
const s3 = mockClient(S3Client);
beforeEach(() => {
  cloudtrail.reset();
  s3.reset();
  cloudtrail.on(DescribeTrailsCommand).resolves({ trailList: [trail('audit')] });
  cloudtrail.on(GetEventSelectorsCommand).resolves(everything);
  cloudtrail.on(GetTrailStatusCommand).resolves({ IsLogging: true, StartLoggingTime: new Date('2026-01-01T00:00:00Z') });
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: key }] });
  s3.on(GetObjectCommand).callsFake(() => body(record));
});
afterEach(() => {
  cloudtrail.reset();
  s3.reset();
});
const look = (resource = bucket) => lookInTrails(awsAccess()({ accountId: account, region: 'us-east-1' }, { share: false }), resource, window, now, () => {});

test('all of it may be read: who read it, and nothing that cannot be told', async () => {
  expect(await look()).toMatchObject({ untold: [], files: 1, readers: [{ kind: 'anonymous', count: 1 }] });
});

const cases: Readonly<Record<string, readonly [arrange: () => unknown, says: RegExp, readers: number]>> = {
  'a file may not be read': [
    () => s3.on(GetObjectCommand).rejects(denied()),
    /log files of .*trail\/audit in the bucket audit-logs cannot be read: Not allowed/,
    0,
  ],
  'the bucket may not be listed': [() => s3.on(ListObjectsV2Command).rejects(denied()), /in the bucket audit-logs cannot be read: Not allowed/, 0],
  "an organization's trail does not show its selectors": [
    () => cloudtrail.on(GetEventSelectorsCommand).rejects(denied()),
    /what the trail .*audit selects cannot be read: Not allowed/,
    0,
  ],
  'the trail has been stopped': [() => cloudtrail.on(GetTrailStatusCommand).resolves({ IsLogging: false }), /of .*trail\/audit, it is not logging now/, 1],
  'a trail of another region alone': [
    () => cloudtrail.on(DescribeTrailsCommand).resolves({ trailList: [trail('audit', { IsMultiRegionTrail: false, HomeRegion: 'eu-west-1' })] }),
    /no trail records data events of it/,
    0,
  ],
};
test.each(Object.entries(cases))('%s', async (_, [arrange, says, readers]) => {
  arrange();
  const looked = await look();
  expect(looked.untold.join('\n')).toMatch(says);
  expect(looked.readers).toHaveLength(readers);
});

test('one bucket may not be read and another may: who read it is told, and what is missing too', async () => {
  cloudtrail.on(DescribeTrailsCommand).resolves({ trailList: [trail('audit'), trail('closed')] });
  s3.on(ListObjectsV2Command, { Bucket: 'closed-logs' }).rejects(denied());
  expect(await look()).toMatchObject({ readers: [{ count: 1 }], untold: [expect.stringMatching(/closed-logs cannot be read/)] });
});

test('what two trails record counts once', async () => {
  cloudtrail.on(DescribeTrailsCommand).resolves({ trailList: [trail('audit'), trail('second')] });
  expect(await look()).toMatchObject({ files: 2, records: 2, readers: [{ count: 1 }], untold: [] });
});

test('a snapshot: management events tell of volumes and copies, though blocks read directly are not recorded', async () => {
  cloudtrail.on(GetEventSelectorsCommand).resolves(managementOnly);
  const made = {
    ...record,
    eventSource: 'ec2.amazonaws.com',
    eventName: 'SharedSnapshotVolumeCreated',
    eventCategory: 'Management',
    userIdentity: { type: 'AWSAccount', accountId: '111122223333' },
    requestParameters: { snapshotId: 'snap-1' },
  };
  s3.on(GetObjectCommand).callsFake(() => body(made));
  expect(await look(snapshot)).toMatchObject({
    readers: [{ kind: 'other account', accountId: '111122223333', calls: ['SharedSnapshotVolumeCreated'] }],
    untold: [expect.stringMatching(/^no trail records data events of it/)],
  });
});
