/** What people type to answer an alert, with the stack filled in. Pure. */
import type { Decided } from '../../model.ts';
import type { Alert, Answerable, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { clipped } from '../lines.ts';

export interface Command {
  readonly decision: Decided;
  readonly command: string;
}

// What the command line does not know has no command here.
const wordsOf: Partial<Record<Decided, (hash: string) => string>> = {
  approve: (hash) => ` --plan ${hash}`,
  deny: (hash) => ` --plan ${hash}`,
  undo: () => ' --for 30d --reason "..."',
};

/** In the order in which they are offered. */
export const commandsOf = ({ finding }: Alert, { stack }: Context): Command[] =>
  (finding?.answers ?? []).flatMap(({ decision, hash }: Answerable) => {
    const words = wordsOf[decision];
    return words ? [{ decision, command: `npx phidelity ${decision} ${finding!.id} --stack ${stack}${words(hash)}` }] : [];
  });

/** Where everything is that a message has no room for. */
export const pointer = ({ stack }: Context): string => `npx phidelity findings --stack ${stack}`;

/** The lines of an alert as a reader of this stack needs them. @param bytes of UTF-8 in all, and a pointer where something is left out */
export function linesWithin({ lines }: Pick<Alert, 'lines'>, context: Context, bytes: number): Line[] {
  const kept: Line[] = [];
  let left = bytes;
  for (const { label, value } of lines) {
    const filled = value.replaceAll('--stack NAME', `--stack ${context.stack}`);
    const room = left - sizeOf(label) - separator;
    if (sizeOf(filled) > room) return [...kept, ...(room >= leastLine ? [{ label, value: clipped(filled, room) }] : []), rest(context)];
    kept.push({ label, value: filled });
    left = room - sizeOf(filled);
  }
  return kept;
}

const separator = 3;
/** Bytes under which the beginning of a line tells nothing. */
const leastLine = 40;

const rest = (context: Context): Line => ({ label: 'More', value: pointer(context) });

export const sizeOf = (text: string): number => new TextEncoder().encode(text).length;
