/** The packaged stack: free of findings, split code, and each hop allowed by resource, identity and key policy together. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { unzipSync } from 'fflate';
import { type Deployed, resolve } from '../../cli/local-stack/template.ts';
import { matchesPattern } from '../../engine/pattern.ts';
import { evidenceKeys, leaseKey } from '../../handlers/aws/table.ts';
import { account, filledIn, type Packaged, packaged, propertiesOf, region, serverless, stackName } from '../support/packaged.ts';

const stranger = '999999999999';
const inOther = (arn: string) => arn.replace(account, stranger);

let stack: Packaged;
let deployed: Deployed;

beforeAll(async () => {
  stack = await packaged();
  deployed = filledIn(stack.template);
}, 180_000);
afterAll(() => stack && rmSync(stack.folder, { recursive: true }));

const arnOf = (logicalId: string, attribute = 'Arn') => resolve({ 'Fn::GetAtt': [logicalId, attribute] }, deployed) as string;
const refOf = (logicalId: string) => resolve({ Ref: logicalId }, deployed) as string;
const idsOf = (type: string) => Object.entries(stack.template.Resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));

interface Ask {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly resourcePolicy?: unknown;
  readonly identityPolicies?: readonly unknown[];
  readonly context?: Record<string, string | string[]>;
}

async function verdict({ principal, action, resource, resourcePolicy, identityPolicies = [], context = {} }: Ask): Promise<string> {
  const result = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: { 'aws:SecureTransport': 'true', ...context } },
      identityPolicies: identityPolicies.map((policy, index) => ({ name: `policy${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy,
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult;
}

const keyPolicy = (key: string) => propertiesOf(deployed, key).KeyPolicy;
const keyOf = (property: unknown) => idsOf('AWS::KMS::Key').find((id) => property === arnOf(id) || property === refOf(id))!;

const queuePolicyOf = (queueId: string) => {
  const id = idsOf('AWS::SQS::QueuePolicy').find((policy) => (propertiesOf(deployed, policy).Queues as string[]).includes(refOf(queueId)));
  return id && propertiesOf(deployed, id).PolicyDocument;
};

/** The service may use the key for messages it puts into an encrypted queue or topic. */
const withKey = async (Service: string, key: string, context: Record<string, string>) =>
  Promise.all(
    ['kms:Decrypt', 'kms:GenerateDataKey'].map((action) =>
      verdict({ principal: Service, action, resource: arnOf(key), resourcePolicy: keyPolicy(key), context }),
    ),
  );

/** Account and ARN of the source, as the sending service states them. */
const from = (sourceArn: string) => ({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': sourceArn.split(':')[4]! });

describe('the template', () => {
  const cfnLint = spawnSync('cfn-lint', ['--version']).status === 0;
  if (!cfnLint && process.env.CI === 'true') throw new Error('cfn-lint is not on the PATH');

  (cfnLint ? test : test.skip)('is free of cfn-lint findings', () => {
    const { stdout, status } = spawnSync('cfn-lint', [stack.file, join(stack.folder, 'cloudformation-template-create-stack.json')], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  test('names no partition', () => {
    expect(readFileSync(stack.file, 'utf8')).not.toContain('arn:aws:');
  });

  test('the ledger and the keys stay when the stack goes, under names that a new stack will not want', () => {
    for (const id of ['Ledger', 'DataKey', 'AlarmKey', 'SigningKey', 'EvidenceBucket', 'EvidenceBucketPolicy']) {
      expect(stack.template.Resources[id]).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      expect(Object.keys(stack.template.Resources[id]!.Properties!)).not.toContain(id === 'Ledger' ? 'TableName' : 'BucketName');
    }
  });

  test('roles carry managed policies only', () => {
    for (const id of idsOf('AWS::IAM::Role')) expect(Object.keys(propertiesOf(deployed, id))).not.toContain('Policies');
    expect(idsOf('AWS::IAM::Policy')).toEqual([]);
  });

  test('every log group is encrypted and ends', () => {
    for (const id of idsOf('AWS::Logs::LogGroup')) expect(propertiesOf(deployed, id)).toMatchObject({ KmsKeyId: arnOf('DataKey'), RetentionInDays: 365 });
  });

  test('every queue and topic is encrypted with a key of the stack', () => {
    for (const id of [...idsOf('AWS::SQS::Queue'), ...idsOf('AWS::SNS::Topic')]) expect(keyOf(propertiesOf(deployed, id).KmsMasterKeyId)).toMatch(/Key$/);
  });

  test('the alarm about the bot does not hang on the key of the data', () => {
    expect(keyOf(propertiesOf(deployed, 'OwnHealth').KmsMasterKeyId)).toBe('AlarmKey');
  });

  test('every dead-letter queue is watched', () => {
    const watched = idsOf('AWS::CloudWatch::Alarm').map((id) => JSON.stringify(propertiesOf(deployed, id).Dimensions));
    const dlqs = idsOf('AWS::SQS::Queue').filter((id) => id.endsWith('Dlq'));
    expect(dlqs).toEqual(expect.arrayContaining(['IntakeDlq', 'SweepDlq', 'TargetDlq', 'AlertDlq', 'EvidenceDlq']));
    for (const id of dlqs) expect(watched.filter((dimensions) => dimensions?.includes(arnOf(id, 'QueueName')))).toHaveLength(1);
  });

  test('every rule has its target, its dead-letter queue and its place in an alarm', () => {
    const watched = JSON.stringify(idsOf('AWS::CloudWatch::Alarm').map((id) => propertiesOf(deployed, id).Metrics));
    for (const id of idsOf('AWS::Events::Rule')) {
      const { Name, Targets } = propertiesOf(deployed, id);
      const target = id === 'RuleForwardedAlarms' ? refOf('OwnHealth') : arnOf('IntakeQueue');
      expect(Targets).toEqual([expect.objectContaining({ Arn: target, DeadLetterConfig: { Arn: arnOf('TargetDlq') } })]);
      expect(watched).toContain(JSON.stringify(Name));
    }
  });

  test.each([
    ['detect', 5, 'IntakeQueue', 'IntakeDlq'],
    ['detect', 5, 'SweepQueue', 'SweepDlq'],
    ['deliver', 12, 'AlertQueue', 'AlertDlq'],
  ] as const)('messages come back after six times the timeout of %s, %d times: %s', (reader, maxReceiveCount, queue, dlq) => {
    const { Timeout } = propertiesOf(deployed, `${{ detect: 'Detect', deliver: 'Deliver' }[reader]}LambdaFunction`) as { Timeout: number };
    expect(propertiesOf(deployed, queue)).toMatchObject({
      VisibilityTimeout: 6 * Timeout,
      MessageRetentionPeriod: 14 * 24 * 60 * 60,
      RedrivePolicy: { deadLetterTargetArn: arnOf(dlq), maxReceiveCount },
    });
  });

  test('detect reads both queues, returns what failed, and leaves room in the account', () => {
    const fed = arnOf('DetectLambdaFunction');
    const sources = idsOf('AWS::Lambda::EventSourceMapping').flatMap((id) => {
      const source = propertiesOf(deployed, id);
      return source.FunctionName === fed ? [source] : [];
    });
    expect(sources).toHaveLength(2);
    for (const source of sources) expect(source).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    const of = (queue: string) => sources.find(({ EventSourceArn }) => EventSourceArn === arnOf(queue));
    expect(of('IntakeQueue')).toMatchObject({ BatchSize: 10, MaximumBatchingWindowInSeconds: 1, ScalingConfig: { MaximumConcurrency: 5 } });
    expect(of('SweepQueue')).toMatchObject({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
  test('a function that feeds itself through a queue is not taken for a loop, and no other is let loop', () => {
    const fed = idsOf('AWS::Lambda::EventSourceMapping').map((id) => propertiesOf(deployed, id).EventSourceArn);
    expect(fed).toContain(arnOf('SweepQueue'));
    const loops = idsOf('AWS::Lambda::Function').map((id) => [id, propertiesOf(deployed, id).RecursiveLoop]);
    expect(loops).toEqual([
      ['DetectLambdaFunction', 'Allow'],
      ['RemediateLambdaFunction', undefined],
      ['EvidenceLambdaFunction', undefined],
      ['DeliverLambdaFunction', 'Allow'],
    ]);
  });

  test('deliver reads the alert queue, and returns what a channel did not take', () => {
    const source = idsOf('AWS::Lambda::EventSourceMapping')
      .map((id) => propertiesOf(deployed, id))
      .find(({ FunctionName }) => FunctionName === arnOf('DeliverLambdaFunction'));
    expect(source).toMatchObject({
      EventSourceArn: arnOf('AlertQueue'),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 5 },
    });
  });

  test('evidence is fed by new entries of the table alone, from the first one on; what is given up is told of', () => {
    const source = idsOf('AWS::Lambda::EventSourceMapping')
      .map((id) => propertiesOf(deployed, id))
      .find(({ FunctionName }) => FunctionName === arnOf('EvidenceLambdaFunction'));
    expect(propertiesOf(deployed, 'Ledger').StreamSpecification).toEqual({ StreamViewType: 'NEW_IMAGE' });
    expect(source).toMatchObject({
      EventSourceArn: arnOf('Ledger', 'StreamArn'),
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: arnOf('EvidenceDlq') } },
    });
    // The stream keeps a day: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    expect(source!.MaximumRecordAgeInSeconds).toBeLessThan(86_400);
    const [{ Pattern }] = (source!.FilterCriteria as { Filters: [{ Pattern: string }] }).Filters;
    const record = (eventName: string, sk: string) => ({ eventName, dynamodb: { Keys: { pk: { S: 'finding#f-1' }, sk: { S: sk } } } });
    const taken = (eventName: string, sk: string) => matchesPattern(JSON.parse(Pattern), record(eventName, sk));
    expect(taken('INSERT', 'entry#000000001')).toBe(true);
    expect([taken('INSERT', 'finding'), taken('MODIFY', 'entry#000000001'), taken('REMOVE', 'entry#000000001')]).toEqual([false, false, false]);
  });

  test('evidence is locked as the policy says, versioned, encrypted with the key of the data', () => {
    expect(propertiesOf(deployed, 'EvidenceBucket')).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Years: 6 } } },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arnOf('DataKey') } },
        ],
      },
    });
  });

  test('the evidence bucket refuses plain HTTP, to the role that may write to it too', async () => {
    const ask = {
      principal: arnOf('EvidenceRole'),
      action: 's3:PutObject',
      resource: `${arnOf('EvidenceBucket')}/entries/f-1/000000001.json`,
      resourcePolicy: propertiesOf(deployed, 'EvidenceBucketPolicy').PolicyDocument,
    };
    expect(await verdict({ ...ask, context: { 'aws:SecureTransport': 'false' } })).toBe('ExplicitlyDenied');
  });

  test('a digest is asked for each hour', () => {
    const { ScheduleExpression, State = 'ENABLED', GroupName, Target } = propertiesOf(deployed, 'Digest') as Record<string, unknown>;
    expect([ScheduleExpression, State, GroupName]).toEqual(['rate(1 hour)', 'ENABLED', refOf('ScheduleGroup')]);
    expect(Target).toMatchObject({ Arn: arnOf('EvidenceLambdaFunction'), RoleArn: arnOf('ScheduleRole'), DeadLetterConfig: { Arn: arnOf('EvidenceDlq') } });
  });

  test('two hours without a digest ring, and only those of this stack count', () => {
    const { Period, EvaluationPeriods, ...alarm } = propertiesOf(deployed, 'AlarmEvidenceDigest') as { Period: number; EvaluationPeriods: number };
    expect(Period * EvaluationPeriods).toBe(2 * 3_600);
    expect(alarm).toMatchObject({
      Namespace: 'phidelity',
      MetricName: 'Digests',
      Dimensions: [{ Name: 'service', Value: propertiesOf(deployed, 'EvidenceLambdaFunction').FunctionName }],
      TreatMissingData: 'breaching',
    });
  });

  test('the key that signs can do nothing else, and is not rotated', () => {
    expect(propertiesOf(deployed, 'SigningKey')).toMatchObject({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    expect(propertiesOf(deployed, 'SigningKey')).not.toHaveProperty('EnableKeyRotation');
  });

  test('the schedule ticks four times an hour, in the form of an event, and is enabled', () => {
    const {
      ScheduleExpression,
      State = 'ENABLED',
      Target,
      GroupName,
    } = propertiesOf(deployed, 'Tick') as Record<string, unknown> & { Target: Record<string, string> };
    expect([ScheduleExpression, State, GroupName]).toEqual(['rate(15 minutes)', 'ENABLED', refOf('ScheduleGroup')]);
    expect(Target).toMatchObject({ Arn: arnOf('SweepQueue'), RoleArn: arnOf('ScheduleRole'), DeadLetterConfig: { Arn: arnOf('TargetDlq') } });
    expect(JSON.parse(Target.Input!)).toEqual({
      source: 'phidelity',
      'detail-type': 'Tick',
      id: '<aws.scheduler.execution-id>',
      account,
      region,
      time: '<aws.scheduler.scheduled-time>',
      detail: {},
    });
  });

  test('three missing ticks ring, and only those of this stack count', () => {
    const { Period, EvaluationPeriods, ...heartbeat } = propertiesOf(deployed, 'AlarmHeartbeat') as Record<string, unknown> & {
      Period: number;
      EvaluationPeriods: number;
    };
    expect(Period * EvaluationPeriods).toBe(45 * 60);
    expect(heartbeat).toMatchObject({
      Namespace: 'phidelity',
      MetricName: 'Ticks',
      Dimensions: [{ Name: 'service', Value: propertiesOf(deployed, 'DetectLambdaFunction').FunctionName }],
      Statistic: 'Sum',
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  test('every alarm says what is wrong and what to look at', () => {
    for (const id of idsOf('AWS::CloudWatch::Alarm')) expect(propertiesOf(deployed, id).AlarmDescription).toMatch(/^phidelity: .+[.:] .*(Look|Mend|send) .+/);
  });

  test('the kill switch is off until somebody turns it, and no deploy turns it back', () => {
    // CloudFormation leaves alone what is the same in two templates; whatever else differs, it writes the value too. So this is the form for good.
    expect(stack.template.Resources.KillSwitch).toEqual({
      Type: 'AWS::SSM::Parameter',
      Properties: {
        Name: { 'Fn::Sub': `/phidelity/\${AWS::StackName}/kill-switch` },
        Type: 'String',
        Value: 'off',
        AllowedPattern: '^(on|off)$',
        Description: 'phidelity: on = nothing is written; every fix becomes a page',
      },
    });
  });

  test('detect starts the published version of remediate', () => {
    const { Environment } = propertiesOf(deployed, 'DetectLambdaFunction') as { Environment: { Variables: Record<string, string> } };
    expect(Environment.Variables.REMEDIATE_ARN).toBe(refOf(idsOf('AWS::Lambda::Version')[0]!));
    expect(stack.template.Resources[idsOf('AWS::Lambda::Version')[0]!]!.DeletionPolicy).toBe('Retain');
  });
});

describe('each hop', () => {
  test.each(['IntakeQueue', 'TargetDlq'])('rules to %s', async (queueId) => {
    expect(idsOf('AWS::Events::Rule').length).toBeGreaterThan(0);
    const send = { principal: 'events.amazonaws.com', action: 'sqs:SendMessage', resource: arnOf(queueId), resourcePolicy: queuePolicyOf(queueId) };
    const key = keyOf(propertiesOf(deployed, queueId).KmsMasterKeyId);
    for (const id of idsOf('AWS::Events::Rule')) {
      const ruleArn = `arn:aws:events:${region}:${account}:rule/${propertiesOf(deployed, id).Name}`;
      expect(await verdict({ ...send, context: from(ruleArn) })).toBe('Allowed');
      expect(await verdict({ ...send, context: from(inOther(ruleArn)) })).not.toBe('Allowed');
      expect(await withKey('events.amazonaws.com', key, from(ruleArn))).toEqual(['Allowed', 'Allowed']);
      expect(await withKey('events.amazonaws.com', key, from(inOther(ruleArn)))).not.toContain('Allowed');
    }
    expect(await verdict({ ...send, context: from(`arn:aws:events:${region}:${account}:rule/somebody-elses`) })).not.toBe('Allowed');
  });

  test('queues refuse plain HTTP', async () => {
    for (const queueId of idsOf('AWS::SQS::Queue')) {
      const context = { ...from(`arn:aws:events:${region}:${account}:rule/${stackName}-s3-api`), 'aws:SecureTransport': 'false' };
      const ask = { principal: 'events.amazonaws.com', action: 'sqs:SendMessage', resource: arnOf(queueId), resourcePolicy: queuePolicyOf(queueId), context };
      expect(await verdict(ask)).toBe('ExplicitlyDenied');
    }
  });

  test('alarms to the own-health topic', async () => {
    const send = {
      principal: 'cloudwatch.amazonaws.com',
      action: 'sns:Publish',
      resource: refOf('OwnHealth'),
      resourcePolicy: propertiesOf(deployed, 'OwnHealthPolicy').PolicyDocument,
    };
    const key = keyOf(propertiesOf(deployed, 'OwnHealth').KmsMasterKeyId);
    for (const id of idsOf('AWS::CloudWatch::Alarm')) {
      const { AlarmName, AlarmActions } = propertiesOf(deployed, id);
      const alarmArn = `arn:aws:cloudwatch:${region}:${account}:alarm:${AlarmName}`;
      expect(AlarmActions).toEqual([refOf('OwnHealth')]);
      expect(await verdict({ ...send, context: from(alarmArn) })).toBe('Allowed');
      expect(await verdict({ ...send, context: from(inOther(alarmArn)) })).not.toBe('Allowed');
    }
    const alarmArn = `arn:aws:cloudwatch:${region}:${account}:alarm:${stackName}-intake-age`;
    expect(await withKey('cloudwatch.amazonaws.com', key, from(alarmArn))).toEqual(['Allowed', 'Allowed']);
    expect(await withKey('cloudwatch.amazonaws.com', key, from(inOther(alarmArn)))).not.toContain('Allowed');
  });

  test('logs to the key', async () => {
    const ask = (group: string) => ({
      principal: `logs.${region}.amazonaws.com`,
      resource: arnOf('DataKey'),
      // The simulation knows no encryption contexts: another key of the same form stands in, in the policy and in the request.
      resourcePolicy: JSON.parse(JSON.stringify(keyPolicy('DataKey')).replaceAll('kms:EncryptionContext:aws:logs:arn', 'aws:SourceArn')),
      context: { 'aws:SourceArn': group },
    });
    for (const id of idsOf('AWS::Logs::LogGroup')) {
      const group = `arn:aws:logs:${region}:${account}:log-group:${propertiesOf(deployed, id).LogGroupName}`;
      for (const action of ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo']) {
        expect(await verdict({ ...ask(group), action })).toBe('Allowed');
        expect(await verdict({ ...ask(inOther(group)), action })).not.toBe('Allowed');
      }
    }
  });

  test('Lambda takes the roles of its functions', async () => {
    for (const id of ['DetectRole', 'RemediateRole', 'EvidenceRole', 'DeliverRole']) {
      const ask = { action: 'sts:AssumeRole', resource: arnOf(id), resourcePolicy: propertiesOf(deployed, id).AssumeRolePolicyDocument };
      expect(await verdict({ ...ask, principal: 'lambda.amazonaws.com' })).toBe('Allowed');
      expect(await verdict({ ...ask, principal: `arn:aws:iam::${stranger}:role/anybody` })).not.toBe('Allowed');
    }
  });

  const documentsOf = (role: string) =>
    (propertiesOf(deployed, role).ManagedPolicyArns as string[]).map(
      (policy) => propertiesOf(deployed, idsOf('AWS::IAM::ManagedPolicy').find((id) => refOf(id) === policy)!).PolicyDocument,
    );

  describe('the schedule', () => {
    const groupArn = `arn:aws:scheduler:${region}:${account}:schedule-group/${stackName}`;

    test('takes its role, and no other account or group does', async () => {
      const ask = {
        action: 'sts:AssumeRole',
        resource: arnOf('ScheduleRole'),
        resourcePolicy: propertiesOf(deployed, 'ScheduleRole').AssumeRolePolicyDocument,
      };
      expect(groupArn).toBe(`arn:aws:scheduler:${region}:${account}:schedule-group/${propertiesOf(deployed, 'ScheduleGroup').Name}`);
      expect(await verdict({ ...ask, principal: 'scheduler.amazonaws.com', context: from(groupArn) })).toBe('Allowed');
      for (const other of [inOther(groupArn), groupArn.replace(stackName, 'default')])
        expect(await verdict({ ...ask, principal: 'scheduler.amazonaws.com', context: from(other) })).not.toBe('Allowed');
      expect(await verdict({ ...ask, principal: 'events.amazonaws.com', context: from(groupArn) })).not.toBe('Allowed');
    });

    test.each(['SweepQueue', 'TargetDlq', 'EvidenceDlq'])('puts a message into %s and encrypts it', async (queueId) => {
      const role = arnOf('ScheduleRole');
      const key = keyOf(propertiesOf(deployed, queueId).KmsMasterKeyId);
      const asks = [
        { action: 'sqs:SendMessage', resource: arnOf(queueId), resourcePolicy: queuePolicyOf(queueId) },
        ...['kms:Decrypt', 'kms:GenerateDataKey'].map((action) => ({ action, resource: arnOf(key), resourcePolicy: keyPolicy(key) })),
      ];
      for (const ask of asks) {
        expect(await verdict({ ...ask, principal: role, identityPolicies: documentsOf('ScheduleRole') })).toBe('Allowed');
        expect(await verdict({ ...ask, principal: inOther(role), identityPolicies: documentsOf('ScheduleRole') })).not.toBe('Allowed');
      }
    });

    test('may do nothing else', async () => {
      const may = documentsOf('ScheduleRole').flatMap((document) => (document as { Statement: { Action: string[]; Resource: string[] }[] }).Statement);
      expect(may.map(({ Action, Resource }) => [Action, Resource])).toEqual([
        [['sqs:SendMessage'], [arnOf('SweepQueue'), arnOf('TargetDlq'), arnOf('EvidenceDlq')]],
        [['lambda:InvokeFunction'], [arnOf('EvidenceLambdaFunction')]],
        [['kms:Decrypt', 'kms:GenerateDataKey'], [arnOf('DataKey')]],
      ]);
    });
  });

  const indexOf = () => `${arnOf('Ledger')}/index/open`;
  const version = (): string => refOf(idsOf('AWS::Lambda::Version')[0]!);
  const execution = () => `${version()}/durable-execution/f-1/1`;
  const logStream = (name: string) => `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${stackName}-${name}:log-stream:2026`;
  const tableActions = ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem', 'Query'].map((name) => `dynamodb:${name}`);
  const object = (key: string) => `${arnOf('EvidenceBucket')}/${key}`;
  type Hop = readonly [action: string, resource: () => string];
  const both = (name: string): readonly Hop[] => [
    ...tableActions.map((action) => [action, () => arnOf('Ledger')] as const),
    ['dynamodb:Query', indexOf],
    ['sqs:SendMessage', () => arnOf('AlertQueue')],
    ['kms:Decrypt', () => arnOf('DataKey')],
    ['kms:GenerateDataKey', () => arnOf('DataKey')],
    ['logs:CreateLogStream', () => logStream(name)],
    ['logs:PutLogEvents', () => logStream(name)],
  ];
  const hops: readonly (readonly [role: string, action: string, resource: () => string])[] = [
    ...both('detect').map((hop) => ['DetectRole', ...hop] as const),
    ...both('remediate').map((hop) => ['RemediateRole', ...hop] as const),
    ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility'].flatMap((name) =>
      ['IntakeQueue', 'SweepQueue'].map((queueId) => ['DetectRole', `sqs:${name}`, () => arnOf(queueId)] as const),
    ),
    ['DetectRole', 'sqs:SendMessage', () => arnOf('SweepQueue')],
    ['DetectRole', 'lambda:ListDurableExecutionsByFunction', () => arnOf('RemediateLambdaFunction')],
    ['DetectRole', 'lambda:StopDurableExecution', execution],
    ['RemediateRole', 'ssm:GetParameter', () => `arn:aws:ssm:${region}:${account}:parameter${propertiesOf(deployed, 'KillSwitch').Name}`],
    ['RemediateRole', 'events:EnableRule', () => `arn:aws:events:eu-west-1:${account}:rule/${stackName}-s3-api`],
    ['DetectRole', 'lambda:InvokeFunction', version],
    ['RemediateRole', 'lambda:CheckpointDurableExecution', execution],
    ['RemediateRole', 'lambda:GetDurableExecutionState', execution],
    ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility', 'SendMessage'].map(
      (name) => ['DeliverRole', `sqs:${name}`, () => arnOf('AlertQueue')] as const,
    ),
    ...['IntakeDlq', 'SweepDlq', 'TargetDlq', 'AlertDlq', 'EvidenceDlq'].map((id) => ['DeliverRole', 'sqs:GetQueueAttributes', () => arnOf(id)] as const),
    ...['GetItem', 'BatchGetItem', 'Query', 'Scan'].map((name) => ['DeliverRole', `dynamodb:${name}`, () => arnOf('Ledger')] as const),
    ['DeliverRole', 'dynamodb:Query', indexOf],
    ['DeliverRole', 'sns:Publish', () => refOf('ChannelSecurity')],
    ['DeliverRole', 'kms:Decrypt', () => arnOf('DataKey')],
    ['DeliverRole', 'kms:GenerateDataKey', () => arnOf('DataKey')],
    ['DeliverRole', 'logs:PutLogEvents', () => logStream('deliver')],
    ['EvidenceRole', 'dynamodb:ListStreams', () => '*'],
    ...['DescribeStream', 'GetRecords', 'GetShardIterator'].map((name) => ['EvidenceRole', `dynamodb:${name}`, () => arnOf('Ledger', 'StreamArn')] as const),
    ['EvidenceRole', 'dynamodb:GetItem', () => arnOf('Ledger')],
    ['EvidenceRole', 'dynamodb:Query', () => arnOf('Ledger')],
    ['EvidenceRole', 's3:PutObject', () => object('entries/f-1/000000001.json')],
    ['EvidenceRole', 's3:PutObject', () => object('digests/000000001.json')],
    ['EvidenceRole', 's3:GetObject', () => object('digests/000000001.json')],
    ['EvidenceRole', 's3:ListBucket', () => arnOf('EvidenceBucket')],
    ['EvidenceRole', 'kms:Decrypt', () => arnOf('DataKey')],
    ['EvidenceRole', 'kms:GenerateDataKey', () => arnOf('DataKey')],
    ['EvidenceRole', 'sqs:SendMessage', () => arnOf('EvidenceDlq')],
    ['EvidenceRole', 'logs:PutLogEvents', () => logStream('evidence')],
  ];
  const resourcePolicyFor = (resource: string) => {
    if (resource.includes(':kms:')) return keyPolicy('DataKey');
    if (resource.includes(':s3:')) return propertiesOf(deployed, 'EvidenceBucketPolicy').PolicyDocument;
    const queues = ['SweepQueue', 'AlertQueue', 'SweepDlq', 'IntakeDlq', 'TargetDlq', 'AlertDlq', 'EvidenceDlq'];
    return resource.includes(':sqs:') ? queuePolicyOf(queues.find((id) => resource.includes(id)) ?? 'IntakeQueue') : undefined;
  };
  test.each(hops)('%s: %s', async (role, action, resourceOf) => {
    const resource = resourceOf();
    const ask = { action, resource, identityPolicies: documentsOf(role), resourcePolicy: resourcePolicyFor(resource) };
    expect(await verdict({ ...ask, principal: arnOf(role) })).toBe('Allowed');
    expect(await verdict({ ...ask, principal: inOther(arnOf(role)) })).not.toBe('Allowed');
  });

  const refusals: readonly (readonly [role: string, action: string, resource: () => string])[] = [
    ['DetectRole', 'lambda:InvokeFunction', () => `arn:aws:lambda:${region}:${account}:function:billing:1`],
    ['DetectRole', 'lambda:InvokeFunction', () => arnOf('RemediateLambdaFunction')],
    ['DetectRole', 'dynamodb:GetItem', () => `arn:aws:dynamodb:${region}:${account}:table/patients`],
    ['RemediateRole', 'dynamodb:GetItem', () => `arn:aws:dynamodb:${region}:${account}:table/patients`],
    ['RemediateRole', 's3:GetObject', () => 'arn:aws:s3:::records/scan.dcm'],
    ['RemediateRole', 'kms:Decrypt', () => `arn:aws:kms:${region}:${account}:key/00000000-0000-4000-8000-000000000009`],
    ...['DetectRole', 'RemediateRole', 'DeliverRole'].map((role) => [role, 'sns:Publish', () => refOf('OwnHealth')] as const),
    ...['DetectRole', 'RemediateRole'].map((role) => [role, 'sns:Publish', () => refOf('ChannelSecurity')] as const),
    ['DetectRole', 'sqs:ReceiveMessage', () => arnOf('AlertQueue')],
    ['DeliverRole', 'sqs:SendMessage', () => arnOf('SweepQueue')],
    ['DeliverRole', 'sqs:ReceiveMessage', () => arnOf('IntakeQueue')],
    ['DeliverRole', 'sqs:ReceiveMessage', () => arnOf('AlertDlq')],
    ['DeliverRole', 'lambda:InvokeFunction', version],
    ['DeliverRole', 'dynamodb:GetItem', () => `arn:aws:dynamodb:${region}:${account}:table/patients`],
    ['DeliverRole', 's3:PutObject', () => object('entries/f-1/000000001.json')],
    ['DeliverRole', 'kms:Sign', () => arnOf('SigningKey')],
    ['DeliverRole', 'ssm:GetParameter', () => `arn:aws:ssm:${region}:${account}:parameter/database/password`],
    ...['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectRetention', 's3:GetObject'].flatMap((action) =>
      ['DetectRole', 'RemediateRole', 'EvidenceRole', 'DeliverRole'].map((role) => [role, action, () => object('entries/f-1/000000001.json')] as const),
    ),
    ['DetectRole', 's3:PutObject', () => object('entries/f-1/000000001.json')],
    ['RemediateRole', 's3:PutObject', () => object('entries/f-1/000000001.json')],
    ['RemediateRole', 's3:PutBucketPolicy', () => arnOf('EvidenceBucket')],
    ['RemediateRole', 'kms:Sign', () => arnOf('SigningKey')],
    ['EvidenceRole', 's3:PutObject', () => 'arn:aws:s3:::records/scan.dcm'],
    ['EvidenceRole', 's3:GetObject', () => 'arn:aws:s3:::records/scan.dcm'],
    ['EvidenceRole', 'dynamodb:GetItem', () => `arn:aws:dynamodb:${region}:${account}:table/patients`],
    ['EvidenceRole', 'sqs:ReceiveMessage', () => arnOf('IntakeQueue')],
    ['RemediateRole', 'kms:ScheduleKeyDeletion', () => arnOf('DataKey')],
    ['RemediateRole', 'sqs:ReceiveMessage', () => arnOf('IntakeDlq')],
    ['RemediateRole', 'sqs:ReceiveMessage', () => arnOf('SweepQueue')],
    ['DetectRole', 'sqs:SendMessage', () => arnOf('IntakeQueue')],
    ['DetectRole', 'ssm:GetParameter', () => `arn:aws:ssm:${region}:${account}:parameter/phidelity/${stackName}/kill-switch`],
    ['DetectRole', 'lambda:StopDurableExecution', () => `arn:aws:lambda:${region}:${account}:function:billing:1/durable-execution/a/b`],
    ['RemediateRole', 'ssm:GetParameter', () => `arn:aws:ssm:${region}:${account}:parameter/database/password`],
    ['RemediateRole', 'events:EnableRule', () => `arn:aws:events:${region}:${account}:rule/somebody-elses`],
    ['RemediateRole', 'sqs:SetQueueAttributes', () => arnOf('SweepQueue')],
  ];
  test.each(refusals)('%s is refused %s elsewhere', async (role, action, resourceOf) => {
    expect(await verdict({ principal: arnOf(role), action, resource: resourceOf(), identityPolicies: documentsOf(role), resourcePolicy: undefined })).not.toBe(
      'Allowed',
    );
  });

  test('evidence signs with its key and its algorithm', async () => {
    const ask = {
      principal: arnOf('EvidenceRole'),
      action: 'kms:Sign',
      resource: arnOf('SigningKey'),
      resourcePolicy: keyPolicy('SigningKey'),
      identityPolicies: documentsOf('EvidenceRole'),
    };
    const context = { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' };
    expect(await verdict({ ...ask, context })).toBe('Allowed');
    expect(await verdict({ ...ask, context, principal: inOther(ask.principal) })).not.toBe('Allowed');
    expect(await verdict({ ...ask, context, resource: arnOf('DataKey'), resourcePolicy: keyPolicy('DataKey') })).not.toBe('Allowed');
    for (const role of ['DetectRole', 'RemediateRole'])
      expect(await verdict({ ...ask, context, principal: arnOf(role), identityPolicies: documentsOf(role) })).not.toBe('Allowed');
  });

  test.each(['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'])('evidence: %s of its marks alone', async (action) => {
    const ask = { principal: arnOf('EvidenceRole'), action, resource: arnOf('Ledger'), identityPolicies: documentsOf('EvidenceRole') };
    const of = (...keys: string[]) => verdict({ ...ask, context: { 'dynamodb:LeadingKeys': keys } });
    for (const key of evidenceKeys) expect(await of(key)).toBe('Allowed');
    for (const key of ['finding#f-1', 'policy', 'memo#deployment', 'memo#tick']) expect(await of(key)).not.toBe('Allowed');
  });

  test.each(['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'])('deliver: %s of what it has told alone', async (action) => {
    const ask = { principal: arnOf('DeliverRole'), action, resource: arnOf('Ledger'), identityPolicies: documentsOf('DeliverRole') };
    const of = (...keys: string[]) => verdict({ ...ask, context: { 'dynamodb:LeadingKeys': keys } });
    for (const key of ['memo#told|slack|f-1', 'memo#held|slack', 'memo#reminded|f-1', 'memo#outage|slack', 'memo#attended', leaseKey('told|slack|f-1').pk!.S!])
      expect(await of(key)).toBe('Allowed');
    for (const key of [
      'finding#f-1',
      'answer#f-1',
      'policy',
      'memo#deployment',
      'memo#tick',
      'memo#exceptions',
      'key#x',
      'digest#pending',
      leaseKey('tick').pk!.S!,
    ])
      expect(await of(key)).not.toBe('Allowed');
  });

  test.each(['DetectRole', 'RemediateRole'].flatMap((role) => ['dynamodb:PutItem', 'dynamodb:UpdateItem'].map((action) => [role, action] as const)))(
    '%s: %s of a finding, and not of what a deploy stores',
    async (role, action) => {
      const ask = { principal: arnOf(role), action, resource: arnOf('Ledger'), identityPolicies: documentsOf(role) };
      const of = (...keys: string[]) => verdict({ ...ask, context: { 'dynamodb:LeadingKeys': keys } });
      expect(await of('finding#f-1')).toBe('Allowed');
      expect(await of('memo#tick')).toBe('Allowed');
      expect(await of('policy')).toBe('ExplicitlyDenied');
      expect(await of('memo#deployment')).toBe('ExplicitlyDenied');
      expect(await of('finding#f-1', 'policy')).toBe('ExplicitlyDenied');
    },
  );
});

describe('the artifact', () => {
  let code: string;
  beforeAll(() => {
    code = join(stack.folder, 'code');
    for (const [path, content] of Object.entries(unzipSync(readFileSync(join(stack.folder, 'phidelity.zip'))))) {
      mkdirSync(dirname(join(code, path)), { recursive: true });
      if (!path.endsWith('/')) writeFileSync(join(code, path), content);
    }
  });

  test('is smaller than 3 MB', () => {
    expect(statSync(join(stack.folder, 'phidelity.zip')).size).toBeLessThan(3 * 1024 * 1024);
  });

  test('holds the handlers and their chunks', () => {
    const files = readdirSync(join(code, 'handlers'));
    expect(files).toEqual(expect.arrayContaining(['detect.mjs', 'remediate.mjs', 'evidence.mjs']));
    expect(files.filter((file) => file.startsWith('s3-bucket-public-access-block-')).length).toBeGreaterThan(0);
  });

  /** Files that the process reads when it imports the handler and the chunk of one control. */
  const loadedBy = (control: string): string => {
    const chunk = readdirSync(join(code, 'handlers')).find(
      (file) => readFileSync(join(code, 'handlers/detect.mjs'), 'utf8').includes(file) && file.startsWith(`${control}-`),
    );
    if (!chunk) throw new Error(`detect loads no chunk ${control}`);
    const script = join(code, 'load.mjs');
    writeFileSync(
      script,
      `import { registerHooks } from 'node:module';
       const seen = [];
       registerHooks({ load(url, context, next) { const loaded = next(url, context); seen.push(String(loaded.source)); return loaded; } });
       await import('./handlers/detect.mjs');
       await import('./handlers/${chunk}');
       console.log(seen.join('\\n'));`,
    );
    const env = {
      PATH: process.env.PATH,
      TABLE: 'ledger',
      TOPICS: '{}',
      ACCOUNT_ID: account,
      DETECT_ROLE_ARN: 'arn:aws:iam::123456789012:role/d',
      REMEDIATE_ROLE_ARN: 'arn:aws:iam::123456789012:role/r',
      AWS_REGION: region,
    };
    return execFileSync(process.execPath, [script], { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  };

  // Each client's code names its service: the id that the SDK signs and resolves endpoints with.
  const clients = { S3: 'serviceId:"S3"', EC2: 'serviceId:"EC2"', RDS: 'serviceId:"RDS"' };
  const clientsIn = (source: string) =>
    Object.entries(clients).flatMap(([name, mark]) =>
      source.includes(mark) || source.includes(`?? "${name}"`) || source.includes(`??"${name}"`) ? [name] : [],
    );

  test('an S3 event loads the S3 client and no other', () => {
    expect(clientsIn(loadedBy('s3-bucket-public-access-block'))).toEqual(['S3']);
  });

  test('a snapshot event loads the EC2 client and no other', () => {
    expect(clientsIn(loadedBy('ebs-snapshot-not-public'))).toEqual(['EC2']);
  });
});

describe('a wrong policy', () => {
  test('ends the command with its faults and nothing else to read', async () => {
    const file = join(stack.folder, 'wrong.yaml');
    writeFileSync(file, 'version: 1\nextends: hipaa\ncontrols:\n  s3-bucket-publik-access-block: fix\n  ec2-*: mend\n');
    const { code, output } = await serverless('package', '--package', join(stack.folder, 'wrong'), '--param', `policy=${file}`);
    expect(code).toBe(1);
    expect(output).toMatch(/wrong\.yaml:4:3 .*did you mean "s3-bucket-public-access-block"/);
    expect(output).toMatch(/wrong\.yaml:5:\d+ /);
    expect(output).not.toMatch(/^\s+at /m);
    expect(readdirSync(stack.folder)).not.toContain('wrong');
  });
});
