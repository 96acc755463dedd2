/**
 * What people see, on the deployed artifacts (moto, IAM enforced) and a world outside that enforces what Slack and PagerDuty do:
 * drift, a message with buttons, an approval by a signed request, the fix, the same message changed, the finding in Security Hub passed and archived.
 */
import { writeFileSync } from 'node:fs';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { GetFindingsCommand, SecurityHubClient } from '@aws-sdk/client-securityhub';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Finding } from '../../engine/model.ts';
import { glob } from '../../engine/policy/match.ts';
import { deliverKeys, type Item } from '../../handlers/aws/table.ts';
import { describeOnMoto } from '../support/moto.ts';
import { type PagerDuty, pagerDutyService } from '../support/outside/pagerduty.ts';
import { type OutsideWorld, outsideWorld } from '../support/outside/server.ts';
import { type SlackSaid, type SlackService, slackService } from '../support/outside/slack.ts';
import { blockActions, signed, slackSecret } from '../support/slack-signer.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

const [room, watch, boss] = ['C0123', 'C0456', 'C0789'];
const token = 'xoxb-1-test';
const routingKey = 'a'.repeat(32);
const lee = 'U012LEE';

const app = (channel: string) => `slackApp: { token: "ssm:/phidelity/slack-token", signingSecret: "ssm:/phidelity/slack-secret", channel: ${channel} }`;
/** Nine hours after the stack's time begins: later than all but the last test comes. */
const digestAt = '21:35';
const channels = `channels:
  slack: { ${app(room)}, digest: "${digestAt}" }
  watch: { ${app(watch)}, only: { controls: [account-root-activity] }, remindEvery: 1h }
  boss: { ${app(boss)}, escalateAfter: 2h }
  duty: { pagerDuty: "ssm:/phidelity/duty", pages: true }
  hub: { securityHub: true }
accounts: { "123456789012": clinic-prod }
`;

interface Button {
  readonly action_id: string;
  readonly value: string;
}

interface Write {
  readonly Item?: Item;
  readonly Key?: Item;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html */
function partitionsIn(target: string, body: Write & { readonly TransactItems?: readonly Readonly<Record<string, Write>>[] }): string[] {
  if (!/\.(Put|Update|Delete|Transact)/.test(target)) return [];
  const writes = body.TransactItems?.flatMap((one) => Object.values(one)) ?? [body];
  return writes.map(({ Item, Key }) => (Item ?? Key)!.pk!.S!);
}

describeOnMoto('alerts (on moto)', () => {
  let bot: Deployed;
  let outside: OutsideWorld;
  let slack: SlackService;
  let duty: PagerDuty;
  const logged: string[] = [];
  const queued: string[] = [];
  /** Partition keys that deliver has written: the emulator's IAM knows no conditions. */
  const written: string[] = [];

  beforeAll(async () => {
    const people = `{ lee: { arns: ["arn:aws:sts::*:assumed-role/*/lee"], slack: ${lee} } }`;
    const file = policyFile('s3-bucket-public-access-block: approve\nsqs-queue-tls-only: fix\naccount-root-activity: page', undefined, undefined, people);
    writeFileSync(file, channels, { flag: 'a' });
    slack = slackService({ token, channels: [room, watch, boss] });
    duty = pagerDutyService(routingKey);
    outside = await outsideWorld({ slack: slack.service, pagerduty: duty.service });
    bot = await deployed(file, {
      outsideUrl: outside.url,
      onLog: ({ line }) => void logged.push(line),
      onCall: ({ service, target, body, by }) => {
        if (service === 'sqs') queued.push(body.toString());
        if (service === 'dynamodb' && by?.functionName.endsWith('-deliver')) written.push(...partitionsIn(target, JSON.parse(body.toString())));
        return undefined;
      },
    });
    const { endpoint, region, emulator } = bot.stack;
    const ssm = new SSMClient({ endpoint, region, credentials: emulator.adminCredentials() });
    const secrets = { '/phidelity/slack-token': token, '/phidelity/slack-secret': slackSecret, '/phidelity/duty': routingKey };
    for (const [Name, Value] of Object.entries(secrets)) await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
    ssm.destroy();
  }, 240_000);
  afterAll(async () => {
    await bot?.stack.stop();
    await outside?.stop();
  });

  const buttonsOf = ({ blocks }: SlackSaid): Button[] =>
    blocks.flatMap(({ type, elements }) => (type === 'actions' ? (elements as Button[]) : [])).map(({ action_id, value }) => ({ action_id, value }));
  const decisionsOf = (said: SlackSaid) => buttonsOf(said).map(({ action_id }) => action_id.split(':')[1]);
  const about = (name: string): SlackSaid => {
    const found = slack.messages(room).filter((said) => JSON.stringify(said).includes(name));
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const click = async (said: SlackSaid, decision: string) => {
    const button = buttonsOf(said).find(({ action_id }) => action_id === `phidelity:${decision}`)!;
    const { timestamp, signature, body } = signed(slackSecret, blockActions(lee, button.action_id, button.value), bot.stack.clock.now());
    const response = await fetch(bot.stack.report.outputs.SlackEndpoint!, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature },
      body,
    });
    expect(response.status).toBe(200);
    await bot.settle();
  };
  const queueMade = async (queueName: string) => {
    const { QueueUrl: queueUrl } = await bot.stack.clients.sqs.send(new CreateQueueCommand({ QueueName: queueName }));
    return bot.event('sqs', 'CreateQueue', { requestParameters: { queueName }, responseElements: { queueUrl } });
  };
  /** From a quarter of an hour on, somebody has looked meanwhile. */
  const later = async (seconds: number) => {
    bot.stack.clock.advance(Math.max(seconds, 901));
    await bot.settle();
  };
  const inHub = async ({ id }: Finding) => {
    const { endpoint, region, emulator } = bot.stack;
    const hub = new SecurityHubClient({ endpoint, region, credentials: emulator.adminCredentials() });
    const { Findings = [] } = await hub.send(new GetFindingsCommand({}));
    hub.destroy();
    return Findings.filter(({ Id }) => Id?.endsWith(id));
  };
  const found = async (bucket: string) => (await bot.findings('s3-bucket-public-access-block')).filter(({ resource }) => resource.id.endsWith(bucket)).at(-1)!;

  test('drift, buttons, a signed approval, fixed, the same message changed, resolved, passed and archived; the echo is shown and calls nobody', async () => {
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    expect((await found(bucket)).outcome?.status).toBe('AWAITING_APPROVAL');
    const asking = about(bucket);
    expect(asking.text).toContain('Approval needed');
    expect(JSON.stringify(asking.blocks)).toContain('clinic-prod');
    // What is public is excepted in the policy file alone.
    expect(decisionsOf(asking)).toEqual(['approve', 'deny', 'snooze', 'recheck']);
    expect(duty.incidents).toMatchObject([{ state: 'triggered', dedupKey: (await found(bucket)).id }]);
    expect(await inHub(await found(bucket))).toMatchObject([{ Compliance: { Status: 'FAILED' }, RecordState: 'ACTIVE' }]);
    expect(await bot.blockOf(bucket)).toEqual(open);

    await click(asking, 'approve');
    expect(await bot.blockOf(bucket)).toEqual(closed);
    const finding = await found(bucket);
    expect(finding).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' }, question: { approvals: [{ person: 'lee' }] } });
    const fixed = about(bucket);
    expect([fixed.ts, fixed.text]).toEqual([asking.ts, expect.stringContaining('Fixed')]);
    expect(decisionsOf(fixed)).toEqual(['undo']);
    const replies = slack.thread(room, asking.ts).length;
    expect(slack.thread(room, asking.ts).at(-1)!.text).toContain('Fixed');
    expect(duty.incidents.map(({ state }) => state)).toEqual(['resolved']);
    expect(await inHub(finding)).toMatchObject([{ Compliance: { Status: 'PASSED' }, RecordState: 'ARCHIVED' }]);

    const { Role: role } = await bot.stack.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'phidelity-dev-remediate' }));
    await bot.settle(bot.opened(bucket, { userIdentity: { type: 'AssumedRole', arn: `${role}/x`, sessionContext: { sessionIssuer: { arn: role } } } }));
    expect((await found(bucket)).confirmedBy).toEqual(expect.any(String));
    expect(JSON.stringify(about(bucket).blocks)).toContain('confirmed by its event');
    expect(slack.thread(room, asking.ts)).toHaveLength(replies);
  }, 240_000);

  test('a dead Slack delays neither the fix nor the page of SNS and PagerDuty; it gets its message once it is back, and SNS hears of the outage', async () => {
    await bot.alerts.read();
    const called = duty.called();
    outside.fail('slack', ...Array.from({ length: 3 }, () => ({ status: 503 })));
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    const subjects = (await bot.alerts.read()).map(({ subject }) => subject);
    expect(subjects).toContainEqual(expect.stringContaining(`Approval needed: s3-bucket-public-access-block on ${bucket.slice(0, 20)}`));
    expect(subjects).toContainEqual(expect.stringContaining('CHANNEL FAILS: slack'));
    // SNS told it, and PagerDuty both: the outage is a page too.
    expect(duty.called()).toBeGreaterThan(called);
    expect(slack.messages(room).filter((said) => JSON.stringify(said).includes(bucket))).toEqual([]);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      bot.stack.clock.advance(600);
      await bot.settle();
    }
    expect(about(bucket).text).toContain('Approval needed');
  }, 240_000);

  test('no planted identifier reaches a channel, a log line or a queue that leaves the raw zone', async () => {
    const secrets = ['123-45-6789', 'mrn-4711234', '4111111111111111'];
    [logged, queued].forEach((lines) => void lines.splice(0));
    for (const list of outside.asked.values()) list.splice(0);
    await bot.settle(...(await Promise.all(secrets.map((secret) => queueMade(`results-of-${secret}`)))));
    const findings = (await bot.findings('sqs-queue-tls-only')).filter(({ resource }) => resource.id.includes('results-of-'));
    expect(findings.map(({ outcome }) => outcome?.status)).toEqual(secrets.map(() => 'REMEDIATED'));
    const left = queued.filter((body) => body.includes('AlertQueue'));
    expect(left.filter((body) => body.includes('sqs-queue-tls-only')).length).toBeGreaterThan(0);
    const sent = [...outside.asked.values()].flat().map(({ body }) => decodeURIComponent(body.replaceAll('+', ' ')));
    const hub = await Promise.all(findings.map(inHub));
    const told = await bot.alerts.read();
    // The test would see it: something was sent everywhere.
    expect([sent.length, hub.flat().length, told.length, logged.length].map((count) => count > 0)).toEqual([true, true, true, true]);
    for (const text of [...left, ...logged, ...sent, JSON.stringify(hub), JSON.stringify(told)])
      for (const secret of ['123-45-6789', '4711234', '4111111111111111']) expect(text).not.toContain(secret);
  }, 120_000);

  test('a burst: three fixes are told one by one, the others as one when its ten minutes are over', async () => {
    await later(901);
    await bot.alerts.read();
    const names = Array.from({ length: 6 }, (_, nth) => `claims-${nth}`);
    await bot.settle(...(await Promise.all(names.map(queueMade))));
    const fixed = (await bot.findings('sqs-queue-tls-only')).filter(({ resource }) => /claims-\d$/.test(resource.id));
    expect(fixed.map(({ outcome }) => outcome?.status)).toEqual(names.map(() => 'REMEDIATED'));
    const toldBy = (name: string) => slack.messages(room).filter((said) => JSON.stringify(said).includes(name)).length;
    const many = () => slack.messages(room).filter(({ text }) => text.includes('Many at once'));
    expect(names.map(toldBy).toSorted()).toEqual([0, 0, 0, 1, 1, 1]);
    expect(many()).toEqual([]);

    await later(901);
    expect(names.map(toldBy)).toEqual(names.map(() => 1));
    expect(many()).toHaveLength(1);
    expect(JSON.stringify(many()[0])).toContain('3 findings told as one');
    const subjects = (await bot.alerts.read()).flatMap(({ subject = '' }) => (subject.includes('sqs-queue-tls-only') ? [subject] : []));
    expect(subjects.toSorted()).toEqual([
      ...names.slice(3).map(() => expect.stringMatching(/Fixed: sqs-queue-tls-only on claims-\d$/)),
      '[MEDIUM] Many at once: 3 findings of sqs-queue-tls-only',
    ]);
  }, 180_000);

  test('a page that stays open is told again each hour, and to whoever is called after two; not while it is snoozed', async () => {
    const root = { type: 'Root', arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' };
    await bot.settle(bot.event('iam', 'CreateUser', { userIdentity: root }));
    const [message] = slack.messages(watch);
    expect(message!.text).toContain('ACTION NEEDED [CRITICAL]');
    const replies = () => slack.thread(watch, message!.ts).map(({ text, broadcast = false }) => [broadcast, /Still open|Snoozed by lee/.exec(text)?.[0]]);
    await later(1_800);
    expect([replies(), slack.messages(boss)]).toEqual([[], []]);
    await later(2_100);
    expect([replies(), slack.messages(boss)]).toEqual([[[true, 'Still open']], []]);
    await later(3_601);
    expect(replies()).toEqual([
      [true, 'Still open'],
      [true, 'Still open'],
    ]);
    expect(slack.messages(boss).map(({ text }) => text)).toEqual([expect.stringContaining('ESCALATED: ACTION NEEDED [CRITICAL]')]);

    await click(slack.messages(watch)[0]!, 'snooze');
    await later(7_300);
    expect(replies().slice(2)).toEqual([[false, 'Snoozed by lee']]);
    expect(slack.thread(boss, slack.messages(boss)[0]!.ts).map(({ text }) => text)).toEqual([expect.stringContaining('Snoozed by lee')]);
  }, 180_000);

  test('a digest once a day, at its time', async () => {
    const digests = () => slack.messages(room).filter(({ text }) => text.includes('Daily digest'));
    expect(digests()).toEqual([]);
    const now = bot.stack.clock.now();
    await later((Date.parse(`${now.toISOString().slice(0, 10)}T${digestAt}:00Z`) - now.getTime()) / 1_000);
    expect(digests()).toHaveLength(1);
    const said = JSON.stringify(digests()[0]);
    expect(said).toContain('1 CRITICAL');
    expect(said).toContain('account-root-activity');
  }, 120_000);

  test('deliver has written nothing that its role would not let it on AWS', () => {
    expect(new Set(written.map((pk) => pk.split(/[#|]/)[1])).size).toBeGreaterThanOrEqual(4);
    expect(written.filter((pk) => !deliverKeys.some((pattern) => glob(pattern, pk)))).toEqual([]);
  });
});
