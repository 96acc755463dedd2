import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AdaptiveCard, styleOf, teamsMessage } from '../../../../engine/alerts/render/teams.ts';
import { everyLife, type Life } from '../../../support/findings.ts';
import { hostile } from '../../../support/hostile-names.ts';
import { alertIn, alertNamed, context, digest } from '../../../support/lamps.ts';
import { cardErrorsOf, messageErrorsOf } from '../../../support/outside/teams.ts';

const cardIn = (life: Life, changes = {}) => teamsMessage(alertIn(life, changes), context).attachments[0].content;
/** What a person reads, block by block. */
const textsOf = (card: AdaptiveCard): string[] =>
  card.body.flatMap((element) => (element.type === 'Container' ? element.items : [element])).map(({ inlines }) => inlines.map(({ text }) => text).join(''));

const styles: Readonly<Record<Life, string>> = {
  drift: 'attention',
  'a page': 'attention',
  'a page that was told': 'attention',
  'the bot cannot see': 'attention',
  'an approval is asked for': 'attention',
  'one of two has approved': 'attention',
  'a fix under way': 'attention',
  'a fix planned': 'attention',
  'a fix that waits for its stack': 'attention',
  'a fix that failed': 'attention',
  'a fix to be tried again': 'attention',
  fixed: 'good',
  'fixed and confirmed': 'good',
  'put right by somebody': 'good',
  'not applicable any more': 'good',
  gone: 'good',
  'gone already': 'emphasis',
  excepted: 'emphasis',
  'excepted, though read as compliant': 'emphasis',
  'switched off': 'emphasis',
  'an undo is asked for': 'attention',
  'an undo under way': 'emphasis',
  undone: 'emphasis',
  'not undone': 'emphasis',
  'an undo that failed': 'attention',
};

describe('the colour of the title', () => {
  for (const [life, style] of Object.entries(styles) as [Life, string][])
    test(life, () => expect(cardIn(life).body[0]).toMatchObject({ type: 'Container', style }));

  test.each([
    ['ended, and last read as drift', alertIn('put right by somebody'), { complianceType: 'NON_COMPLIANT' as const }],
    ['ended, and last not seen', alertIn('put right by somebody'), { complianceType: 'INSUFFICIENT_DATA' as const }],
    ['fixed, and not verified', alertIn('fixed'), { verified: false }],
  ])('not green: %s', (_, alert, changes) => {
    expect(styleOf({ ...alert, finding: { ...alert.finding!, ...changes } })).toBe('emphasis');
  });

  test('below HIGH', () => {
    expect([styleOf(alertIn('drift', { severity: 'MEDIUM' })), styleOf(alertIn('drift', { severity: 'LOW' }))]).toEqual(['warning', 'accent']);
    expect(styleOf(alertIn('a page', { severity: 'LOW' }))).toBe('attention');
  });
});

describe('what is told', () => {
  test('in whole', () => {
    const alert = alertIn('an approval is asked for');
    const card = teamsMessage(alert, { ...context, instead: 'Slack cannot be reached.' }).attachments[0].content;
    expect(textsOf(card)).toEqual([
      'Approval needed [HIGH]',
      'hall - lamp-off',
      'account clinic (123456789012), us-east-1',
      'Slack cannot be reached.',
      ...alert.lines.filter(({ label }) => label !== 'Command').map(({ label, value }) => `${label}: ${value}`),
      'Observed -> expected',
      'on: true -> false',
      'To answer',
      'npx phidelity approve f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
      'npx phidelity deny f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
      'npx phidelity except f-abcdefghijklmnopqrstuvwxyz --for 30d --reason "..." --stack phidelity-prod --region us-east-1',
      'npx phidelity snooze f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
      'npx phidelity recheck f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
    ]);
    expect(card).toMatchObject({ msteams: { width: 'Full' }, fallbackText: '[HIGH] Approval needed: lamp-off' });
    expect(card.actions).toBeUndefined();
  });

  test('the console, where a page is known', () => {
    const bucket = { accountId: '123456789012', region: 'eu-west-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::lamps' };
    expect(cardIn('a page', { resource: bucket }).actions).toMatchObject([{ type: 'Action.OpenUrl', url: expect.stringContaining('/s3/buckets/lamps') }]);
  });

  test('what does not fit is cut from the end, and it says where the rest is', () => {
    const message = teamsMessage(digest(100), context);
    const texts = textsOf(message.attachments[0].content);
    expect(texts.slice(3, 6).map((text) => text.slice(0, 8))).toEqual(['Open: 0:', 'Open: 1:', 'Open: 2:']);
    expect(texts.at(-1)).toMatch(/^More than is shown here: `npx phidelity findings --stack phidelity-prod/);
    expect(Buffer.byteLength(JSON.stringify(message))).toBeGreaterThan(20 * 1_024);
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(28 * 1_024);
  });

  test('a card of a finding that fits has no such line', () => {
    for (const life of everyLife) expect(textsOf(cardIn(life)).join('\n')).not.toContain('More than is shown');
  });
});

/** As somewhere on the way every character beyond ASCII may be written. */
const longest = (message: unknown): number => JSON.stringify(message).replace(/[\u0080-\uffff]/g, '\\uXXXX').length;

describe('Teams takes it, and reads no name as Markdown', () => {
  const check = (life: Life, name: string) => {
    const message = teamsMessage(alertNamed(life, name), context);
    expect([life, messageErrorsOf(message)]).toEqual([life, []]);
    expect(longest(message)).toBeLessThanOrEqual(28 * 1_024);
    // TextBlock and FactSet are where it reads Markdown and mentions.
    expect(JSON.stringify(message)).not.toMatch(/"type":"(TextBlock|FactSet)"|"entities"/);
    expect(message.attachments[0].content.fallbackText).toMatch(/^\[HIGH\] [A-Za-z, ]+: lamp-off$/);
  };
  for (const [name, text] of Object.entries(hostile))
    test(name, () => {
      for (const life of everyLife) check(life, text);
    });

  test('whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_500 }), fc.constantFrom(...everyLife), (name, life) => check(life, `x${name}`)),
      { numRuns: 100 },
    );
  });
});

describe('the check of cards finds', () => {
  const card = cardIn('a page');
  const wrong: Readonly<Record<string, readonly [object, RegExp]>> = {
    'an element that is not known': [{ body: [{ type: 'Bogus' }] }, /Bogus/],
    'a value that is not known': [{ body: [{ type: 'Container', style: 'red', items: card.body.slice(1, 2) }] }, /red/],
    'an action without an address': [{ actions: [{ type: 'Action.OpenUrl', title: 'x' }] }, /url/],
    'an address that is not https': [{ actions: [{ type: 'Action.OpenUrl', title: 'x', url: 'javascript:x' }] }, /url/],
    'a misspelled property': [{ body: [{ ...card.body[1], spaceing: 'Small' }] }, /spaceing/],
    'no text': [{ body: [{ type: 'RichTextBlock', inlines: [{ type: 'TextRun' }] }] }, /text/],
  };
  for (const [name, [changes, error]] of Object.entries(wrong)) test(name, () => expect(cardErrorsOf({ ...card, ...changes }).join()).toMatch(error));
});
