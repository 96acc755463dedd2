/** Who read it, from records; what a trail selects; which files can hold events of a window. Pure. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { elsewhere, readers } from '../../../cli/exposure/readers.ts';
import { isOutside, recordOf, tallyOf } from '../../../cli/exposure/readings.ts';
import { type Taken, takes, takesManagement } from '../../../cli/exposure/selectors.ts';
import { canHold, daysOf } from '../../../cli/exposure/trails.ts';
import type { ResourceRef } from '../../../engine/model.ts';
import { catalogue } from '../../../remediations/index.ts';

const account = '123456789012';
const ref = (type: string, id: string): ResourceRef => ({ accountId: account, region: 'us-east-1', type, id });
const bucket = ref('AWS::S3::Bucket', 'arn:aws:s3:::records');
const snapshot = ref('AWS::EC2::Snapshot', 'arn:aws:ec2:us-east-1::snapshot/snap-1');
const image = ref('AWS::EC2::Image', 'arn:aws:ec2:us-east-1::image/ami-1');
const dbSnapshot = ref('AWS::RDS::DBSnapshot', 'arn:aws:rds:us-east-1:123456789012:snapshot:nightly');
const topic = ref('AWS::SNS::Topic', 'arn:aws:sns:us-east-1:123456789012:results');
const queue = ref('AWS::SQS::Queue', 'arn:aws:sqs:us-east-1:123456789012:results');
const url = ref('AWS::Lambda::Url', 'arn:aws:lambda:us-east-1:123456789012:function:intake:live');
const window = { from: '2026-11-01T03:00:00.500Z', to: '2026-11-01T03:10:00.000Z' };

let serial = 0;
const record = (eventName: string, given: Record<string, unknown> = {}) => {
  serial += 1;
  return {
    eventVersion: '1.11',
    eventSource: 's3.amazonaws.com',
    eventName,
    eventTime: '2026-11-01T03:05:00Z',
    eventID: `e-${serial}`,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userIdentity: { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' },
    eventCategory: 'Data',
    managementEvent: false,
    ...given,
  };
};
const get = (key: string, given: Record<string, unknown> = {}) =>
  record('GetObject', {
    requestParameters: { bucketName: 'records', key, Host: 'records.s3.amazonaws.com' },
    additionalEventData: { bytesTransferredOut: 100 },
    ...given,
  });
const by = (accountId: string, arn: string) => ({ userIdentity: { type: 'AssumedRole', accountId, arn, principalId: 'AROAEXAMPLE:x' } });
const tally = (resource: ResourceRef, ...records: unknown[]) => {
  const found = tallyOf(resource, readers[resource.type]!, window);
  for (const each of records) found.add(each);
  return found;
};
const management = { eventCategory: 'Management', managementEvent: true };

describe('readers', () => {
  test('by principal and address: how often, when, how much, how many objects; from outside first', () => {
    const own = { ...by(account, `arn:aws:sts::${account}:assumed-role/App/web`), sourceIPAddress: '10.0.0.1' };
    const { looked, ...found } = tally(
      bucket,
      get('a', { eventTime: '2026-11-01T03:07:00Z', ...own }),
      get('a', own),
      get('b', own),
      get('a'),
      get('a', { eventTime: '2026-11-01T03:06:00Z' }),
      record('ListObjects', { requestParameters: { bucketName: 'records' } }),
      get('b', { sourceIPAddress: '203.0.113.9' }),
      get('b', by('111122223333', 'arn:aws:iam::111122223333:user/x')),
    );
    expect(
      found
        .readers()
        .map(({ kind, accountId, sourceIp, count, objects, bytes, first, last, calls }) => [
          kind,
          accountId,
          sourceIp,
          count,
          objects,
          bytes,
          first,
          last,
          calls,
        ]),
    ).toEqual([
      ['anonymous', undefined, '198.51.100.7', 3, 1, 200, '2026-11-01T03:05:00.000Z', '2026-11-01T03:06:00.000Z', ['GetObject', 'ListObjects']],
      ['anonymous', undefined, '203.0.113.9', 1, 1, 100, '2026-11-01T03:05:00.000Z', '2026-11-01T03:05:00.000Z', ['GetObject']],
      ['other account', '111122223333', '198.51.100.7', 1, 1, 100, '2026-11-01T03:05:00.000Z', '2026-11-01T03:05:00.000Z', ['GetObject']],
      ['own account', account, '10.0.0.1', 3, 2, 300, '2026-11-01T03:05:00.000Z', '2026-11-01T03:07:00.000Z', ['GetObject']],
    ]);
    expect(looked).toEqual({ records: 8, inWindow: 8, data: 8, refused: 0 });
  });

  const inTime: Readonly<Record<string, boolean>> = {
    '2026-11-01T02:59:59Z': false,
    // Whole seconds: it may have been after the half.
    '2026-11-01T03:00:00Z': true,
    '2026-11-01T03:10:00Z': true,
    '2026-11-01T03:10:01Z': false,
  };
  test.each(Object.entries(inTime))('a read at %s: in the window %s', (eventTime, wanted) =>
    expect(tally(bucket, get('a', { eventTime })).readers()).toHaveLength(wanted ? 1 : 0),
  );

  const taken: Readonly<Record<string, readonly [ResourceRef, unknown, boolean]>> = {
    'of another bucket': [bucket, get('a', { requestParameters: { bucketName: 'records-2', key: 'a' } }), false],
    'a write': [bucket, record('PutObject', { requestParameters: { bucketName: 'records', key: 'a' } }), false],
    'refused by S3': [bucket, get('a', { errorCode: 'AccessDenied' }), false],
    'a copy out of it': [
      bucket,
      record('CopyObject', { requestParameters: { bucketName: 'elsewhere', key: 'a', 'x-amz-copy-source': '/records/a%20b' } }),
      true,
    ],
    'a copy out of it, header as a list': [
      bucket,
      record('UploadPartCopy', { requestParameters: { bucketName: 'elsewhere', 'x-amz-copy-source': ['records/a'] } }),
      true,
    ],
    'a copy into it': [bucket, record('CopyObject', { requestParameters: { bucketName: 'records', key: 'a', 'x-amz-copy-source': 'elsewhere/a' } }), false],
    'in the envelope of EventBridge': [bucket, { 'detail-type': 'AWS API Call via CloudTrail', detail: get('a') }, true],
    'of a block of a snapshot': [
      snapshot,
      record('GetSnapshotBlock', { eventSource: 'ebs.amazonaws.com', requestParameters: { snapshotId: 'snap-1', blockIndex: 0 } }),
      true,
    ],
    'a volume made by another account': [
      snapshot,
      record('SharedSnapshotVolumeCreated', {
        ...management,
        eventSource: 'ec2.amazonaws.com',
        requestParameters: { snapshotId: 'snap-1' },
        ...by('111122223333', 'arn:aws:iam::111122223333:user/x'),
      }),
      true,
    ],
    'a volume of another snapshot': [
      snapshot,
      record('CreateVolume', { ...management, eventSource: 'ec2.amazonaws.com', requestParameters: { snapshotId: 'snap-11' } }),
      false,
    ],
    'an instance of an image': [
      image,
      record('RunInstances', { ...management, eventSource: 'ec2.amazonaws.com', requestParameters: { instancesSet: { items: [{ imageId: 'ami-1' }] } } }),
      true,
    ],
    'a copy of a database snapshot, by ARN': [
      dbSnapshot,
      record('CopyDBSnapshot', {
        ...management,
        eventSource: 'rds.amazonaws.com',
        requestParameters: { sourceDBSnapshotIdentifier: 'arn:aws:rds:us-east-1:123456789012:snapshot:Nightly' },
      }),
      true,
    ],
    'a subscription': [
      topic,
      record('Subscribe', { ...management, eventSource: 'sns.amazonaws.com', requestParameters: { topicArn: topic.id, protocol: 'https' } }),
      true,
    ],
    'messages of a queue': [
      queue,
      record('ReceiveMessage', { eventSource: 'sqs.amazonaws.com', requestParameters: { queueUrl: `https://sqs.us-east-1.amazonaws.com/${account}/results` } }),
      true,
    ],
    'messages of another queue': [
      queue,
      record('ReceiveMessage', {
        eventSource: 'sqs.amazonaws.com',
        requestParameters: { queueUrl: `https://sqs.us-east-1.amazonaws.com/${account}/old-results` },
      }),
      false,
    ],
    'a call of a function': [
      url,
      record('Invoke', { eventSource: 'lambda.amazonaws.com', requestParameters: { functionName: 'arn:aws:lambda:us-east-1:123456789012:function:intake' } }),
      true,
    ],
  };
  test.each(Object.entries(taken))('a call %s', (_, [resource, given, wanted]) => expect(tally(resource, given).readers()).toHaveLength(wanted ? 1 : 0));

  const kinds: Readonly<Record<string, readonly [unknown, string, boolean]>> = {
    'no identity': [undefined, 'anonymous', true],
    'the anonymous principal': [{ type: 'AWSAccount', accountId: 'ANONYMOUS_PRINCIPAL' }, 'anonymous', true],
    'a federated stranger': [{ type: 'WebIdentityUser', principalId: 'accounts.google.com:x' }, 'anonymous', true],
    'another account without more': [{ type: 'AWSAccount', accountId: '111122223333', principalId: 'AIDAEXAMPLE' }, 'other account', true],
    'its own root': [{ type: 'Root', accountId: account, arn: `arn:aws:iam::${account}:root` }, 'own account', false],
    'a service': [{ type: 'AWSService', invokedBy: 'replication.s3.amazonaws.com' }, 'AWS service', false],
  };
  test.each(Object.entries(kinds))('%s', (_, [userIdentity, kind, outside]) => {
    const [reader] = tally(bucket, get('a', { userIdentity })).readers();
    expect([reader!.kind, isOutside(reader!)]).toEqual([kind, outside]);
  });

  test('what two trails have recorded counts once; refused calls are told apart; what is no record counts for nothing', () => {
    const twice = get('a');
    const found = tally(bucket, twice, twice, get('b', { errorCode: 'AccessDenied' }), { hello: 'world' }, null, 'text');
    expect([found.readers()[0]!.count, found.looked]).toEqual([1, { records: 3, inWindow: 3, data: 3, refused: 1 }]);
  });

  test('counts come from the records alone, in whatever order', () => {
    const drawn = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), minute: fc.integer({ min: 0, max: 9 }), ip: fc.constantFrom('192.0.2.1', '192.0.2.2') }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(drawn, (events) => {
        const records = events.map(({ key, minute, ip }) => get(key, { eventTime: `2026-11-01T03:0${minute}:00Z`, sourceIPAddress: ip }));
        const one = tally(bucket, ...records).readers();
        expect(
          tally(bucket, ...records.reverse())
            .readers()
            .map((reader) => [reader.sourceIp, reader]),
        ).toEqual(expect.arrayContaining(one.map((reader) => [reader.sourceIp, reader])));
        expect(one.reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
      }),
    );
  });

  test.each([undefined, null, 7, [], {}, { eventName: 'x' }, { eventSource: 's', eventName: 'n' }, { detail: {} }])('%j is no record', (value) =>
    expect(recordOf(value)).toBeUndefined(),
  );

  test('each row names a page of AWS and reads of one service; the other types say where to look', () => {
    for (const { page, calls } of Object.values(readers)) {
      expect(page).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
      expect(calls.every((call) => /^[a-z0-9]+:[A-Z]\w+$/.test(call))).toBe(true);
    }
    const types = new Set(catalogue.map(({ resourceType }) => resourceType));
    expect(Object.keys(readers).filter((type) => !types.has(type))).toEqual([]);
    for (const type of ['AWS::EC2::SecurityGroup', 'AWS::ElasticLoadBalancingV2::Listener', 'AWS::RDS::DBInstance'])
      expect(elsewhere(type)).toContain('VPC flow logs');
    expect(elsewhere('AWS::CloudTrail::Trail')).toContain('no reads');
  });
});

const object = { type: 'AWS::S3::Object', arn: 'arn:aws:s3:::records/' };
const basic = (Values: string[], ReadWriteType?: 'ReadOnly' | 'WriteOnly', Type = 'AWS::S3::Object') => ({
  EventSelectors: [{ ReadWriteType, DataResources: [{ Type, Values }] }],
});
const advanced = (...more: { Field: string; [operator: string]: string | string[] }[]) => ({
  AdvancedEventSelectors: [
    { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Data'] }, { Field: 'resources.type', Equals: ['AWS::S3::Object'] }, ...more] },
  ],
});

const selected: Readonly<Record<string, readonly [Parameters<typeof takes>[0], Taken]>> = {
  'nothing but management events': [{ EventSelectors: [{ IncludeManagementEvents: true }] }, 'none'],
  'every bucket': [basic(['arn:aws:s3']), 'all'],
  'every bucket, longer': [basic(['arn:aws:s3:::']), 'all'],
  'the bucket': [basic(['arn:aws:s3:::records/']), 'all'],
  'a folder of it': [basic(['arn:aws:s3:::records/2026/']), 'part'],
  'another bucket': [basic(['arn:aws:s3:::records-2/']), 'none'],
  'its writes': [basic(['arn:aws:s3'], 'WriteOnly'), 'none'],
  'its reads': [basic(['arn:aws:s3'], 'ReadOnly'), 'all'],
  'functions only': [basic(['arn:aws:lambda'], undefined, 'AWS::Lambda::Function'), 'none'],
  'advanced: every object': [advanced(), 'all'],
  'advanced: the bucket': [advanced({ Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::records/'] }), 'all'],
  'advanced: a folder': [advanced({ Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::records/2026/'] }), 'part'],
  'advanced: one object': [advanced({ Field: 'resources.ARN', Equals: ['arn:aws:s3:::records/a'] }), 'part'],
  'advanced: all but this bucket': [advanced({ Field: 'resources.ARN', NotStartsWith: ['arn:aws:s3:::records/'] }), 'none'],
  'advanced: all but another': [advanced({ Field: 'resources.ARN', NotStartsWith: ['arn:aws:s3:::logs/'] }), 'all'],
  'advanced: all but a folder': [advanced({ Field: 'resources.ARN', NotStartsWith: ['arn:aws:s3:::records/tmp/'] }), 'part'],
  'advanced: writes': [advanced({ Field: 'readOnly', Equals: ['false'] }), 'none'],
  'advanced: reads': [advanced({ Field: 'readOnly', Equals: ['true'] }), 'all'],
  'advanced: some calls': [advanced({ Field: 'eventName', Equals: ['GetObject'] }), 'part'],
  'advanced: another type': [
    {
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
          ],
        },
      ],
    },
    'none',
  ],
  'advanced: management': [{ AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }] }, 'none'],
};

describe('what a trail selects', () => {
  test.each(Object.entries(selected))('%s', (_, [selectors, wanted]) => expect(takes(selectors, object)).toBe(wanted));

  test.each<[string, Parameters<typeof takesManagement>[0], boolean]>([
    ['the default', {}, true],
    ['data events beside', basic(['arn:aws:s3']), true],
    ['not', { EventSelectors: [{ IncludeManagementEvents: false }] }, false],
    ['reads only', { EventSelectors: [{ ReadWriteType: 'ReadOnly' }] }, false],
    ['advanced', { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }] }, true],
    ['advanced, data only', advanced(), false],
  ])('management events: %s', (_, selectors, wanted) => expect(takesManagement(selectors)).toBe(wanted));
});

describe('which files', () => {
  const file = (time: string) => `AWSLogs/${account}/CloudTrail/us-east-1/2026/11/01/${account}_CloudTrail_us-east-1_${time}_abcDEF123.json.gz`;
  test.each([
    ['20261101T0250Z', false],
    ['20261101T0256Z', true],
    ['20261101T0305Z', true],
    ['20261101T0340Z', true],
    ['20261101T0341Z', false],
  ])('one made at %s: %s', (time, wanted) => expect(canHold(file(time), window)).toBe(wanted));
  test('one whose name tells nothing can hold anything', () => expect(canHold('AWSLogs/x.json.gz', window)).toBe(true));
  test('files of a window near midnight are also in the next day', () => {
    expect(daysOf(window)).toEqual(['2026-11-01']);
    expect(daysOf({ from: '2026-10-30T23:59:00.000Z', to: '2026-10-31T23:45:00.000Z' })).toEqual(['2026-10-30', '2026-10-31', '2026-11-01']);
  });
});
