/** What the roles may do under a policy. Pure. */

import type { AnyControl, Catalogue } from '../engine/control.ts';
import { isEventControl } from '../engine/control.ts';
import { digestsPrefix, entriesPrefix } from '../engine/evidence/form.ts';
import type { IamAction } from '../engine/model.ts';
import type { SecretRef } from '../engine/policy/channels.ts';
import { routed, writes } from '../engine/policy/match.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { slackAppOf } from '../engine/policy/slack-app.ts';
import { sealContext } from '../handlers/aws/seal.ts';
import { answerKey, deployedKeys, evidenceKeys, memoKey, policyKey } from '../handlers/aws/table.ts';
import { dataPlaneReads } from './data-plane.ts';
import { deliverRole } from './deliver.ts';
import { account, arnOf, localArn, partition, region, type Sub, stack, sub } from './intrinsics.ts';
import { killSwitchName } from './kill-switch.ts';
import { contextsOf, readSecrets, secretArn } from './secrets.ts';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly IamAction[];
  readonly Resource?: '*' | readonly (string | Sub)[];
  readonly NotResource?: readonly (string | Sub)[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Roles {
  readonly detect: readonly Statement[];
  readonly remediate: readonly Statement[];
  /** The same under every policy. */
  readonly evidence: readonly Statement[];
  readonly deliver: readonly Statement[];
  /** There only while the policy has a Slack app. */
  readonly slack?: readonly Statement[];
}

const anyRegion = (service: string, rest: string): Sub => sub(`arn:${partition}:${service}:*:${account}:${rest}`);

// Names, not GetAtt: a role that waits for the function that waits for the role is a circle.
export const own = {
  table: localArn('dynamodb', `table/${stack}-*`),
  stream: localArn('dynamodb', `table/${stack}-*/stream/*`),
  evidenceDlq: localArn('sqs', `${stack}-EvidenceDlq-*`),
  queues: [localArn('sqs', `${stack}-IntakeQueue-*`), localArn('sqs', `${stack}-SweepQueue-*`)],
  sweepQueue: localArn('sqs', `${stack}-SweepQueue-*`),
  alertQueue: localArn('sqs', `${stack}-AlertQueue-*`),
  killSwitch: localArn('ssm', `parameter${killSwitchName}`),
  topics: localArn('sns', `${stack}-Channel*`),
  remediateExecutions: localArn('lambda', `function:${stack}-remediate:*/durable-execution/*/*`),
  remediate: localArn('lambda', `function:${stack}-remediate`),
  remediateVersions: localArn('lambda', `function:${stack}-remediate:*`),
  logs: (name: string) => localArn('logs', `log-group:/aws/lambda/${stack}-${name}:*`),
  // A key has no name; it waits for nothing but itself.
  dataKey: sub(arnOf('DataKey')),
  alarmKey: sub(arnOf('AlarmKey')),
  signingKey: sub(arnOf('SigningKey')),
  // Nor does a bucket: its name is in lower case, whatever the stack's is.
  bucket: sub(arnOf('EvidenceBucket')),
  entries: sub(`${arnOf('EvidenceBucket')}/${entriesPrefix}*`),
  digests: sub(`${arnOf('EvidenceBucket')}/${digestsPrefix}*`),
};

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

const named = { Null: { 'dynamodb:LeadingKeys': 'false' } };
const leading = (...items: readonly ReturnType<typeof memoKey>[]) => items.map(({ pk }) => pk!.S!);
/** On these partitions, and on nothing that names none: a condition for all values holds where there is no value. */
export const onlyOf = (keys: readonly string[]) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys }, ...named });

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

export const ownLogs = (name: string): Statement => ({
  Sid: 'OwnLogs',
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: [own.logs(name)],
});

export const ownKey: Statement = {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  Sid: 'OwnKey',
  Effect: 'Allow',
  Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  Resource: [own.dataKey],
};

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

/** @param NotResource what of its own the role reads */
const denyDataPlane = (NotResource: readonly Sub[]): Statement => ({ Sid: 'NoDataPlaneReads', Effect: 'Deny', Action: dataPlaneReads, NotResource });

/**
 * A fix that has EC2 or RDS make an encrypted copy needs the key to be usable by them in the role's name, decryption included; the role itself
 * sees nothing of it. Only the key's own policy can allow it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
 */
const copies = { 'kms:ViaService': ['ec2.*', 'rds.*'] };

/** Conditions of one statement hold together: denied is what neither comes through one of these services nor is one of these secrets. */
export function denyDataPlaneBut(
  NotResource: readonly Sub[],
  secrets: readonly SecretRef[],
  through: Readonly<Record<string, readonly string[]>> = {},
): Statement[] {
  const but = { ...through, ...contextsOf(secrets) };
  if (Object.keys(but).length === 0) return [denyDataPlane(NotResource)];
  const Action = dataPlaneReads.filter((action) => action !== decrypt);
  return [
    { ...denyDataPlane([...NotResource, ...secrets.map(secretArn)]), Action },
    { Sid: 'NoDecryption', Effect: 'Deny', Action: [decrypt], NotResource, Condition: { StringNotLike: but } },
  ];
}
const decrypt: IamAction = 'kms:Decrypt';

/**
 * Remediate does what the stored policy says: who could write it would have all that remediate may. Only a deploy stores it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export const policyIsDeployed: Statement = {
  Sid: 'PolicyIsDeployed',
  Effect: 'Deny',
  Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
  Resource: [own.table],
  Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': deployedKeys } },
};

/**
 * Detect writes the table: could it make a seal, it could approve. Only remediate, which has verified who answers, may.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
 */
export const sealsNothing: Statement = {
  Sid: 'SealsNothing',
  Effect: 'Deny',
  Action: ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  Resource: [own.dataKey],
  Condition: { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': [sealContext] } },
};

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

/** A managed policy holds 6,144 characters, white space not counted, and a role takes ten of them. */
export const longestPolicy = 6_144;
const mostPolicies = 10;

/** The statements in as few documents as fit. A statement too long for one is divided by its actions. */
export function pack(statements: readonly Statement[]): Statement[][] {
  const documents: Statement[][] = [];
  for (const statement of statements.flatMap(divided)) {
    const last = documents.at(-1);
    if (last && policySize([...last, statement]) <= longestPolicy) last.push(statement);
    else documents.push([statement]);
  }
  if (documents.length > mostPolicies) throw new Error(`a role would need ${documents.length} managed policies, AWS takes ${mostPolicies}`);
  return documents;
}

function divided(statement: Statement): Statement[] {
  const parts: IamAction[][] = [[]];
  for (const action of statement.Action) {
    const last = parts.at(-1)!;
    if (last.length === 0 || policySize([{ ...statement, Sid: `${statement.Sid}99`, Action: [...last, action] }]) <= longestPolicy) last.push(action);
    else parts.push([action]);
  }
  return parts.map((Action, index) => ({ ...statement, Sid: index === 0 ? statement.Sid : `${statement.Sid}${index + 1}`, Action }));
}

/** Characters of a policy once CloudFormation has filled in a long stack name and the longest of partitions, regions and key ids. */
export const policySize = (statements: readonly Statement[]): number =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements }, (_, value) =>
    typeof value === 'object' && value !== null && 'Fn::Sub' in value ? value['Fn::Sub'] : value,
  )
    .replaceAll(stack, 'n'.repeat(40))
    .replaceAll(partition, 'aws-us-gov')
    .replaceAll(region, 'ap-northeast-1')
    .replaceAll(account, '123456789012')
    .replace(/\$\{\w+\.Arn\}/g, 'k'.repeat(90))
    .replace(/\s/g, '').length;
