/** The doctor and the dead letters of the bot as it is deployed, on the local stack. */
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { DisableRuleCommand } from '@aws-sdk/client-eventbridge';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Check } from '../../../cli/doctor/check.ts';
import { type Deployed, deployed, open, policyFile } from '../../e2e/world.ts';
import { describeOnMoto } from '../../support/moto.ts';
import { type Desk, openDesk } from '../run.ts';

/** What the emulator cannot answer, or has otherwise: its own poller reads the queues, the event sources are off. */
const emulator = ['event sources', 'concurrency', 'roles'];

describeOnMoto('a deployed bot (on moto)', () => {
  let bot: Deployed;
  let desk: Desk;
  const name = 'phidelity-dev';
  const policy = policyFile('s3-bucket-public-access-block: fix');
  beforeAll(async () => {
    // Real time: since when the stack is there the emulator tells in no other, and by then a digest must have been signed.
    bot = await deployed(policy, { startAt: undefined });
    desk = openDesk(bot.stack.environment);
  }, 240_000);
  afterAll(async () => {
    desk?.clear();
    await bot?.stack.stop();
  });

  const configured = () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = bot.stack.environment;
    return { endpoint: bot.stack.endpoint, region: bot.stack.region, credentials: { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! } };
  };
  const examined = async (file = policy) => {
    const { code, out, err } = await desk.run({ args: ['doctor', '--stack', name, '--policy', file, '--json'] });
    expect(err).toBe('');
    return { code, checks: JSON.parse(out).checks as Check[] };
  };
  const bad = (checks: readonly Check[]) => checks.filter(({ status, check }) => (status === 'wrong' || status === 'unseen') && !emulator.includes(check));
  const told = (checks: readonly Check[]) => bad(checks).map(({ check, detail }) => `${check}: ${detail}`);

  test('fresh: nothing is wrong with the stack; what it stands on is missing', async () => {
    const { code, checks } = await examined();
    expect(code).toBe(1);
    expect(told(checks)).toEqual([expect.stringMatching(/^trail: no trail/), expect.stringMatching(/^channels: OwnHealth: nobody has subscribed/)]);
    expect([...new Set(checks.map(({ check }) => check))]).toEqual([
      'credentials',
      'policy file',
      'trail',
      'recorder',
      'stack',
      'policy',
      'regions',
      'forwarders',
      'rules',
      'event sources',
      'concurrency',
      'schedule',
      'last tick',
      'sweeps',
      'evidence',
      'roles',
      'keys',
      'kill switch',
      'channels',
      'alarms',
      'dead letters',
      'own findings',
    ]);
    for (const { mend } of checks.filter(({ status }) => status === 'wrong')) expect(mend).toMatch(/^(aws|npx) /);
  });

  test('mended: nothing of it is told any more', async () => {
    const { clients, report } = bot.stack;
    const trail = new CloudTrailClient(configured());
    await clients.s3.send(new CreateBucketCommand({ Bucket: 'trail-logs' }));
    await trail.send(new CreateTrailCommand({ Name: 'management-events', S3BucketName: 'trail-logs', IsMultiRegionTrail: true }));
    await trail.send(new StartLoggingCommand({ Name: 'management-events' }));
    trail.destroy();
    await clients.sns.send(
      new SubscribeCommand({ TopicArn: report.outputs.OwnHealthTopic, Protocol: 'sqs', Endpoint: 'arn:aws:sqs:us-east-1:123456789012:ops' }),
    );
    expect(told((await examined()).checks)).toEqual([]);
  });

  test('dead letters: told, and sent back through the deployed bot, which deals with them', async () => {
    const { clients, report } = bot.stack;
    const bucket = await bot.bucket(open);
    const event = { ...bot.opened(bucket), id: 'e-1', account: '123456789012', region: 'us-east-1', time: bot.stack.clock.now().toISOString() };
    await clients.sqs.send(new SendMessageCommand({ QueueUrl: report.outputs.IntakeDlqUrl, MessageBody: JSON.stringify(event) }));
    expect(told((await examined()).checks)).toEqual(['dead letters: 1 message in intake']);
    const listed = await desk.run({ args: ['dlq', 'list', '--stack', name] });
    expect(listed).toMatchObject({ code: 1, err: '', out: expect.stringMatching(/intake {2}1 message\n.*PutBucketPublicAccessBlock us-east-1\n/) });
    expect(listed.out).not.toContain(bucket);
    expect(await desk.run({ args: ['dlq', 'redrive', '--all', '--stack', name] })).toMatchObject({ code: 0, out: '1 message sent back\n' });
    await bot.settle();
    expect((await bot.findings()).filter(({ resource }) => resource.id.endsWith(bucket))).toMatchObject([{ outcome: { status: 'REMEDIATED' } }]);
    expect((await desk.run({ args: ['dlq', 'list', '--stack', name] })).code).toBe(0);
  });

  test('broken in many ways at once: each is told, with what mends it', async () => {
    const { clients, report } = bot.stack;
    // The emulator disables a key by its id only.
    const KeyId = report.outputs.AlarmKeyArn!.split('/').at(-1);
    const ssm = new SSMClient(configured());
    await ssm.send(new PutParameterCommand({ Name: report.outputs.KillSwitchParameter, Value: 'on', Overwrite: true }));
    ssm.destroy();
    await clients.eventBridge.send(new DisableRuleCommand({ Name: `${name}-s3-api` }));
    await clients.kms.send(new DisableKeyCommand({ KeyId }));
    const { code, checks } = await examined(policyFile('s3-bucket-public-access-block: notify'));
    await clients.kms.send(new EnableKeyCommand({ KeyId }));
    expect(code).toBe(1);
    expect(bad(checks).map(({ check, mend }) => [check, mend])).toEqual([
      ['policy', expect.stringMatching(/^npx serverless deploy --stage dev --region us-east-1 --param policy=/)],
      ['rules', `aws events enable-rule --name ${name}-s3-api --region us-east-1`],
      ['keys', `aws kms enable-key --key-id ${KeyId} --region us-east-1`],
      ['kill switch', `aws ssm put-parameter --name ${report.outputs.KillSwitchParameter} --value off --overwrite --region us-east-1`],
    ]);
  });

  test('a stack that is not there', async () => {
    const { code, out } = await desk.run({ args: ['doctor', '--stack', 'phidelity-gone', '--policy', policy, '--json'] });
    expect(code).toBe(1);
    expect(JSON.parse(out).checks.filter(({ check }: Check) => check === 'stack')).toMatchObject([
      {
        status: 'wrong',
        detail: expect.stringMatching(/^there is no stack phidelity-gone in us-east-1/),
        mend: expect.stringMatching(/^npx serverless deploy --stage gone /),
      },
    ]);
  });

  test('for people: a line a check, the way out below, and what was left out without a stack', async () => {
    const { code, out, err } = await desk.run({ args: ['doctor', '--policy', policy] });
    expect(code).toBe(0);
    expect(out).toMatch(/^ok +credentials +arn:aws:iam::123456789012:user\/\S+, us-east-1\nok +policy file .* is valid\nok +trail +management-events logs/);
    expect(out).toMatch(/\nhint +recorder +us-east-1, /);
    expect(err).toBe('Nothing is wrong.\n`--stack NAME` looks at a deployed bot too.\n');
  });
});
