/** Files that a person names. */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from './errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'no such file',
  EACCES: 'may not be read',
  ERR_FS_FILE_TOO_LARGE: 'is too large to be read at once; split it',
};

const unreadable = (file: string, cause: unknown): UsageError => {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new UsageError(`${file}: ${reasons[code] ?? message}`, 2, { cause });
};

/** @throws UsageError with the name and the reason. */
export function readNamed(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** One by one, however large the file. @throws UsageError with the name and the reason. */
export async function* readLines(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    yield* handle.readLines();
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    await handle.close();
  }
}

/** Standard input to its end. A synchronous read would fail when a writer at the other end of a pipe pauses. */
export const readInput = (): Promise<Buffer> => buffer(process.stdin);
