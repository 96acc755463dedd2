/** What would blind the bot, done to the deployed bot without an event that tells of it: something that still runs notices. */

import { setTimeout } from 'node:timers/promises';
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand, StopLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DisableRuleCommand, EnableRuleCommand } from '@aws-sdk/client-eventbridge';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { GetTopicAttributesCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cloudWatch } from '../support/cloudwatch.ts';
import { describeOnMoto } from '../support/moto.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

describeOnMoto('the bot goes blind (on moto, IAM enforced)', () => {
  const policy = policyFile('cloudtrail-logging-on: page\neventbridge-bot-rules-on: page\nbot-keys-usable: page\ns3-bucket-public-access-block: page');
  const watch = cloudWatch(() => bot.stack);
  let bot: Deployed;
  let trails: CloudTrailClient;

  beforeAll(async () => {
    bot = await deployed(policy, { warm: true, onLog: watch.onLog });
    const { endpoint, region, emulator, clients } = bot.stack;
    trails = new CloudTrailClient({ region, endpoint, credentials: emulator.adminCredentials() });
    await clients.s3.send(new CreateBucketCommand({ Bucket: 'trail-logs' }));
    await clients.s3.send(new PutPublicAccessBlockCommand({ Bucket: 'trail-logs', PublicAccessBlockConfiguration: closed }));
    await trails.send(new CreateTrailCommand({ Name: 'main', S3BucketName: 'trail-logs' }));
    await trails.send(new StartLoggingCommand({ Name: 'main' }));
    // On AWS the hourly schedule fires as soon as it is there, on the local stack after an hour: until then a digest is missing.
    await watch.pass(75);
  }, 300_000);
  afterAll(async () => {
    trails?.destroy();
    await bot?.stack.stop();
  });

  const told = async () => (await bot.alerts.read()).map(({ attributes: { control, urgency } }) => `${urgency}: ${control}`);

  test('as long as nothing is wrong, no alarm rings and nobody is told', async () => {
    expect([await watch.ringing(), await told()]).toEqual([[], []]);
  });

  test('a trail is stopped: noticed by the sweep of every quarter of an hour', async () => {
    await trails.send(new StopLoggingCommand({ Name: 'main' }));
    await watch.pass(30);
    expect(await told()).toEqual(['page: cloudtrail-logging-on']);
    await trails.send(new StartLoggingCommand({ Name: 'main' }));
    await watch.pass(30);
    expect(await bot.findings('cloudtrail-logging-on')).toMatchObject([{ state: 'resolved' }]);
    await bot.alerts.read();
  });

  test('a rule of the bot is disabled: noticed by the sweep of every quarter of an hour', async () => {
    const { eventBridge } = bot.stack.clients;
    const Name = 'phidelity-dev-s3-api';
    await eventBridge.send(new DisableRuleCommand({ Name }));
    await watch.pass(30);
    expect(await told()).toEqual(['page: eventbridge-bot-rules-on']);
    await eventBridge.send(new EnableRuleCommand({ Name }));
    await watch.pass(30);
    expect(await bot.findings('eventbridge-bot-rules-on')).toMatchObject([{ state: 'resolved' }]);
    await bot.alerts.read();
  });

  /** The alarms reach the topic by a key of their own. */
  const expectToldApart = async (names: readonly string[]) => {
    const { cloudWatch: alarms, sns } = bot.stack.clients;
    const { DataKeyArn, AlarmKeyArn, OwnHealthTopic } = bot.stack.report.outputs;
    const { MetricAlarms = [] } = await alarms.send(new DescribeAlarmsCommand({ AlarmNames: names.map((name) => `phidelity-dev-${name}`) }));
    expect(MetricAlarms.map(({ AlarmActions }) => AlarmActions)).toEqual(names.map(() => [OwnHealthTopic]));
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: OwnHealthTopic }));
    expect([Attributes!.KmsMasterKeyId, AlarmKeyArn]).not.toContain(DataKeyArn);
  };

  test('the data key is disabled: noticed by the alarms on the heartbeat and on lost events', async () => {
    const KeyId = bot.stack.report.outputs.DataKeyArn!.split('/').at(-1);
    await bot.stack.clients.kms.send(new DisableKeyCommand({ KeyId }));
    const bucket = await bot.bucket(open);
    await watch.pass(40);
    await bot.settle(bot.opened(bucket));
    await watch.pass(5);
    const names = await watch.ringing();
    expect(names).toEqual(expect.arrayContaining(['events-lost-1', 'heartbeat']));
    await expectToldApart(names);
    expect(await told()).toEqual([]);
    await bot.stack.clients.kms.send(new EnableKeyCommand({ KeyId }));
    await watch.pass(45);
    expect(await watch.ringing()).toEqual([]);
    await bot.alerts.read();
  });

  test('detect may not run: noticed by the alarms on its throttles, the age of its queue and the heartbeat; nothing is lost', async () => {
    const { lambda } = bot.stack.clients;
    const FunctionName = 'phidelity-dev-detect';
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    await watch.pass(60);
    // The queue's poller tries in real time: on a busy machine later than the clock that the test moves.
    for (let more = 0; more < 10 && !(await watch.ringing()).includes('detect-throttles'); more += 1) {
      await setTimeout(1_000);
      await watch.pass(5);
    }
    const names = await watch.ringing();
    expect(names).toEqual(expect.arrayContaining(['detect-throttles', 'heartbeat', 'intake-age']));
    await expectToldApart(names);
    expect(await told()).toEqual([]);
    await watch.pass(20);
    expect(await watch.ringing()).toContain('sweep-age');

    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    await watch.pass(45);
    expect(await watch.ringing()).toEqual([]);
    expect((await bot.findings('s3-bucket-public-access-block')).filter(({ resource }) => resource.id.endsWith(bucket))).toMatchObject([
      { state: 'open', actor: { sourceIp: '192.0.2.7' } },
    ]);
  });
});
