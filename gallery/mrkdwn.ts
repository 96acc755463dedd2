/**
 * Slack's mrkdwn as Slack shows it, as far as messages use it: https://docs.slack.dev/messaging/formatting-message-text.
 * What a name has smuggled in is shown as what it would be: a mention stands out. Pure.
 */
import { anchor, escaped } from './html.ts';

const emoji: Readonly<Record<string, string>> = {
  white_check_mark: '✅',
  warning: '⚠️',
  rotating_light: '🚨',
  x: '❌',
  eyes: '👀',
  large_green_circle: '🟢',
  red_circle: '🔴',
};

/** Slack reads `&amp;`, `&lt;` and `&gt;` as what they stand for, and no other entity. */
const unescaped = (text: string): string => text.replace(/&(amp|lt|gt);/g, (_, name: 'amp' | 'lt' | 'gt') => ({ amp: '&', lt: '<', gt: '>' })[name]);

export const shortcodes = (text: string): string => text.replace(/:([a-z0-9_+-]+):/g, (whole, name: string) => emoji[name] ?? whole);

/** In this order: code holds no other markup. */
const pieces = /```\n?([\s\S]*?)\n?```|`([^`\n]+)`|<([^<>\n]+)>/g;

export function mrkdwnHtml(text: string): string {
  let html = '';
  let from = 0;
  for (const match of text.matchAll(pieces)) {
    const [whole, block, code, angle] = match;
    html += proseHtml(text.slice(from, match.index));
    if (block !== undefined) html += `<pre>${escaped(unescaped(block))}</pre>`;
    else if (code !== undefined) html += `<code>${escaped(unescaped(code))}</code>`;
    else html += angleHtml(angle!);
    from = match.index + whole.length;
  }
  return html + proseHtml(text.slice(from));
}

function angleHtml(inner: string): string {
  const [target = '', label] = inner.split('|');
  if (/^[!@#]/.test(target)) return `<mark>${escaped(label ?? target.replace(/^!/, '@'))}</mark>`;
  return anchor(unescaped(target), unescaped(label ?? target));
}

/** A sign is markup where a word begins and ends. */
const inline = (sign: '[*]' | '_' | '~'): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])${sign}(?=\\S)((?:(?!${sign})[^\\n])*(?<=\\S))${sign}(?![\\p{L}\\p{N}])`, 'gu');

const proseHtml = (text: string): string =>
  escaped(shortcodes(unescaped(text)))
    .replace(inline('[*]'), '<b>$1</b>')
    .replace(inline('_'), '<i>$1</i>')
    .replace(inline('~'), '<s>$1</s>')
    .replaceAll('\n', '<br>');
