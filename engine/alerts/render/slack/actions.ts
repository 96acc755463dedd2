/** What a button of a Slack message stands for. The message and whoever reads its clicks must mean the same. Pure. */
import type { Question } from '../../../model.ts';
import type { Answerable } from '../../alert.ts';

export interface SlackAction {
  readonly decision: Answerable['decision'];
  /** Approve and deny: what the question is about. */
  readonly about?: Question['about'];
  readonly findingId: string;
  /** The first digits of the hash that the answer is bound to. */
  readonly hash: string;
}

const actions: Readonly<Record<string, Pick<SlackAction, 'decision' | 'about'>>> = {
  'phidelity:approve': { decision: 'approve', about: 'fix' },
  'phidelity:deny': { decision: 'deny', about: 'fix' },
  'phidelity:approve:undo': { decision: 'approve', about: 'undo' },
  'phidelity:deny:undo': { decision: 'deny', about: 'undo' },
  'phidelity:undo': { decision: 'undo' },
  'phidelity:except': { decision: 'except' },
  'phidelity:snooze': { decision: 'snooze' },
  'phidelity:recheck': { decision: 'recheck' },
};

/** As many digits as offers have; of both sides of a proof, this is the one that reads. */
const valueForm = /^(f-[a-z2-7]{26})\|([0-9a-f]{16})$/;

export const actionId = (decision: SlackAction['decision'], about?: Question['about']): string =>
  about === 'undo' && (decision === 'approve' || decision === 'deny') ? `phidelity:${decision}:undo` : `phidelity:${decision}`;

export const actionValue = (findingId: string, hash: string): string => `${findingId}|${hash.slice(0, 16)}`;

/** Undefined: it is none of the bot's. */
export function parseAction(id: unknown, value: unknown): SlackAction | undefined {
  const action = typeof id === 'string' && Object.hasOwn(actions, id) ? actions[id] : undefined;
  const [, findingId, hash] = (typeof value === 'string' && valueForm.exec(value)) || [];
  return action && findingId && hash ? { ...action, findingId, hash } : undefined;
}
