/** The lines of an alert: redacted, clipped, and each of them one line, whatever a name holds. Pure. */
import { deepest, type RedactOptions, redact } from '../redact.ts';
import type { Alert, Line } from './alert.ts';

/** Who did it is told in full; so it is where a brake names who keeps breaking it, where a call is named that ended it, and where the resource is a user of the account. */
const keeps: Readonly<Record<string, RedactOptions>> = {
  'Drift by': { keep: ['email'] },
  Decided: { keep: ['session'] },
  Resource: { keep: ['session'] },
  Exposed: { keep: ['session'] },
  Answer: { keep: ['email'] },
};

/** Bytes of one line: all of them together stay under 8 KB, and an ARN of the longest kind is whole. */
const lineBytes = 500;
const resourceBytes = 2_048;

export type Told = readonly [label: string, value: string | undefined];

/** Those that have something to tell. */
export const linesOf = (lines: readonly Told[]): Line[] =>
  lines
    .filter((line): line is readonly [string, string] => Boolean(line[1]))
    .map(([label, value]) => ({ label, value: clipped(redact(oneLine(value), keeps[label]), label === 'Resource' ? resourceBytes : lineBytes) }));

/** For people who read plain text. */
export const textOf = ({ lines }: Pick<Alert, 'lines'>): string => lines.map(({ label, value }) => `${`${label}:`.padEnd(10)} ${value}`).join('\n');

/**
 * Names are written by whoever made the resource. Line breaks, runs of blanks, and characters that are not seen but
 * turn the text around must not forge a line of the alert.
 */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();

/** Every key and string in it. To be redacted only then: what is not seen in a number would hide it. */
export function inOneLine(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return oneLine(value);
  // The redactor tells nothing of what lies deeper.
  if (typeof value !== 'object' || value === null || value instanceof Date || depth >= deepest) return value;
  if (Array.isArray(value)) return value.map((entry) => inOneLine(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [oneLine(key), inOneLine(entry, depth + 1)]));
}

/** At most so many bytes of UTF-8, and dots where something is left out. */
export function clipped(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return read < text.length ? `${text.slice(0, read)}...` : text;
}
