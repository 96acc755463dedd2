/** What the buttons of a message carry: what is decided and about what, never why or by whom. Pure. */
import type { Decided } from '../../../model.ts';
import { hashDigits } from '../../offers.ts';

/** What a button can decide. An exception is ended on the command line only. */
export type Pressed = Exclude<Decided, 'end'>;

export interface Action {
  readonly decision: Pressed;
  /** Of approve and deny: whether to undo is asked, not whether to fix. */
  readonly about?: 'undo';
  readonly finding: string;
  /** The first hex digits of what the answer is bound to. */
  readonly hash: string;
}

const decisions: Readonly<Record<string, Pick<Action, 'decision' | 'about'>>> = {
  'phidelity:approve': { decision: 'approve' },
  'phidelity:deny': { decision: 'deny' },
  'phidelity:approve:undo': { decision: 'approve', about: 'undo' },
  'phidelity:deny:undo': { decision: 'deny', about: 'undo' },
  'phidelity:undo': { decision: 'undo' },
  'phidelity:except': { decision: 'except' },
  'phidelity:snooze': { decision: 'snooze' },
  'phidelity:recheck': { decision: 'recheck' },
};

const valueForm = new RegExp(`^(f-[a-z2-7]{26})\\|([0-9a-f]{${hashDigits}})$`);

/** The `action_id`: unique in its block, since each decision is offered once. */
export const actionId = (decision: Pressed, about?: 'undo'): string =>
  `phidelity:${decision}${about && (decision === 'approve' || decision === 'deny') ? `:${about}` : ''}`;

/** The `value`, `FINDING|HASH`. */
export const actionValue = ({ finding, hash }: Pick<Action, 'finding' | 'hash'>): string => `${finding}|${hash}`;

/** @returns undefined for whatever no button of ours carries */
export function parseAction(id: unknown, value: unknown): Action | undefined {
  if (typeof id !== 'string' || typeof value !== 'string' || !Object.hasOwn(decisions, id)) return undefined;
  const [, finding, hash] = valueForm.exec(value) ?? [];
  return finding && hash ? { ...decisions[id]!, finding, hash } : undefined;
}
