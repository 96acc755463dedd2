/**
 * Everything that leaves the raw zone (logs, alerts, exports, the terminal) goes through here: identifiers of persons become markers such as `[ssn]`.
 * What stands for itself in AWS (ARNs, accounts, addresses, times, hashes, ids) stays to the letter; an identifier inside a name goes, the rest of the name stays.
 * Names of persons, and numbers that nothing marks as one of a person's and that are shorter than nine digits, are not recognised.
 */
import { bare, email, escaped, hexByLabel, type Kind, kept, type Label, labelled, labelSources } from './redact/patterns.ts';

export interface RedactOptions {
  /**
   * For who did it, and for nothing else: sessions of an account are named by the e-mail of who works in it, and an alert that does not say who did it is of no use.
   * A redactor cannot tell workforce from patients, so the caller says where an actor stands.
   */
  readonly keep?: readonly Keep[];
}

/** `email`: all of them. `session`: those that are the session or the user in a principal's ARN, in a sentence that names who did something. */
export type Keep = 'email' | 'session';

const addresses = new RegExp(email, 'gu');
/** One expression, so that the text is gone through once, and what is kept at a place is seen by no later pattern. */
const numbers = new RegExp(
  [
    hexByLabel,
    ...labelled.map(([, label, value], at) => `(?<before${at}>${label})(?<labelled${at}>${unnamed(value, `l${at}`)})`),
    ...kept.map((source) => `(?:${source})`),
    ...bare.map(([, source], at) => `(?<bare${at}>${unnamed(source, `b${at}`)})`),
    escaped,
  ].join('|'),
  'gu',
);

/** Addresses go before: one may begin in a number. */
const everything = (text: string): string => exceptEmails(text.replace(addresses, marker('email')));

const exceptEmails = (text: string): string =>
  text.replace(numbers, (...found) => {
    const match = found[0] as string;
    const groups = found.at(-1) as Readonly<Record<string, string | undefined>>;
    const label = labelled.findIndex((_, at) => groups[`labelled${at}`] !== undefined);
    if (label >= 0) return `${groups[`before${label}`]}${marker(labelled[label]![0])}`;
    const kind = bare.find((_, at) => groups[`bare${at}`] !== undefined)?.[0];
    return kind === undefined ? match : markerOf(kind, match);
  });

/** Names of groups are unique in an expression. */
function unnamed(source: string, prefix: string): string {
  return source.replace(/(\(\?|\\k)<(gap|four|six|club)>/g, (_, opening, name) => `${opening}<${prefix}${name}>`);
}

function marker(kind: Kind): string {
  return `[${kind}]`;
}

/** What only looks like a card is a long number, or, in groups, none of ours. */
function markerOf(kind: Kind, match: string): string {
  if (kind !== 'card' || isLuhn(match)) return marker(kind);
  return /^[0-9]+$/.test(match) ? marker('digits') : match;
}

/** ISO/IEC 7812-1, annex B. */
function isLuhn(text: string): boolean {
  const digits = [...text].filter((character) => character >= '0' && character <= '9').reverse();
  const sum = digits.reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** @returns the text with a marker for each identifier; the same again when given its own result */
export function redact(text: string, options: RedactOptions = {}): string {
  if (text.search(unseen) < 0) return redactSeen(text, options);
  // A character that is not seen must not hide a number: where it would, the text goes on without any.
  const bare = text.replace(unseen, '');
  const clean = redactSeen(bare, options);
  return clean === bare ? redactSeen(text, options) : clean;
}

/** Format characters, and those that only change how others look. No identifier holds one. */
const unseen = /(?:\p{Cf}|\u034f|[\u115f\u1160]|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f])+/gu;

function redactSeen(text: string, { keep = [] }: RedactOptions): string {
  if (keep.includes('email')) return exceptEmails(text);
  if (!keep.includes('session')) return everything(text);
  return text
    .split(principal)
    .map((part, at) => (at % 2 === 1 ? exceptEmails(part) : everything(part)))
    .join('');
}

/** Every second part of the split text is one; brackets are those of markers that an earlier pass has left. */
const principal = /(arn:aws[a-z-]{0,8}:(?:sts::[0-9]{12}:assumed-role\/[\w+=,.@[\]-]+|iam::[0-9]{12}:user|sts::[0-9]{12}:federated-user)\/[\w+=.@[\]-]+)/;

const labelEnds: readonly (readonly [Label, RegExp])[] = (Object.keys(labelSources) as Label[]).map((label) => [
  label,
  new RegExp(`${labelSources[label]}$`, 'u'),
]);
/** Nothing that JSON holds for people is deeper. */
export const deepest = 200;

/**
 * JSON values, keys too. A key is the label of its value (`{mrn: 1234567}`), and so is the `Key` of a tag. In a field `actor` e-mails stay: see `keep`.
 * Numbers without a label stay: sizes, ports, times. Keys that become the same get a number.
 */
export function redactDeep(value: unknown, options: RedactOptions = {}, key = '', depth = 0): unknown {
  if (typeof value === 'string') return redactUnder(key, value, options);
  if (typeof value === 'number' && key !== '') {
    const text = redactUnder(key, String(value), options);
    return labelOf(key) && text !== String(value) ? text : value;
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= deepest) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, options, key, depth + 1));
  const { Key: tag } = value as { Key?: unknown };
  const entries = Object.entries(value).map(([name, inner]) => {
    const label = name === 'Value' && typeof tag === 'string' ? tag : name;
    return [redact(name, options), redactDeep(inner, name === 'actor' ? { keep: ['email'] } : options, label, depth + 1)] as const;
  });
  const taken = new Map<string, number>();
  return Object.fromEntries(
    entries.map(([name, inner]) => {
      const count = (taken.get(name) ?? 0) + 1;
      taken.set(name, count);
      return [count === 1 ? name : `${name} (${count})`, inner];
    }),
  );
}

const labelOf = (key: string): Label | undefined => labelEnds.find(([, pattern]) => pattern.test(key))?.[0];

function redactUnder(key: string, text: string, options: RedactOptions): string {
  const label = labelOf(key);
  if (label === undefined) return redact(text, options);
  const before = `${label} `;
  return redact(`${before}${text}`, options).slice(before.length);
}
