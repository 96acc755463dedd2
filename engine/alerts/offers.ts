/** What people may answer to a finding as it stands. Pure. */
import { actionHash } from '../answers/action-hash.ts';
import { planHash } from '../answers/plan-hash.ts';
import { toldUndo } from '../answers/words.ts';
import type { Finding } from '../model.ts';
import { undoOf } from '../writes.ts';
import type { Answerable } from './alert.ts';

/** Hex digits of a hash that a button carries: 64 bits. */
export const hashDigits = 16;

interface Offering {
  readonly undo?: unknown;
  readonly endsPublicExposure?: true;
  /** It guards the bot itself. */
  readonly deployed?: unknown;
}

export function offersOf(finding: Finding, { undo: undoable, endsPublicExposure, deployed }: Offering): Answerable[] {
  const { state, question, outcome, undo, fixNotBefore, held } = finding;
  const asks = question && ((outcome?.status === 'AWAITING_APPROVAL' && question.about === 'fix') || undo?.state === 'asked');
  const offer = (decision: Answerable['decision'], hash: string): Answerable => ({ decision, hash: hash.slice(0, hashDigits) });
  // What a brake holds back is fixed after it, unasked; a person may have it sooner.
  if (asks && (question.otherwise === 'deny' || held)) {
    const both = (['approve', 'deny'] as const).map((decision) => ({
      ...offer(decision, question.planHash),
      ...(question.about === 'undo' && { about: 'undo' as const }),
    }));
    return state === 'open' && question.about === 'fix' ? [...both, ...standingOffers()] : both;
  }
  if (state === 'open') return [...(question?.otherwise === 'fix' && fixNotBefore && !outcome ? [offer('deny', question.planHash)] : []), ...standingOffers()];
  const taken = undoable && outcome?.status === 'REMEDIATED' && !toldUndo(finding) ? undoOf(finding) : undefined;
  return taken ? [offer('undo', planHash(finding, taken, 'undo'))] : [];

  /**
   * The bot's own findings, and events, have nothing to look at again, and nothing that could be excepted. One person does not except a
   * public exposure, nor what guards the bot: that is for the policy file.
   */
  function standingOffers(): Answerable[] {
    const decisions: ('except' | 'snooze' | 'recheck')[] = finding.fold === undefined ? ['except', 'snooze', 'recheck'] : ['snooze'];
    return decisions
      .filter((decision) => decision !== 'except' || !(endsPublicExposure || deployed))
      .map((decision) => offer(decision, actionHash(finding, decision)));
  }
}
