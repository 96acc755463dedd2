/**
 * Text for Slack. Names are written by whoever made the resource, and Slack has no way to escape its markup but `& < >`
 * (https://docs.slack.dev/messaging/formatting-message-text): what would be markup becomes a character that looks alike,
 * what would be a mention, an address or an emoji gets a character that is not seen. Pure.
 */
import { oneLine } from '../../lines.ts';

/** WORD JOINER: breaks what Slack would recognise, and is not seen. */
const joiner = '\u2060';

/** Full-width forms are markup too. */
const lookAlikes: readonly (readonly [RegExp, string])[] = [
  [/[*\uff0a]/gu, '\u2217'],
  [/[~\uff5e]/gu, '\u223c'],
  [/[`\uff40]/gu, '\u02cb'],
  // Inside of a word it slants nothing, and names are full of it.
  [/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|\uff3f/gu, '\u02cd'],
];

/** `:word:` is an emoji, and a green tick must not come from a name; times of day stay. Mentions, and what is linked on its own. */
const recognised = /:(?!\d\d:)(?=[^\s:]+:)|:(?=\/\/)|[@#](?=[\p{L}\p{N}])|\bwww(?=\.)/giu;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => entities[character]!);

/** ARNs are copied: they stand as code, in which nothing is recognised. Between blanks, or it would be no code. */
const arns = /(?<=^| )(arn:[\w:/+=,.@-]*\w)(?=[,.;]{0,2}(?: |$))/;

/** A sentence as `mrkdwn`, at most so many UTF-16 units. */
export function prose(text: string, most: number): string {
  const parts = oneLine(text).split(arns);
  return cut(parts.map((part, at) => (at % 2 === 1 ? `\`${part}\`` : escaped(neutral(part)))).join(''), most);
}

/** A name as `mrkdwn` code. */
export const code = (text: string, most: number): string => `\`${codeText(text, most - 2) || '-'}\``;

/** What may stand inside of code, or of a block of it. */
export const codeText = (text: string, most: number): string => cut(escaped(oneLine(text).replace(/[`\uff40]/gu, '\u02cb')), most);

/** As `plain_text`. Whether entities are read there is not documented: there are none. */
export const plain = (text: string, most: number): string =>
  cut(neutral(oneLine(text)).replaceAll('&', '\uff06').replaceAll('<', '\u2039').replaceAll('>', '\u203a'), most) || '-';

function neutral(text: string): string {
  const alike = lookAlikes.reduce((found, [pattern, by]) => found.replace(pattern, by), text);
  return alike.replace(recognised, (found) => found + joiner);
}

/** Between whole characters, entities and pieces of code. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  let kept = '';
  for (const [unit] of text.matchAll(/`[^`]*`|&(?:amp|lt|gt);|./gsu)) {
    if (kept.length + unit.length > most - 1) break;
    kept += unit;
  }
  return `${kept}…`;
}

const address = /^https:\/\/[^\s<>|"`\\]+$/;

/** Undefined: the address is none, or would fill the message. */
export const link = (url: string | undefined, label: string): string | undefined =>
  url && url.length <= 800 && address.test(url) ? `<${escaped(url)}|${prose(label, 75)}>` : undefined;
