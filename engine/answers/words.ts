/** Questions and undos in the words of an alert. Pure. */
import type { Finding, Question, Undo } from '../model.ts';
import { isDoubtful } from './people.ts';

/** By whom it may be answered and until when; undefined: nothing is asked. */
export function answerWords(finding: Finding): string | undefined {
  const { question, actor } = finding;
  const asked = askedOf(finding);
  if (!question || !asked) return undefined;
  const left = question.approvers ? ` The policy leaves that to ${namesIn(question.approvers)}.` : '';
  if (asked === 'stop') return `Deny it before ${question.expires}, and it is not fixed.${left}`;
  const said = question.approvals.map(({ person }) => person);
  const so = said.length > 0 ? `Approved by ${said.join(', ')}. ` : '';
  const silence = asked === 'held' ? '' : ' Unanswered means denied.';
  return `${so}By ${question.expires}, by ${whoMust(question, actor)}.${silence}`;
}

/** How to answer, for where there are no buttons; undefined: nothing is asked. */
export function commandWords(finding: Finding): string | undefined {
  const { id, question } = finding;
  const asked = askedOf(finding);
  if (!question || !asked) return undefined;
  const command = asked === 'stop' ? `npx phidelity deny ${id} --stack NAME` : `npx phidelity approve ${id} --stack NAME, or deny ${id}`;
  return `${command}. Plan ${question.planHash.slice(0, 12)}.`;
}

/** `stop`: it is done unless somebody says no. `held`: a brake keeps it back, and somebody may say yes before it is over. */
function askedOf({ question, outcome, undo, fixNotBefore, held }: Finding): 'answer' | 'stop' | 'held' | undefined {
  if (question?.otherwise === 'fix' && held && outcome?.status === 'AWAITING_APPROVAL') return 'held';
  if (question?.otherwise === 'fix') return fixNotBefore && !outcome ? 'stop' : undefined;
  return question && (outcome?.status === 'AWAITING_APPROVAL' || undo?.state === 'asked') ? 'answer' : undefined;
}

function whoMust({ needs, approvers, approvals }: Question, actor: Finding['actor']): string {
  const some = approvers && namesIn(approvers);
  const innocent = 'who did not make the change';
  if (approvals.length > 0) return `another ${some ? `of ${some}` : 'person of the policy'}, ${innocent}`;
  if (needs > 1) return `two ${some ? `of ${some}` : 'persons of the policy'} ${innocent}`;
  if (!isDoubtful(actor)) return `${some ? `one of ${some}` : 'a person of the policy'} ${innocent}`;
  const vouched = some ? `an approver among ${some}, or two of them` : 'an approver of the policy, or two persons of it';
  return `${vouched}: nobody can tell which person made the change`;
}

/** The first of many. */
const namesIn = (names: readonly string[]): string => (names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', '));

/** The undo, while it is the latest that there is to tell: one that did not come about may be followed by other things. */
export const toldUndo = ({ undo, outcome }: Finding): Undo | undefined =>
  undo && (undo.state === 'withdrawn' || undo.state === 'failed') && outcome && outcome.at > undo.at ? undefined : undo;

/** What has become of an undo; undefined: nobody has asked for one. */
export function undoWords(finding: Finding): string | undefined {
  const undo = toldUndo(finding);
  if (!undo) return undefined;
  const { question } = finding;
  const { state, by, reason, until, at, why } = undo;
  switch (state) {
    case 'asked':
      return `Nothing yet. ${by} wants it undone (${reason}), excepted until ${until}; ${question?.approvals.length ? 'another person' : 'somebody'} must approve.`;
    case 'intended':
      return `The undo has begun for ${by} (${reason}).`;
    case 'done':
      return `Undone for ${by} (${reason}), and excepted until ${until}. Verified by reading the live state at ${at}.`;
    case 'withdrawn':
      return `Not undone. ${why ?? ''}`;
    case 'failed':
      return `The undo did not succeed. ${why ?? ''} Look at the resource.`;
  }
}

export function undoHeadline(finding: Finding): string | undefined {
  const undo = toldUndo(finding);
  return undo && { asked: 'Undo asked', intended: 'Undo under way', done: 'Undone', withdrawn: 'Not undone', failed: 'UNDO FAILED' }[undo.state];
}
