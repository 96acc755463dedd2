import { describe, expect, test } from '@jest/globals';
import type { KnownBlock } from '@slack/types';
import fc from 'fast-check';
import type { Alert } from '../../../../engine/alerts/alert.ts';
import { backlogAlertOf } from '../../../../engine/alerts/backlog.ts';
import type { Context } from '../../../../engine/alerts/delivery.ts';
import { alertOf } from '../../../../engine/alerts/finding.ts';
import { parseAction } from '../../../../engine/alerts/render/slack/actions.ts';
import type { SlackMessage } from '../../../../engine/alerts/render/slack/blocks.ts';
import { slackMessage, slackReply } from '../../../../engine/alerts/render/slack.ts';
import type { Finding } from '../../../../engine/model.ts';
import { control, done, finding, question, told } from '../../../support/findings.ts';
import { messageFaults } from '../../../support/outside/slack-rules.ts';

const undoable = { ...control, undo: true };
const context: Context = { accountName: 'clinic', stack: 'phidelity-prod', region: 'us-east-1' };
const alert = (given: Partial<Finding>): Alert => alertOf(finding(given), undoable);
const rendered = (given: Partial<Finding>, more: Partial<Context> = {}) => slackMessage(alert(given), { ...context, ...more }, { buttons: true });

/** Texts of all blocks, one a line. */
const texts = ({ blocks }: SlackMessage): string =>
  blocks
    .flatMap((block) => (block.type === 'context' ? block.elements : block.type === 'header' || block.type === 'section' ? [block.text] : []))
    .map(({ text }) => text)
    .join('\n');
const buttons = ({ blocks }: SlackMessage) => blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
const head = ({ blocks }: SlackMessage): string => blocks.flatMap((block) => (block.type === 'header' ? [block.text.text] : [])).join();

const cases: Readonly<Record<string, { readonly head: string; readonly says: readonly string[]; readonly pressed: readonly string[] }>> = {
  drift: { head: '🟠 Drift [HIGH]', says: ['*Wrong:* The lamp is on.', '*Done:* Nothing was changed.'], pressed: ['Except…', 'Snooze…', 'Check again'] },
  page: { head: '🟠 ACTION NEEDED [HIGH]', says: ['*Impact:* It gets dark.'], pressed: ['Except…', 'Snooze…', 'Check again'] },
  'cannot see': { head: '🟠 CANNOT SEE [HIGH]', says: ['*Not seen:* Not allowed to call lamp:Get.'], pressed: ['Except…', 'Snooze…', 'Check again'] },
  'approval needed': {
    head: '🟠 Approval needed [HIGH]',
    says: [
      '*Answer:*',
      '--stack phidelity-prod',
      '*Observed (-), expected (+):*\n```\n- on: true\n+ on: false\n```',
      'No verified change by the bot. Last read: NON_COMPLIANT.',
    ],
    pressed: ['Approve the fix', 'Deny', 'Except…', 'Snooze…', 'Check again'],
  },
  'fix planned': {
    head: '🟠 Fix planned [HIGH]',
    says: ['The fix is due at 2026-11-01T04:00:00.000Z'],
    pressed: ['Stop the fix', 'Except…', 'Snooze…', 'Check again'],
  },
  'fix waits': { head: '🟠 Fix waits [HIGH]', says: ['*Defined in:* CloudFormation stack portal'], pressed: ['Except…', 'Snooze…', 'Check again'] },
  'fix failed': { head: '🟠 FIX FAILED [HIGH]', says: ['It may have been written in part'], pressed: ['Except…', 'Snooze…', 'Check again'] },
  fixed: { head: '✅ Fixed [HIGH]', says: ['*Before (-), after (+):*', 'Verified by a read after the write.'], pressed: ['Undo…'] },
  'fixed and confirmed': { head: '✅ Fixed [HIGH]', says: ['and confirmed by its event.'], pressed: ['Undo…'] },
  resolved: { head: '✅ Resolved [HIGH]', says: ['No verified change by the bot. Last read: COMPLIANT.'], pressed: [] },
  gone: { head: '⚫ Resource gone [HIGH]', says: ['The resource does not exist.'], pressed: [] },
  excepted: { head: '⚫ Closed, excepted [HIGH]', says: ['The resource stays as it is'], pressed: [] },
  off: { head: '⚫ Closed, control off [HIGH]', says: ['The policy has this control off.'], pressed: [] },
  'undo asked': { head: '🟠 Undo asked [HIGH]', says: ['kim wants it undone'], pressed: ['Approve the undo', 'Deny the undo'] },
  'undo under way': { head: '⚫ Undo under way [HIGH]', says: ['The undo has begun for kim'], pressed: [] },
  undone: { head: '⚫ Undone [HIGH]', says: ['Undone for kim'], pressed: [] },
  'undo failed': { head: '🟠 UNDO FAILED [HIGH]', says: ['The undo did not succeed.'], pressed: [] },
};

describe('one finding', () => {
  test('each thing that is told has a case', () => expect(Object.keys(cases)).toEqual(Object.keys(told)));

  for (const [name, expected] of Object.entries(cases)) {
    test(name, () => {
      const message = rendered(told[name]!);
      // Our own types of blocks are among those of Slack's package.
      const blocks: KnownBlock[] = message.blocks;
      expect(messageFaults({ ...message, blocks })).toEqual([]);
      expect(head(message)).toBe(expected.head);
      for (const words of expected.says) expect(texts(message)).toContain(words);
      expect(buttons(message).map(({ text }) => text.text)).toEqual(expected.pressed);
      expect(message.text).toMatch(/^\S+ .* \[HIGH\]: lamp-off on hall \(account clinic, 123456789012\)$/u);
      expect(messageFaults({ ...slackReply(alert(told[name]!), context) })).toEqual([]);
    });

    test(`${name}: the whole is there for whom buttons are of no use`, () => {
      const message = rendered(told[name]!);
      const without = slackMessage(alert(told[name]!), context, { buttons: false });
      const linesOf = (one: SlackMessage) => texts(one).split('\n').sort();
      expect(linesOf(without)).toEqual(linesOf(message));
      expect(buttons(without)).toEqual([]);
    });
  }

  test('what is wrong comes first, and who made it so, then what was done and what can be answered; then the buttons, then the rest', () => {
    const { text, blocks } = rendered(told['approval needed']!);
    const at = blocks.findIndex(({ type }) => type === 'actions');
    const orderOf = (some: typeof blocks) => texts({ text, blocks: some }).match(/^\*(?!Observed)[^*]+:\*/gm);
    expect(orderOf(blocks.slice(0, at))).toEqual(['*Wrong:*', '*Who:*', '*Done:*', '*Proposal:*', '*Impact:*', '*Answer:*', '*Control:*']);
    expect(orderOf(blocks.slice(at))).toEqual(['*Command:*', '*Decided:*', '*When:*', '*Exposed:*']);
  });

  test('whom it was meant for is said on top', () => {
    const [first] = rendered(told.page!, { instead: 'PagerDuty has not taken this: <it> is down.' }).blocks;
    expect(first).toEqual({ type: 'section', text: { type: 'mrkdwn', text: '⚠️ PagerDuty has not taken this: &lt;it&gt; is down.', verbatim: true } });
  });

  test('a page of the console is linked, the ARNs can be copied', () => {
    const bucket = { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::claims' };
    const text = texts(rendered({ ...told.page!, resource: bucket }));
    expect(text).toContain('<https://us-east-1.console.aws.amazon.com/s3/buckets/claims?region=us-east-1&amp;tab=permissions|Open in the AWS console>');
    expect(text).toContain('`arn:aws:s3:::claims`');
    expect(text).toContain('*Who:* `arn:aws:sts::123456789012:assumed-role/Admin/dana` through the AWS CLI');
  });

  test('an ARN of 2,000 characters is whole', () => {
    const id = `arn:aws:lamp:us-east-1:123456789012:lamp/${'x'.repeat(1_959)}`;
    expect(texts(rendered({ ...told.page!, resource: { ...finding().resource, id } }))).toContain(`\`${id}\``);
  });
});

describe('buttons', () => {
  test('carry the finding and the beginning of the hash, nothing else', () => {
    const { answers, id } = alert(told['approval needed']!).finding!;
    const pressed = buttons(rendered(told['approval needed']!));
    expect(pressed.map(({ action_id, value }) => [action_id, value])).toEqual(answers.map(({ decision, hash }) => [`phidelity:${decision}`, `${id}|${hash}`]));
    expect(pressed.map(({ action_id, value }) => parseAction(action_id, value))).toEqual(
      answers.map(({ decision, hash }) => ({ decision, finding: id, hash })),
    );
    expect(pressed.map(({ style }) => style)).toEqual(['primary', undefined, undefined, undefined, undefined]);
  });

  test('about an undo say so', () => {
    const pressed = buttons(rendered(told['undo asked']!)).map(({ action_id, value }) => parseAction(action_id, value));
    const hash = 'ab'.repeat(8);
    expect(pressed).toEqual([
      { decision: 'approve', about: 'undo', finding: finding().id, hash },
      { decision: 'deny', about: 'undo', finding: finding().id, hash },
    ]);
  });

  const confirmed: Readonly<Record<string, readonly [string, string]>> = {
    'approval needed': ['Approve the fix?', 'The bot will do this: Switch the lamp off. On hall (account 123456789012, us-east-1). It gets dark.'],
    'undo asked': ['Approve the undo?', 'What the bot changed on hall (account 123456789012, us-east-1) is put back. Nothing yet. kim wants it undone'],
    fixed: ['Undo the fix?', 'What the bot changed is put back, and excepted until a day that you name. Done: Switch the lamp off.'],
  };
  for (const [name, [title, text]] of Object.entries(confirmed))
    test(`${name}: what writes says first what it will do`, () => {
      const [first, ...rest] = buttons(rendered(told[name]!));
      expect([first?.confirm?.title.text, first?.confirm?.text.text.slice(0, text.length)]).toEqual([title, text]);
      expect(rest.map(({ confirm }) => confirm)).toEqual(rest.map(() => undefined));
    });

  const id = finding().id;
  const hash = '0123456789abcdef';
  const malformed: Readonly<Record<string, readonly [unknown, unknown]>> = {
    'another prefix': ['other:approve', `${id}|${hash}`],
    'a decision that no button has': ['phidelity:end', `${id}|${hash}`],
    'an undo of what knows none': ['phidelity:snooze:undo', `${id}|${hash}`],
    'a name of every object': ['constructor', `${id}|${hash}`],
    'no text': [undefined, `${id}|${hash}`],
    'a value of another kind': ['phidelity:approve', { id, hash }],
    'no hash': ['phidelity:approve', `${id}|`],
    'a longer hash': ['phidelity:approve', `${id}|${hash}0`],
    'a hash in capitals': ['phidelity:approve', `${id}|${hash.toUpperCase()}`],
    'a finding that is none': ['phidelity:approve', `f-abc|${hash}`],
    'more behind it': ['phidelity:approve', `${id}|${hash}|x`],
    'a line break behind it': ['phidelity:approve', `${id}|${hash}\n`],
  };
  for (const [name, [action, value]] of Object.entries(malformed)) test(`${name} is no answer`, () => expect(parseAction(action, value)).toBeUndefined());
});

describe('alerts about many', () => {
  test('the backlog', () => {
    const found = Array.from({ length: 12 }, () => finding());
    const message = slackMessage(
      backlogAlertOf({ id: 'lamp-off', severity: 'HIGH', ...control }, { accountId: '1', region: 'us-east-1', began: 'now' }, found),
      context,
      { buttons: true },
    );
    expect(messageFaults({ ...message })).toEqual([]);
    expect(head(message)).toBe('🟠 Was there before [HIGH]');
    expect(texts(message)).toContain('*Found:* 12 resources fail by the first sweep');
    expect(buttons(message)).toEqual([]);
  });

  test('a digest of more lines than fit says how many are left out', () => {
    const lines = Array.from({ length: 200 }, (_, index) => ({ label: `Line ${index}`, value: '&'.repeat(500) }));
    const { finding: _, ...rest } = alert(told.drift!);
    const message = slackMessage({ ...rest, lines }, context, { buttons: true });
    expect(messageFaults({ ...message })).toEqual([]);
    expect(texts(message)).toMatch(/19\d more lines left out/);
  });
});

test('a finding with more to tell than fits: the most important stays', () => {
  const one = alert({ ...told['approval needed']!, resource: { ...finding().resource, id: `arn:aws:lamp:us-east-1:123456789012:lamp/${'&'.repeat(1_959)}` } });
  const differences = Array.from({ length: 12 }, (_, index) => ({ path: `path${index}`, observed: '&'.repeat(120), expected: '<'.repeat(120) }));
  const lines = [
    ...Array.from({ length: 20 }, (_, index) => ({ label: `Line ${index}`, value: '&'.repeat(500) })),
    { label: 'Wrong', value: 'The lamp is on.' },
  ];
  const message = slackMessage({ ...one, lines, finding: { ...one.finding!, differences } }, context, { buttons: true });
  expect(messageFaults({ ...message })).toEqual([]);
  expect(texts(message)).toContain('*Wrong:* The lamp is on.');
  expect(texts(message)).toMatch(/1\d more lines left out. All: `npx phidelity findings --stack phidelity-prod`/);
  expect(texts(message)).toContain('The finding has more.');
  expect(buttons(message)).toHaveLength(5);
});

/** Each of them in every place that strangers write. */
const withNames = (name: string): Partial<Finding>[] =>
  Object.values(told).map((given) => ({
    ...given,
    resource: { ...finding().resource, type: `AWS::${name}`, id: `arn:aws:lamp:us-east-1:123456789012:lamp/${name}` },
    actor: { arn: name, type: name, sourceIp: name, userAgent: name, invokedBy: name },
    evaluation: { ...(given.evaluation ?? finding().evaluation), annotation: `The lamp ${name} is on.` },
    decision: { ...(given.decision ?? finding().decision), reason: name },
    proposal: name,
    openedBy: { ...finding().openedBy, eventName: name },
    owner: { stack: { name, id: name } },
    ...(given.question && {
      question: question({ ...given.question, change: { ...done.change, before: { [name]: name }, after: { [name]: `${name}${name}` } } }),
    }),
    ...(given.undo && { undo: { ...given.undo, by: name, reason: name } }),
  }));

const allFaults = (name: string): string[] =>
  withNames(name).flatMap((given) => {
    const one = alert(given);
    const places: Context = { ...context, accountName: name, instead: name };
    return [...messageFaults({ ...slackMessage(one, places, { buttons: true }) }), ...messageFaults({ ...slackReply(one, places) })];
  });

describe('names are written by strangers', () => {
  const hostile: Readonly<Record<string, string>> = {
    'a call to the channel': '<!channel> <!here|here> <!everyone>',
    'a mention': '<@U012AB3CD> @here @channel @everyone @dana',
    'a link': '<http://evil.example|Approve> http://evil.example www.evil.example mail@evil.example',
    'formatting characters': '*Fixed* _now_ ~never~ `code` ```block```',
    'full-width formatting characters': '\uff0aFixed\uff0a \uff3fnow\uff3f \uff5enever\uff5e \uff40code\uff40',
    'emoji names': ':white_check_mark: :x: :+1: a:b:c',
    'a quote': '> quoted\n&gt; quoted',
    'entities without end': '&amp;&lt;'.repeat(300),
    'an ARN that is none': 'arn:aws:iam::x:`*bold*` arn:aws:s3:::a arn:`',
    'backticks without end': '`'.repeat(2_001),
    'an ARN of 2,000 characters': 'a'.repeat(2_000),
    'ampersands without end': '&'.repeat(2_000),
    'emoji without end': '💡'.repeat(1_000),
    'a family of emoji': '👩‍👩‍👧‍👦'.repeat(300),
    'a right-to-left name': 'מנורה'.repeat(400),
    'a bidi override': 'hall\u202e.dexiF      :enoD\u202c',
    'half a character': 'hall\ud800',
    nothing: '',
  };
  for (const [name, text] of Object.entries(hostile)) test(`${name}: Slack takes it, and makes nothing of it`, () => expect(allFaults(text)).toEqual([]));

  test('what was a formatting character is none any more', () => {
    for (const given of withNames(hostile['formatting characters']!)) {
      const words = texts(slackMessage(alert(given), context, { buttons: true }))
        .replace(/```[\s\S]*?```|`[^`]*`/g, '')
        // The labels are ours.
        .replace(/^(?:\*[^*\n]+:\*|\*Lamps are off\*)/gm, '');
      expect(words).not.toMatch(/[*~`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
    }
  });

  test('whatever the names', () => {
    const markup = fc.constantFrom(
      '<!channel>',
      '`',
      '```',
      '*',
      '_',
      '~',
      '&',
      '&amp;',
      '<',
      '>',
      ':x:',
      '@here',
      'http://e.example',
      ' ',
      '\n',
      'arn:aws:',
      '💡',
      'é',
      '\u202e',
      'x'.repeat(400),
    );
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2_500 }),
      fc.array(markup, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(names, (name) => expect(allFaults(name)).toEqual([])),
      { numRuns: 150 },
    );
  });
});
