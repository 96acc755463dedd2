import type { Answer } from '../model.ts';

/** What an execution of remediate is to do. */
export type Work = 'act' | 'undo' | 'heed';

/** What judges an answer. Pure. @param undoing an undo of the finding waits for an answer */
export function workOf({ decision }: Pick<Answer, 'decision'>, undoing: boolean): Work {
  if (decision === 'except' || decision === 'snooze' || decision === 'recheck') return 'heed';
  return decision === 'undo' || decision === 'end' || undoing ? 'undo' : 'act';
}
