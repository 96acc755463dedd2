import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { widen } from '../../../cli/local-stack/deploy.ts';
import { type LocalStack, startLocalStack } from '../../../cli/local-stack/index.ts';
import { describeOnMoto } from '../../support/moto.ts';

const until = async (met: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 15_000;
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`did not come: ${met}`);
    await pause(100);
  }
};

const root = fileURLToPath(new URL('../../../', import.meta.url));

describeOnMoto('the local stack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-stack-'));
  const directory = join(folder, 'service');
  const outbox = join(folder, 'outbox');
  let stack: LocalStack;

  beforeAll(async () => {
    cpSync(fileURLToPath(new URL('./service/', import.meta.url)), directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    mkdirSync(outbox);
    stack = await startLocalStack({ directory, policy: outbox, warm: true });
  }, 120_000);
  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true });
  });

  const send = (message: object) =>
    stack.clients.sqs.send(new SendMessageCommand({ QueueUrl: stack.report.outputs.QueueUrl, MessageBody: JSON.stringify(message) }));
  const batches = () =>
    (existsSync(join(outbox, 'intake.log')) ? readFileSync(join(outbox, 'intake.log'), 'utf8').trim().split('\n') : []).map(
      (line) => JSON.parse(line) as { pid: number; batches: number; size: number },
    );
  const count = async (url: string) => {
    const { Attributes } = await stack.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
  };
  const status = (name: string) => stack.lambda.executions().find((execution) => execution.name === name)?.status;

  test('says what it applied, what it did not, and which roles it widened', () => {
    const types = (differences: readonly { type: string; note?: string }[]) => differences.map(({ type }) => type);
    expect(types(stack.report.applied)).toEqual(
      expect.arrayContaining(
        ['SQS::QueuePolicy', 'SNS::Subscription', 'CloudWatch::Alarm', 'Lambda::Alias', 'Lambda::Version', 'Lambda::Function', 'IAM::Role'].map(
          (type) => `AWS::${type}`,
        ),
      ),
    );
    expect(types(stack.report.notApplied)).toEqual(['AWS::SSM::MaintenanceWindow']);
    expect(stack.report.widened.map(({ logicalId }) => logicalId).sort()).toEqual(['IntakeRole', 'StepsRole']);
  });

  test('what it applied is there', async () => {
    const { Attributes } = await stack.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl: stack.report.outputs.QueueUrl, AttributeNames: ['Policy'] }));
    expect(JSON.parse(Attributes!.Policy!).Statement[0].Resource).toMatch(/^arn:aws:sqs:us-east-1:\d{12}:local-stack-sample-test-Queue/);
    const { MetricAlarms } = await stack.clients.cloudWatch.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(['local-stack-sample-test-dead']);
    const { Environment } = await stack.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'local-stack-sample-test-intake' }));
    expect(Environment?.Variables?.STEPS_ARN).toMatch(/:function:local-stack-sample-test-steps:\d+$/);
    expect(new URL(Environment?.Variables?.QUEUE_URL ?? '').host).toBe(new URL(stack.endpoint).host);
  });

  test('an event goes through the rule, the queue and the consumer into a durable execution', async () => {
    await stack.putEvents([
      { source: 'aws.sample', 'detail-type': 'Sample', detail: { findingId: 'f-event' } },
      { source: 'aws.other', 'detail-type': 'Sample', detail: { findingId: 'f-other' } },
    ]);
    expect(await stack.drain()).toMatchObject({ idle: true, executions: [] });
    expect([status('f-event'), status('f-other')]).toEqual(['SUCCEEDED', undefined]);
  });

  test('a warm process serves the next batch', async () => {
    const before = batches().length;
    await send({});
    await stack.drain();
    await send({});
    await stack.drain();
    const [first, second] = batches().slice(before);
    expect(second).toMatchObject({ pid: first!.pid, batches: first!.batches + 1 });
  });

  test('of a batch only the failed message stays, comes back when its timeout has passed, and ends in the DLQ', async () => {
    const before = batches().length;
    await Promise.all([send({}), send({ fail: true }), send({})]);
    expect(await stack.drain()).toMatchObject({ idle: true, messagesWaiting: 1 });
    expect(await count(stack.report.outputs.QueueUrl!)).toBe(1);
    const seen = batches().length;
    expect(seen).toBeGreaterThan(before);
    stack.clock.advance(119);
    await stack.drain();
    expect(batches()).toHaveLength(seen);
    stack.clock.advance(2);
    await until(() => batches().length === seen + 1);
    await stack.drain();
    stack.clock.advance(121);
    await until(async () => (await count(stack.report.outputs.DeadUrl!)) === 1);
    expect(await count(stack.report.outputs.QueueUrl!)).toBe(0);
  });

  test('a consumer that throws leaves the whole batch', async () => {
    await send({ throw: true });
    expect(await stack.drain()).toMatchObject({ messagesWaiting: 1 });
  });

  test('what is published to a topic can be read, by a reader and by the subscription of the template', async () => {
    const { TopicArn, HeardUrl } = stack.report.outputs;
    const reader = await stack.subscribe(TopicArn!);
    await stack.clients.sns.send(
      new PublishCommand({ TopicArn, Subject: 'a', Message: 'b', MessageAttributes: { c: { DataType: 'String', StringValue: 'd' } } }),
    );
    expect(await reader.next()).toEqual({ subject: 'a', message: 'b', attributes: { c: 'd' } });
    expect(await reader.read()).toEqual([]);
    const { Messages } = await stack.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl: HeardUrl }));
    expect(Messages).toHaveLength(1);
  });

  test('its environment reaches it with every right, and nobody else is let in', async () => {
    const { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION: region } = stack.environment;
    const admin = new LambdaClient({ endpoint, region, credentials: { accessKeyId: AWS_ACCESS_KEY_ID!, secretAccessKey: AWS_SECRET_ACCESS_KEY! } });
    await admin.send(new GetFunctionConfigurationCommand({ FunctionName: 'local-stack-sample-test-steps' }));
    const stranger = new SNSClient({ endpoint, region, credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' }, maxAttempts: 1 });
    await expect(stranger.send(new PublishCommand({ TopicArn: stack.report.outputs.TopicArn, Message: 'm' }))).rejects.toThrow('security token');
    admin.destroy();
    stranger.destroy();
  });

  test('deploys again, removes, and stops without leaving anything', async () => {
    await stack.deploy(outbox);
    await send({ findingId: 'f-again' });
    expect(await stack.drain()).toMatchObject({ idle: true });
    expect(status('f-again')).toBe('SUCCEEDED');
    await stack.remove();
    const { MetricAlarms } = await stack.clients.cloudWatch.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms).toEqual([]);
    const pids = [...stack.lambda.children().map(({ pid }) => pid), stack.emulator.pid];
    await stack.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    for (const endpoint of [stack.endpoint, stack.emulator.endpoint]) await expect(fetch(endpoint)).rejects.toThrow();
  }, 120_000);
});

describeOnMoto('a deploy that fails', () => {
  test('tells the reason, and leaves nothing behind', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'local-stack-'));
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(
      join(directory, 'serverless.yml'),
      "service: wrong\nprovider: { name: aws, runtime: nodejs24.x }\nresources: { Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: !GetAtt Missing.Arn } } } }\n",
    );
    await expect(startLocalStack({ directory })).rejects.toThrow(/Missing/);
    rmSync(directory, { recursive: true });
  }, 60_000);
});

test('a port that is taken is one clear error', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)));
  await expect(startLocalStack({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 cannot be used for the AWS emulator`);
  server.close();
});

test.each([
  ['resources and conditions', [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*', Condition: { Bool: { a: 'b' } } }], ['s3:GetObject']],
  [
    'denies',
    [
      { Effect: 'Allow', Action: ['sqs:PurgeQueue'], Resource: 'q' },
      { Effect: 'Deny', Action: 'sqs:PurgeQueue', Resource: 'r' },
    ],
    ['sqs:PurgeQueue'],
  ],
  ['a policy that only denies', [{ Effect: 'Deny', Action: '*', Resource: '*' }], ['sts:GetCallerIdentity']],
])('widens %s', (_, Statement, Action) => {
  expect(JSON.parse(widen(JSON.stringify({ Version: '2012-10-17', Statement })))).toEqual({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
  });
});
