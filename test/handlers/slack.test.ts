/** Slack's endpoint: what it lets in, what it leaves in the ledger (the embedded one), and what it says to Slack (a local server that enforces Slack's limits). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { actionId, actionValue } from '../../engine/alerts/render/slack/actions.ts';
import { isAnswerTo } from '../../engine/answers/form.ts';
import { longestBody, slackPrincipal } from '../../engine/answers/slack.ts';
import type { Answer, SlackProof } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Ledger } from '../../engine/ports.ts';
import { type Reception, receive } from '../../handlers/slack/reception.ts';
import { isSlacks, slackWeb } from '../../handlers/slack/web.ts';
import { type OutsideWorld, outsideWorld } from '../support/outside/server.ts';
import { type SlackService, slackService } from '../support/outside/slack.ts';
import { blockActions, type SlackRequest, signed, slackSecret, viewSubmission } from '../support/slack-signer.ts';
import { policyOf } from '../support/world.ts';

const id = 'f-xwbinqbqetctjjm4kahh23q2pm';
const hash = '0123456789abcdef';
const value = actionValue(id, hash);
const now = new Date('2026-11-01T03:00:00Z');
const lee = 'U012LEE';

const botToken = 'xoxb-1-test';
let outside: OutsideWorld;
let slack: SlackService;
let folder: string;
let ledger: ReturnType<typeof sqliteLedger>;
let knocks: string[];
let complaints: string[];
let token: string;
let secretReads: number;
let tableReads: number;

beforeEach(async () => {
  slack = slackService({ token: botToken, channels: [] });
  outside = await outsideWorld({ slack: slack.service });
  folder = mkdtempSync(join(tmpdir(), 'slack-'));
  ledger = sqliteLedger({ directory: folder, clock: { now: () => now } });
  [knocks, complaints, token, secretReads, tableReads] = [[], [], botToken, 0, 0];
});
afterEach(async () => {
  await outside.stop();
  ledger.close();
  rmSync(folder, { recursive: true });
});

const policy = { ...policyOf({}), people: { lee: { arns: ['arn:aws:sts::*:assumed-role/SecOps/lee'], slack: lee, approver: false } } };

const reception = (parts: Partial<Reception> = {}): Reception => ({
  signingSecret: 'ssm:/slack/secret',
  token: 'ssm:/slack/token',
  secrets: {
    async read(reference) {
      secretReads += 1;
      return reference.endsWith('secret') ? slackSecret : token;
    },
    forget() {},
  },
  clock: { now: () => now },
  ledger: {
    answer: ledger.answer,
    async policy() {
      tableReads += 1;
      return policy;
    },
  } satisfies Pick<Ledger, 'answer' | 'policy'>,
  web: slackWeb(outside.url),
  async knock({ findingId, id: answer }, work) {
    knocks.push(`${findingId} ${answer} ${work}`);
  },
  async complain(code) {
    complaints.push(code);
  },
  ...parts,
});

const requestOf = ({ timestamp, signature, body }: SlackRequest, { base64 = false, headers = {} as Record<string, string> } = {}) => ({
  headers: { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature, ...headers },
  body: base64 ? Buffer.from(body).toString('base64') : body,
  isBase64Encoded: base64,
});
const send = (payload: object | string, parts?: Partial<Reception>) => receive(requestOf(signed(slackSecret, payload, now)), reception(parts));
const left = () => ledger.answers(id);
/** Forms that Slack has opened. */
const opened = () => [...slack.views.values()] as { callback_id: string; private_metadata: string }[];
const heard = { response_url: '' };

describe('not let in, without a word, and with nothing read from the table', () => {
  const good = signed(slackSecret, blockActions(lee, 'phidelity:approve', value), now);
  const at = (seconds: number) => signed(slackSecret, blockActions(lee, 'phidelity:approve', value), new Date(now.getTime() + seconds * 1_000));
  const cases: Readonly<Record<string, { readonly request: Parameters<typeof receive>[0]; readonly status?: number }>> = {
    'another secret': { request: requestOf(signed('another', blockActions(lee, 'phidelity:approve', value), now)) },
    'a body that was changed': { request: requestOf({ ...good, body: good.body.replace('approve', 'deny') }) },
    'a body that was changed, in base64': { request: requestOf({ ...good, body: `${good.body}&x` }, { base64: true }) },
    stale: { request: requestOf(at(-301)) },
    'from the future': { request: requestOf(at(301)) },
    'no signature': { request: requestOf({ ...good, signature: '' }) },
    'no time': { request: requestOf({ ...good, timestamp: '' }) },
    'no headers': { request: { headers: {}, body: good.body, isBase64Encoded: false } },
    'no body': { request: { ...requestOf(good), body: '' } },
    'bytes that are no text': { request: { ...requestOf(good), body: Buffer.from([0xff, 0xfe]).toString('base64'), isBase64Encoded: true } },
    'too long': { request: requestOf(signed(slackSecret, 'x'.repeat(256 * 1024 + 1), now)), status: 413 },
    'too long, in base64': { request: requestOf(signed(slackSecret, 'x'.repeat(256 * 1024 + 1), now), { base64: true }), status: 413 },
  };
  test.each(Object.entries(cases))('%s', async (_, { request, status = 401 }) => {
    expect(await receive(request, reception())).toEqual({ statusCode: status, body: '' });
    expect([await left(), knocks, tableReads]).toEqual([[], [], 0]);
  });

  test('stale: not even the secret is read', async () => {
    await receive(requestOf(at(-301)), reception());
    expect(secretReads).toBe(0);
  });

  test('the secret cannot be read: an error, which an alarm counts', async () => {
    const secrets = { read: () => Promise.reject(new Error('denied')), forget() {} };
    await expect(send(blockActions(lee, 'phidelity:approve', value), { secrets })).rejects.toThrow('denied');
  });
});

describe('an answer', () => {
  test.each<[string, string, string]>([
    ['phidelity:approve', 'approve', 'act'],
    ['phidelity:deny', 'deny', 'act'],
    ['phidelity:approve:undo', 'approve', 'undo'],
    ['phidelity:deny:undo', 'deny', 'undo'],
    ['phidelity:snooze', 'snooze', 'heed'],
    ['phidelity:recheck', 'recheck', 'heed'],
  ])('%s', async (action, decision, work) => {
    expect(await send(blockActions(lee, action, value))).toEqual({ statusCode: 200, body: '' });
    const [answer, ...more] = await left();
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ decision, planHash: hash, at: now.toISOString() });
    expect(isAnswerTo(id, answer)).toBe(true);
    expect(slackPrincipal(slackSecret, (answer as Answer).proof as SlackProof)).toEqual({ arn: `slack:${lee}`, accountId: '' });
    expect(knocks).toEqual([`${id} ${answer!.id} ${work}`]);
    expect(`${id}-${answer!.id}`).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
  });

  test('in base64, and with headers written otherwise', async () => {
    const request = signed(slackSecret, blockActions(lee, 'phidelity:approve', value), now);
    const headers = { 'X-Slack-Request-Timestamp': request.timestamp, 'X-Slack-Signature': request.signature };
    const { body } = requestOf(request, { base64: true });
    expect(await receive({ headers, body, isBase64Encoded: true }, reception())).toEqual({ statusCode: 200, body: '' });
    expect(await left()).toHaveLength(1);
  });

  test('again, and signed anew as Slack does when it tries again: one answer, one execution', async () => {
    const payload = blockActions(lee, 'phidelity:approve', value);
    for (const seconds of [0, 0, 3]) {
      const request = signed(slackSecret, payload, new Date(now.getTime() + seconds * 1_000));
      expect(await receive(requestOf(request, { headers: { 'x-slack-retry-num': '1' } }), reception())).toEqual({ statusCode: 200, body: '' });
    }
    expect(await left()).toHaveLength(1);
    expect(new Set(knocks).size).toBe(1);
  });

  test('that cannot be left, or not be told of: an error, so that Slack shows it', async () => {
    const broken = { answer: () => Promise.reject(new Error('throttled')), policy: async () => policy };
    await expect(send(blockActions(lee, 'phidelity:approve', value), { ledger: broken })).rejects.toThrow('throttled');
    await expect(send(blockActions(lee, 'phidelity:approve', value), { knock: () => Promise.reject(new Error('no function')) })).rejects.toThrow('no function');
  });

  test('in a message too long to be kept: said so, nothing left', async () => {
    const long = { message: { text: 'x'.repeat(longestBody) }, response_url: `${outside.url}/slack/actions/1` };
    expect(await send(blockActions(lee, 'phidelity:approve', value, long))).toEqual({ statusCode: 200, body: '' });
    expect(slack.whispers).toMatchObject([{ response_type: 'ephemeral', replace_original: false, text: expect.stringContaining('command line') }]);
    expect(await left()).toEqual([]);
  });
});

describe('nothing, with 200', () => {
  test.each<[string, object | string]>([
    ['a check of the certificate', 'ssl_check=1&token=x'],
    ['another kind of payload', { type: 'shortcut', user: { id: lee } }],
    ['a form that was closed', { type: 'view_closed', user: { id: lee } }],
    ['a button of somebody else', blockActions(lee, 'other:approve', value)],
    ['no JSON', 'payload=%7B'],
  ])('%s', async (_, payload) => {
    expect(await send(payload)).toEqual({ statusCode: 200, body: '' });
    expect([await left(), knocks, outside.asked.get('slack'), tableReads]).toEqual([[], [], [], 0]);
  });
});

describe('whom the policy does not name', () => {
  const stranger = 'U0MALLORY';

  test('a click: words that only they see, nothing left', async () => {
    expect(await send(blockActions(stranger, 'phidelity:approve', value, { response_url: `${outside.url}/slack/actions/1` }))).toEqual({
      statusCode: 200,
      body: '',
    });
    expect(slack.whispers).toMatchObject([{ response_type: 'ephemeral', text: expect.stringMatching(/^You are not one of the people of the policy/) }]);
    expect([await left(), knocks]).toEqual([[], []]);
  });

  test('a form: not opened, and not taken', async () => {
    await send(blockActions(stranger, 'phidelity:undo', value, heard));
    expect(opened()).toEqual([]);
    const { body } = await send(viewSubmission(stranger, 'phidelity:undo', value, { reason: 'why', until: '2026-11-20' }));
    expect(JSON.parse(body!)).toEqual({ response_action: 'errors', errors: { reason: expect.stringMatching(/^You are not one of the people/) } });
    expect(await left()).toEqual([]);
  });

  test('nor does a policy without people, or none at all, name anybody', async () => {
    const unnamed: (CompiledPolicy | undefined)[] = [undefined, { ...policy, people: {} }, { ...policy, people: { lee: { arns: ['*'], approver: true } } }];
    for (const none of unnamed) {
      await send(blockActions(lee, 'phidelity:approve', value, heard), { ledger: { answer: ledger.answer, policy: async () => none } });
      expect(await left()).toEqual([]);
    }
  });
});

describe('a form', () => {
  test.each(['except', 'undo'] as const)('%s: opened as Slack takes it, and what is submitted is an answer', async (decision) => {
    expect(await send(blockActions(lee, actionId(decision), value))).toEqual({ statusCode: 200, body: '' });
    const [view] = opened();
    expect(await left()).toEqual([]);
    const metadata = JSON.parse(view!.private_metadata) as { value: string };
    const submission = viewSubmission(lee, view!.callback_id, metadata.value, { reason: ' a vendor ', until: '2026-12-01' });
    expect(await send(submission)).toEqual({ statusCode: 200, body: '' });
    expect(await left()).toMatchObject([{ decision, planHash: hash, reason: 'a vendor', until: '2026-12-01' }]);
    expect(knocks).toEqual([expect.stringMatching(decision === 'undo' ? / undo$/ : / heed$/)]);
  });

  test.each<[string, object, string[]]>([
    ['no reason', { reason: '  ', until: '2026-12-01' }, ['reason']],
    ['a long one', { reason: 'x'.repeat(1_001), until: '2026-12-01' }, ['reason']],
    ['nothing', { reason: null, until: null }, ['reason', 'until']],
    ['a day that is over', { reason: 'x', until: '2026-10-31' }, ['until']],
    ['91 days', { reason: 'x', until: '2027-01-31' }, ['until']],
  ])('%s: said beside it', async (_, given, blocks) => {
    const { statusCode, body } = await send(viewSubmission(lee, 'phidelity:except', value, given));
    const { response_action, errors } = JSON.parse(body!);
    expect([statusCode, response_action, Object.keys(errors)]).toEqual([200, 'errors', blocks]);
    expect([await left(), knocks]).toEqual([[], []]);
  });

  test('that Slack does not open: said to whoever clicked, and in the log', async () => {
    token = 'xoxb-old';
    await send(blockActions(lee, 'phidelity:undo', value, { response_url: `${outside.url}/slack/actions/1` }));
    expect(slack.whispers).toMatchObject([{ text: expect.stringContaining('could not be opened (invalid_auth)') }]);
    expect(complaints).toEqual(['invalid_auth']);
  });
});

test.each<[string, boolean]>([
  ['https://hooks.slack.com/actions/T1/2/3', true],
  ['http://hooks.slack.com/actions/T1/2/3', false],
  ['https://hooks.slack.com.example.com/', false],
  ['https://hooks.slack.com@example.com/', false],
  ['https://user:pass@hooks.slack.com/', false],
  ['https://hooks.slack.com:8443/', false],
  ['https://example.com/?https://hooks.slack.com/', false],
  ['https://slack.com/', false],
  ['http://169.254.169.254/latest/meta-data/', false],
  ['file:///etc/passwd', false],
  ['', false],
])('%s is an address of Slack: %s', (address, is) => {
  expect(isSlacks(address, undefined)).toBe(is);
});
