import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Context } from '../../../../engine/alerts/delivery.ts';
import { slackMessage, slackReply } from '../../../../engine/alerts/render/slack.ts';
import type { Finding } from '../../../../engine/model.ts';
import { done, finding, question, told } from '../../../support/findings.ts';
import { messageFaults } from '../../../support/outside/slack-rules.ts';
import { alert, context, texts } from '../../../support/slack-message.ts';

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
