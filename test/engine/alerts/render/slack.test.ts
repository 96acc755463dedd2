import { describe, expect, test } from '@jest/globals';
import type { KnownBlock } from '@slack/types';
import { backlogAlertOf } from '../../../../engine/alerts/backlog.ts';
import type { SlackMessage } from '../../../../engine/alerts/render/slack/blocks.ts';
import { slackMessage, slackReply } from '../../../../engine/alerts/render/slack.ts';
import { control, decided, finding, type Life, lives } from '../../../support/findings.ts';
import { context, told } from '../../../support/lamps.ts';
import { messageFaults } from '../../../support/outside/slack-rules.ts';
import { buttons, head, rendered, texts } from '../../../support/slack-message.ts';

interface Case {
  readonly head: string;
  readonly says: readonly string[];
  readonly pressed: readonly string[];
}

const cases: Readonly<Record<Life, Case>> = {
  drift: { head: '🟠 Drift [HIGH]', says: ['*Wrong:* The lamp is on.', '*Done:* Nothing was changed.'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  'a page': { head: '🟠 ACTION NEEDED [HIGH]', says: ['*Impact:* It gets dark.'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  'a page that was told': { head: '🟠 ACTION NEEDED [HIGH]', says: ['*Impact:* It gets dark.'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  'the bot cannot see': {
    head: '🟠 CANNOT SEE [HIGH]',
    says: ['*Not seen:* Not allowed to call lamp:Get.'],
    pressed: ['Except…', 'Snooze 24 h', 'Check again'],
  },
  'an approval is asked for': {
    head: '🟠 Approval needed [HIGH]',
    says: [
      '*Answer:*',
      '--stack phidelity-prod',
      '*Observed (-), expected (+):*\n```\n- on: true\n+ on: false\n```',
      'No verified change by the bot. Last read: NON_COMPLIANT.',
    ],
    pressed: ['Approve the fix', 'Deny', 'Except…', 'Snooze 24 h', 'Check again'],
  },
  'one of two has approved': {
    head: '🟠 Approval needed [HIGH]',
    says: ['*Answer:* Approved by dana. By 2026-11-04T03:00:00.000Z, by another person of the policy'],
    pressed: ['Approve the fix', 'Deny', 'Except…', 'Snooze 24 h', 'Check again'],
  },
  'a fix under way': { head: '🟠 Fix under way [HIGH]', says: ['*Done:* Nothing yet.'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  'a fix planned': {
    head: '🟠 Fix planned [HIGH]',
    says: ['The fix is due at 2026-11-01T04:00:00.000Z'],
    pressed: ['Stop the fix', 'Except…', 'Snooze 24 h', 'Check again'],
  },
  'a fix that waits for its stack': {
    head: '🟠 Fix waits [HIGH]',
    says: ['*Defined in:* CloudFormation stack portal'],
    pressed: ['Except…', 'Snooze 24 h', 'Check again'],
  },
  'a fix that failed': { head: '🟠 FIX FAILED [HIGH]', says: ['It may have been written in part'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  'a fix to be tried again': { head: '🟠 Fix under way [HIGH]', says: ['*Done:* Nothing yet.'], pressed: ['Except…', 'Snooze 24 h', 'Check again'] },
  fixed: { head: '✅ Fixed [HIGH]', says: ['*Before (-), after (+):*', 'Verified by a read after the write.'], pressed: ['Undo…'] },
  'fixed and confirmed': { head: '✅ Fixed [HIGH]', says: ['and confirmed by its event.'], pressed: ['Undo…'] },
  'put right by somebody': { head: '✅ Resolved [HIGH]', says: ['No verified change by the bot. Last read: COMPLIANT.'], pressed: [] },
  'not applicable any more': { head: '✅ Resolved [HIGH]', says: ['No verified change by the bot. Last read: NOT_APPLICABLE.'], pressed: [] },
  gone: { head: '⚫ Resource gone [HIGH]', says: ['The resource does not exist.'], pressed: [] },
  'gone already': {
    head: '⚫ Gone already [HIGH]',
    says: ['*Was:* The lamp is on.', '*Done:* Nothing by the bot.', '*Exposed:* for at most 1 s'],
    pressed: [],
  },
  excepted: { head: '⚫ Closed, excepted [HIGH]', says: ['The resource stays as it is'], pressed: [] },
  'excepted, though read as compliant': { head: '⚫ Closed, excepted [HIGH]', says: ['The resource stays as it is'], pressed: [] },
  'switched off': { head: '⚫ Closed, control off [HIGH]', says: ['The policy has this control off.'], pressed: [] },
  'an undo is asked for': { head: '🟠 Undo asked [HIGH]', says: ['kim wants it undone'], pressed: ['Approve the undo', 'Deny the undo'] },
  'an undo under way': { head: '⚫ Undo under way [HIGH]', says: ['The undo has begun for kim'], pressed: [] },
  undone: { head: '⚫ Undone [HIGH]', says: ['Undone for kim'], pressed: [] },
  'not undone': { head: '⚫ Not undone [HIGH]', says: ['*Done:* Not undone. Nobody has approved it in time.'], pressed: [] },
  'an undo that failed': { head: '🟠 UNDO FAILED [HIGH]', says: ['The undo did not succeed.'], pressed: [] },
};

describe('one finding', () => {
  for (const [name, expected] of Object.entries(cases) as [Life, Case][]) {
    test(name, () => {
      const message = rendered(lives[name]);
      // Our own types of blocks are among those of Slack's package.
      const blocks: KnownBlock[] = message.blocks;
      expect(messageFaults({ ...message, blocks })).toEqual([]);
      expect(head(message)).toBe(expected.head);
      for (const words of expected.says) expect(texts(message)).toContain(words);
      expect(buttons(message).map(({ text }) => text.text)).toEqual(expected.pressed);
      expect(message.text).toMatch(/^\S+ .* \[HIGH\]: lamp-off on hall \(account clinic, 123456789012\)$/u);
      expect(messageFaults({ ...slackReply(told(lives[name]), context) })).toEqual([]);
    });

    test(`${name}: the whole is there for whom buttons are of no use`, () => {
      const message = rendered(lives[name]);
      const without = slackMessage(told(lives[name]), context, { buttons: false });
      const linesOf = (one: SlackMessage) => texts(one).split('\n').sort();
      expect(linesOf(without)).toEqual(linesOf(message));
      expect(buttons(without)).toEqual([]);
    });
  }

  test('what is resolved without a read that found it so is not green', () =>
    expect(head(rendered({ state: 'resolved', ...decided('page') }))).toBe('⚫ Resolved [HIGH]'));

  test('what is wrong comes first, and who made it so, then what was done and what can be answered; then the buttons, then the rest', () => {
    const { text, blocks } = rendered(lives['an approval is asked for']);
    const at = blocks.findIndex(({ type }) => type === 'actions');
    const orderOf = (some: typeof blocks) => texts({ text, blocks: some }).match(/^\*(?!Observed)[^*]+:\*/gm);
    expect(orderOf(blocks.slice(0, at))).toEqual(['*Wrong:*', '*Drift by:*', '*Done:*', '*Proposal:*', '*Impact:*', '*Answer:*', '*Control:*']);
    expect(orderOf(blocks.slice(at))).toEqual(['*Command:*', '*Decided:*', '*When:*', '*Exposed:*']);
  });

  test('whom it was meant for is said on top', () => {
    const [first] = rendered(lives['a page'], { instead: 'PagerDuty has not taken this: <it> is down.' }).blocks;
    expect(first).toEqual({ type: 'section', text: { type: 'mrkdwn', text: '⚠️ PagerDuty has not taken this: &lt;it&gt; is down.', verbatim: true } });
  });

  test('a page of the console is linked, the ARNs can be copied', () => {
    const bucket = { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::claims' };
    const text = texts(rendered({ ...lives['a page'], resource: bucket }));
    expect(text).toContain('<https://us-east-1.console.aws.amazon.com/s3/buckets/claims?region=us-east-1&amp;tab=permissions|Open in the AWS console>');
    expect(text).toContain('`arn:aws:s3:::claims`');
    expect(text).toContain('*Drift by:* `arn:aws:sts::123456789012:assumed-role/Admin/dana` through the AWS CLI');
  });

  test('an ARN of 2,000 characters is whole', () => {
    const id = `arn:aws:lamp:us-east-1:123456789012:lamp/${'x'.repeat(1_959)}`;
    expect(texts(rendered({ ...lives['a page'], resource: { ...finding().resource, id } }))).toContain(`\`${id}\``);
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
    const { finding: _, ...rest } = told(lives.drift);
    const message = slackMessage({ ...rest, lines }, context, { buttons: true });
    expect(messageFaults({ ...message })).toEqual([]);
    expect(texts(message)).toMatch(/19\d more lines left out/);
  });
});

test('a finding with more to tell than fits: the most important stays', () => {
  const one = told({
    ...lives['an approval is asked for'],
    resource: { ...finding().resource, id: `arn:aws:lamp:us-east-1:123456789012:lamp/${'&'.repeat(1_959)}` },
  });
  const differences = Array.from({ length: 12 }, (_, index) => ({ path: `path${index}`, observed: '&'.repeat(120), expected: '<'.repeat(120) }));
  const lines = [
    ...Array.from({ length: 20 }, (_, index) => ({ label: `Line ${index}`, value: '&'.repeat(500) })),
    { label: 'Wrong', value: 'The lamp is on.' },
  ];
  const message = slackMessage({ ...one, lines, finding: { ...one.finding!, differences } }, context, { buttons: true });
  expect(messageFaults({ ...message })).toEqual([]);
  expect(texts(message)).toContain('*Wrong:* The lamp is on.');
  expect(texts(message)).toMatch(/1\d more lines left out. All: `npx phidelity findings --stack phidelity-prod --region us-east-1`/);
  expect(texts(message)).toContain('The finding has more.');
  expect(buttons(message)).toHaveLength(5);
});
