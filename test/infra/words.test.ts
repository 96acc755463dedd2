import { beforeAll, describe, expect, test } from '@jest/globals';
import type { AnyControl } from '../../engine/control.ts';
import { coverageWords, grantWords, keptWords, nextWords } from '../../infra/plugin/words.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

let controls: AnyControl[];
beforeAll(async () => {
  controls = await Promise.all(catalogue.map((entry) => entry.load()));
});

const said = async (now: string, before?: string) =>
  grantWords(await policyOf(`controls: ${now}`), before === undefined ? undefined : await policyOf(`controls: ${before}`), catalogue, controls).join('\n');

const notify = '{ "*": notify }';
const fixing = '{ "*": notify, s3-bucket-public-access-block: fix }';
const asking = '{ "*": notify, s3-bucket-public-access-block: approve }';
const flowLogs = (role: string) => `{ "*": notify, vpc-flow-logs-enabled: { mode: fix, params: { deliverLogsPermissionArn: "${role}" } } }`;

describe('what a policy lets the bot write', () => {
  test('nothing', async () => {
    expect(await said(notify)).toBe('With this policy the bot cannot write to any resource of the account.');
  });

  test('one fix, with the control that asks for it', async () => {
    expect(await said(fixing)).toBe(
      'With this policy the bot may fix 1 controls by itself and 0 after an approval. Its role may call:\n    s3:PutBucketPublicAccessBlock  (s3-bucket-public-access-block)',
    );
  });

  test('an approval is not a fix by itself', async () => {
    expect(await said(asking)).toContain('may fix 0 controls by itself and 1 after an approval');
  });

  test('a role that a fix hands over, by its name', async () => {
    expect(await said(flowLogs('arn:aws:iam::123456789012:role/delivery'))).toContain(
      'iam:PassRole of arn:aws:iam::123456789012:role/delivery  (vpc-flow-logs-enabled)',
    );
  });
});

describe('the difference to the policy stored before', () => {
  test('added', async () => {
    expect(await said(fixing, notify)).toMatch(
      /Compared with the policy stored before:\n {2}\+ s3:PutBucketPublicAccessBlock {2}\(s3-bucket-public-access-block\)$/,
    );
  });

  test('taken away', async () => {
    expect(await said(notify, fixing)).toMatch(/cannot write.*\nCompared with the policy stored before:\n {2}- s3:PutBucketPublicAccessBlock/);
  });

  test('the same calls under another mode', async () => {
    expect(await said(asking, fixing)).toMatch(/The permissions are the same as before\.$/);
  });
});

describe('where the bot sees', () => {
  const nothing = { unreached: {}, changed: [], removed: [], left: {} };

  test('home alone', () => {
    expect(coverageWords({ ...nothing, covered: ['us-east-2'] })).toEqual(['The bot sees what happens in 1 region: us-east-2']);
  });

  test('several, some not, and what was taken away', () => {
    expect(
      coverageWords({
        covered: ['us-east-2', 'us-west-2'],
        changed: ['us-west-2'],
        unreached: { 'ap-east-1': 'AccessDenied: no' },
        removed: ['eu-west-1'],
        left: { 'eu-west-3': 'DELETE_FAILED' },
      }),
    ).toEqual([
      'The bot sees what happens in 2 regions: us-east-2, us-west-2',
      'It does not see what happens in these:',
      '  ap-east-1  AccessDenied: no',
      'Forwarders removed: eu-west-1',
      'Forwarders that could not be removed, or may be there still:',
      '  eu-west-3  DELETE_FAILED',
    ]);
  });
});

const outputs = {
  LedgerTableName: 'phidelity-dev-Ledger-1',
  EvidenceBucketName: 'phidelity-dev-evidencebucket-1a2b3c',
  SigningKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/3',
  DataKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1',
  AlarmKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/2',
  OwnHealthTopic: 'arn:aws:sns:us-east-1:123456789012:health',
  ChannelSecurityTopic: 'arn:aws:sns:us-east-1:123456789012:security',
};

test('after a deploy: every topic, each with the command that subscribes a person', () => {
  expect(nextWords(outputs).filter((line) => line.includes('aws sns subscribe --topic-arn'))).toEqual([
    expect.stringContaining(outputs.OwnHealthTopic),
    expect.stringContaining(outputs.ChannelSecurityTopic),
  ]);
});

test('after a deploy with a Slack app: the address that the app must have', () => {
  const SlackEndpoint = 'https://a1b2c3.execute-api.us-east-1.amazonaws.com/slack';
  expect(nextWords({ ...outputs, SlackEndpoint }).at(-1)).toContain(SlackEndpoint);
  expect(nextWords(outputs).join()).not.toContain('Slack');
});

test('after a removal: the table and both keys', () => {
  const text = keptWords(outputs).join('\n');
  for (const kept of [outputs.LedgerTableName, outputs.EvidenceBucketName, outputs.DataKeyArn, outputs.AlarmKeyArn, outputs.SigningKeyArn])
    expect(text).toContain(kept);
});

test('after a removal of nothing: nothing', () => {
  expect(keptWords({})).toEqual([]);
});
