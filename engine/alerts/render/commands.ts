/** What may be answered to an alert, as commands: for channels that have no buttons. Pure. */
import type { Decided } from '../../model.ts';
import type { Alert, Answerable } from '../alert.ts';
import type { Context } from '../delivery.ts';

/** Of the decisions that have a command of their own; the hash binds the answer to the plan that was told. */
const forms: Partial<Readonly<Record<Decided, (id: string, hash: string) => string>>> = {
  approve: (id, hash) => `approve ${id} --plan ${hash}`,
  deny: (id, hash) => `deny ${id} --plan ${hash}`,
  undo: (id) => `undo ${id} --for 30d --reason "..."`,
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
