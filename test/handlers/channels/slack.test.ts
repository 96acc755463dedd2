/** Against the stand-in for Slack, test/support/outside/slack.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Alert } from '../../../engine/alerts/alert.ts';
import { DeliveryError, type Kept } from '../../../engine/alerts/delivery.ts';
import { alertOf } from '../../../engine/alerts/finding.ts';
import type { Finding } from '../../../engine/model.ts';
import type { SecretRef } from '../../../engine/policy/channels.ts';
import type { Outside } from '../../../handlers/channels/outside.ts';
import { type SlackAppChannel, slackApp } from '../../../handlers/channels/slack.ts';
import { type SlackWebhookChannel, slackWebhook } from '../../../handlers/channels/slack-webhook.ts';
import { control, finding, told } from '../../support/findings.ts';
import { type OutsideWorld, outsideWorld } from '../../support/outside/server.ts';
import { type SlackService, slackService } from '../../support/outside/slack.ts';

const token = 'xoxb-the-first-token';
const path = '/services/T0/B0/the-first-path';
const context = { accountName: 'clinic', stack: 'phidelity', region: 'us-east-1' };
const taking = { pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } as const;
const app: SlackAppChannel = { ...taking, slackApp: { token: 'ssm:/token', signingSecret: 'ssm:/signing', channel: 'C0123' } };
const hook: SlackWebhookChannel = { ...taking, slackWebhook: 'ssm:/hook' };
const alert = (given: Partial<Finding>): Alert => alertOf(finding(given), { ...control, undo: true });

let slack: SlackService;
let world: OutsideWorld;
let secrets: Map<SecretRef, string>;
let read: SecretRef[];
let outside: Outside;
const inner = { current: (): SlackService => slack };

beforeAll(async () => {
  world = await outsideWorld({ slack: (asked) => inner.current().service(asked) });
});
afterAll(() => world.stop());
beforeEach(() => {
  slack = slackService({ token, channels: ['C0123', 'C0456'], webhooks: [path] });
  world.asked.set('slack', []);
  secrets = new Map<SecretRef, string>([
    ['ssm:/token', token],
    ['ssm:/hook', `${world.url}/slack${path}`],
  ]);
  read = [];
  const cache = new Map<SecretRef, string>();
  outside = {
    async secret(ref) {
      if (!cache.has(ref)) {
        read.push(ref);
        cache.set(ref, secrets.get(ref)!);
      }
      return cache.get(ref)!;
    },
    forget: (ref) => void cache.delete(ref),
    base: (service) => `${world.url}/${service}`,
    plainHttp: true,
  };
});

const paths = () => world.asked.get('slack')!.map((one) => one.path);
const failure = async (sending: Promise<unknown>): Promise<DeliveryError> => {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeliveryError)) throw new Error('It did not fail as deliveries do.', { cause: error });
  return error;
};
const headOf = (blocks: readonly unknown[]) => (blocks[0] as { text: { text: string } }).text.text;

describe('an app', () => {
  const send = (one: Alert, kept?: Kept, channel = app) => slackApp(outside, { patienceMs: 200 })(one, channel, context, kept);

  test('a finding is one message, which changes, and says so in its thread', async () => {
    const first = await send(alert(told['approval needed']!));
    expect(first).toEqual({ slack: { channel: 'C0123', ts: expect.any(String) } });
    expect(slack.messages('C0123').map(({ blocks }) => headOf(blocks))).toEqual(['🟠 Approval needed [HIGH]']);

    const second = await send(alert(told.fixed!), first);
    expect(second).toEqual(first);
    const messages = slack.messages('C0123');
    expect(messages.map(({ blocks, changes }) => [headOf(blocks), changes])).toEqual([['✅ Fixed [HIGH]', 1]]);
    expect(JSON.stringify(messages[0]!.blocks)).not.toContain('phidelity:approve');
    const thread = slack.thread('C0123', messages[0]!.ts);
    expect(thread.map(({ text }) => text)).toEqual(['✅ Fixed [HIGH]: lamp-off on hall (account clinic, 123456789012)']);
    expect(JSON.stringify(thread[0]!.blocks)).toContain('Verified by reading the live state');
    expect(paths()).toEqual(['/api/chat.postMessage', '/api/chat.update', '/api/chat.postMessage']);
  });

  test('what is about many is a message of its own each time', async () => {
    const { finding: _, ...many } = alert(told.drift!);
    expect(await send(many)).toBeUndefined();
    expect(await send(many, { slack: { channel: 'C0123', ts: '1.1' } })).toBeUndefined();
    expect(slack.messages('C0123')).toHaveLength(2);
  });

  for (const code of ['message_not_found', 'cant_update_message', 'edit_window_closed'])
    test(`${code}: another message takes its place`, async () => {
      const first = await send(alert(told.page!));
      world.fail('slack', { status: 200, body: { ok: false, error: code } });
      const second = await send(alert(told.fixed!), first);
      expect(slack.messages('C0123').map(({ ts }) => ts)).toEqual([first?.slack?.ts, second?.slack?.ts]);
      expect(slack.thread('C0123', second!.slack!.ts)).toEqual([]);
    });

  test('the policy names another channel: it goes on there', async () => {
    const first = await send(alert(told.page!));
    const moved = await send(alert(told.fixed!), first, { ...app, slackApp: { ...app.slackApp, channel: 'C0456' } });
    expect(moved?.slack?.channel).toBe('C0456');
    expect(slack.messages('C0456').map(({ blocks }) => headOf(blocks))).toEqual(['✅ Fixed [HIGH]']);
  });

  test('a reply that fails is tried again, and the message is still one', async () => {
    const first = await send(alert(told.page!));
    const { service } = slack;
    let calls = 0;
    inner.current = () => ({ ...slack, service: (asked) => (++calls === 2 ? { status: 503 } : service(asked)) });
    try {
      expect((await failure(send(alert(told.fixed!), first))).failure).toBe('again');
    } finally {
      inner.current = () => slack;
    }
    await send(alert(told.fixed!), first);
    expect(slack.messages('C0123')).toHaveLength(1);
    expect(slack.thread('C0123', first!.slack!.ts)).toHaveLength(1);
  });

  test('a token that was changed is read again', async () => {
    await send(alert(told.page!));
    slack.token = 'xoxb-the-second-token';
    secrets.set('ssm:/token', slack.token);
    await send(alert(told.page!));
    expect(slack.messages('C0123')).toHaveLength(2);
    expect(read).toEqual(['ssm:/token', 'ssm:/token']);
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
      world.fail('slack', answer);
      const error = await failure(send(alert(told.page!)));
      expect([error.failure, error.message, error.retryAfter]).toEqual(['again', message, retryAfter]);
    });

  test('nobody is there: again', async () => {
    outside = { ...outside, base: () => 'http://127.0.0.1:1' };
    const error = await failure(send(alert(told.page!)));
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
      const tries = ['invalid_auth', 'token_revoked', 'account_inactive'].includes(code) ? 2 : 1;
      world.fail('slack', ...Array.from({ length: tries }, () => answer));
      const error = await failure(send(alert(told.page!)));
      expect([error.failure, paths().length]).toEqual(['refused', tries]);
      expect(error.message).toMatch(sentence);
    });

  test('403: refused', async () => {
    world.fail('slack', { status: 403, body: `no ${token}` });
    const error = await failure(send(alert(told.page!)));
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
      world.fail('slack', answer);
      const { message, cause, stack } = await failure(send(alert(told.page!)));
      expect(`${message} ${stack} ${cause instanceof Error ? `${cause.stack} ${JSON.stringify(cause)}` : ''}`).not.toContain(token);
    }
  });
});

describe('an incoming webhook', () => {
  const send = (one: Alert) => slackWebhook(outside, { patienceMs: 200 })(one, hook, context, undefined);

  test('each state is a message, without buttons', async () => {
    expect(await send(alert(told['approval needed']!))).toBeUndefined();
    await send(alert(told.fixed!));
    const posted = slack.posted(path);
    expect(posted.map(({ blocks }) => headOf(blocks as unknown[]))).toEqual(['🟠 Approval needed [HIGH]', '✅ Fixed [HIGH]']);
    expect(JSON.stringify(posted)).not.toContain('"actions"');
  });

  test('an address that was changed is read again', async () => {
    secrets.set('ssm:/hook', `${world.url}/slack/services/T0/B0/gone`);
    const before = send(alert(told.page!));
    expect((await failure(before)).message).toMatch(/no_service.*make a new one/);
    secrets.set('ssm:/hook', `${world.url}/slack${path}`);
    await send(alert(told.page!));
    expect(slack.posted(path)).toHaveLength(1);
    expect(read).toEqual(['ssm:/hook', 'ssm:/hook', 'ssm:/hook']);
  });

  const refused: readonly (readonly [code: string, status: number, sentence: RegExp])[] = [
    ['no_service', 404, /make a new one/],
    ['invalid_token', 403, /make a new one/],
    ['action_prohibited', 403, /administrator/],
    ['channel_is_archived', 410, /unarchive it/],
    ['channel_not_found', 404, /make a webhook for another one/],
    ['invalid_payload', 400, /form of the message/],
    ['something new', 400, /^The Slack webhook answers 400\.$/],
    ['toString', 400, /^The Slack webhook answers 400\.$/],
  ];
  for (const [code, status, sentence] of refused)
    test(`${code}: refused, with the way out`, async () => {
      const tries = ['no_service', 'invalid_token'].includes(code) ? 2 : 1;
      world.fail('slack', ...Array.from({ length: tries }, () => ({ status, body: code })));
      const error = await failure(send(alert(told.page!)));
      expect([error.failure, paths().length]).toEqual(['refused', tries]);
      expect(error.message).toMatch(sentence);
      expect(`${error.message} ${error.stack}`).not.toContain('the-first-path');
    });

  const passing: Readonly<Record<string, readonly [Parameters<OutsideWorld['fail']>[1], string, number?]>> = {
    'too many messages': [{ status: 429, headers: { 'retry-after': '30' } }, 'The Slack webhook answers 429.', 30],
    'a fault of Slack': [{ status: 500, body: 'rollup_error' }, 'The Slack webhook answers 500.'],
    'no answer': ['never', 'The Slack webhook has not answered within 0.2 s.'],
  };
  for (const [name, [answer, message, retryAfter]] of Object.entries(passing))
    test(`${name}: again`, async () => {
      world.fail('slack', answer);
      const error = await failure(send(alert(told.page!)));
      expect([error.failure, error.message, error.retryAfter]).toEqual(['again', message, retryAfter]);
    });
});
