/** What the roles may do under a policy. Pure. */
import { type AnyControl, type Catalogue, isEventControl } from '../engine/control.ts';
import type { IamAction } from '../engine/model.ts';
import { routed, writes } from '../engine/policy/match.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { slackAppOf } from '../engine/policy/slack-app.ts';
import { answerKey, evidenceKeys, memoKey, policyKey } from '../handlers/aws/table.ts';
import { deliverRole } from './deliver.ts';
import { account, partition, region, stack, sub } from './intrinsics.ts';
import type { Statement } from './packing.ts';
import { readSecrets } from './secrets.ts';
import {
  anyRegion,
  copies,
  denyDataPlane,
  denyDataPlaneBut,
  leading,
  named,
  onlyOf,
  own,
  ownKey,
  ownLogs,
  policyIsDeployed,
  sealsNothing,
} from './statements.ts';

export interface Roles {
  readonly detect: readonly Statement[];
  readonly remediate: readonly Statement[];
  /** The same under every policy. */
  readonly evidence: readonly Statement[];
  readonly deliver: readonly Statement[];
  /** There only while the policy has a Slack app. */
  readonly slack?: readonly Statement[];
}

/** @param controls the loaded controls of the policy that may write; only their `passRole` is asked. */
export function rolesOf(policy: CompiledPolicy, catalogue: Catalogue, controls: readonly AnyControl[]): Roles {
  const of = (ids: readonly string[]) => catalogue.filter(({ id }) => ids.includes(id));
  const watched = of(routed(policy));
  const fixable = of(writes(policy)).filter(({ fix }) => fix);
  const fixing = fixable.flatMap(({ permissions }) => [...permissions.remediate, ...permissions.undo]);
  const app = slackAppOf(policy);
  // It verifies again what the endpoint lets in.
  const verifying = app ? [app.signingSecret] : [];
  return {
    detect: [
      ...allow('ReadControls', actionsOf(watched.flatMap(({ permissions }) => permissions.inspect))),
      ...detectRuntime,
      ...common('detect'),
      denyDataPlane([own.table, own.dataKey, ...own.queues]),
      policyIsDeployed,
      sealsNothing,
    ],
    remediate: [
      ...allow(
        'ActOnControls',
        actionsOf([...fixable.flatMap(({ permissions }) => permissions.inspect), ...fixing]).filter((action) => action !== wakeUp),
      ),
      ...(fixing.includes(wakeUp) ? [ownRulesOn] : []),
      ...passRoles(policy, controls),
      ...remediateRuntime,
      ...readSecrets(verifying),
      ...common('remediate'),
      ...denyDataPlaneBut([own.table, own.dataKey, own.killSwitch], verifying, copies),
      policyIsDeployed,
      ...denyOwn(policy, actionsOf(fixing.filter(isWrite))),
    ],
    evidence: [...evidenceRuntime, ownLogs('evidence'), ownKey, denyDataPlane([own.table, own.stream, own.dataKey, own.digests]), policyIsDeployed],
    deliver: deliverRole(policy),
    ...(app && {
      slack: [
        ...slackRuntime,
        ...readSecrets([app.signingSecret, app.token]),
        ownLogs('slack'),
        ...denyDataPlaneBut([own.table, own.dataKey], [app.signingSecret, app.token]),
        policyIsDeployed,
        sealsNothing,
      ],
    }),
  };
}

const readNames = /^[a-z0-9-]+:(BatchGet|Describe|Get|Head|List|Lookup|Search)/;
export const isWrite = (action: IamAction): boolean => !readNames.test(action);

// PassRole on everything would hand out any role of the account: it comes from `passRole` alone.
export const actionsOf = (actions: readonly IamAction[]): IamAction[] => [...new Set(actions)].filter((action) => action !== 'iam:PassRole').sort();

const allow = (Sid: string, Action: readonly IamAction[]): Statement[] => (Action.length > 0 ? [{ Sid, Effect: 'Allow', Action, Resource: '*' }] : []);

/** One statement for each role that a fix hands to a service. */
export const passRoles = (policy: CompiledPolicy, controls: readonly AnyControl[]): Statement[] =>
  controls.flatMap((control): Statement[] => {
    const settings = policy.controls[control.id];
    const passed =
      isEventControl(control) || !settings || !writes({ ...policy, controls: { [control.id]: settings } }).length
        ? undefined
        : control.passRole?.(settings.params);
    if (!passed) return [];
    const Condition = { StringEquals: { 'iam:PassedToService': passed.service } };
    return [{ Sid: `PassRoleFor${control.id.replace(/[^a-z0-9]/gi, '')}`, Effect: 'Allow', Action: ['iam:PassRole'], Resource: [passed.roleArn], Condition }];
  });

const detectRuntime: readonly Statement[] = [
  {
    Sid: 'TakeFromQueues',
    Effect: 'Allow',
    Action: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    Resource: own.queues,
  },
  { Sid: 'AskForSweeps', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [own.sweepQueue] },
  { Sid: 'StartRemediate', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: [own.remediateVersions] },
  { Sid: 'FindExecutions', Effect: 'Allow', Action: ['lambda:ListDurableExecutionsByFunction'], Resource: [own.remediate, own.remediateVersions] },
  { Sid: 'EndExecutions', Effect: 'Allow', Action: ['lambda:StopDurableExecution'], Resource: [own.remediateExecutions] },
];

const remediateRuntime: readonly Statement[] = [
  {
    Sid: 'KeepItsPlace',
    Effect: 'Allow',
    Action: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
    Resource: [own.remediateExecutions],
  },
  { Sid: 'ReadKillSwitch', Effect: 'Allow', Action: ['ssm:GetParameter'], Resource: [own.killSwitch] },
  // Whether what is to be fixed belongs to a stack that is being updated.
  { Sid: 'ReadStackStatus', Effect: 'Allow', Action: ['cloudformation:DescribeStacks'], Resource: [anyRegion('cloudformation', 'stack/*')] },
  // What somebody has excepted, or wants looked at again, detect is to judge.
  { Sid: 'AskForSweeps', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [own.sweepQueue] },
];

/** What everybody on the internet may knock at: it leaves answers, which are claims, and can read neither those nor findings. */
const slackRuntime: readonly Statement[] = [
  { Sid: 'LeaveAnswers', Effect: 'Allow', Action: ['dynamodb:PutItem'], Resource: [own.table], Condition: onlyOf(leading(answerKey('*', ''))) },
  {
    Sid: 'ReadPeople',
    Effect: 'Allow',
    Action: ['dynamodb:GetItem'],
    Resource: [own.table],
    Condition: onlyOf(leading(policyKey, memoKey('knock|*'))),
  },
  { Sid: 'Wake', Effect: 'Allow', Action: ['lambda:SendDurableExecutionCallbackSuccess'], Resource: [own.remediateExecutions] },
  { Sid: 'Start', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: [own.remediateVersions] },
  // Its environment too, which Lambda decrypts in its name.
  { Sid: 'ReadWithOwnKey', Effect: 'Allow', Action: ['kms:Decrypt'], Resource: [own.dataKey] },
  {
    Sid: 'OwnKeyThroughTheTable',
    Effect: 'Allow',
    Action: ['kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
    Resource: [own.dataKey],
    Condition: { StringEquals: { 'kms:ViaService': sub(`dynamodb.${region}.\${AWS::URLSuffix}`) } },
  },
];

/** It adds to the bucket, and can take nothing from it; of the table it writes only its own marks. */
const evidenceRuntime: readonly Statement[] = [
  {
    Sid: 'ReadStream',
    Effect: 'Allow',
    Action: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    Resource: [own.stream],
  },
  // Names alone; AWS takes no resource for it. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
  { Sid: 'FindStream', Effect: 'Allow', Action: ['dynamodb:ListStreams'], Resource: '*' },
  { Sid: 'ReadEntries', Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:Query'], Resource: [own.table] },
  {
    Sid: 'KeepMarks',
    Effect: 'Allow',
    Action: ['dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
    Resource: [own.table],
    Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': evidenceKeys }, ...named },
  },
  { Sid: 'AddEvidence', Effect: 'Allow', Action: ['s3:PutObject'], Resource: [own.entries, own.digests] },
  { Sid: 'ReadDigests', Effect: 'Allow', Action: ['s3:GetObject'], Resource: [own.digests] },
  // Without it S3 answers a read of what is not there like one that is denied.
  { Sid: 'SeeWhatIsMissing', Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [own.bucket] },
  {
    Sid: 'Sign',
    Effect: 'Allow',
    Action: ['kms:Sign'],
    Resource: [own.signingKey],
    Condition: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } },
  },
  { Sid: 'TellWhatIsLost', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [own.evidenceDlq] },
];

const common = (name: string): Statement[] => [
  {
    Sid: 'Ledger',
    Effect: 'Allow',
    Action: ['dynamodb:BatchGetItem', 'dynamodb:ConditionCheckItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    Resource: [own.table],
  },
  // Who defines what has drifted, and what may except it. The action knows no resources.
  { Sid: 'ReadTags', Effect: 'Allow', Action: ['tag:GetResources'], Resource: '*' },
  { Sid: 'Alert', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [own.alertQueue] },
  ownLogs(name),
  ownKey,
];

/** The one thing that a control may do to the stack itself, and only to it: switch its rules on again. */
const wakeUp: IamAction = 'events:EnableRule';
// Forwarders' rules too.
const ownRules = anyRegion('events', `rule/${stack}-*`);
const ownRulesOn: Statement = { Sid: 'OwnRulesOn', Effect: 'Allow', Action: [wakeUp], Resource: [ownRules] };

/** A control that could switch the bot off or read its records must not: its own stack is out of reach, the forwarders' parts of it too. */
function denyOwn(policy: CompiledPolicy, Action: readonly IamAction[]): Statement[] {
  if (Action.length === 0) return [];
  const iam = (kind: string) => sub(`arn:${partition}:iam::${account}:${kind}${policy.iam.path}${stack}-*`);
  const onRules = Action.filter((action) => action !== wakeUp);
  return [
    {
      Sid: 'NotOnItself',
      Effect: 'Deny',
      Action,
      Resource: [
        own.table,
        own.dataKey,
        own.alarmKey,
        own.signingKey,
        own.bucket,
        own.entries,
        own.digests,
        own.killSwitch,
        anyRegion('sqs', `${stack}-*`),
        anyRegion('sns', `${stack}-*`),
        anyRegion('lambda', `function:${stack}-*`),
        anyRegion('logs', `log-group:/aws/lambda/${stack}-*`),
        anyRegion('logs', `log-group:/aws/vendedlogs/${stack}-*`),
        anyRegion('cloudwatch', `alarm:${stack}-*`),
        anyRegion('cloudformation', `stack/${stack}/*`),
        anyRegion('cloudformation', `stack/${stack}-*`),
        anyRegion('scheduler', `schedule/${stack}/*`),
        anyRegion('scheduler', `schedule-group/${stack}`),
        iam('role'),
        iam('policy'),
      ],
    },
    ...(onRules.length > 0 ? [{ Sid: 'NotOnItsRules', Effect: 'Deny', Action: onRules, Resource: [ownRules] } as const] : []),
  ];
}
