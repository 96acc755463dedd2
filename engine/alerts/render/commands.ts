/** What people type to answer an alert, and to see all of it: for channels that have no buttons. Pure. */
import type { Decided } from '../../model.ts';
import type { Alert, Answerable, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { clipped } from '../lines.ts';

/** Of the decisions that have a command of their own; the hash binds the answer to the plan that was told. */
const forms: Partial<Readonly<Record<Decided, (id: string, hash: string) => string>>> = {
  approve: (id, hash) => `approve ${id} --plan ${hash}`,
  deny: (id, hash) => `deny ${id} --plan ${hash}`,
  undo: (id) => `undo ${id} --for 30d --reason "..."`,
  except: (id) => `except ${id} --for 30d --reason "..."`,
  snooze: (id) => `snooze ${id}`,
  recheck: (id) => `recheck ${id}`,
};

export interface AnswerCommand {
  readonly decision: Decided;
  readonly command: string;
}

export function commandsOf({ finding }: Pick<Alert, 'finding'>, { stack, region }: Pick<Context, 'stack' | 'region'>): AnswerCommand[] {
  const commandOf = ({ decision, hash }: Answerable): AnswerCommand[] => {
    const form = forms[decision]?.(finding!.id, hash);
    return form ? [{ decision, command: `npx phidelity ${form} --stack ${stack} --region ${region}` }] : [];
  };
  return finding?.answers.flatMap(commandOf) ?? [];
}

/** Where everything is that a message has no room for. */
export const pointer = ({ stack, region }: Pick<Context, 'stack' | 'region'>): string => `npx phidelity findings --stack ${stack} --region ${region}`;

/** Commands are copied: they name the stack. */
export const stackNamed = ({ label, value }: Line, { stack }: Pick<Context, 'stack'>): Line => ({
  label,
  value: value.replaceAll('--stack NAME', `--stack ${stack}`),
});

/** The lines of an alert for a channel that tells the commands in a place of their own. */
export const linesFor = ({ lines }: Pick<Alert, 'lines'>, context: Pick<Context, 'stack'>): Line[] =>
  lines.filter(({ label }) => label !== 'Command').map((line) => stackNamed(line, context));

/** As many of them as fit. @param bytes of UTF-8 in all, and a pointer where something is left out */
export function linesWithin(alert: Pick<Alert, 'lines'>, context: Context, bytes: number): Line[] {
  const kept: Line[] = [];
  let left = bytes;
  for (const { label, value } of linesFor(alert, context)) {
    const room = left - sizeOf(label) - separator;
    if (sizeOf(value) > room) return [...kept, ...(room >= leastLine ? [{ label, value: clipped(value, room) }] : []), rest(context)];
    kept.push({ label, value });
    left = room - sizeOf(value);
  }
  return kept;
}

const separator = 3;
/** Bytes under which the beginning of a line tells nothing. */
const leastLine = 40;

const rest = (context: Context): Line => ({ label: 'More', value: pointer(context) });

export const sizeOf = (text: string): number => new TextEncoder().encode(text).length;
