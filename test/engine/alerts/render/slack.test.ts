import { describe, expect, test } from '@jest/globals';
import type { KnownBlock } from '@slack/types';
import { backlogAlertOf } from '../../../../engine/alerts/backlog.ts';
import type { SlackMessage } from '../../../../engine/alerts/render/slack/blocks.ts';
import { slackMessage, slackReply } from '../../../../engine/alerts/render/slack.ts';
import { control, decided, finding, told } from '../../../support/findings.ts';
import { messageFaults } from '../../../support/outside/slack-rules.ts';
import { alert, buttons, context, head, rendered, texts } from '../../../support/slack-message.ts';

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

  test('what is resolved without a read that found it so is not green', () =>
    expect(head(rendered({ state: 'resolved', ...decided('page') }))).toBe('⚫ Resolved [HIGH]'));

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
