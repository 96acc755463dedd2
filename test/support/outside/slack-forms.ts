/** The small forms of Block Kit, and what names must not bring into a text. */

export type Json = Readonly<Record<string, unknown>>;
export type Fault = (given: unknown, at: string, faults: string[]) => void;

export function object(given: unknown, at: string, faults: string[]): Json {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Json;
  faults.push(`${at} is no object`);
  return {};
}

export function list(given: unknown, at: string, [least, most]: readonly [number, number], faults: string[]): readonly unknown[] {
  if (!Array.isArray(given)) {
    faults.push(`${at} is no list`);
    return [];
  }
  if (given.length < least) faults.push(`${at}: no fewer than ${least} items allowed`);
  if (given.length > most) faults.push(`${at}: no more than ${most} items allowed`);
  return given;
}

/** An optional text. */
export function short(given: unknown, most: number, at: string, faults: string[]): void {
  if (given === undefined) return;
  if (typeof given !== 'string') faults.push(`${at} is no text`);
  else if (given.length > most) faults.push(`${at}: must be no more than ${most} characters`);
}

/** https://docs.slack.dev/reference/block-kit/composition-objects/option-object */
export function options(given: unknown, most: number, at: string, faults: string[]): void {
  for (const [index, each] of list(given, `${at}.options`, [1, most], faults).entries()) {
    const { text, value } = object(each, `${at}.options[${index}]`, faults);
    faults.push(...textFaults(text, `${at}.options[${index}].text`, 75));
    if (typeof value !== 'string') faults.push(`${at}.options[${index}].value is missing`);
    short(value, 150, `${at}.options[${index}].value`, faults);
  }
}

/** A text object: https://docs.slack.dev/reference/block-kit/composition-objects/text-object */
export function textFaults(given: unknown, at: string, most: number, only?: 'plain_text'): string[] {
  const faults: string[] = [];
  const { type, text, verbatim, emoji } = object(given, at, faults);
  if (faults.length > 0) return faults;
  if (type !== 'plain_text' && (only !== undefined || type !== 'mrkdwn')) faults.push(`${at}: unsupported type: ${type}`);
  if (typeof text !== 'string' || text.length === 0) return [...faults, `${at}.text: must be more than 0 characters`];
  if (text.length > most) faults.push(`${at}.text: must be no more than ${most} characters`);
  if (!text.isWellFormed()) faults.push(`${at}.text has half a character`);
  if (type === 'mrkdwn' && emoji !== undefined) faults.push(`${at}.emoji is for plain_text`);
  if (type === 'plain_text' && verbatim !== undefined) faults.push(`${at}.verbatim is for mrkdwn`);
  if (type === 'mrkdwn') faults.push(...markupFaults(text).map((fault) => `${at}.text ${fault}`));
  // Slack takes it, and then makes links and mentions of what names hold.
  if (type === 'mrkdwn' && verbatim !== true) faults.push(`${at} is not verbatim`);
  return faults;
}

/** Links into the console are the only markup in angle brackets that the bot writes. */
const ownLink = /<https:\/\/[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws-us-gov\.com|amazonaws\.cn)\/[^\s<>|]*\|[^<>|]*>/g;

/** Slack would do what these say. */
export function markupFaults(text: string): string[] {
  const faults: string[] = [];
  const rest = text.replace(ownLink, '');
  if (/[<>]/.test(rest)) faults.push('has markup or an unescaped < or >');
  if (/&(?!(?:amp|lt|gt);)/.test(rest)) faults.push('has an unescaped &, or half an entity');
  if ((rest.match(/```/g) ?? []).length % 2 === 1) faults.push('has a block of code that does not end');
  const outside = rest.replace(/```[\s\S]*?```/g, '');
  if ((outside.match(/`/g) ?? []).length % 2 === 1) faults.push('has code that does not end');
  const words = outside.replace(/`[^`]*`/g, ' ');
  if (/@(?:here|channel|everyone|group)\b/i.test(words)) faults.push('mentions everybody');
  if (/:\/\//.test(words)) faults.push('has an address');
  if (/:(?!\d\d:)[a-z0-9_+'-]+:/i.test(words)) faults.push('has an emoji by its name');
  return faults;
}

/** All texts of text objects, however deep. */
export function textsOf(given: unknown): string[] {
  if (Array.isArray(given)) return given.flatMap(textsOf);
  if (typeof given !== 'object' || given === null) return [];
  return Object.entries(given).flatMap(([key, value]) => (key === 'text' && typeof value === 'string' ? [value] : textsOf(value)));
}
