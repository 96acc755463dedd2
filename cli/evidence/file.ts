/**
 * An export as a file, one JSON object a line: `{"export":…}` says what it is, `{"key":…}` the public key, then `{"digest":…}`s in
 * their order, then `{"entry":…}`s, those of one finding together. Digests and entries stand there as they are stored, byte for byte.
 */
import * as z from 'zod';
import type { EntryPiece } from '../../engine/evidence/verify.ts';
import { UsageError } from '../errors.ts';
import { readLines } from '../files.ts';
import { publicKey, type SigningKey } from './keys.ts';

const head = z.object({
  version: z.literal(1),
  from: z.string(),
  to: z.string(),
  at: z.string(),
  /** First and last digest in the file; null: nothing of it is signed. */
  digests: z.tuple([z.int(), z.int()]).nullable(),
});
export type ExportHead = z.output<typeof head>;
const key = z.object({ arn: z.string(), pem: z.string() });

export interface ExportFile {
  readonly head: ExportHead;
  readonly keys: readonly SigningKey[];
  readonly digests: readonly { readonly text: string }[];
  entries(): AsyncIterable<EntryPiece>;
}

export const lineOf = (kind: 'digest' | 'entry', text: string): string => `{"${kind}":${text.replace(/\s*\n\s*/g, ' ')}}`;
export const headLine = (about: ExportHead): string => JSON.stringify({ export: about });
export const keyLine = ({ arn, pem }: z.output<typeof key>): string => JSON.stringify({ key: { arn, pem } });

const textOf = (line: string, kind: 'digest' | 'entry'): string | undefined => {
  const start = `{"${kind}":`;
  return line.startsWith(start) && line.endsWith('}') ? line.slice(start.length, -1) : undefined;
};

/** Entries are read as they are asked for. @throws UsageError naming file and line */
export async function openExport(file: string): Promise<ExportFile> {
  const lines = numbered(file);
  const first = await lines.next();
  const about = first.done ? undefined : head.safeParse(member(first.value.line, 'export')).data;
  if (!about) throw new UsageError(`${file}:1 is not the head of an export of evidence: \`npx phidelity evidence export\` writes one`, 2);
  const keys: SigningKey[] = [];
  const digests: { text: string }[] = [];
  let entry: string | undefined;
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const { line, number } = next.value;
    entry = textOf(line, 'entry');
    if (entry !== undefined) break;
    const text = textOf(line, 'digest');
    const given = key.safeParse(member(line, 'key')).data;
    if (text !== undefined) digests.push({ text });
    else if (given) keys.push({ arn: given.arn, key: publicKey(given.pem, `${file}:${number}`), from: 'the export itself' });
    else throw strange(file, number);
  }
  return {
    head: about,
    keys,
    digests,
    async *entries() {
      if (entry !== undefined) yield { text: entry };
      for await (const { line, number } of lines) {
        const text = textOf(line, 'entry');
        if (text === undefined) throw strange(file, number);
        yield { text };
      }
    },
  };
}

const strange = (file: string, line: number) =>
  new UsageError(`${file}:${line} is no line that an export has in this place: it was changed, or is not complete`, 1);

async function* numbered(file: string): AsyncGenerator<{ readonly line: string; readonly number: number }> {
  let number = 0;
  for await (const line of readLines(file)) {
    number += 1;
    yield { line, number };
  }
}

const member = (line: string, name: string): unknown => {
  try {
    return (JSON.parse(line) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined;
  }
};
