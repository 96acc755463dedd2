import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Context } from '../../../../engine/alerts/delivery.ts';
import { slackMessage, slackReply } from '../../../../engine/alerts/render/slack.ts';
import type { Finding } from '../../../../engine/model.ts';
import { finding, lives, named } from '../../../support/findings.ts';
import { hostile } from '../../../support/hostile-names.ts';
import { context, told } from '../../../support/lamps.ts';
import { messageFaults } from '../../../support/outside/slack-rules.ts';
import { texts } from '../../../support/slack-message.ts';

/** Each life, with the name in every place that strangers write, and in one that AWS does. */
const withNames = (name: string): Partial<Finding>[] =>
  Object.values(lives).map((life) => {
    const given = named(name, life);
    const { resource } = finding(given);
    return { ...given, resource: { ...resource, type: `AWS::${name}` } };
  });

const allFaults = (name: string): string[] =>
  withNames(name).flatMap((given) => {
    const one = told(given);
    const places: Context = { ...context, accountName: name, instead: name };
    return [...messageFaults({ ...slackMessage(one, places, { buttons: true }) }), ...messageFaults({ ...slackReply(one, places) })];
  });

describe('names are written by strangers', () => {
  for (const [name, text] of Object.entries({ ...hostile, nothing: '' }))
    test(`${name}: Slack takes it, and makes nothing of it`, () => expect(allFaults(text)).toEqual([]));

  test('what was a formatting character is none any more', () => {
    for (const given of withNames(hostile['formatting characters'])) {
      const words = texts(slackMessage(told(given), context, { buttons: true }))
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
