/** The pages of the gallery; the pictures need a Chromium, and are looked at by people. */
import { describe, expect, test } from '@jest/globals';
import { type Block, slackHtml } from '../../gallery/block-kit.ts';
import { type Element, teamsHtml } from '../../gallery/cards.ts';
import { findChromium } from '../../gallery/chromium.ts';
import { mrkdwnHtml } from '../../gallery/mrkdwn.ts';
import { page } from '../../gallery/page.ts';
import { scenes, slackOf, teamsOf } from '../../gallery/scenes.ts';

describe('mrkdwn', () => {
  test.each<[string, string, string]>([
    ['bold', 'a *b c* d', 'a <b>b c</b> d'],
    ['italics', '_a_, b', '<i>a</i>, b'],
    ['struck', '~a~', '<s>a</s>'],
    ['signs inside of words are none', 'a_b_c 2*3*4 x~y~z', 'a_b_c 2*3*4 x~y~z'],
    ['a sign before a blank is none', '2 * 3 * 4', '2 * 3 * 4'],
    ['bold around code', '*a* `*b*` *c*', '<b>a</b> <code>*b*</code> <b>c</b>'],
    ['a block', '```\na\nb\n```', '<pre>a\nb</pre>'],
    ['entities', '1 &lt; 2 &amp;&amp; 3 &gt; 2', '1 &lt; 2 &amp;&amp; 3 &gt; 2'],
    ['an entity that Slack does not know', '&quot;', '&amp;quot;'],
    ['a link', '<https://example.com/?a=1&amp;b=2|Open *it*>', '<a href="https://example.com/?a=1&amp;b=2">Open *it*</a>'],
    ['a link without words', '<https://example.com>', '<a href="https://example.com">https://example.com</a>'],
    ['an address that is none leads nowhere', '<javascript:alert(1)|Open>', 'Open (javascript:alert(1))'],
    ['a mention stands out', '<!channel> <@U012AB3CD>', '<mark>@channel</mark> <mark>@U012AB3CD</mark>'],
    ['an emoji', ':warning: :no_such:', '⚠️ :no_such:'],
    ['lines', 'a\nb', 'a<br>b'],
    ['HTML', '&lt;script&gt;"x"', '&lt;script&gt;&quot;x&quot;'],
  ])('%s', (_, text, html) => expect(mrkdwnHtml(text)).toBe(html));
});

describe('blocks', () => {
  const plain = (text: string) => ({ type: 'plain_text' as const, text });
  const blocks: readonly Block[] = [
    { type: 'header', text: plain('A <b>') },
    { type: 'section', text: { type: 'mrkdwn', text: '*b*' }, fields: [plain('one'), plain('two')] },
    { type: 'divider' },
    { type: 'context', elements: [{ type: 'mrkdwn', text: '`c`' }] },
    {
      type: 'actions',
      elements: [
        { type: 'button', text: plain('Yes'), style: 'primary' },
        { type: 'button', text: plain('No') },
      ],
    },
  ];

  test('each is drawn, plain text as it is', () => {
    const html = slackHtml({ text: '', blocks });
    for (const part of [
      '<div class="header">A &lt;b&gt;</div>',
      '<b>b</b>',
      '<div class="field">two</div>',
      '<hr>',
      '<code>c</code>',
      '<span class="button primary">Yes</span><span class="button plain">No</span>',
    ])
      expect(html).toContain(part);
  });

  test('one that is not known is told, not left out', () => {
    expect(() => slackHtml({ text: '', blocks: [{ type: 'image' } as unknown as Block] })).toThrow('the gallery does not draw image blocks');
  });
});

describe('cards', () => {
  const cardOf = (body: readonly Element[]) =>
    teamsHtml({ attachments: [{ content: { body, actions: [{ type: 'Action.OpenUrl', title: 'Open', url: 'https://example.com' }] } }] });

  test('each element is drawn', () => {
    const html = cardOf([
      { type: 'Container', style: 'attention', items: [{ type: 'TextBlock', text: '**A** <b>', weight: 'Bolder', size: 'Large' }] },
      { type: 'FactSet', facts: [{ title: 'When', value: 'now' }] },
      { type: 'RichTextBlock', spacing: 'Small', inlines: [{ type: 'TextRun', text: '**B**', weight: 'Bolder' }, 'c'] },
    ]);
    for (const part of [
      '<div class="container attention spacing-default"><div class="text bolder large spacing-default"><b>A</b> &lt;b&gt;</div></div>',
      '<b>When</b><span>now</span>',
      '<div class="text spacing-small"><span class="bolder">**B**</span>c</div>',
      '<span class="button">Open</span>',
    ])
      expect(html).toContain(part);
  });

  test('one that is not known is told, not left out', () => {
    expect(() => cardOf([{ type: 'Image' } as unknown as Element])).toThrow('the gallery does not draw Image elements');
  });
});

describe('a page', () => {
  test.each(scenes)('of $name: the resource is there, and nothing that runs or is fetched', async (scene) => {
    const alert = await scene.alert();
    for (const html of [page([slackOf(alert)]), page([teamsOf(alert)])]) {
      expect(html).toContain(alert.finding?.resource.name ?? alert.title);
      expect(html).toContain(alert.headline);
      expect(html).not.toMatch(/<(script|img|iframe|link|object)|\son\w+=|@import|url\(/i);
    }
  });

  test('"Fixed" stands on none but that of what is, and in the sum of a day', async () => {
    for (const scene of scenes.filter(({ name }) => name !== 'fixed' && name !== 'digest')) {
      const alert = await scene.alert();
      expect(slackOf(alert) + teamsOf(alert)).not.toMatch(/\bfixed\b|✅|container good/i);
    }
  });
});

describe('the Chromium', () => {
  const there =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path);

  test('is the one that CHROMIUM names', () =>
    expect(findChromium({ CHROMIUM: '/x/chrome', PATH: '/b' }, there('/x/chrome', '/b/chromium'))).toBe('/x/chrome'));
  test('or one on the PATH', () => expect(findChromium({ PATH: '/a:/b' }, there('/b/google-chrome'))).toBe('/b/google-chrome'));
  test('one that is named and missing is an error, whatever else is there', () =>
    expect(() => findChromium({ CHROMIUM: '/x', PATH: '/b' }, there('/b/chromium'))).toThrow('CHROMIUM names /x, which is not there'));
  test('none at all', () => expect(() => findChromium({}, () => false)).toThrow('no Chromium was found: install one, or set CHROMIUM'));
});
