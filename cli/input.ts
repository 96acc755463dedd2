/** Event files: EventBridge events, arrays, NDJSON, CloudTrail log files, gzipped or not, or standard input. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { eventsIn } from '../engine/normalise.ts';
import { UsageError } from './errors.ts';

export interface InputEvent {
  /** Where it stands: `FILE` or `FILE:LINE` for NDJSON, with its number in an array. */
  readonly place: string;
  readonly event: unknown;
}

/** Every event of every file, in order; one wrong file refuses them all, so that nothing is half done. */
export const eventsOf = (files: readonly string[]): InputEvent[] => files.flatMap((file) => parse(file, textOf(file)));

function textOf(file: string): string {
  const bytes = bytesOf(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (cause) {
    throw new UsageError(`${file}: not a whole gzip file`, 1, { cause });
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = { ENOENT: 'no such file', EISDIR: 'is a directory, not a file', EACCES: 'may not be read' }[code ?? ''];
    throw new UsageError(`${file}: ${reason ?? (cause as Error).message}`, 2, { cause });
  }
}

function parse(file: string, text: string): InputEvent[] {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw new UsageError(`${file}: the file is empty; it must hold JSON events`, 1);
  const whole = parsed(trimmed);
  if (whole.ok) return eventsIn(whole.value).map((event, index, { length }) => ({ place: length > 1 ? `${file}, event ${index + 1}` : file, event }));
  const lines = text.split('\n');
  // A document that opens on one line and closes on another was meant as one.
  if (lines.filter((line) => line.trim() !== '').length < 2 || !parsed(lines.find((line) => line.trim() !== '')!).ok) {
    throw new UsageError(`${file}: not JSON: ${whole.message}`, 1);
  }
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const value = parsed(line);
    if (!value.ok) throw new UsageError(`${file}:${index + 1}: not JSON: ${value.message}`, 1);
    return eventsIn(value.value).map((event) => ({ place: `${file}:${index + 1}`, event }));
  });
}

function parsed(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, message: (error as Error).message.replace(/\s+/g, ' ').slice(0, 120) };
  }
}
