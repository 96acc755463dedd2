/** One line of the doctor: what was looked at, how it is, and the command that mends it. */
import { deniedWords } from '../../engine/denied.ts';
import { DeniedError } from '../../engine/errors.ts';
import { inEach } from '../../infra/plugin/regions.ts';
import { explain } from '../errors.ts';

/** `unseen`: it could not be looked at, which is never ok. `hint`: worth knowing, nothing is broken. */
export type CheckStatus = 'ok' | 'wrong' | 'unseen' | 'hint';

export interface Check {
  readonly check: string;
  readonly status: CheckStatus;
  readonly detail: string;
  /** A whole command. */
  readonly mend?: string;
}

export const ok = (check: string, detail: string): Check => ({ check, status: 'ok', detail });
export const wrong = (check: string, detail: string, mend: string): Check => ({ check, status: 'wrong', detail, mend });
export const hint = (check: string, detail: string, mend?: string): Check => ({ check, status: 'hint', detail, ...(mend && { mend }) });
export const unseen = (check: string, error: unknown, where = ''): Check => ({ check, status: 'unseen', detail: `${where}${reasonOf(error)}` });

/** The action by name: that is what has to be allowed. */
const reasonOf = (error: unknown): string => (error instanceof DeniedError ? deniedWords(error) : explain(error).message);

/** What cannot be read is a line of its own. */
export const look = async (check: string, read: () => Promise<Check | readonly Check[]>, where = ''): Promise<readonly Check[]> => {
  try {
    return [await read()].flat();
  } catch (error) {
    return [unseen(check, error, where)];
  }
};

/** The same look in many regions: one line when all is well, else what is not, with the regions in which it is alike. */
export async function lookIn(
  check: string,
  regions: readonly string[],
  fine: string,
  read: (region: string) => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  const answers = await inEach(regions, read);
  const lines = [...answers].flatMap(([region, answer]) => (answer instanceof Error ? [unseen(check, answer)] : answer).map((line) => ({ region, line })));
  if (lines.length === 0) return [ok(check, fine)];
  return [...Map.groupBy(lines, ({ line }) => JSON.stringify(line)).values()].map((alike) => {
    const { line } = alike[0]!;
    return { ...line, detail: `${alike.map(({ region }) => region).join(', ')}: ${line.detail}` };
  });
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** The first few, and how many more. */
export const some = (names: readonly string[], most = 5): string =>
  `${names.slice(0, most).join(', ')}${names.length > most ? ` and ${names.length - most} more` : ''}`;

/** A word of a command for the shell. */
export const quoted = (word: unknown): string => `'${(typeof word === 'string' ? word : JSON.stringify(word)).replaceAll("'", "'\\''")}'`;
