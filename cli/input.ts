/** Event files: EventBridge events, arrays, NDJSON, CloudTrail log files, gzipped or not, or standard input. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { eventsIn } from '../engine/normalise.ts';
import { UsageError } from './errors.ts';
import { readInput, readNamed } from './files.ts';

export interface InputEvent {
  /** Where it stands: `FILE`, `FILE:LINE` for NDJSON, or `FILE, event N` in an array. */
  readonly place: string;
  readonly event: unknown;
}

/** Every event of every file, in order; one wrong file refuses them all, so that nothing is half done. */
export async function eventsOf(files: readonly string[]): Promise<InputEvent[]> {
  const read: InputEvent[][] = [];
  for (const file of files) {
    const name = file === '-' ? 'standard input' : file;
    read.push(await recordsOf(name, file === '-' ? await readInput() : readNamed(file)));
  }
  return read.flat();
}

/** Every event of one file. @throws UsageError that names it */
export const recordsOf = async (name: string, bytes: Buffer): Promise<InputEvent[]> => parse(name, await textOf(name, bytes));

async function textOf(name: string, bytes: Buffer): Promise<string> {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? await unzipped(name, bytes) : bytes;
  try {
    return plain.toString('utf8');
  } catch (cause) {
    throw new UsageError(`${name}: is too large to be read at once; split it`, 2, { cause });
  }
}

async function unzipped(name: string, bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new UsageError(`${name}: ${code === 'Z_BUF_ERROR' ? 'the gzip file is cut off' : `not a sound gzip file: ${message}`}`, 1, { cause });
  }
}

function parse(name: string, text: string): InputEvent[] {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw new UsageError(`${name}: is empty; it must hold JSON events`, 1);
  const whole = parsed(trimmed);
  if (whole.ok) return eventsIn(whole.value).map((event, index, { length }) => ({ place: length > 1 ? `${name}, event ${index + 1}` : name, event }));
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  // A document that opens on one line and closes on another was meant as one.
  if (lines.filter((line) => line.trim() !== '').length < 2 || !parsed(lines.find((line) => line.trim() !== '')!).ok) {
    throw new UsageError(`${name}: not JSON: ${whole.message}`, 1);
  }
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const value = parsed(line);
    if (!value.ok) throw new UsageError(`${name}:${index + 1}: not JSON: ${value.message}`, 1);
    return eventsIn(value.value).map((event) => ({ place: `${name}:${index + 1}`, event }));
  });
}

function parsed(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    // V8 quotes the text around the fault; what is in an event does not belong on a terminal.
    const message = (error as Error).message.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
    return { ok: false, message: message.replace(/\s+/g, ' ') };
  }
}
