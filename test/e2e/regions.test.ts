/** One bot for several regions: what happens elsewhere reaches home, and is mended where it happened. */
import { ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DisableEbsEncryptionByDefaultCommand, EnableEbsEncryptionByDefaultCommand, GetEbsEncryptionByDefaultCommand } from '@aws-sdk/client-ec2';
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteAccountPasswordPolicyCommand, UpdateAccountPasswordPolicyCommand } from '@aws-sdk/client-iam';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StackEvent } from '../../cli/local-stack/index.ts';
import type { Deployment } from '../../engine/ports.ts';
import { describeOnMoto } from '../support/moto.ts';
import { type Deployed, deployed, policyFile } from './world.ts';

const home = 'us-east-2';
const away = ['eu-west-1', 'us-east-1', 'us-west-2'];
const controls = 'ebs-encryption-by-default: fix\niam-password-policy-strong: page\naccount-allowed-regions-only: page';

describeOnMoto('one bot, four regions (on moto, IAM enforced)', () => {
  let bot: Deployed;
  beforeAll(async () => {
    bot = await deployed(policyFile(controls, [home, ...away]), { warm: true, region: home });
    await bot.settle();
    await bot.alerts.read();
  }, 240_000);
  afterAll(() => bot?.stack.stop());

  const clients = (region: string) => bot.stack.clients.in(region);
  /** As CloudTrail of that region tells it on the bus of that region. */
  const eventIn = (region: string, source: string, name: string, detail: Record<string, unknown> = {}): StackEvent => ({
    ...bot.event(source, name, { awsRegion: region, ...detail }),
    region,
  });
  const stacksIn = async (region: string) => {
    const { StackSummaries = [] } = await clients(region).cloudFormation.send(new ListStacksCommand({}));
    return StackSummaries.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE').map(({ StackName }) => StackName);
  };
  const alarmsIn = async (region: string) => (await clients(region).cloudWatch.send(new DescribeAlarmsCommand({}))).MetricAlarms!.length;
  const encrypts = async (region: string) => (await clients(region).ec2.send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault;

  test('the deploy says which regions it covers, and the ledger knows', async () => {
    expect(bot.stack.report.output).toContain('The bot sees what happens in 4 regions: us-east-2, ');
    const deployment = await bot.ledger.recall<Deployment>('deployment');
    expect([...deployment!.regions].sort()).toEqual([home, ...away].sort());
    expect(deployment).toMatchObject({
      unreached: {},
      policyId: (await bot.ledger.policy())!.id,
      fixSince: { 'ebs-encryption-by-default': expect.any(String) },
    });
    expect(Object.keys(deployment!.fixSince)).toEqual(['ebs-encryption-by-default']);
    expect(await bot.ledger.recall('tick')).toMatchObject({ deployedAt: deployment!.at });
    for (const region of away) {
      expect(await stacksIn(region)).toEqual(['phidelity-dev-forwarder']);
      expect(await alarmsIn(region)).toBeGreaterThan(0);
    }
  });

  test('drift in another region is fixed there, and nowhere else', async () => {
    const [region, ec2] = ['us-west-2', clients('us-west-2').ec2];
    // The first sweeps of four regions were told: more of this control within ten minutes would be folded.
    bot.stack.clock.advance(601);
    await ec2.send(new EnableEbsEncryptionByDefaultCommand({}));
    await bot.settle(eventIn(region, 'ec2', 'EnableEbsEncryptionByDefault'));
    await bot.alerts.read();
    await ec2.send(new DisableEbsEncryptionByDefaultCommand({}));
    await bot.settle(eventIn(region, 'ec2', 'DisableEbsEncryptionByDefault'));
    expect(await encrypts(region)).toBe(true);
    expect(await encrypts(home)).toBe(false);
    const found = (await bot.findings('ebs-encryption-by-default')).filter(({ resource }) => resource.region === region);
    const last = found.toSorted((a, b) => a.episode - b.episode).at(-1);
    expect(last).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' }, actor: { arn: expect.stringContaining('dana') } });
    expect((await bot.alerts.next()).message).toContain(region);
  });

  test('an IAM call, told in us-east-1 only, is read and decided', async () => {
    const { iam } = clients(home);
    const strong = {
      MinimumPasswordLength: 14,
      RequireUppercaseCharacters: true,
      RequireLowercaseCharacters: true,
      RequireNumbers: true,
      RequireSymbols: true,
      AllowUsersToChangePassword: true,
      MaxPasswordAge: 90,
      PasswordReusePrevention: 24,
    };
    await iam.send(new UpdateAccountPasswordPolicyCommand(strong));
    await bot.settle(eventIn('us-east-1', 'iam', 'UpdateAccountPasswordPolicy'));
    await bot.alerts.read();
    await iam.send(new DeleteAccountPasswordPolicyCommand({}));
    await bot.settle(eventIn('us-east-1', 'iam', 'DeleteAccountPasswordPolicy'));
    const found = (await bot.findings('iam-password-policy-strong')).filter(({ state }) => state === 'open');
    expect(found).toMatchObject([{ resource: { region: 'us-east-1' }, decision: { action: 'page' }, openedBy: { eventName: 'DeleteAccountPasswordPolicy' } }]);
    expect((await bot.alerts.next()).attributes).toMatchObject({ control: 'iam-password-policy-strong', urgency: 'page' });
  });

  test('an instance in a watched region where nothing may run pages', async () => {
    await bot.settle(
      eventIn('eu-west-1', 'ec2', 'RunInstances', { requestParameters: { instanceType: 't3.micro' }, responseElements: { instancesSet: { items: [] } } }),
    );
    expect(await bot.findings('account-allowed-regions-only')).toMatchObject([{ state: 'open', resource: { region: 'eu-west-1' } }]);
    expect((await bot.alerts.next()).message).toContain('eu-west-1');
  });

  test('an event put through the API of another region takes the same way', async () => {
    const { ec2 } = clients('us-east-1');
    await ec2.send(new DisableEbsEncryptionByDefaultCommand({}));
    const { source, 'detail-type': DetailType, detail } = eventIn('us-east-1', 'ec2', 'DisableEbsEncryptionByDefault');
    const through = new EventBridgeClient({
      endpoint: bot.stack.endpoint,
      region: 'us-east-1',
      credentials: async () => bot.stack.emulator.adminCredentials(),
    });
    await through.send(new PutEventsCommand({ Entries: [{ Source: source, DetailType, Detail: JSON.stringify(detail) }] }));
    through.destroy();
    await bot.settle();
    const found = (await bot.findings('ebs-encryption-by-default')).filter(({ resource }) => resource.region === 'us-east-1');
    expect(found.map(({ lastTrigger }) => lastTrigger.eventName)).toContain('DisableEbsEncryptionByDefault');
    await bot.alerts.read();
  });

  test('an alarm of a forwarder reaches the own-health topic; an alarm of somebody else does not', async () => {
    const health = await bot.stack.subscribe(bot.stack.report.outputs.OwnHealthTopic!);
    const alarm = (alarmName: string, value: string, previous: string): StackEvent => ({
      region: 'us-west-2',
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      detail: {
        alarmName,
        state: { value, timestamp: '2026-11-22T12:00:00Z' },
        previousState: { value: previous },
        configuration: { description: 'phidelity: look' },
      },
    });
    await bot.stack.putEvents([
      alarm('phidelity-dev-forwarder-target-dlq', 'OK', 'INSUFFICIENT_DATA'),
      alarm('somebody-elses', 'ALARM', 'OK'),
      alarm('phidelity-dev-forwarder-target-dlq', 'ALARM', 'OK'),
      alarm('phidelity-dev-forwarder-target-dlq', 'OK', 'ALARM'),
    ]);
    const told = (await health.read()).map(({ message }) => message).sort();
    expect(told).toEqual(
      ['ALARM', 'OK'].map((state) => `"${state}: alarm phidelity-dev-forwarder-target-dlq in us-west-2, 2026-11-22T12:00:00Z. phidelity: look"`),
    );
  });

  test('a narrower policy takes the forwarder away, a later one leaves what is as it was', async () => {
    const before = await bot.ledger.recall<Deployment>('deployment');
    const report = await bot.stack.deploy(policyFile(controls, [home, 'us-west-2']));
    expect(report.output).toContain('Forwarders removed: eu-west-1, us-east-1');
    expect(await Promise.all([...away, home].map(stacksIn))).toEqual([[], [], ['phidelity-dev-forwarder'], ['phidelity-dev']]);
    expect(await Promise.all(['eu-west-1', 'us-west-2'].map(alarmsIn))).toEqual([0, expect.any(Number)]);
    const after = await bot.ledger.recall<Deployment>('deployment');
    expect(after!.regions).toEqual([home, 'us-west-2']);
    expect(after!.fixSince).toEqual(before!.fixSince);
  }, 180_000);

  test('remove leaves no forwarder anywhere', async () => {
    const said = await bot.stack.remove();
    expect(said).toContain('Forwarders removed: us-west-2');
    for (const region of [home, ...away]) expect({ region, stacks: await stacksIn(region) }).toEqual({ region, stacks: [] });
    for (const region of away) {
      expect((await clients(region).eventBridge.send(new ListRulesCommand({}))).Rules).toEqual([]);
      expect((await clients(region).sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
      expect(await alarmsIn(region)).toBe(0);
    }
  }, 180_000);
});
