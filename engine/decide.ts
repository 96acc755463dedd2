/** What is to be done: one table, read top to bottom. Pure. */
import type { Decision, Evaluation, Mode, OutcomeStatus, Plan } from './model.ts';

export interface Situation {
  /** Undefined: the resource does not exist. */
  readonly evaluation: Evaluation | undefined;
  readonly mode: { readonly mode: Mode; readonly reason: string };
  readonly exception?: { readonly reason: string; readonly expires: string; readonly strength: 'waives' | 'lowers' };
  readonly plan?: Plan;
  /** It was there before the bot, and the policy wants that told only. */
  readonly backlog?: boolean;
  /** Why the tags that could except it are not known. */
  readonly unread?: string;
  /** A person, or the time that ran out, said no to this very plan. */
  readonly denied?: Decision;
  /** Why the control has no fix. */
  readonly noFix?: string;
}

export function decide({ evaluation, mode: { mode, reason }, exception, plan, backlog, unread, denied, noFix }: Situation): Decision {
  if (!evaluation) return { action: 'none', reason: 'The resource does not exist.' };
  if (evaluation.complianceType === 'COMPLIANT' || evaluation.complianceType === 'NOT_APPLICABLE') return { action: 'none', reason: evaluation.annotation };
  if (mode === 'off') return { action: 'off', reason };
  if (exception?.strength === 'waives') return { action: 'except', reason: `Excepted until ${exception.expires}: ${exception.reason}` };
  if (evaluation.complianceType === 'INSUFFICIENT_DATA') return { action: 'page', reason: `The bot cannot see: ${evaluation.annotation}` };
  if (backlog) return { action: 'notify', reason: 'It was there before the bot, which tells of it and changes nothing until somebody asks it to.' };
  if (mode === 'notify' || mode === 'page') return { action: mode, reason };
  if (!plan) return { action: 'page', reason: `There is no fix: ${noFix ?? 'the control has none'}` };
  if (plan.kind === 'blocked') return { action: 'page', reason: `The fix is blocked: ${plan.reason}` };
  if (denied) return denied;
  if (mode === 'fix' && exception?.strength === 'lowers')
    return { action: 'approve', reason: `A tag asks for an exception, but anybody may set it: ${exception.reason}` };
  // Whether it is excepted cannot be seen.
  if (mode === 'fix' && unread) return { action: 'page', reason: `Its tags could except it, but cannot be read, so nothing is written. ${unread}` };
  return { action: mode, reason };
}

/** What a decision comes to when it is carried out without a fix. */
const statuses: Readonly<Record<Exclude<Decision['action'], 'none' | 'fix'>, OutcomeStatus>> = {
  off: 'OFF',
  except: 'EXCEPTED',
  notify: 'NOTIFIED',
  page: 'PAGED',
  approve: 'AWAITING_APPROVAL',
};

export const statusOf = (action: Decision['action'], evaluation: Evaluation | undefined): OutcomeStatus => {
  if (action === 'none') return !evaluation ? 'DOES_NOT_EXIST' : evaluation.complianceType === 'NOT_APPLICABLE' ? 'NOT_APPLICABLE' : 'COMPLIANT';
  return action === 'fix' ? 'RETRY_LATER' : statuses[action];
};
