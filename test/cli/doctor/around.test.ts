/** What the bot stands on: a trail, the recorder, a policy. AWS is aws-sdk-client-mock: states that the emulator cannot take. */
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import { ConfigServiceClient, DescribeConfigurationRecorderStatusCommand } from '@aws-sdk/client-config-service';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { recorder } from '../../../cli/doctor/recorder.ts';
import { trail } from '../../../cli/doctor/trail.ts';
import { denied, type Line, matching, sceneOf } from './scene.ts';

describe('trail', () => {
  const mock = mockClient(CloudTrailClient);
  afterEach(() => void mock.reset());

  const arn = 'arn:aws:cloudtrail:us-west-2:123456789012:trail/main';
  const main: Trail = { Name: 'main', TrailARN: arn, HomeRegion: 'us-west-2', IsMultiRegionTrail: true };
  const basic = (more: object = {}) => ({ EventSelectors: [{ ReadWriteType: 'All' as const, IncludeManagementEvents: true, ...more }] });
  const advanced = (...selectors: Record<string, object>[]) => ({
    AdvancedEventSelectors: selectors.map((fields) => ({ FieldSelectors: Object.entries(fields).map(([Field, operators]) => ({ Field, ...operators })) })),
  });
  const management = { eventCategory: { Equals: ['Management'] } };
  const data = { eventCategory: { Equals: ['Data'] }, 'resources.type': { Equals: ['AWS::S3::Object'] } };

  interface State {
    readonly trails?: readonly Trail[];
    readonly logging?: boolean;
    readonly selectors?: Partial<GetEventSelectorsCommandOutput>;
    readonly lines: readonly Line[];
  }
  const states: Record<string, State> = {
    'logs all regions': { lines: [{ status: 'ok', detail: /^main logs the management events of all regions$/ }] },
    'logs writes only, which is enough': { selectors: basic({ ReadWriteType: 'WriteOnly' }), lines: [{ status: 'ok', detail: /main/ }] },
    'logs by advanced selectors': { selectors: advanced(data, management), lines: [{ status: 'ok', detail: /main/ }] },
    'has no selectors, which is all management events': { selectors: {}, lines: [{ status: 'ok', detail: /main/ }] },
    'there is none': {
      trails: [],
      lines: [
        {
          status: 'wrong',
          detail: /^no trail/,
          mend: /^aws s3api create-bucket .*--policy '\{.*\}' && aws cloudtrail create-trail .*--is-multi-region-trail.* && aws cloudtrail start-logging /,
        },
      ],
    },
    'is of one region': {
      trails: [{ ...main, IsMultiRegionTrail: false }],
      lines: [
        {
          status: 'wrong',
          detail: /main logs us-west-2 only/,
          mend: /^aws cloudtrail update-trail --name main --is-multi-region-trail --region us-west-2$/,
        },
      ],
    },
    'is stopped': {
      logging: false,
      lines: [{ status: 'wrong', detail: /^main does not log$/, mend: /^aws cloudtrail start-logging --name main --region us-west-2$/ }],
    },
    'logs reads only': {
      selectors: basic({ ReadWriteType: 'ReadOnly', DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }),
      lines: [
        {
          status: 'wrong',
          detail: /does not log management events that write/,
          mend: /--event-selectors '\[\{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":\[.*arn:aws:s3.*\]\}\]'$/,
        },
      ],
    },
    'logs data events only': {
      selectors: advanced(data),
      lines: [
        { status: 'wrong', detail: /does not log management/, mend: /--advanced-event-selectors '\[\{"FieldSelectors":.*AWS::S3::Object.*"Management".*\]'$/ },
      ],
    },
    'logs reads only, by advanced selectors': {
      selectors: advanced({ ...management, readOnly: { Equals: ['true'] } }),
      lines: [{ status: 'wrong', detail: /does not log management/ }],
    },
    'leaves KMS out': {
      selectors: basic({ ExcludeManagementEventSources: ['kms.amazonaws.com'] }),
      lines: [{ status: 'hint', detail: /leaves out kms\.amazonaws\.com/ }],
    },
    'one of one region, and a good one': {
      trails: [{ Name: 'old', IsMultiRegionTrail: false }, main],
      lines: [{ status: 'ok', detail: /^main/ }],
    },
  };

  test.each(Object.entries(states))('%s', async (_, { trails = [main], logging = true, selectors = basic(), lines }) => {
    mock.on(DescribeTrailsCommand).resolves({ trailList: [...trails] });
    mock.on(GetTrailStatusCommand).resolves({ IsLogging: logging });
    mock.on(GetEventSelectorsCommand).resolves(selectors);
    expect(await trail(await sceneOf())).toEqual(matching(lines, expect));
  });

  test('its selectors may not be read: not seen, by action', async () => {
    mock.on(DescribeTrailsCommand).resolves({ trailList: [main] });
    mock.on(GetTrailStatusCommand).resolves({ IsLogging: true });
    mock.on(GetEventSelectorsCommand).rejects(denied('cloudtrail:GetEventSelectors'));
    expect(await trail(await sceneOf())).toEqual([{ check: 'trail', status: 'unseen', detail: 'main: Not allowed to call cloudtrail:GetEventSelectors.' }]);
  });
});

describe('recorder', () => {
  const mock = mockClient(ConfigServiceClient);
  afterEach(() => void mock.reset());
  const policy = 'controls:\n  "*": off\n  s3-bucket-public-access-block: notify\nregions: [us-east-1]';

  test.each<[string, readonly object[], Line]>([
    ['records', [{ name: 'default', recording: true }], { status: 'ok', detail: /^AWS Config records in us-east-1$/ }],
    [
      'is off',
      [{ name: 'default', recording: false }],
      {
        status: 'hint',
        detail: /^us-east-1: the recorder default is off/,
        mend: /^aws configservice start-configuration-recorder --configuration-recorder-name default --region us-east-1$/,
      },
    ],
    ['is not there', [], { status: 'hint', detail: /^us-east-1: AWS Config has no recorder/ }],
  ])('%s', async (_, ConfigurationRecordersStatus, line) => {
    mock.on(DescribeConfigurationRecorderStatusCommand).resolves({ ConfigurationRecordersStatus: [...ConfigurationRecordersStatus] });
    expect(await recorder(await sceneOf({ policy }))).toEqual(matching([line], expect));
  });

  test('may not be read: not seen', async () => {
    mock.on(DescribeConfigurationRecorderStatusCommand).rejects(denied('config:DescribeConfigurationRecorderStatus'));
    expect(await recorder(await sceneOf({ policy }))).toEqual(
      matching([{ status: 'unseen', detail: /^us-east-1: Not allowed to call config:DescribeConfigurationRecorderStatus\.$/ }], expect),
    );
  });

  test('nobody listens to it', async () => {
    expect(await recorder(await sceneOf({ policy: 'controls:\n  "*": off' }))).toMatchObject([{ status: 'ok' }]);
  });
});
