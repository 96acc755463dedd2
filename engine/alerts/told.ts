/** What the channels know of a finding. Pure. */
import { createHash } from 'node:crypto';
import { toldUndo } from '../answers/words.ts';
import type { Finding } from '../model.ts';

/** What the channels would be told now; `finding.alerted` holds the last one they were. Of an open one the reason is news too. */
export const toldKey = (finding: Finding): string => {
  const { state, outcome, decision, question, heldOff } = finding;
  const undo = toldUndo(finding);
  if (undo) return `undo:${undo.state}:${question?.approvals.length ?? 0}:${brief(undo.at)}`;
  const waits = state === 'open' && heldOff?.told ? `:held off since ${heldOff.since}` : '';
  if (state === 'open' && outcome?.status === 'AWAITING_APPROVAL' && question) return `open:asked:${question.id}:${question.approvals.length}${waits}`;
  if (state === 'open' && outcome) return `open:${outcome.status}:${brief(outcome.reason)}`;
  return `${state}:${outcome?.status ?? decision.action}${waits}`;
};

const brief = (reason: string): string => createHash('sha256').update(reason).digest('hex').slice(0, 8);
