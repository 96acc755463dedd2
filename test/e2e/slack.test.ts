/** Answers given in Slack, on the deployed artifacts (moto, IAM enforced): signed requests over HTTP, verified by the endpoint and again by remediate. */
import { writeFileSync } from 'node:fs';
import { PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { actionId, actionValue } from '../../engine/alerts/render/slack/actions.ts';
import { actionHash } from '../../engine/answers/action-hash.ts';
import { planHash } from '../../engine/answers/plan-hash.ts';
import type { Finding } from '../../engine/model.ts';
import { undoOf } from '../../engine/undo.ts';
import { describeOnMoto } from '../support/moto.ts';
import { type OutsideWorld, outsideWorld } from '../support/outside/server.ts';
import { type SlackService, slackService } from '../support/outside/slack.ts';
import { blockActions, signed, slackSecret, viewSubmission } from '../support/slack-signer.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

const room = 'C0123';
const botToken = 'xoxb-1-test';
const people = {
  dana: 'U012DANA',
  lee: 'U012LEE',
  kim: 'U012KIM',
};

describeOnMoto('Slack (on moto)', () => {
  let bot: Deployed;
  let outside: OutsideWorld;
  let slack: SlackService;

  beforeAll(async () => {
    const named = Object.entries(people).map(([name, id]) => `${name}: { arns: ["arn:aws:sts::*:assumed-role/*/${name}"], slack: ${id} }`);
    const file = policyFile('s3-bucket-public-access-block: approve\ns3-bucket-versioning: approve', undefined, undefined, `{ ${named.join(', ')} }`);
    const slackApp = `{ token: "ssm:/phidelity/slack-token", signingSecret: "ssm:/phidelity/slack-secret", channel: ${room} }`;
    writeFileSync(file, `channels:\n  slack: { slackApp: ${slackApp} }\n`, { flag: 'a' });
    slack = slackService({ token: botToken, channels: [room] });
    outside = await outsideWorld({ slack: slack.service });
    bot = await deployed(file, { outsideUrl: outside.url });
    const { endpoint, region, emulator } = bot.stack;
    const ssm = new SSMClient({ endpoint, region, credentials: emulator.adminCredentials() });
    for (const [Name, Value] of [
      ['/phidelity/slack-token', botToken],
      ['/phidelity/slack-secret', slackSecret],
    ])
      await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
    ssm.destroy();
  }, 240_000);
  afterAll(async () => {
    await bot?.stack.stop();
    await outside?.stop();
  });

  async function post(payload: object | string, secret = slackSecret): Promise<{ readonly status: number; readonly text: string }> {
    const { timestamp, signature, body } = signed(secret, payload, bot.stack.clock.now());
    const response = await fetch(bot.stack.report.outputs.SlackEndpoint!, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature },
      body,
    });
    const answer = { status: response.status, text: await response.text() };
    await bot.settle();
    return answer;
  }
  const click = (who: keyof typeof people, decision: Parameters<typeof actionId>[0], { id }: Finding, hash: string, about?: 'undo', parts?: object) =>
    blockActions(people[who], actionId(decision, about), actionValue(id, hash), parts);
  const asked = async (): Promise<{ readonly bucket: string; readonly finding: Finding }> => {
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    const finding = (await bot.findings('s3-bucket-public-access-block')).find(({ resource }) => resource.id.endsWith(bucket))!;
    expect(finding.outcome?.status).toBe('AWAITING_APPROVAL');
    return { bucket, finding };
  };
  const story = async ({ id }: Finding) => (await bot.ledger.entries(id)).map(({ kind, note }) => `${kind}: ${note}`);
  /** What stands in the thread of the message about it. */
  const thread = (name: string) => {
    const [message, ...more] = slack.messages(room).filter((said) => JSON.stringify(said).includes(name));
    expect(more).toEqual([]);
    return slack.thread(room, message!.ts).map(({ text }) => text);
  };
  const lastDay = () => new Date(bot.stack.clock.now().getTime() + 14 * 86_400_000).toISOString().slice(0, 10);

  test('a click approves: fixed, and the evidence says who; two more take it back', async () => {
    const { bucket, finding } = await asked();
    const hash = finding.question!.planHash;

    expect(await post(click('lee', 'approve', finding, hash), 'another secret')).toEqual({ status: 401, text: '' });
    expect(await bot.ledger.answers(finding.id)).toEqual([]);

    expect(await post(click('dana', 'approve', finding, hash))).toEqual({ status: 200, text: '' });
    expect(await story(finding)).toContainEqual(expect.stringMatching(/^REFUSED: .*dana may have made the change/));
    expect(thread(bucket)).toEqual([expect.stringMatching(/^dana's answer \(approve\) was refused: dana may have made the change/)]);
    expect(await bot.blockOf(bucket)).toEqual(open);

    expect(await post(click('lee', 'approve', finding, hash))).toEqual({ status: 200, text: '' });
    expect(await bot.blockOf(bucket)).toEqual(closed);
    expect(await bot.ledger.get(finding.id)).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' } });
    expect(await story(finding)).toContainEqual(`APPROVED: lee (slack:${people.lee}) approved plan ${hash.slice(0, 12)}.`);

    const fixed = (await bot.ledger.get(finding.id))!;
    const undoHash = planHash(fixed, undoOf(fixed)!, 'undo');
    expect(await post(click('lee', 'undo', fixed, undoHash))).toEqual({ status: 200, text: '' });
    const [view] = [...slack.views.values()] as { callback_id: string; private_metadata: string }[];
    const { value } = JSON.parse(view!.private_metadata) as { value: string };
    expect(await post(viewSubmission(people.lee, view!.callback_id, value, { reason: 'the vendor needs it', until: lastDay() }))).toEqual({
      status: 200,
      text: '',
    });
    expect(await bot.blockOf(bucket)).toEqual(closed);
    const undoing = (await bot.ledger.get(finding.id))!;
    expect(undoing.undo).toMatchObject({ state: 'asked', by: 'lee', reason: 'the vendor needs it' });
    expect(await post(click('kim', 'approve', undoing, undoing.question!.planHash, 'undo'))).toEqual({ status: 200, text: '' });
    expect(await bot.blockOf(bucket)).toEqual(open);
    expect((await bot.ledger.get(finding.id))!.undo).toMatchObject({ state: 'done' });
  }, 240_000);

  test('an exception ends a finding that waits for people; a public exposure is not excepted so; what somebody wrote into the table pages', async () => {
    const { finding } = await asked();
    await bot.alerts.read();
    const planHash = actionHash(finding, 'snooze');
    await bot.ledger.answer({ id: 'written', findingId: finding.id, decision: 'snooze', question: 'q', planHash, at: bot.stack.clock.now().toISOString() });
    expect(
      await post(
        viewSubmission(people.lee, 'phidelity:except', actionValue(finding.id, actionHash(finding, 'except')), { reason: 'a reason', until: lastDay() }),
      ),
    ).toMatchObject({
      status: 200,
    });
    expect((await story(finding)).filter((entry) => entry.startsWith('REFUSED')).toSorted()).toEqual([
      'REFUSED: A snooze was refused: It bears no proof of who gave it.',
      expect.stringMatching(/^REFUSED: An exception was refused: .*ends a public exposure/),
    ]);
    expect((await bot.ledger.get(finding.id))!.snoozed).toBeUndefined();
    expect((await bot.alerts.read()).map(({ subject }) => subject)).toEqual([expect.stringMatching(/^\[HIGH\] ANSWER FORGED\? snooze for s3-bucket-public/)]);

    const bucket = await bot.bucket(closed);
    await bot.settle(bot.event('s3', 'PutBucketVersioning', { requestParameters: { bucketName: bucket } }));
    const waiting = (await bot.findings('s3-bucket-versioning')).find(({ resource }) => resource.id.endsWith(bucket))!;
    const value = actionValue(waiting.id, actionHash(waiting, 'except'));
    expect(await post(viewSubmission(people.lee, 'phidelity:except', value, { reason: 'scratch space', until: lastDay() }))).toEqual({ status: 200, text: '' });
    await bot.settle();
    expect(await bot.ledger.get(waiting.id)).toMatchObject({
      state: 'resolved',
      outcome: { status: 'EXCEPTED', reason: expect.stringContaining('scratch space') },
    });
    expect(bot.stack.lambda.executions().filter(({ name, status }) => name === waiting.id && status === 'RUNNING')).toEqual([]);
  }, 180_000);

  test('snoozed, and looked at again', async () => {
    const { bucket, finding } = await asked();
    await post(click('kim', 'snooze', finding, actionHash(finding, 'snooze')));
    const { until } = (await bot.ledger.get(finding.id))!.snoozed!;
    expect(thread(bucket)).toEqual([expect.stringContaining(`Snoozed by kim until ${until}.`)]);
    expect(JSON.stringify(slack.messages(room))).toContain(`Snoozed until ${until}.`);
    await bot.stack.clients.s3.send(new PutPublicAccessBlockCommand({ Bucket: bucket, PublicAccessBlockConfiguration: closed }));
    await post(click('kim', 'recheck', finding, actionHash(finding, 'recheck')));
    await bot.settle();
    expect(await bot.ledger.get(finding.id)).toMatchObject({ state: 'resolved', outcome: { status: 'COMPLIANT' } });
    expect(thread(bucket).slice(1)).toEqual([expect.stringContaining('kim wants it looked at again.'), expect.stringContaining('Resolved')]);
  }, 180_000);

  test('whom the policy does not name is told so, and leaves nothing', async () => {
    const { finding } = await asked();
    const stranger = blockActions('U0MALLORY', 'phidelity:approve', actionValue(finding.id, finding.question!.planHash), {
      response_url: `${outside.url}/slack/actions/1`,
    });
    expect(await post(stranger)).toEqual({ status: 200, text: '' });
    expect(slack.whispers).toMatchObject([{ response_type: 'ephemeral', text: expect.stringContaining('not one of the people') }]);
    expect(await bot.ledger.answers(finding.id)).toEqual([]);
  }, 120_000);
});
