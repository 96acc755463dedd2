import { describe, expect, test } from '@jest/globals';
import { parseAction } from '../../../../engine/alerts/render/slack/actions.ts';
import { finding, type Life, lives } from '../../../support/findings.ts';
import { told } from '../../../support/lamps.ts';
import { buttons, rendered } from '../../../support/slack-message.ts';

describe('buttons', () => {
  test('carry the finding and the beginning of the hash, nothing else', () => {
    const { answers, id } = told(lives['an approval is asked for']).finding!;
    const pressed = buttons(rendered(lives['an approval is asked for']));
    expect(pressed.map(({ action_id, value }) => [action_id, value])).toEqual(answers.map(({ decision, hash }) => [`phidelity:${decision}`, `${id}|${hash}`]));
    expect(pressed.map(({ action_id, value }) => parseAction(action_id, value))).toEqual(
      answers.map(({ decision, hash }) => ({ decision, ...((decision === 'approve' || decision === 'deny') && { about: 'fix' }), findingId: id, hash })),
    );
    expect(pressed.map(({ style }) => style)).toEqual(['primary', undefined, undefined, undefined, undefined]);
  });

  test('about an undo say so', () => {
    const pressed = buttons(rendered(lives['an undo is asked for'])).map(({ action_id, value }) => parseAction(action_id, value));
    const hash = 'ab'.repeat(8);
    expect(pressed).toEqual([
      { decision: 'approve', about: 'undo', findingId: finding().id, hash },
      { decision: 'deny', about: 'undo', findingId: finding().id, hash },
    ]);
  });

  const confirmed: Readonly<Partial<Record<Life, readonly [string, string]>>> = {
    'an approval is asked for': ['Approve the fix?', 'The bot will do this: Switch the lamp off. On hall (account 123456789012, us-east-1). It gets dark.'],
    'an undo is asked for': [
      'Approve the undo?',
      'What the bot changed on hall (account 123456789012, us-east-1) is put back. Nothing yet. kim wants it undone',
    ],
    fixed: ['Undo the fix?', 'What the bot changed is put back, and excepted until a day that you name. Done: Switch the lamp off.'],
  };
  for (const [name, [title, text]] of Object.entries(confirmed) as [Life, readonly [string, string]][])
    test(`${name}: what writes says first what it will do`, () => {
      const [first, ...rest] = buttons(rendered(lives[name]));
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
