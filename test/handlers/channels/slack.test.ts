/** Against the stand-in for Slack, test/support/outside/slack.ts. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Alert } from '../../../engine/alerts/alert.ts';
import type { Kept } from '../../../engine/alerts/delivery.ts';
import { escalationOf, reminderOf } from '../../../engine/alerts/reminder.ts';
import { type SlackAppChannel, slackApp } from '../../../handlers/channels/slack.ts';
import { control, finding, lives } from '../../support/findings.ts';
import { context, told } from '../../support/lamps.ts';
import { failure } from '../../support/outside/failure.ts';
import type { OutsideWorld } from '../../support/outside/server.ts';
import { type SlackScene, slackScene, token } from '../../support/outside/slack-scene.ts';

const app: SlackAppChannel = {
  pages: true,
  minSeverity: 'INFORMATIONAL',
  timezone: 'UTC',
  slackApp: { token: 'ssm:/token', signingSecret: 'ssm:/signing', channel: 'C0123' },
};
const headOf = (blocks: readonly unknown[]) => (blocks[0] as { text: { text: string } }).text.text;

let scene: SlackScene;
beforeEach(async () => {
  scene = await slackScene();
});
afterEach(() => scene.world.stop());

describe('an app', () => {
  const send = (one: Alert, kept?: Kept, channel = app, patienceMs?: number) => slackApp(scene.outside, { patienceMs })(one, channel, context, kept);
  /** What never comes is not waited for. */
  const patienceFor = (answer: unknown) => (answer === 'never' ? 50 : undefined);

  test('a finding is one message, which changes, and says so in its thread', async () => {
    const first = await send(told(lives['an approval is asked for']));
    expect(first).toEqual({ slack: { channel: 'C0123', ts: expect.any(String) } });
    expect(scene.slack.messages('C0123').map(({ blocks }) => headOf(blocks))).toEqual(['🟠 Approval needed [HIGH]']);

    const second = await send(told(lives.fixed), first);
    expect(second).toEqual(first);
    const messages = scene.slack.messages('C0123');
    expect(messages.map(({ blocks, changes }) => [headOf(blocks), changes])).toEqual([['✅ Fixed [HIGH]', 1]]);
    expect(JSON.stringify(messages[0]!.blocks)).not.toContain('phidelity:approve');
    const thread = scene.slack.thread('C0123', messages[0]!.ts);
    expect(thread.map(({ text }) => text)).toEqual(['✅ Fixed [HIGH]: lamp-off on hall (account clinic, 123456789012)']);
    expect(JSON.stringify(thread[0]!.blocks)).toContain('Verified by reading the live state');
    expect(scene.paths()).toEqual(['/api/chat.postMessage', '/api/chat.update', '/api/chat.postMessage']);
  });

  test('what is about many is a message of its own each time', async () => {
    const { finding: _, ...many } = told(lives.drift);
    expect(await send(many)).toBeUndefined();
    expect(await send(many, { slack: { channel: 'C0123', ts: '1.1' } })).toBeUndefined();
    expect(scene.slack.messages('C0123')).toHaveLength(2);
  });

  for (const code of ['message_not_found', 'cant_update_message', 'edit_window_closed'])
    test(`${code}: another message takes its place`, async () => {
      const first = await send(told(lives['a page']));
      scene.world.fail('slack', { status: 200, body: { ok: false, error: code } });
      const second = await send(told(lives.fixed), first);
      expect(scene.slack.messages('C0123').map(({ ts }) => ts)).toEqual([first?.slack?.ts, second?.slack?.ts]);
      expect(scene.slack.thread('C0123', second!.slack!.ts)).toEqual([]);
    });

  test('the policy names another channel: it goes on there', async () => {
    const first = await send(told(lives['a page']));
    const moved = await send(told(lives.fixed), first, { ...app, slackApp: { ...app.slackApp, channel: 'C0456' } });
    expect(moved?.slack?.channel).toBe('C0456');
    expect(scene.slack.messages('C0456').map(({ blocks }) => headOf(blocks))).toEqual(['✅ Fixed [HIGH]']);
  });

  test('a reply that fails is tried again, and the message is still one', async () => {
    const first = await send(told(lives['a page']));
    const changed = { status: 200, body: { ok: true } };
    scene.world.fail('slack', changed, { status: 503 });
    expect((await failure(send(told(lives.fixed), first))).failure).toBe('again');
    await send(told(lives.fixed), first);
    expect(scene.slack.messages('C0123')).toHaveLength(1);
    expect(scene.slack.thread('C0123', first!.slack!.ts)).toHaveLength(1);
  });

  const asked = lives['an approval is asked for'];

  describe('what became of an answer', () => {
    const words = "lee's answer (approve) was refused: It is about another plan than the one that is asked about.";
    const answered = (given: Parameters<typeof told>[0] = asked): Alert => ({
      ...told(given),
      id: 'f:answer:1',
      urgency: 'notify',
      answered: words,
    });

    test('changes the message, and is one line in its thread that the channel does not see', async () => {
      const first = await send(told(asked));
      const snoozed = { ...asked, snoozed: { until: '2026-11-02T03:00:00.000Z', by: 'lee', at: '2026-11-01T03:00:00.000Z' } };
      expect(await send(answered(snoozed), first)).toEqual(first);
      const [message] = scene.slack.messages('C0123');
      expect(message!.changes).toBe(1);
      expect(JSON.stringify(message!.blocks)).toContain('Snoozed until 2026-11-02T03:00:00.000Z.');
      expect(scene.slack.thread('C0123', message!.ts)).toMatchObject([{ text: `${words} lamp-off on hall`, blocks: [{ text: { text: words } }] }]);
      expect(scene.slack.thread('C0123', message!.ts)[0]!.broadcast).toBeUndefined();
    });

    test('does not bring back what the message showed before', async () => {
      const first = await send(told(asked));
      await send(told(lives.fixed), first);
      await slackApp(scene.outside)(answered(), app, { ...context, older: true }, first);
      const [message] = scene.slack.messages('C0123');
      expect([headOf(message!.blocks), message!.changes]).toEqual(['✅ Fixed [HIGH]', 1]);
      expect(scene.slack.thread('C0123', message!.ts).at(-1)!.text).toContain("lee's answer");
    });

    test('is not told where the finding has not been', async () => {
      expect(await send(answered())).toBeUndefined();
      const elsewhere: Kept = { slack: { channel: 'C0456', ts: '1.1' } };
      expect(await send(answered(), elsewhere)).toEqual(elsewhere);
      expect(scene.paths()).toEqual([]);
    });

    test('the message is gone: another takes its place, and has it in its thread', async () => {
      const first = await send(told(asked));
      scene.world.fail('slack', { status: 200, body: { ok: false, error: 'message_not_found' } });
      const second = await send(answered(), first);
      expect(second).not.toEqual(first);
      expect(scene.slack.thread('C0123', second!.slack!.ts).map(({ text }) => text)).toEqual([`${words} lamp-off on hall`]);
    });

    test('names are harmless in it', async () => {
      const first = await send(told(asked));
      await send({ ...answered(), answered: "<!channel> *lee* :tada: http://evil.example's answer" }, first);
      expect(scene.slack.thread('C0123', first!.slack!.ts)).toHaveLength(1);
    });
  });

  const now = new Date('2026-11-01T08:00:00Z');
  test.each<[string, () => Alert, boolean]>([
    ['a page', () => told(lives['a fix that failed']), true],
    ['a reminder of what was no page', () => reminderOf(finding(lives.drift), control, 1, now), true],
    ['a reminder of a page', () => reminderOf(finding(asked), control, 2, now), true],
    ['an escalation', () => escalationOf(finding(lives.drift), control, now), true],
    ['any other news', () => told(lives.fixed), false],
  ])('%s: seen in the channel too: %s', async (_, make, seen) => {
    const first = await send(told(lives.drift));
    await send(make(), first);
    const [reply, ...more] = scene.slack.thread('C0123', first!.slack!.ts);
    expect([reply!.broadcast === true, more]).toEqual([seen, []]);
    expect(reply!.text).toContain(make().headline);
  });

  test('a token that was changed is read again', async () => {
    await send(told(lives['a page']));
    scene.slack.token = 'xoxb-the-second-token';
    scene.secrets.set('ssm:/token', scene.slack.token);
    await send(told(lives['a page']));
    expect(scene.slack.messages('C0123')).toHaveLength(2);
    expect(scene.read).toEqual(['ssm:/token', 'ssm:/token']);
  });

  const passing: Readonly<Record<string, readonly [Parameters<OutsideWorld['fail']>[1], string, number?]>> = {
    'too many messages': [
      { status: 429, headers: { 'retry-after': '30' }, body: { ok: false, error: 'ratelimited' } },
      'Slack takes no more messages for now.',
      30,
    ],
    'too many messages, and no time': [{ status: 429 }, 'Slack gives no answer that can be used.'],
    'too many messages, told with 200': [
      { status: 200, headers: { 'retry-after': '7' }, body: { ok: false, error: 'ratelimited' } },
      'Slack answers ratelimited.',
      7,
    ],
    'a fault of Slack': [{ status: 500 }, 'Slack answers 500.'],
    'a fault of Slack, told with 200': [{ status: 200, body: { ok: false, error: 'internal_error' } }, 'Slack answers internal_error.'],
    'no answer': ['never', 'Slack has not answered in time.'],
    'a page of something in between': [{ status: 200, body: '<html>Welcome, xoxb-the-first-token</html>' }, 'Slack answers something that is not of its API.'],
  };
  for (const [name, [answer, message, retryAfter]] of Object.entries(passing))
    test(`${name}: again`, async () => {
      scene.world.fail('slack', answer);
      const error = await failure(send(told(lives['a page']), undefined, app, patienceFor(answer)));
      expect([error.failure, error.message, error.retryAfter]).toEqual(['again', message, retryAfter]);
    });

  test('nobody is there: again', async () => {
    const outside = { ...scene.outside, base: () => 'http://127.0.0.1:1' };
    const error = await failure(slackApp(outside)(told(lives['a page']), app, context, undefined));
    expect([error.failure, error.message]).toEqual(['again', 'Slack cannot be reached.']);
  });

  const refused: Readonly<Record<string, RegExp>> = {
    invalid_auth: /does not know the token: put the bot token/,
    token_revoked: /install the app anew/,
    account_inactive: /install the app anew/,
    channel_not_found: /no channel C0123: correct the id in the policy/,
    not_in_channel: /channel C0123: invite it there with \/invite/,
    is_archived: /Channel C0123 is archived: unarchive it/,
    missing_scope: /scope chat:write: add it/,
    invalid_blocks: /form of the message/,
    something_new: /^Slack refuses \(something_new\)\.$/,
    constructor: /^Slack refuses \(constructor\)\.$/,
  };
  for (const [code, sentence] of Object.entries(refused))
    test(`${code}: refused, with the way out`, async () => {
      const answer = { status: 200, body: { ok: false, error: code } };
      scene.world.fail('slack', answer);
      const error = await failure(send(told(lives['a page'])));
      // The secret has not been changed: the same would be refused again.
      expect([error.failure, scene.paths().length]).toEqual(['refused', 1]);
      expect(error.message).toMatch(sentence);
    });

  test('403: refused', async () => {
    scene.world.fail('slack', { status: 403, body: `no ${token}` });
    const error = await failure(send(told(lives['a page'])));
    expect([error.failure, error.message]).toEqual(['refused', 'Slack answers 403.']);
  });

  test('no error holds the token', async () => {
    for (const answer of [
      { status: 429 },
      { status: 403, body: token },
      { status: 200, body: token },
      { status: 200, body: { ok: false, error: token } },
      'never',
    ] as const) {
      scene.world.fail('slack', answer);
      const { message, cause, stack } = await failure(send(told(lives['a page']), undefined, app, patienceFor(answer)));
      expect(`${message} ${stack} ${cause instanceof Error ? `${cause.stack} ${JSON.stringify(cause)}` : ''}`).not.toContain(token);
    }
  });
});
