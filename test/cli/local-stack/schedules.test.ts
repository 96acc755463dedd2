import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttachRolePolicyCommand, CreatePolicyCommand, CreateRoleCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, DisableKeyCommand } from '@aws-sdk/client-kms';
import { CreateScheduleCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import { CreateQueueCommand, GetQueueAttributesCommand, PurgeQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { adminClients, type Clients } from '../../../cli/local-stack/clients.ts';
import { type StackClock, stackClock } from '../../../cli/local-stack/clock.ts';
import { type Emulator, startEmulator } from '../../../cli/local-stack/emulator.ts';
import { deployedRoles } from '../../../cli/local-stack/functions.ts';
import { keys } from '../../../cli/local-stack/keys.ts';
import { createSchedules, periodOf, type Schedules } from '../../../cli/local-stack/schedules.ts';
import { createDelays, type Delays } from '../../../cli/local-stack/sqs-api.ts';
import { describeOnMoto } from '../../support/moto.ts';

const region = 'us-east-1';

describe('a rate', () => {
  test.each([
    ['rate(15 minutes)', 900_000],
    ['rate(1 hour)', 3_600_000],
    ['rate(2 days)', 172_800_000],
  ])('%s', (expression, period) => expect(periodOf(expression)).toBe(period));

  test('of another kind is not guessed at', () => expect(() => periodOf('cron(0 10 * * ? *)')).toThrow('cron(0 10 * * ? *)'));
});

describeOnMoto('what waits for the clock of the stack', () => {
  let directory: string;
  let emulator: Emulator;
  let clients: Clients;
  let clock: StackClock;
  let schedules: Schedules;
  let delays: Delays;
  const urls: Record<string, string> = {};
  const arns: Record<string, string> = {};

  const queue = async (name: string, KmsMasterKeyId?: string) => {
    const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: KmsMasterKeyId ? { KmsMasterKeyId } : {} }));
    const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    urls[name] = QueueUrl!;
    arns[name] = Attributes!.QueueArn!;
  };
  const role = async (name: string, Service: string, Action: string) => {
    const document = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...Statement }] });
    const AssumeRolePolicyDocument = document({ Principal: { Service }, Action: 'sts:AssumeRole' });
    const { Role } = await clients.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }));
    const { Policy } = await clients.iam.send(new CreatePolicyCommand({ PolicyName: name, PolicyDocument: document({ Action, Resource: '*' }) }));
    await clients.iam.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: Policy!.Arn }));
    arns[name] = Role!.Arn!;
  };
  const aim = (queueName: string, roleName: string, State: 'ENABLED' | 'DISABLED' = 'ENABLED') => ({
    Name: 'tick',
    ScheduleExpression: 'rate(15 minutes)',
    FlexibleTimeWindow: { Mode: 'OFF' as const },
    State,
    Target: {
      Arn: arns[queueName]!,
      RoleArn: arns[roleName]!,
      Input: '{"id":"<aws.scheduler.execution-id>","time":"<aws.scheduler.scheduled-time>"}',
      DeadLetterConfig: { Arn: arns.dlq! },
    },
  });
  const take = async (name: string) => {
    const { Messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: urls[name], MaxNumberOfMessages: 10, MessageAttributeNames: ['All'], VisibilityTimeout: 3_600 }),
    );
    return Messages;
  };
  /** Until the deliveries that a move of the clock has set off are done. */
  const settled = async () => {
    do await new Promise((resolve) => setTimeout(resolve, 20));
    while (schedules.busy + delays.busy > 0);
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'schedules-'));
    emulator = await startEmulator();
    clients = adminClients(emulator, region);
    clock = stackClock(join(directory, 'clock'));
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}));
    await queue('sweeps');
    await queue('dlq');
    await queue('locked', KeyMetadata!.Arn);
    await clients.kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
    await role('may', 'scheduler.amazonaws.com', 'sqs:SendMessage');
    await role('may-not', 'scheduler.amazonaws.com', 'sqs:DeleteMessage');
    await role('other', 'lambda.amazonaws.com', 'sqs:SendMessage');
    await clients.scheduler.send(new CreateScheduleCommand(aim('sweeps', 'may')));
    const { keysOf } = deployedRoles(clients, emulator);
    schedules = createSchedules({ clients, emulator, region, clock, keys: keys(clients), keysOf, log: () => undefined });
    delays = createDelays(clients.sqs, emulator.endpoint, clock, () => undefined);
    await emulator.setAuth(true);
  }, 60_000);
  beforeEach(async () => {
    await clients.scheduler.send(new UpdateScheduleCommand(aim('sweeps', 'may')));
    await schedules.refresh();
    for (const name of ['sweeps', 'dlq']) await clients.sqs.send(new PurgeQueueCommand({ QueueUrl: urls[name] }));
  });
  afterAll(async () => {
    schedules?.stop();
    delays?.stop();
    clients?.destroy();
    await emulator?.stop();
    rmSync(directory, { recursive: true });
  });

  test('a schedule fires when its time has come, once however far the clock was moved, and not before', async () => {
    clock.advance(60);
    await settled();
    expect(await take('sweeps')).toEqual([]);
    clock.advance(840);
    await settled();
    const [first, ...more] = (await take('sweeps')).map(({ Body }) => JSON.parse(Body!) as { id: string; time: string });
    expect(more).toEqual([]);
    expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) });
    clock.advance(24 * 3_600);
    await settled();
    const late = (await take('sweeps')).map(({ Body }) => JSON.parse(Body!) as { time: string });
    expect(late).toHaveLength(1);
    expect(clock.now().getTime() - Date.parse(late[0]!.time)).toBeLessThan(900_000);
  });

  test('a schedule fires when the stack is told to', async () => {
    await schedules.tick();
    expect(await take('sweeps')).toHaveLength(1);
  });

  const undelivered: readonly [string, string, string, number][] = [
    ['a role that may not send: nowhere, not even into the dead-letter queue', 'sweeps', 'may-not', 0],
    ['a role that trusts another service: nowhere', 'sweeps', 'other', 0],
    ['a queue whose key is disabled: into the dead-letter queue', 'locked', 'may', 1],
  ];
  test.each(undelivered)('%s', async (_, queueName, roleName, dead) => {
    await clients.scheduler.send(new UpdateScheduleCommand(aim(queueName, roleName)));
    await schedules.tick();
    const buried = await take('dlq');
    expect([(await take('sweeps')).length, buried.length]).toEqual([0, dead]);
    if (dead) expect(buried[0]!.MessageAttributes).toMatchObject({ ERROR_CODE: { StringValue: 'KmsDisabled' }, TARGET_ARN: { StringValue: arns.locked } });
  });

  test('a schedule that is disabled does not fire', async () => {
    await clients.scheduler.send(new UpdateScheduleCommand(aim('sweeps', 'may', 'DISABLED')));
    await schedules.tick();
    expect(await take('sweeps')).toEqual([]);
  });

  test('a delayed message is there when the clock has passed its delay; one without a delay at once', async () => {
    const Entries = [
      { Id: 'now', MessageBody: 'now' },
      { Id: 'later', MessageBody: 'later', DelaySeconds: 600 },
    ];
    const body = Buffer.from(JSON.stringify({ QueueUrl: urls.sweeps!.replace(/^http:\/\/[^/]+/, 'http://stack'), Entries }));
    const call = { method: 'POST', path: [], query: new URLSearchParams(), headers: { 'x-amz-target': 'AmazonSQS.SendMessageBatch' }, body };
    const answer = await delays.api(async () => undefined)(call);
    expect(JSON.parse(String(answer!.body)).Successful.map(({ Id }: { Id: string }) => Id)).toEqual(['now', 'later']);
    expect([(await take('sweeps')).map(({ Body }) => Body), delays.waiting]).toEqual([['now'], 1]);
    clock.advance(599);
    await settled();
    expect((await take('sweeps')).filter(({ Body }) => Body === 'later')).toEqual([]);
    clock.advance(2);
    await settled();
    expect((await take('sweeps')).filter(({ Body }) => Body === 'later')).toHaveLength(1);
    expect(delays.waiting).toBe(0);
  });
});
