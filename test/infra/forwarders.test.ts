import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { type ForwarderTemplate, forwarderOf, longestTemplate } from '../../infra/forwarders.ts';
import { type Rule, rulesOf } from '../../infra/rules.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

const home = { stackName: 'phidelity-dev', region: 'us-east-2', forwarderRoleArn: 'arn:aws:iam::123456789012:role/phidelity-dev-ForwarderRole-1A2B' };

let policy: CompiledPolicy;
let rules: Rule[];
let template: ForwarderTemplate;
beforeAll(async () => {
  policy = await policyOf('controls: { "*": page }');
  rules = rulesOf(policy, catalogue);
  template = forwarderOf(rules, home);
});

const of = (type: string) => Object.values(template.Resources).filter(({ Type }) => Type === type);
const rulesThere = () => of('AWS::Events::Rule').map(({ Properties }) => Properties as { Name: string; EventPattern: unknown; Targets: object[] });

test('holds the rules of home under the names they have there, for what happens in its own region', () => {
  const there = new Map(rulesThere().map(({ Name, EventPattern }) => [Name, EventPattern]));
  const here = { account: [{ Ref: 'AWS::AccountId' }], region: [{ Ref: 'AWS::Region' }] };
  for (const { name, pattern } of rules) expect(there.get(`phidelity-dev-${name}`)).toEqual({ ...pattern, ...here });
  for (const pattern of there.values()) expect(pattern).toMatchObject(here);
  expect([...there.keys()].filter((name) => !rules.some((rule) => name === `phidelity-dev-${rule.name}`))).toEqual([
    'phidelity-dev-alarms',
    'phidelity-dev-alarms-ended',
  ]);
});

test('every rule sends to the home bus with the role of home, and what is not sent to the queue beside it', () => {
  for (const { Targets } of rulesThere()) {
    expect(Targets).toEqual([
      {
        Id: 'home',
        Arn: { 'Fn::Sub': `arn:\${AWS::Partition}:events:us-east-2:\${AWS::AccountId}:event-bus/default` },
        RoleArn: home.forwarderRoleArn,
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['TargetDlq', 'Arn'] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    ]);
  }
});

test('no code, no key, no topic; the queue is encrypted by SQS', () => {
  expect(new Set(Object.values(template.Resources).map(({ Type }) => Type))).toEqual(
    new Set(['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy', 'AWS::Events::Rule', 'AWS::CloudWatch::Alarm']),
  );
  expect(of('AWS::SQS::Queue')).toMatchObject([{ Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 60 * 60 } }]);
});

test('its one alarm watches the dead-letter queue and tells nobody there: each metric of an alarm is paid for in each region', () => {
  const alarms = of('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
  expect(alarms).toHaveLength(1);
  expect(Object.keys(alarms[0]!).filter((key) => key.endsWith('Actions') || key === 'Metrics')).toEqual([]);
  expect(JSON.stringify(alarms[0]!.Dimensions)).toContain('TargetDlq');
});

test('its patterns fit into EventBridge in any region', () => {
  const filledIn = (pattern: unknown) =>
    JSON.stringify(pattern).replace('{"Ref":"AWS::AccountId"}', '"123456789012"').replace('{"Ref":"AWS::Region"}', '"ap-northeast-1000"');
  for (const { EventPattern } of rulesThere()) expect(filledIn(EventPattern).length).toBeLessThanOrEqual(2_048);
});

test('fits into a call without a bucket, with every control on', () => {
  expect(JSON.stringify(template).length).toBeLessThan(longestTemplate);
});

describe('whose it is', () => {
  const cases: Record<string, [other: Partial<typeof home>, same: boolean]> = {
    'the same home': [{}, true],
    'another region of the same name': [{ region: 'us-east-1' }, false],
    'another name': [{ stackName: 'phidelity-prod' }, false],
    'the same home with another role': [{ forwarderRoleArn: 'arn:aws:iam::123456789012:role/other' }, true],
  };
  test.each(Object.entries(cases))('%s', (_, [other, same]) => {
    expect(forwarderOf([], { ...home, ...other }).Description === template.Description).toBe(same);
  });
});
