/** A deployed stack, check by check, as a table of states. AWS is aws-sdk-client-mock, the ledger the model in memory. */
import { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { type EvaluationResult, IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, type KeyState, KMSClient } from '@aws-sdk/client-kms';
import { GetAccountSettingsCommand, GetEventSourceMappingCommand, GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand, SNSClient, type Subscription } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DescribeParametersCommand, GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { alarms } from '../../../cli/doctor/alarms.ts';
import { channels } from '../../../cli/doctor/channels.ts';
import { evidence } from '../../../cli/doctor/evidence.ts';
import { concurrency, sources } from '../../../cli/doctor/functions.ts';
import { keys, killSwitch } from '../../../cli/doctor/keys.ts';
import { letters } from '../../../cli/doctor/letters.ts';
import { ownFindings } from '../../../cli/doctor/own.ts';
import { storedPolicy } from '../../../cli/doctor/policy.ts';
import { schedule, sweeps, ticks } from '../../../cli/doctor/pulse.ts';
import { roles } from '../../../cli/doctor/roles.ts';
import { rules } from '../../../cli/doctor/rules.ts';
import type { StackGroup } from '../../../cli/doctor/scene.ts';
import { secrets } from '../../../cli/doctor/secrets.ts';
import { forwarders, home as homeStack, regions } from '../../../cli/doctor/stacks.ts';
import type { Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import type { Deployment, Ledger } from '../../../engine/ports.ts';
import { entryOf, findingOf, keyOf } from '../../support/ledger-samples.ts';
import { policyOf } from '../../support/policy-of.ts';
import { accountId, controls, denied, deploymentOf, deploys, emptyLedger, type Given, home, type Line, matching, part, sceneOf } from './scene.ts';

const away = 'us-west-2';
const mocks = {
  stacks: mockClient(CloudFormationClient),
  metrics: mockClient(CloudWatchClient),
  ec2: mockClient(EC2Client),
  events: mockClient(EventBridgeClient),
  iam: mockClient(IAMClient),
  kms: mockClient(KMSClient),
  lambda: mockClient(LambdaClient),
  scheduler: mockClient(SchedulerClient),
  sns: mockClient(SNSClient),
  sqs: mockClient(SQSClient),
  ssm: mockClient(SSMClient),
};
const { stacks, metrics, ec2, events, iam, kms, lambda, scheduler, sns, sqs, ssm } = mocks;
afterEach(() => {
  for (const mock of Object.values(mocks)) mock.reset();
});

interface State extends Given {
  /** What AWS answers, where it is not what is right. */
  readonly aws?: () => unknown;
  readonly deployment?: Deployment | null;
  readonly memos?: Readonly<Record<string, object>>;
  readonly stored?: CompiledPolicy;
  readonly findings?: readonly Finding[];
  readonly lines: readonly Line[];
}

async function ledgerOf({ deployment = deploymentOf(), memos = {}, stored, findings = [] }: State): Promise<Ledger> {
  const ledger = emptyLedger();
  if (deployment) await ledger.remember('deployment', deployment);
  for (const [key, memo] of Object.entries(memos)) await ledger.remember(key as 'tick', memo);
  for (const finding of findings) await ledger.open(finding, entryOf(finding));
  return { ...ledger, policy: async () => stored };
}

const table = (group: StackGroup, right: () => unknown, states: Readonly<Record<string, State>>) => {
  beforeEach(() => void right());
  test.each(Object.entries(states))('%s', async (_, state) => {
    state.aws?.();
    expect(await group(await sceneOf({ ...state, ledger: await ledgerOf(state) }))).toEqual(matching(state.lines, expect));
  });
};
const nothing = () => {};
const ruleParts = (...names: string[]) => names.map((name) => part('AWS::Events::Rule', name));
const listed = (...resources: ReturnType<typeof part>[]) => ({
  StackResourceSummaries: resources.map(({ id, logicalId, type }) => ({
    PhysicalResourceId: id,
    LogicalResourceId: logicalId,
    ResourceType: type,
    ResourceStatus: 'CREATE_COMPLETE' as const,
    LastUpdatedTimestamp: new Date(),
  })),
});
const stackOf = (StackStatus: 'CREATE_COMPLETE' | 'ROLLBACK_COMPLETE' | 'UPDATE_IN_PROGRESS') => ({
  Stacks: [{ StackName: 'phidelity-prod-forwarder', StackStatus, CreationTime: new Date() }],
});

describe('stack', () => {
  table(homeStack, nothing, {
    'is deployed': { lines: [{ status: 'ok', detail: /^phidelity-prod is UPDATE_COMPLETE$/ }] },
    'is being deployed': { status: 'UPDATE_IN_PROGRESS', lines: [{ status: 'hint', detail: /look again/ }] },
    'was rolled back': { status: 'UPDATE_ROLLBACK_COMPLETE', lines: [{ status: 'wrong', detail: /the last deploy failed/, mend: deploys }] },
    'was never made': { status: 'ROLLBACK_COMPLETE', lines: [{ status: 'wrong', detail: /ROLLBACK_COMPLETE/, mend: deploys }] },
    'cannot be deleted': { status: 'DELETE_FAILED', lines: [{ status: 'wrong', detail: /DELETE_FAILED/, mend: deploys }] },
  });
});

describe('policy', () => {
  const same = () => policyOf(controls);
  const states = async (): Promise<Record<string, State>> => {
    const stored = await same();
    const deployment = deploymentOf({ policyId: stored.id });
    const settings = stored.controls['cloudtrail-logging-on']!;
    const other = (more: Partial<CompiledPolicy>) => ({ stored: { ...stored, ...more }, deployment });
    const control = (more: object) => other({ controls: { ...stored.controls, 'cloudtrail-logging-on': { ...settings, ...more } } });
    const { 's3-bucket-tls-only': _, ...fewer } = stored.controls;
    const rules = stored.controls['eventbridge-bot-rules-on']!;
    return {
      'is the one of the file': { stored, deployment, lines: [{ status: 'ok', detail: /^policies\/account\.yaml is what is deployed/ }] },
      'has what only the deploy knows': {
        ...other({ controls: { ...stored.controls, 'eventbridge-bot-rules-on': { ...rules, params: { rules: [{ arn: 'a', pattern: 'p', targets: [] }] } } } }),
        lines: [{ status: 'ok', detail: /is what is deployed/ }],
      },
      'there is none': { deployment, lines: [{ status: 'wrong', detail: /^no policy is stored/, mend: deploys }] },
      'has another mode': {
        ...control({ mode: 'notify' }),
        lines: [{ status: 'wrong', detail: /cloudtrail-logging-on is fix in the file, notify deployed$/, mend: deploys }],
      },
      'has other settings': { ...control({ fixAfter: 60 }), lines: [{ status: 'wrong', detail: /cloudtrail-logging-on differs$/ }] },
      'has other regions': { ...other({ regions: ['eu-west-1'] }), lines: [{ status: 'wrong', detail: /`regions` differs$/ }] },
      'lacks a control': { ...other({ controls: fewer }), lines: [{ status: 'wrong', detail: /s3-bucket-tls-only is in the file, not deployed$/ }] },
      'was put there behind the deploy': {
        stored,
        deployment: deploymentOf({ policyId: 'q' }),
        lines: [{ status: 'wrong', detail: /not the one that the last deploy left/, mend: deploys }],
      },
    };
  };
  const names = [
    'is the one of the file',
    'has what only the deploy knows',
    'there is none',
    'has another mode',
    'has other settings',
    'has other regions',
    'lacks a control',
    'was put there behind the deploy',
  ];
  test.each(names)('%s', async (name) => {
    const state = (await states())[name]!;
    expect(await storedPolicy(await sceneOf({ ledger: await ledgerOf(state) }))).toEqual(matching(state.lines, expect));
  });
});

describe('regions', () => {
  const enabled = (...names: string[]) => ec2.on(DescribeRegionsCommand).resolves({ Regions: names.map((RegionName) => ({ RegionName })) });
  table(regions, () => enabled(home, away), {
    'all are covered': { lines: [{ status: 'ok', detail: /^us-east-1, us-west-2: all that the policy watches is covered$/ }] },
    'one was enabled since': { aws: () => enabled(home, away, 'eu-west-1'), lines: [{ status: 'wrong', detail: /^not covered: eu-west-1$/, mend: deploys }] },
    'one was not reached': {
      deployment: deploymentOf({ regions: [home], unreached: { [away]: 'AccessDenied: no' } }),
      lines: [{ status: 'wrong', detail: /^not covered: us-west-2 \(AccessDenied: no\)$/, mend: deploys }],
    },
    'only some are watched': {
      policy: `watch: [us-east-1]\n${controls}`,
      deployment: deploymentOf({ regions: [home] }),
      lines: [{ status: 'ok', detail: /./ }],
    },
    'one that is watched is not enabled': {
      policy: `watch: [us-east-1, us-west-2, ap-east-1]\n${controls}`,
      lines: [{ status: 'hint', detail: /not enabled in this account: ap-east-1$/ }],
    },
    'the deploy did not end': { deployment: null, lines: [{ status: 'wrong', detail: /did not come to its end/, mend: deploys }] },
    'may not be asked': {
      aws: () => ec2.on(DescribeRegionsCommand).rejects(denied('ec2:DescribeRegions')),
      lines: [{ status: 'unseen', detail: /^Not allowed to call ec2:DescribeRegions\.$/ }],
    },
  });
});

describe('forwarders', () => {
  const answer = (what: object) => stacks.on(DescribeStacksCommand).resolves(what);
  const missing = Object.assign(new Error('does not exist'), { name: 'ValidationError' });
  table(forwarders, () => answer(stackOf('CREATE_COMPLETE')), {
    'are in place': { lines: [{ status: 'ok', detail: /in place in us-west-2$/ }] },
    'none is wanted': { deployment: deploymentOf({ regions: [home] }), lines: [{ status: 'ok', detail: /home region only/ }] },
    'one is gone': {
      aws: () => stacks.on(DescribeStacksCommand).rejects(missing),
      lines: [{ status: 'wrong', detail: /^us-west-2: there is no phidelity-prod-forwarder/, mend: deploys }],
    },
    'one was rolled back': {
      aws: () => answer(stackOf('ROLLBACK_COMPLETE')),
      lines: [{ status: 'wrong', detail: /^us-west-2: phidelity-prod-forwarder is ROLLBACK_COMPLETE/, mend: deploys }],
    },
    'one is at work': { aws: () => answer(stackOf('UPDATE_IN_PROGRESS')), lines: [{ status: 'hint', detail: /us-west-2/ }] },
    'may not be seen, for one reason in two regions': {
      deployment: deploymentOf({ regions: [home, away, 'eu-west-1'] }),
      aws: () => stacks.on(DescribeStacksCommand).rejects(denied('cloudformation:DescribeStacks')),
      lines: [{ status: 'unseen', detail: /^us-west-2, eu-west-1: Not allowed to call cloudformation:DescribeStacks/ }],
    },
  });
});

describe('rules', () => {
  const names = ['phidelity-prod-s3-api', 'phidelity-prod-config-item'];
  const live = (...Rules: object[]) => events.on(ListRulesCommand).resolves({ Rules });
  const on = names.map((Name) => ({ Name, State: 'ENABLED' }));
  const parts = ruleParts(...names);
  const right = () => {
    stacks.on(ListStackResourcesCommand).resolves(listed(...parts));
    live(...on);
  };
  const only = deploymentOf({ regions: [home] });
  table(rules, right, {
    'are enabled everywhere': { parts, lines: [{ status: 'ok', detail: /enabled in us-east-1, us-west-2$/ }] },
    'one is disabled, in each region': {
      parts,
      aws: () => live(on[0]!, { ...on[1], State: 'DISABLED' }),
      lines: [
        {
          status: 'wrong',
          detail: /^us-east-1: phidelity-prod-config-item is disabled$/,
          mend: /^aws events enable-rule --name phidelity-prod-config-item --region us-east-1$/,
        },
        { status: 'wrong', detail: /^us-west-2: phidelity-prod-config-item is disabled$/, mend: /--region us-west-2$/ },
      ],
    },
    'one was deleted at home': {
      parts,
      deployment: only,
      aws: () => live(on[0]!),
      lines: [{ status: 'wrong', detail: /^us-east-1: deleted: phidelity-prod-config-item/, mend: /REVERT_DRIFT.* && aws cloudformation execute-change-set/ }],
    },
    'one was deleted away': {
      parts: ruleParts(names[0]!),
      aws: () => live(on[0]!),
      lines: [
        {
          status: 'wrong',
          detail: /^us-west-2: deleted: phidelity-prod-config-item/,
          mend: /^aws cloudformation delete-stack --stack-name phidelity-prod-forwarder --region us-west-2 && .* && npx serverless deploy/,
        },
      ],
    },
    'there are none': { deployment: only, lines: [{ status: 'wrong', detail: /has no rules/, mend: deploys }] },
    'may not be listed': {
      parts,
      deployment: only,
      aws: () => events.on(ListRulesCommand).rejects(denied('events:ListRules')),
      lines: [{ status: 'unseen', detail: /us-east-1: .*events:ListRules/ }],
    },
  });
});

describe('event sources', () => {
  const mapping = (UUID: string, State = 'Enabled') =>
    lambda.on(GetEventSourceMappingCommand, { UUID }).resolves({ UUID, State, EventSourceArn: `arn:aws:sqs:us-east-1:123456789012:${UUID}` });
  const gone = Object.assign(new Error('no'), { name: 'ResourceNotFoundException' });
  const parts = [part('AWS::Lambda::EventSourceMapping', 'intake'), part('AWS::Lambda::EventSourceMapping', 'sweep')];
  const right = () => {
    mapping('intake');
    mapping('sweep');
  };
  table(sources, right, {
    'are both enabled': { parts, lines: [{ status: 'ok', detail: /^intake and sweep are read$/ }] },
    'one is being changed': { parts, aws: () => mapping('sweep', 'Updating'), lines: [{ status: 'ok', detail: /./ }] },
    'one is disabled': {
      parts,
      aws: () => mapping('sweep', 'Disabled'),
      lines: [
        {
          status: 'wrong',
          detail: /^sweep is not read: its event source is Disabled$/,
          mend: /^aws lambda update-event-source-mapping --uuid sweep --enabled --region us-east-1$/,
        },
      ],
    },
    'one was deleted': {
      parts,
      aws: () => lambda.on(GetEventSourceMappingCommand, { UUID: 'sweep' }).rejects(gone),
      lines: [{ status: 'wrong', detail: /^deleted: sweep/, mend: /REVERT_DRIFT/ }],
    },
    'none is there': { lines: [{ status: 'wrong', detail: /^phidelity-prod has none/, mend: deploys }] },
    'may not be read': {
      parts,
      aws: () => lambda.on(GetEventSourceMappingCommand).rejects(denied('lambda:GetEventSourceMapping')),
      lines: [{ status: 'unseen', detail: /lambda:GetEventSourceMapping/ }],
    },
  });
});

describe('concurrency', () => {
  const parts = [part('AWS::Lambda::Function', 'phidelity-prod-detect')];
  const free = (UnreservedConcurrentExecutions: number) => lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { UnreservedConcurrentExecutions } });
  const right = () => {
    free(1_000);
    lambda.on(GetFunctionCommand).resolves({ Configuration: { State: 'Active' } });
  };
  const account: Line = { status: 'ok', detail: /1000 unreserved/ };
  const own: Line = { status: 'ok', detail: /^phidelity-prod-detect may run$/ };
  table(concurrency, right, {
    'is there': { parts, lines: [own, account] },
    'is reserved, some of it': {
      parts,
      aws: () => lambda.on(GetFunctionCommand).resolves({ Concurrency: { ReservedConcurrentExecutions: 5 } }),
      lines: [own, account],
    },
    'is taken away from a function': {
      parts,
      aws: () => lambda.on(GetFunctionCommand).resolves({ Concurrency: { ReservedConcurrentExecutions: 0 } }),
      lines: [
        {
          status: 'wrong',
          detail: /detect may not run at all/,
          mend: /^aws lambda delete-function-concurrency --function-name phidelity-prod-detect --region us-east-1$/,
        },
        account,
      ],
    },
    'a function has failed': {
      parts,
      aws: () => lambda.on(GetFunctionCommand).resolves({ Configuration: { State: 'Failed', StateReason: 'no key' } }),
      lines: [{ status: 'wrong', detail: /cannot run: no key$/, mend: deploys }, account],
    },
    'the account has 19': {
      parts,
      aws: () => free(19),
      lines: [own, { status: 'wrong', detail: /19 unreserved executions, the bot wants 20/, mend: /request-service-quota-increase/ }],
    },
    'the account has 20': { parts, aws: () => free(20), lines: [own, { status: 'ok', detail: /20/ }] },
    'the account may not be asked': {
      parts,
      aws: () => lambda.on(GetAccountSettingsCommand).rejects(denied('lambda:GetAccountSettings')),
      lines: [own, { status: 'unseen', detail: /^limit of the account: .*lambda:GetAccountSettings/ }],
    },
  });
});

describe('schedule', () => {
  const found = {
    Name: 'phidelity-prod-tick',
    GroupName: 'phidelity-prod',
    State: 'ENABLED' as const,
    ScheduleExpression: 'rate(15 minutes)',
    FlexibleTimeWindow: { Mode: 'OFF' as const },
    Target: { Arn: 'arn:q', RoleArn: 'arn:r', Input: `{"it's":1}` },
  };
  const gone = Object.assign(new Error('no'), { name: 'ResourceNotFoundException' });
  table(schedule, () => scheduler.on(GetScheduleCommand).resolves(found), {
    'is enabled': { lines: [{ status: 'ok', detail: /^phidelity-prod-tick is enabled, rate\(15 minutes\)$/ }] },
    'is disabled': {
      aws: () => scheduler.on(GetScheduleCommand).resolves({ ...found, State: 'DISABLED' }),
      lines: [
        {
          status: 'wrong',
          detail: /is DISABLED/,
          mend: /^aws scheduler update-schedule --name phidelity-prod-tick --group-name phidelity-prod --state ENABLED --schedule-expression 'rate\(15 minutes\)' --flexible-time-window '\{"Mode":"OFF"\}' --target '\{"Arn":"arn:q".*it'\\''s.*\}' --region us-east-1$/,
        },
      ],
    },
    'is gone': {
      aws: () => scheduler.on(GetScheduleCommand).rejects(gone),
      lines: [{ status: 'wrong', detail: /^deleted: phidelity-prod-tick/, mend: /REVERT_DRIFT/ }],
    },
    'may not be read': {
      aws: () => scheduler.on(GetScheduleCommand).rejects(denied('scheduler:GetSchedule')),
      lines: [{ status: 'unseen', detail: /scheduler:GetSchedule/ }],
    },
  });
});

// It is 12:00 on 2 March in these tests; the deploy was a month ago.
const young = deploymentOf({ at: '2026-03-02T11:50:00.000Z' });

describe('last tick', () => {
  const tick = (last: string) => ({ tick: { last, policyId: 'p' } });
  table(ticks, nothing, {
    'was just now': { memos: tick('2026-03-02T11:46:00.000Z'), lines: [{ status: 'ok', detail: /11:46/ }] },
    'was three quarters of an hour ago': { memos: tick('2026-03-02T11:15:00.000Z'), lines: [{ status: 'ok', detail: /11:15/ }] },
    'was longer ago': {
      memos: tick('2026-03-02T10:58:00.000Z'),
      lines: [{ status: 'wrong', detail: /missed 4 of them/, mend: /^aws logs tail \/aws\/lambda\/phidelity-prod-detect / }],
    },
    'has never been': { lines: [{ status: 'wrong', detail: /there was none/, mend: /^aws logs tail / }] },
    'cannot have been yet': { deployment: young, lines: [{ status: 'hint', detail: /none yet/ }] },
  });
});

describe('evidence', () => {
  const digest = (at: string) => ({ evidence: { number: 7, at, hash: 'h' } });
  const mend = /^npx phidelity evidence mend --stack phidelity-prod --region us-east-1$/;
  table(evidence, nothing, {
    'was signed within two hours': { memos: digest('2026-03-02T10:00:00.000Z'), lines: [{ status: 'ok', detail: /^digest 7 was signed at .*T10:00/ }] },
    'was not signed for longer': { memos: digest('2026-03-02T09:59:59.000Z'), lines: [{ status: 'wrong', detail: /none since/, mend }] },
    'was never signed': { lines: [{ status: 'wrong', detail: /no digest was ever signed/, mend }] },
    'cannot have been yet': { deployment: young, lines: [{ status: 'hint', detail: /no digest is signed yet/ }] },
  });
});

describe('sweeps', () => {
  const key = (control: string, region: string) => `sweep|${control}|${accountId}|${region}`;
  const memo = (finished: string) => ({ began: finished, finished });
  const on = ['cloudtrail-logging-on', 's3-bucket-tls-only'];
  const all = (finished: string) => Object.fromEntries(on.flatMap((id) => [home, away].map((region) => [key(id, region), memo(finished)])));
  const names = ['all ended today', 'one is late', 'one has never ended', 'the first are under way', 'there is no policy'];
  test.each(names)('%s', async (name) => {
    const stored = await policyOf(controls);
    const today = all('2026-03-02T02:00:00.000Z');
    const { [key(on[0]!, away)]: _, ...fewer } = today;
    const states: Record<string, State> = {
      'all ended today': { stored, memos: today, lines: [{ status: 'ok', detail: /^all 4 / }] },
      'one is late': {
        stored,
        memos: { ...today, [key(on[1]!, away)]: memo('2026-02-28T23:00:00.000Z') },
        lines: [{ status: 'wrong', detail: /^1 sweep of 4 .*: s3-bucket-tls-only in us-west-2$/, mend: /^aws logs tail / }],
      },
      'one has never ended': { stored, memos: fewer, lines: [{ status: 'wrong', detail: /^1 of 4 have never .*: cloudtrail-logging-on in us-west-2$/ }] },
      'the first are under way': { stored, deployment: young, memos: fewer, lines: [{ status: 'hint', detail: /3 of 4 have ended/ }] },
      'there is no policy': { lines: [] },
    };
    const state = states[name]!;
    expect(await sweeps(await sceneOf({ ledger: await ledgerOf(state) }))).toEqual(matching(state.lines, expect));
  });
});

describe('keys', () => {
  const state = (KeyState: KeyState, KeyId?: string) =>
    kms.on(DescribeKeyCommand, KeyId ? { KeyId } : {}).resolves({ KeyMetadata: { KeyId: 'key-1', KeyState } });
  const data = 'arn:aws:kms:us-east-1:123456789012:key/data';
  const fine = (name: string): Line => ({ status: 'ok', detail: new RegExp(`^${name} is enabled$`) });
  table(keys, () => state('Enabled'), {
    'are enabled': { lines: [fine('DataKey'), fine('AlarmKey'), fine('SigningKey')] },
    'one is disabled': {
      aws: () => state('Disabled', data),
      lines: [
        { status: 'wrong', detail: /^DataKey is Disabled: no event/, mend: /^aws kms enable-key --key-id key-1 --region us-east-1$/ },
        fine('AlarmKey'),
        fine('SigningKey'),
      ],
    },
    'one is to be deleted': {
      aws: () => state('PendingDeletion', data),
      lines: [
        { status: 'wrong', detail: /PendingDeletion/, mend: /^aws kms cancel-key-deletion --key-id .* && aws kms enable-key --key-id / },
        fine('AlarmKey'),
        fine('SigningKey'),
      ],
    },
    'may not be described': {
      aws: () => kms.on(DescribeKeyCommand).rejects(denied('kms:DescribeKey')),
      lines: [1, 2, 3].map(() => ({ status: 'unseen', detail: /kms:DescribeKey/ })),
    },
  });
});

describe('kill switch', () => {
  const value = (Value?: string) => ssm.on(GetParameterCommand).resolves({ Parameter: { Value } });
  const on: Line = {
    status: 'wrong',
    detail: /nothing is written/,
    mend: /^aws ssm put-parameter --name \/phidelity\/phidelity-prod\/kill-switch --value off --overwrite --region us-east-1$/,
  };
  table(killSwitch, () => value('off'), {
    'is off': { lines: [{ status: 'ok', detail: /^off/ }] },
    'is on': { aws: () => value('on'), lines: [on] },
    'says something else, which is on': { aws: () => value('OFF '), lines: [on] },
    'may not be read': {
      aws: () => ssm.on(GetParameterCommand).rejects(denied('ssm:GetParameter')),
      lines: [{ status: 'unseen', detail: /ssm:GetParameter/ }],
    },
  });
});

describe('channels', () => {
  const confirmed: Subscription = { SubscriptionArn: 'arn:aws:sns:us-east-1:123456789012:t:1', Protocol: 'email', Endpoint: 'a@example.com' };
  const waiting: Subscription = { SubscriptionArn: 'PendingConfirmation', Protocol: 'email', Endpoint: 'b@example.com' };
  const gone: Subscription = { SubscriptionArn: 'Deleted', Protocol: 'email', Endpoint: 'c@example.com' };
  const topic = (name: string, ...Subscriptions: Subscription[]) =>
    sns.on(ListSubscriptionsByTopicCommand, { TopicArn: `arn:aws:sns:us-east-1:123456789012:${name}` }).resolves({ Subscriptions });
  const right = () => {
    topic('OwnHealth', confirmed);
    topic('Security', confirmed, confirmed);
  };
  const health: Line = { status: 'ok', detail: /^OwnHealth: 1 subscriber$/ };
  table(channels, right, {
    'somebody is told': { lines: [health, { status: 'ok', detail: /^ChannelSecurity: 2 subscribers$/ }] },
    'nobody hears of the bot’s own health': {
      aws: () => topic('OwnHealth'),
      lines: [
        {
          status: 'wrong',
          detail: /^OwnHealth: nobody/,
          mend: /^aws sns subscribe --topic-arn \S+:OwnHealth --protocol email --notification-endpoint \S+ --region us-east-1$/,
        },
        { status: 'ok', detail: /Security/ },
      ],
    },
    'nobody has confirmed': {
      aws: () => topic('Security', waiting, gone),
      lines: [health, { status: 'wrong', detail: /email b@example\.com must follow the link/, mend: /--notification-endpoint b@example\.com/ }],
    },
    'one has not confirmed': {
      aws: () => topic('Security', confirmed, waiting),
      lines: [health, { status: 'hint', detail: /1 subscriber; not confirmed: email b@example\.com/, mend: /--notification-endpoint b@example\.com/ }],
    },
    'one may not be listed': {
      aws: () => sns.on(ListSubscriptionsByTopicCommand).rejects(denied('sns:ListSubscriptionsByTopic')),
      lines: [1, 2].map(() => ({ status: 'unseen', detail: /sns:ListSubscriptionsByTopic/ })),
    },
  });
});

describe('secrets of the channels', () => {
  const vault = mockClient(SecretsManagerClient);
  const channelsOf = 'channels: { slack: { slackWebhook: "ssm:/hook" }, duty: { pagerDuty: "secretsmanager:duty" } }';
  const there = () => {
    vault.reset();
    ssm.on(DescribeParametersCommand).resolves({ Parameters: [{ Name: '/hook', Type: 'SecureString' }] });
    vault.on(DescribeSecretCommand).resolves({ Name: 'duty' });
  };
  const put = /^aws ssm put-parameter --name \/hook --type SecureString --value file:\/\/SECRET --overwrite --region us-east-1$/;
  const cases: Readonly<Record<string, { readonly aws?: () => unknown; readonly lines: readonly Line[] }>> = {
    'are there': { lines: [{ status: 'ok', detail: /^2 secrets of the channels are there$/ }] },
    'one is not': {
      aws: () => ssm.on(DescribeParametersCommand).resolves({ Parameters: [] }),
      lines: [{ status: 'wrong', detail: /^there is no ssm:\/hook/, mend: put }],
    },
    'one is plain text': {
      aws: () => ssm.on(DescribeParametersCommand).resolves({ Parameters: [{ Type: 'String' }] }),
      lines: [{ status: 'wrong', detail: /is a String/, mend: put }],
    },
    'one is to be deleted': {
      aws: () => vault.on(DescribeSecretCommand).resolves({ Name: 'duty', DeletedDate: new Date(0) }),
      lines: [{ status: 'wrong', detail: /^there is no secretsmanager:duty/, mend: /^aws secretsmanager create-secret --name duty / }],
    },
    'one was never made': {
      aws: () => vault.on(DescribeSecretCommand).rejects(Object.assign(new Error('none'), { name: 'ResourceNotFoundException' })),
      lines: [{ status: 'wrong', detail: /^there is no secretsmanager:duty/, mend: /create-secret/ }],
    },
    'may not be looked up': {
      aws: () => ssm.on(DescribeParametersCommand).rejects(denied('ssm:DescribeParameters')),
      lines: [{ status: 'unseen', detail: /ssm:DescribeParameters/ }],
    },
  };
  test.each(Object.entries(cases))('%s (aws-sdk-client-mock)', async (_, { aws, lines }) => {
    there();
    aws?.();
    const stored = await policyOf(channelsOf);
    expect(await secrets(await sceneOf({ ledger: await ledgerOf({ stored, lines }) }))).toEqual(matching(lines, expect));
  });
});

describe('alarms', () => {
  const quiet: MetricAlarm = { AlarmName: 'phidelity-prod-intake-dlq', StateValue: 'OK', ActionsEnabled: true };
  const rings = (more: MetricAlarm): MetricAlarm => ({
    ...quiet,
    StateValue: 'ALARM',
    StateUpdatedTimestamp: new Date(0),
    AlarmDescription: 'phidelity: look',
    ...more,
  });
  const live = (...MetricAlarms: MetricAlarm[]) => metrics.on(DescribeAlarmsCommand).resolves({ MetricAlarms });
  const deployment = deploymentOf({ regions: [home] });
  const parts = [part('AWS::CloudWatch::Alarm', 'phidelity-prod-intake-dlq')];
  const one = (status: Line['status'], detail: RegExp, mend?: RegExp) => ({ parts, deployment, lines: [{ status, detail, mend }] });
  table(alarms, () => live(quiet), {
    'are quiet': one('ok', /none rings in 1 region$/),
    'know nothing yet': { ...one('ok', /./), aws: () => live({ ...quiet, StateValue: 'INSUFFICIENT_DATA' }) },
    'ring for dead letters': {
      ...one(
        'wrong',
        /^us-east-1: phidelity-prod-intake-dlq rings since 1970.*: phidelity: look$/,
        /^npx phidelity dlq redrive --all --stack phidelity-prod --region us-east-1$/,
      ),
      aws: () => live(rings({ MetricName: 'ApproximateNumberOfMessagesVisible' })),
    },
    'ring for errors': {
      ...one('wrong', /rings/, /^aws logs tail \/aws\/lambda\/phidelity-prod-remediate /),
      aws: () => live(rings({ MetricName: 'Errors', Dimensions: [{ Name: 'FunctionName', Value: 'phidelity-prod-remediate' }] })),
    },
    'ring for something else': {
      ...one('wrong', /rings/, /^aws cloudwatch describe-alarm-history --alarm-name phidelity-prod-intake-dlq /),
      aws: () => live(rings({})),
    },
    'are dumb': {
      ...one('wrong', /its actions are off/, /^aws cloudwatch enable-alarm-actions --alarm-names phidelity-prod-intake-dlq --region us-east-1$/),
      aws: () => live({ ...quiet, ActionsEnabled: false }),
    },
    'are gone': { ...one('wrong', /^us-east-1: deleted: phidelity-prod-intake-dlq/, /REVERT_DRIFT/), aws: () => live() },
    'may not be described': {
      ...one('unseen', /cloudwatch:DescribeAlarms/),
      aws: () => metrics.on(DescribeAlarmsCommand).rejects(denied('cloudwatch:DescribeAlarms')),
    },
  });
});

describe('dead letters', () => {
  const deployment = deploymentOf({ regions: [home] });
  const count = (visible: string, hidden = '0') => ({ Attributes: { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: hidden } });
  const sweep = { QueueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/SweepDlq' };
  const list = /^npx phidelity dlq list --stack phidelity-prod --region us-east-1$/;
  table(letters, () => sqs.on(GetQueueAttributesCommand).resolves(count('0')), {
    'there are none': { deployment, lines: [{ status: 'ok', detail: /^all 4 queues are empty$/ }] },
    'two ticks lie there': {
      deployment,
      aws: () => sqs.on(GetQueueAttributesCommand, sweep).resolves(count('2')),
      lines: [{ status: 'wrong', detail: /^2 messages in sweep$/, mend: list }],
    },
    'somebody is reading one': {
      deployment,
      aws: () => sqs.on(GetQueueAttributesCommand, sweep).resolves(count('0', '1')),
      lines: [{ status: 'wrong', detail: /^1 message in sweep$/ }],
    },
    'one queue may not be counted': {
      deployment,
      aws: () => sqs.on(GetQueueAttributesCommand, sweep).rejects(denied('sqs:GetQueueAttributes')),
      lines: [{ status: 'unseen', detail: /^sweep: Not allowed to call sqs:GetQueueAttributes/ }],
    },
    'a forwarder is gone': {
      aws: () => stacks.on(ListStackResourcesCommand).rejects(Object.assign(new Error('does not exist'), { name: 'ValidationError' })),
      lines: [{ status: 'unseen', detail: /^forwarder us-west-2: there is no stack phidelity-prod-forwarder in us-west-2$/ }],
    },
  });
});

describe('own findings', () => {
  const role = { accountId, region: home, type: 'AWS::IAM::Role', id: 'arn:aws:iam::123456789012:role/phidelity-prod-DetectRole-X' };
  const place = { accountId, region: home, control: 's3-bucket-tls-only', resource: 'arn:aws:s3:::a' };
  const deniedRole = findingOf({
    ...keyOf({ control: 'bot-permissions' }),
    resource: role,
    fold: 's3:GetBucketPolicy',
    blind: [place, { ...place, resource: 'arn:aws:s3:::b' }],
  });
  const guard = findingOf({ ...keyOf({ control: 'eventbridge-bot-rules-on', id: 'arn:aws:events:us-east-1:123456789012:rule/r' }) });
  table(ownFindings, nothing, {
    'there are none': { lines: [{ status: 'ok', detail: /nothing to say/ }] },
    'drift of the account is none': { findings: [findingOf()], lines: [{ status: 'ok', detail: /./ }] },
    'a role is denied an action': {
      findings: [deniedRole],
      lines: [
        { status: 'wrong', detail: /^phidelity-prod-DetectRole-X is denied s3:GetBucketPolicy since .*; 2 resources not seen because of it$/, mend: deploys },
      ],
    },
    'a rule of its own has drifted': {
      findings: [guard],
      lines: [
        { status: 'wrong', detail: /^eventbridge-bot-rules-on on r since /, mend: /^npx phidelity findings --open --stack phidelity-prod --region us-east-1$/ },
      ],
    },
  });
});

describe('roles', () => {
  const parts = [part('AWS::IAM::Role', 'detect-role', 'DetectRole'), part('AWS::IAM::Role', 'remediate-role', 'RemediateRole')];
  const decide = (result: Partial<EvaluationResult>) => ({
    EvaluationResults: [{ EvalActionName: 's3:GetBucketPolicy', EvalDecision: 'allowed' as const, ...result }],
  });
  const detect = { PolicySourceArn: 'arn:aws:iam::123456789012:role/detect-role' };
  const remediate: Line = { status: 'ok', detail: /^remediate-role may call all \d+ actions/ };
  const bad = (result: Partial<EvaluationResult>) => () =>
    iam.on(SimulatePrincipalPolicyCommand, detect).resolves(decide({ EvalDecision: 'implicitDeny', ...result }));
  const rows: Record<string, Omit<State, 'parts' | 'stored'>> = {
    'may call everything': { lines: [{ status: 'ok', detail: /^detect-role may call all [1-9]\d* actions/ }, remediate] },
    'lacks an action': {
      aws: bad({}),
      lines: [{ status: 'wrong', detail: /^detect-role may not call s3:GetBucketPolicy: its own policies/, mend: deploys }, remediate],
    },
    'is held by the organization': {
      aws: bad({ OrganizationsDecisionDetail: { AllowedByOrganizations: false } }),
      lines: [{ status: 'wrong', detail: /service control policy/, mend: /^aws organizations list-policies-for-target --target-id 123456789012 / }, remediate],
    },
    'is held by its boundary': {
      aws: bad({ PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } }),
      lines: [{ status: 'wrong', detail: /permissions boundary/, mend: /^aws iam get-policy / }, remediate],
    },
    'may not be simulated': {
      aws: () => iam.on(SimulatePrincipalPolicyCommand).rejects(denied('iam:SimulatePrincipalPolicy')),
      lines: ['detect', 'remediate'].map((name) => ({ status: 'unseen' as const, detail: new RegExp(`^role of ${name}: .*iam:SimulatePrincipalPolicy`) })),
    },
  };
  beforeEach(() => void iam.on(SimulatePrincipalPolicyCommand).resolves(decide({})));
  test.each(Object.entries(rows))('%s', async (_, state) => {
    state.aws?.();
    const stored = await policyOf(controls);
    expect(await roles(await sceneOf({ parts, ledger: await ledgerOf({ ...state, stored }) }))).toEqual(matching(state.lines, expect));
  });

  test('a role that is not there', async () => {
    const stored = await policyOf(controls);
    expect(await roles(await sceneOf({ ledger: await ledgerOf({ stored, lines: [] }) }))).toMatchObject([{ status: 'wrong' }, { status: 'wrong' }]);
  });
});
