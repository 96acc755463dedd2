import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand, StackStatus } from '@aws-sdk/client-cloudformation';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { strToU8, zipSync } from 'fflate';
import type { OwnStack } from '../../../engine/control.ts';
import type { Aws } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/lambda/bot-lambda-untouched.ts';
import { ownFunctionOf } from '../../../remediations/lambda/own.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';

const name = 'phidelity-dev-detect';
const arn = `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
const roleName = 'phidelity-dev-DetectRole-1A2B3C';
const policy = 'arn:aws:iam::123456789012:policy/phidelity-dev-DetectPolicy1-1A2B3C';
const queue = (own: string) => `arn:aws:sqs:us-east-1:123456789012:phidelity-dev-${own}`;

const code = (text: string) => zipSync({ 'index.mjs': [strToU8(text), { mtime: '2026-01-01' }] });
const trust = '{"Version":"2012-10-17","Statement":[]}';

interface World {
  readonly lambda: LambdaClient;
  readonly iam: IAMClient;
  /** Of the mapping from the intake queue. */
  readonly UUID: string;
  readonly admin: Aws;
}

let stack: OwnStack = { name: 'phidelity-dev', region, updated: '2026-11-01T00:00:00.000Z', rules: [], functions: [], keys: [] };

async function roleNamed(iam: IAMClient, RoleName: string): Promise<string> {
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Path: '/bots/' }));
  return Role!.Arn!;
}

const policyNamed = (iam: IAMClient, policyArn: string) =>
  iam.send(
    new CreatePolicyCommand({
      PolicyName: policyArn.split('/')[1],
      PolicyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetBucketAcl","Resource":"*"}]}',
    }),
  );

/** A deployed function, and what somebody did to it afterwards. */
const deployed =
  (change?: (world: World) => Promise<unknown>): Arrange =>
  async (admin) => {
    const iam = admin.client(IAMClient);
    const lambda = admin.client(LambdaClient);
    const Role = await roleNamed(iam, roleName);
    await policyNamed(iam, policy);
    await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn: policy }));
    await lambda.send(
      new CreateFunctionCommand({ FunctionName: name, Role, Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile: code('the bot') } }),
    );
    const uuids = [];
    for (const own of ['IntakeQueue', 'SweepQueue']) {
      await admin.client(SQSClient).send(new CreateQueueCommand({ QueueName: `phidelity-dev-${own}` }));
      const { UUID } = await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: name, EventSourceArn: queue(own) }));
      uuids.push(UUID!);
    }
    const { codeSha256 } = (await ownFunctionOf(admin, arn))!;
    const sources = [queue('IntakeQueue'), queue('SweepQueue')];
    stack = { ...stack, functions: [{ arn, codeSha256, roleArn: Role, policies: [policy], sources }] };
    await change?.({ lambda, iam, admin, UUID: uuids[0]! });
    return name;
  };

const lambdaCall = (requestParameters: unknown, more: object = {}) => ({
  eventSource: 'lambda.amazonaws.com',
  requestParameters,
  responseElements: null,
  ...more,
});
const iamCall = (requestParameters: unknown, more: object = {}) => ({ eventSource: 'iam.amazonaws.com', requestParameters, responseElements: null, ...more });
const ofRole = { detail: iamCall({ roleName }), sweep: true } as const;
const uuid = '14e0db71-xmpl-4eb5-b481-8945cf9d10c2';

testControl(control, {
  params: () => control.deployed!(stack),
  compliant: {
    'as deployed': deployed(),
    'some concurrency is reserved': deployed(({ lambda }) =>
      lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 5 })),
    ),
  },
  notApplicable: {
    'a function of somebody else': {
      given: deployed(({ lambda }) => lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }))),
      params: { functions: [{ arn: `${arn}-2`, codeSha256: '', roleArn: '', policies: [], sources: [] }] },
      annotation: 'not one of the bot',
    },
    'no stack is deployed': { given: deployed(), params: {}, annotation: 'No stack' },
    'its stack has just been deployed: the measure is not stored yet': {
      given: deployed(async ({ admin, lambda }) => {
        await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code('the bot, next version') }));
        const TemplateBody = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
        await admin.client(CloudFormationClient).send(new CreateStackCommand({ StackName: 'phidelity-dev', TemplateBody }));
      }),
      annotation: /just been deployed.*next sweep/,
    },
  },
  nonCompliant: {
    'other code': {
      given: deployed(({ lambda }) => lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code('not the bot') }))),
      annotation: 'code is not the deployed one',
    },
    'no concurrency': {
      given: deployed(({ lambda }) => lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }))),
      annotation: 'reserved concurrency is 0',
    },
    'a feed is switched off': {
      given: deployed(({ lambda, UUID }) => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))),
      annotation: `the feed from ${queue('IntakeQueue')} is Disabled`,
    },
    'a feed is gone': {
      given: deployed(({ lambda, UUID }) => lambda.send(new DeleteEventSourceMappingCommand({ UUID }))),
      annotation: `the feed from ${queue('IntakeQueue')} is gone`,
    },
    'another queue feeds it': {
      given: deployed(async ({ lambda, admin }) => {
        await admin.client(SQSClient).send(new CreateQueueCommand({ QueueName: 'phidelity-dev-Foreign' }));
        await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: name, EventSourceArn: queue('Foreign') }));
      }),
      annotation: `${queue('Foreign')} feeds it too`,
    },
    'another role': {
      given: deployed(async ({ lambda, iam }) =>
        lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Role: await roleNamed(iam, 'weak') })),
      ),
      annotation: /it runs under arn:aws:iam::123456789012:role\/bots\/weak; its role has lost/,
    },
    'its role is gone': {
      given: deployed(async ({ iam }) => {
        await iam.send(new DetachRolePolicyCommand({ RoleName: roleName, PolicyArn: policy }));
        await iam.send(new DeleteRoleCommand({ RoleName: roleName }));
      }),
      annotation: 'its role is gone',
    },
    'its role has lost a policy': {
      given: deployed(({ iam }) => iam.send(new DetachRolePolicyCommand({ RoleName: roleName, PolicyArn: policy }))),
      annotation: `its role has lost ${policy}`,
    },
    'its role has a policy more': {
      given: deployed(async ({ iam }) => {
        await policyNamed(iam, `${policy}-more`);
        await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn: `${policy}-more` }));
      }),
      annotation: `its role has ${policy}-more too`,
    },
    'its role has an inline policy': {
      given: deployed(({ iam }) =>
        iam.send(
          new PutRolePolicyCommand({
            RoleName: roleName,
            PolicyName: 'deny-all',
            PolicyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
          }),
        ),
      ),
      annotation: 'inline policy deny-all',
    },
  },
  gone: {
    async isDrift(admin) {
      await deployed(({ lambda }) => lambda.send(new DeleteFunctionCommand({ FunctionName: name })))(admin);
      return name;
    },
  },
  events: {
    UpdateFunctionCode20150331v2: {
      detail: lambdaCall({ functionName: name, dryRun: false }, { responseElements: { functionName: name, functionArn: arn, codeSha256: 'x' } }),
      ids: [arn],
    },
    'UpdateFunctionCode20150331v2 of a version by ARN': {
      detail: lambdaCall({ functionName: `${arn}:7` }, { eventName: 'UpdateFunctionCode20150331v2' }),
      ids: [arn],
    },
    'UpdateFunctionCode20150331v2 by partial ARN': {
      detail: lambdaCall({ functionName: `123456789012:function:${name}` }, { eventName: 'UpdateFunctionCode20150331v2' }),
      ids: [arn],
    },
    'UpdateFunctionCode20150331v2 with null blocks': { detail: lambdaCall(null, { eventName: 'UpdateFunctionCode20150331v2' }), sweep: true },
    'UpdateFunctionCode20150331v2 of another function': {
      detail: lambdaCall({ functionName: 'orders' }, { eventName: 'UpdateFunctionCode20150331v2' }),
      ids: [],
    },
    UpdateFunctionConfiguration20150331v2: { detail: lambdaCall({ functionName: name, role: 'arn:aws:iam::123456789012:role/weak' }), ids: [arn] },
    CreateFunction20150331: { detail: lambdaCall({ functionName: name }, { responseElements: { functionArn: arn } }), ids: [arn] },
    DeleteFunction20150331: { detail: lambdaCall({ functionName: name }), ids: [arn] },
    PutFunctionConcurrency20171031: {
      detail: lambdaCall({ functionName: name, reservedConcurrentExecutions: 0 }, { responseElements: { reservedConcurrentExecutions: 0 } }),
      ids: [arn],
    },
    DeleteFunctionConcurrency20171031: { detail: lambdaCall({ functionName: arn }), ids: [arn] },
    CreateEventSourceMapping20150331: {
      detail: lambdaCall({ functionName: name, eventSourceArn: queue('IntakeQueue') }, { responseElements: { uUID: uuid, functionArn: arn } }),
      ids: [arn],
    },
    UpdateEventSourceMapping20150331: {
      detail: lambdaCall({ uUID: uuid, enabled: false }, { responseElements: { uUID: uuid, functionArn: arn, state: 'Disabling' } }),
      ids: [arn],
    },
    DeleteEventSourceMapping20150331: {
      detail: lambdaCall({ uUID: uuid }, { responseElements: { uUID: uuid, functionArn: arn, state: 'Deleting' } }),
      ids: [arn],
    },
    'DeleteEventSourceMapping20150331 without an answer': {
      detail: lambdaCall({ uUID: uuid }, { eventName: 'DeleteEventSourceMapping20150331' }),
      sweep: true,
    },
    AttachRolePolicy: ofRole,
    CreateRole: ofRole,
    DeleteRole: ofRole,
    DeleteRolePolicy: ofRole,
    DetachRolePolicy: ofRole,
    PutRolePolicy: ofRole,
    'PutRolePolicy of another role': { detail: iamCall({ roleName: 'deploy' }, { eventName: 'PutRolePolicy' }), ids: [] },
    'PutRolePolicy with null blocks': { detail: iamCall(null, { eventName: 'PutRolePolicy' }), ids: [] },
  },
});

// moto finishes every deploy at once.
describe('while the stack is being deployed', () => {
  const update = async (StackStatus: StackStatus, minutesAgo: number, stored = false) => {
    const cloudFormation = mockClient(CloudFormationClient);
    const at = new Date(Date.now() - minutesAgo * 60_000);
    const CreationTime = new Date('2026-01-01T00:00:00Z');
    cloudFormation.on(DescribeStacksCommand, { StackName: 'phidelity-dev' }).resolves({
      Stacks: [{ StackName: 'phidelity-dev', StackStatus, CreationTime, LastUpdatedTime: at }],
    });
    const lambda = mockClient(LambdaClient);
    lambda.rejects(Object.assign(new Error('not found'), { name: 'ResourceNotFoundException' }));
    try {
      const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
      const own = { arn, codeSha256: 'x', roleArn: 'arn:aws:iam::123456789012:role/x', policies: [], sources: [] };
      const state = await control.inspect({ accountId, region, type: 'AWS::Lambda::Function', id: arn }, aws);
      return control.evaluate(state!, { functions: [own], updated: stored ? at.toISOString() : CreationTime.toISOString() }, at).complianceType;
    } finally {
      cloudFormation.restore();
      lambda.restore();
    }
  };

  test.each(Object.values(StackStatus).filter((status) => status.endsWith('_IN_PROGRESS')))(
    '%s, for hours: a function that is gone is not judged',
    async (status) => {
      expect(await update(status, 120)).toBe('NOT_APPLICABLE');
    },
  );

  test.each([StackStatus.UPDATE_COMPLETE, StackStatus.UPDATE_ROLLBACK_FAILED, StackStatus.DELETE_FAILED])(
    '%s: not judged before its measure is stored, but not for longer than an hour',
    async (status) => {
      expect(await update(status, 1)).toBe('NOT_APPLICABLE');
      expect(await update(status, 1, true)).toBe('NON_COMPLIANT');
      expect(await update(status, 59)).toBe('NOT_APPLICABLE');
      expect(await update(status, 61)).toBe('NON_COMPLIANT');
    },
  );
});
