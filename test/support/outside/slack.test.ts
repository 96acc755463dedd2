/** The stand-in refuses what Slack refuses: else no test against it shows anything. */
import { describe, expect, test } from '@jest/globals';
import type { Asked } from './server.ts';
import { slackService } from './slack.ts';

const token = 'xoxb-1';
const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const section = (text: string) => ({ type: 'section', text: mrkdwn(text) });
const button = (more: object = {}) => ({ type: 'button', text: plain('Go'), action_id: 'a', value: 'v', ...more });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const confirm = (more: object) => ({ title: plain('Sure?'), text: plain('It writes.'), confirm: plain('Yes'), deny: plain('No'), ...more });
const long = (length: number) => 'x'.repeat(length);

const slack = () => slackService({ token, channels: ['C1'] });
const asked = (path: string, body: object, headers: Asked['headers'] = { authorization: `Bearer ${token}` }): Asked => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});
const errorOf = ({ body }: { readonly body?: unknown }) => (body as { error?: string }).error;
const posted = (blocks: unknown, more: object = {}) =>
  errorOf(slack().service(asked('/api/chat.postMessage', { channel: 'C1', text: 'Hello', blocks, ...more })));

describe('messages', () => {
  const taken: Readonly<Record<string, unknown[]>> = {
    'at the limits': [
      { type: 'header', text: plain(long(150)) },
      section(long(3_000)),
      { type: 'context', elements: Array.from({ length: 10 }, () => mrkdwn('x')) },
      actions(button({ action_id: long(255), value: long(2_000), text: plain(long(75)), confirm: confirm({ text: plain(long(300)) }) })),
    ],
    'fifty blocks': Array.from({ length: 50 }, () => ({ type: 'divider' })),
    'entities, code and a link into the console': [section('&amp; &lt; `a` ```\nb\n``` <https://us-east-1.console.aws.amazon.com/x?a=1&amp;b|Open> 03:00:00')],
  };
  for (const [name, blocks] of Object.entries(taken)) test(`${name}: taken`, () => expect(posted(blocks)).toBeUndefined());

  const refused: Readonly<Record<string, unknown>> = {
    'fifty-one blocks': Array.from({ length: 51 }, () => ({ type: 'divider' })),
    'no list of blocks': {},
    'an unknown block': [{ type: 'banner' }],
    'a block that only modals have': [{ type: 'input', label: plain('x'), element: { type: 'plain_text_input' } }],
    'a long header': [{ type: 'header', text: plain(long(151)) }],
    'a header with markup': [{ type: 'header', text: mrkdwn('x') }],
    'a long section': [section(long(3_001))],
    'an empty section': [section('')],
    'a section without text': [{ type: 'section' }],
    'eleven in a context': [{ type: 'context', elements: Array.from({ length: 11 }, () => mrkdwn('x')) }],
    'nothing in a context': [{ type: 'context', elements: [] }],
    'twenty-six buttons': [actions(...Array.from({ length: 26 }, (_, index) => button({ action_id: `a${index}` })))],
    'one action_id twice': [actions(button(), button())],
    'one block_id twice': [
      { ...section('x'), block_id: 'b' },
      { ...section('x'), block_id: 'b' },
    ],
    'a long block_id': [{ ...section('x'), block_id: long(256) }],
    'a long action_id': [actions(button({ action_id: long(256) }))],
    'a long value': [actions(button({ value: long(2_001) }))],
    'a long button': [actions(button({ text: plain(long(76)) }))],
    'a style of another name': [actions(button({ style: 'warning' }))],
    'an unknown element': [actions({ type: 'lever', action_id: 'a' })],
    'a dialog with a long title': [actions(button({ confirm: confirm({ title: plain(long(101)) }) }))],
    'a dialog with a long text': [actions(button({ confirm: confirm({ text: plain(long(301)) }) }))],
    'a dialog with a long button': [actions(button({ confirm: confirm({ deny: plain(long(31)) }) }))],
    'a dialog without text': [actions(button({ confirm: confirm({ text: undefined }) }))],
    'a text that Slack looks through': [{ type: 'section', text: { type: 'mrkdwn', text: 'x' } }],
    'a call to the channel': [section('<!channel>')],
    'a mention': [section('<@U012AB3CD>')],
    'a link to elsewhere': [section('<http://evil.example|Open>')],
    'an ampersand': [section('a & b')],
    'half an entity': [section('a &am')],
    'code without end': [section('a `b')],
    'a block of code without end': [section('```\na')],
    'an address': [section('http://evil.example')],
    'an emoji by its name': [section(':white_check_mark:')],
    'half a character': [section('\ud800')],
  };
  for (const [name, blocks] of Object.entries(refused)) test(`${name}: refused`, () => expect(posted(blocks)).toBe('invalid_blocks'));

  test('too much in all', () => expect(posted(Array.from({ length: 4 }, () => section(long(2_900))))).toBe('msg_blocks_too_long'));
  test('no text for notifications', () => expect(posted([section('x')], { text: undefined })).toBe('invalid_blocks'));
  test('a channel that the app is not in', () => expect(posted([section('x')], { channel: 'C2' })).toBe('channel_not_found'));
  test('a reply to nothing', () => expect(posted([section('x')], { thread_ts: '1.1' })).toBe('thread_not_found'));

  test('a reply may be shown in the channel, and only a reply', () => {
    const { service, messages, thread } = slack();
    const post = (more: object) => errorOf(service(asked('/api/chat.postMessage', { channel: 'C1', text: 'Hello', blocks: [section('x')], ...more })));
    post({});
    const [{ ts } = { ts: '' }] = messages('C1');
    expect([{ reply_broadcast: true }, { thread_ts: ts, reply_broadcast: 'yes' }].map(post)).toEqual(['invalid_arguments', 'invalid_arguments']);
    expect(
      [
        { thread_ts: ts, reply_broadcast: true },
        { thread_ts: ts, reply_broadcast: false },
      ].map(post),
    ).toEqual([undefined, undefined]);
    expect(thread('C1', ts).map(({ broadcast }) => broadcast)).toEqual([true, undefined]);
  });

  test('what answers an interaction has a text, for one or for all', () => {
    const { service, whispers } = slack();
    const say = (body: object) => service(asked('/actions/1', body, {})).status;
    expect([{ text: 'No' }, { text: 'No', response_type: 'ephemeral' }, { text: '' }, { text: 'No', response_type: 'loud' }].map(say)).toEqual([
      200, 200, 400, 400,
    ]);
    expect(whispers).toHaveLength(2);
  });

  test('who it is', () => {
    const { service } = slack();
    const body = { channel: 'C1', text: 'Hello', blocks: [] };
    expect(errorOf(service(asked('/api/chat.postMessage', body, {})))).toBe('not_authed');
    expect(errorOf(service(asked('/api/chat.postMessage', body, { authorization: 'Bearer other' })))).toBe('invalid_auth');
    expect(errorOf(service(asked('/api/chat.delete', body)))).toBe('unknown_method');
  });

  test('an update changes what was said, unless Slack would look through it', () => {
    const { service, messages } = slack();
    service(asked('/api/chat.postMessage', { channel: 'C1', text: 'One', blocks: [section('one')] }));
    const [{ ts } = { ts: '' }] = messages('C1');
    const update = (more: object) =>
      errorOf(service(asked('/api/chat.update', { channel: 'C1', ts, text: 'Two', blocks: [section('two')], parse: 'none', ...more })));
    expect([update({}), update({ ts: '1.1' }), update({ parse: undefined })]).toEqual([undefined, 'message_not_found', 'invalid_blocks']);
    expect(messages('C1')).toEqual([{ channel: 'C1', ts, text: 'Two', blocks: [section('two')], changes: 1 }]);
  });
});

describe('modals', () => {
  const input = { type: 'input', block_id: 'reason', label: plain('Why'), element: { type: 'plain_text_input', action_id: 'r', max_length: 500 } };
  const view = (more: object = {}) => ({ type: 'modal', callback_id: 'c', title: plain('Except'), submit: plain('Send'), blocks: [input], ...more });
  const opened = (given: unknown, trigger_id = 't') => errorOf(slack().service(asked('/api/views.open', { trigger_id, view: given })));

  test('taken', () => expect(opened(view({ private_metadata: long(3_000), title: plain(long(24)) }))).toBeUndefined());

  const refused: Readonly<Record<string, object>> = {
    'a long title': { title: plain(long(25)) },
    'a title with markup': { title: mrkdwn('x') },
    'a long button': { submit: plain(long(25)) },
    'nothing to send it with': { submit: undefined },
    'long metadata': { private_metadata: long(3_001) },
    'a long callback_id': { callback_id: long(256) },
    'too many blocks': { blocks: Array.from({ length: 101 }, () => section('x')) },
    'another type': { type: 'drawer' },
    'an input that takes too much': { blocks: [{ ...input, element: { ...input.element, max_length: 3_001 } }] },
    'a day that is none': { blocks: [{ ...input, element: { type: 'datepicker', action_id: 'd', initial_date: 'tomorrow' } }] },
  };
  for (const [name, more] of Object.entries(refused)) test(`${name}: refused`, () => expect(opened(view(more))).toBe('invalid_arguments'));

  test('a trigger is needed, and good for one', () => {
    const { service } = slack();
    const open = (trigger_id?: string) => errorOf(service(asked('/api/views.open', { trigger_id, view: view() })));
    expect([open(), open('t'), open('t')]).toEqual(['invalid_trigger_id', undefined, 'exchanged_trigger_id']);
  });
});
