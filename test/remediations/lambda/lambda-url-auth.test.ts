import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  type FunctionUrlAuthType,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  ListAliasesCommand,
  ListFunctionsCommand,
  ResourceNotFoundException,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/lambda/lambda-url-auth.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';

const intake = 'arn:aws:lambda:us-east-1:123456789012:function:intake';

const url =
  (AuthType?: FunctionUrlAuthType): Arrange =>
  async (admin) => {
    const { Role } = await admin
      .client(IAMClient)
      .send(new CreateRoleCommand({ RoleName: 'intake', AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}' }));
    const lambda = admin.client(LambdaClient);
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'intake',
        Role: Role!.Arn,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { ZipFile: Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64') },
      }),
    );
    const Cors = { AllowOrigins: ['https://portal.example.com'], AllowMethods: ['POST'] };
    if (AuthType) await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'intake', AuthType, Cors }));
    return intake;
  };

const called = (requestParameters: unknown, more: object = {}) => ({ eventSource: 'lambda.amazonaws.com', requestParameters, responseElements: null, ...more });
const create = (requestParameters: unknown, more: object = {}) => called(requestParameters, { eventName: 'CreateFunctionUrlConfig', ...more });

testControl(control, {
  compliant: { 'signed calls only': url('AWS_IAM') },
  remediated: {
    'open to anybody': {
      given: url('NONE'),
      change: { before: 'NONE', after: 'AWS_IAM' },
      async then(admin) {
        const live = await admin.client(LambdaClient).send(new GetFunctionUrlConfigCommand({ FunctionName: 'intake' }));
        expect(live).toMatchObject({ FunctionUrl: expect.stringContaining('lambda-url'), Cors: { AllowOrigins: ['https://portal.example.com'] } });
      },
    },
  },
  gone: url(),
  events: {
    CreateFunctionUrlConfig: { detail: called({ functionName: 'intake', authType: 'NONE' }, { responseElements: { functionArn: intake } }), ids: [intake] },
    'CreateFunctionUrlConfig by partial ARN': { detail: create({ functionName: '123456789012:function:intake' }), ids: [intake] },
    'CreateFunctionUrlConfig by partial ARN with a region': {
      detail: create({ functionName: 'us-west-2:123456789012:function:intake' }),
      ids: [intake.replace('east-1', 'west-2')],
    },
    'CreateFunctionUrlConfig by ARN': { detail: create({ functionName: intake }), ids: [intake] },
    'CreateFunctionUrlConfig on an alias': { detail: create({ functionName: 'intake', qualifier: 'live' }), ids: [`${intake}:live`] },
    'CreateFunctionUrlConfig on an alias by ARN and qualifier': { detail: create({ functionName: intake, qualifier: 'live' }), ids: [`${intake}:live`] },
    'CreateFunctionUrlConfig on an alias by ARN': { detail: create({ functionName: `${intake}:live`, qualifier: 'live' }), ids: [`${intake}:live`] },
    'CreateFunctionUrlConfig on $LATEST': { detail: create({ functionName: 'intake', qualifier: '$LATEST' }), ids: [intake] },
    'CreateFunctionUrlConfig in another account': { detail: create({ functionName: '210987654321:function:intake' }), ids: [] },
    'CreateFunctionUrlConfig, the answer alone': { detail: create(null, { responseElements: { functionArn: `${intake}:live` } }), ids: [`${intake}:live`] },
    'CreateFunctionUrlConfig with null blocks': { detail: create(null), sweep: true },
    CreateFunctionUrlConfig20211031: { detail: called({ functionName: 'intake', authType: 'NONE' }), ids: [intake] },
    UpdateFunctionUrlConfig: { detail: called({ functionName: 'intake', authType: 'AWS_IAM' }), ids: [intake] },
    UpdateFunctionUrlConfig20211031: { detail: called({ functionName: 'function:intake' }), ids: [intake] },
    DeleteFunctionUrlConfig: { detail: called({ functionName: 'intake' }), ids: [intake] },
    DeleteFunctionUrlConfig20211031: { detail: called({ functionName: 'intake' }), ids: [intake] },
    DeleteFunction: { detail: called({ functionName: 'intake' }), ids: [intake] },
    DeleteFunction20150331: { detail: called({ functionName: intake }), ids: [intake] },
    'DeleteFunction20150331 of a version': { detail: called({ functionName: 'intake', qualifier: '7' }), ids: [] },
    'DeleteFunction20150331 of a version by ARN': { detail: called({ functionName: `${intake}:7` }), ids: [] },
    DeleteAlias: { detail: called({ functionName: 'intake', name: 'live' }), ids: [`${intake}:live`] },
    DeleteAlias20150331: { detail: called({ functionName: intake, name: 'live' }), ids: [`${intake}:live`] },
  },
});

// moto has no URLs on aliases.
test('the URL of an alias is a resource of its own: found, read and changed by its qualifier', async () => {
  const lambda = mockClient(LambdaClient);
  try {
    const auth: Record<string, FunctionUrlAuthType> = { live: 'NONE' };
    const found = (Qualifier = '') => {
      if (!auth[Qualifier]) throw new ResourceNotFoundException({ message: 'no URL', $metadata: { httpStatusCode: 404 } });
      return {
        FunctionUrl: 'https://abc.lambda-url.us-east-1.on.aws/',
        FunctionArn: `${intake}:${Qualifier}`,
        AuthType: auth[Qualifier],
        CreationTime: '2026-11-01T00:00:00Z',
      };
    };
    lambda.on(ListFunctionsCommand).resolves({ Functions: [{ FunctionName: 'intake', FunctionArn: intake }] });
    lambda.on(ListAliasesCommand, { FunctionName: 'intake' }).resolves({ Aliases: [{ Name: 'live', AliasArn: `${intake}:live` }] });
    lambda.on(GetFunctionUrlConfigCommand).callsFake(async ({ Qualifier }) => found(Qualifier));
    lambda.on(UpdateFunctionUrlConfigCommand).callsFake(async ({ Qualifier, AuthType }) => {
      found(Qualifier);
      auth[Qualifier] = AuthType;
      return found(Qualifier);
    });
    const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
    const [page] = await Array.fromAsync(control.list(aws, { params: {} }));
    expect(page).toEqual({ resources: [[expect.objectContaining({ id: intake })], [expect.objectContaining({ id: `${intake}:live` })]] });

    const [resource] = page!.resources[1]!;
    const state = await control.inspect(resource, aws);
    expect(state).toEqual({ auth: 'NONE' });
    const plan = control.plan!(state!, {});
    if (plan.kind === 'blocked') throw new Error(plan.reason);
    await control.remediate!(resource, plan, aws, { findingId: 'f-1' });
    expect(await control.inspect(resource, aws)).toEqual({ auth: 'AWS_IAM' });
  } finally {
    lambda.restore();
  }
});
