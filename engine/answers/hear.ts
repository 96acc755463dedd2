/**
 * What people have answered to an open question. An answer in the ledger is a claim, a callback a knock: what counts is a proof of person
 * that AWS confirms, made for this question and this plan, by somebody who may answer. Each answer is judged once, and each refusal recorded.
 */
import type { Told } from '../alerts/finding.ts';
import { RetryLaterError } from '../errors.ts';
import { step } from '../finding.ts';
import type { Answer, Approval, EntryKind, Finding, Principal, Question } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { isAbout, longestReason, proofId } from './bound.ts';
import { refuse, tellAnswered } from './feedback.ts';
import { heardWith, unheard } from './heard.ts';
import { slackUserIn } from './member.ts';
import { approversOf, isActor, mayDecide, type Person, personOf, principalOf } from './people.ts';
import { signedAt, unfit } from './proof.ts';
import { required } from './question.ts';
import { saidBy, slackSignedAt, unfitSlack } from './slack.ts';

type Hearing = Pick<Ports, 'ledger' | 'clock' | 'alert' | 'log' | 'prove' | 'seal' | 'isSealed'>;

export interface Heard {
  /** With everything that has been recorded. */
  readonly finding: Finding;
  readonly verdict: 'open' | 'approved' | 'denied';
  /** Who denied it, and why. */
  readonly reason?: string;
}

/** Milliseconds in which an answer explains a knock, also where the attempt that heard it died. */
const knockMs = 5 * 60_000;

/** What one answer comes to. */
export type Ruling = { readonly refused: string } | { readonly principal: Principal; readonly person: Person };

/** @param woken something woke the execution before its time */
export async function hear(finding: Finding, control: Told, policy: CompiledPolicy, ports: Hearing, woken = false): Promise<Heard> {
  let current = finding;
  const question = () => current.question!;
  const answers = await ports.ledger.answers(finding.id);
  const pending = unheard(current, answers, ['approve', 'deny']);
  const recent = answers.some(({ at }) => Math.abs(ports.clock.now().getTime() - Date.parse(at)) < knockMs);
  if (woken && pending.length === 0 && !recent)
    await note('REFUSED', 'Something woke the execution, but there is no answer: nothing is done on a knock alone.');
  for (const answer of pending) {
    const ruling = await rule(answer, current, policy, ports);
    if ('refused' in ruling) {
      current = await refuse(current, control, answer, { what: `An answer (${answer.decision})`, why: ruling.refused }, policy, ports);
      continue;
    }
    const heard = heardWith(current, answer);
    const { person, principal } = ruling;
    const at = ports.clock.now().toISOString();
    if (answer.decision === 'deny') {
      const reason = `${person.name} denied it${answer.reason ? `: ${answer.reason}` : '.'}`;
      // A no to an undo says nothing about a fix.
      const denied = question().about === 'fix' ? { planHash: question().planHash, by: person.name, at, reason } : current.denied;
      await note('DENIED', `${reason} (${principal.arn})`, { heard, denied, ...(question().about === 'fix' && { question: undefined }) });
      return { finding: current, verdict: 'denied', reason };
    }
    const said = { person: person.name, arn: principal.arn };
    const approval: Approval = { ...said, at, seal: await ports.seal(sealWords(current, question(), said)) };
    await note('APPROVED', `${person.name} (${principal.arn}) approved plan ${question().planHash.slice(0, 12)}.`, {
      heard,
      question: { ...question(), approvals: [...question().approvals, approval] },
    });
    // Of a question that people are waited for, the next alert tells it; what a brake holds back is told no more.
    if (current.held && !(await isApproved(current, policy, ports)))
      await tellAnswered(current, control, answer, `Approved by ${person.name}; another person must approve.`, ports);
  }
  return { finding: current, verdict: (await isApproved(current, policy, ports)) ? 'approved' : 'open' };

  async function note(kind: EntryKind, words: string, changes: Partial<Finding> = {}): Promise<void> {
    const next = step(current, changes, { kind, by: 'remediate', at: ports.clock.now().toISOString(), note: words });
    await ports.ledger.save(next.finding, next.entry);
    current = next.finding;
  }
}

/**
 * What an approval's seal stands for: only who verified the proof can have made it. Another finding, question or plan, a question that
 * asks fewer persons or stands longer, is none of what was approved.
 */
export const sealWords = (
  { id: finding }: Pick<Finding, 'id'>,
  { id, about, planHash, needs, expires }: Question,
  { person, arn }: Pick<Approval, 'person' | 'arn'>,
): string => [finding, id, about, planHash, needs, expires, person, arn].join('|');

type Approved = Pick<Finding, 'id' | 'control' | 'question' | 'actor' | 'resource'>;
type Deciding = Pick<CompiledPolicy, 'people' | 'controls'>;

/** Those that count: of persons of today's policy, each with a seal of the bot, and none by whoever is known by now to have made the change. */
async function validApprovals(finding: Approved, policy: Deciding, { isSealed }: Pick<Ports, 'isSealed'>): Promise<readonly Approval[]> {
  const { question, actor, resource } = finding;
  const { people } = policy;
  const valid: Approval[] = [];
  for (const approval of question?.approvals ?? []) {
    const { person: name, arn, seal } = approval;
    const person = Object.hasOwn(people, name) && people[name];
    const member = slackUserIn(arn);
    if (
      !person ||
      !mayDecide(name, finding, policy) ||
      (member !== undefined && person.slack !== member) ||
      (actor && isActor(actor, { name, ...person }, principalOf({ arn }), people, resource.accountId))
    )
      continue;
    if (await isSealed(sealWords(finding, question!, approval), seal)) valid.push(approval);
  }
  return valid;
}

/** Enough different persons have said yes. */
export async function isApproved(finding: Approved, policy: Deciding, ports: Pick<Ports, 'isSealed'>): Promise<boolean> {
  if (!finding.question) return false;
  const valid = await validApprovals(finding, policy, ports);
  return valid.length > 0 && new Set(valid.map(({ person }) => person)).size >= required(finding.question, valid, finding.actor, policy.people);
}

async function rule(answer: Answer, finding: Finding, policy: CompiledPolicy, ports: Hearing): Promise<Ruling> {
  const question = finding.question!;
  if (!answersIt(answer, question)) return { refused: 'It answers another question than the one that is open. Look at the finding, and answer again.' };
  if (!isAbout(answer, question.planHash)) return { refused: 'It is about another plan than the one that is asked about.' };
  const proven = await whoAnswers(answer, finding, policy, ports);
  if ('refused' in proven) return proven;
  if (givenAt(answer) > Date.parse(question.expires)) return { refused: `It came too late: the time to answer ended at ${question.expires}.` };
  if (finding.actor && isActor(finding.actor, proven.person, proven.principal, policy.people, finding.resource.accountId))
    return { refused: `${proven.person.name} may have made the change: whoever made it does not decide about it.` };
  // One that does not count must not keep its person from answering.
  if (answer.decision === 'approve' && (await validApprovals(finding, policy, ports)).some(({ person }) => person === proven.person.name))
    return { refused: `${proven.person.name} has approved already: another person must.` };
  return proven;
}

/** Epoch milliseconds of the proof. The caller of a command acts now. */
const givenAt = ({ proof }: Answer): number => (proof?.kind === 'sts' ? signedAt(proof) : proof?.kind === 'slack' ? slackSignedAt(proof) : 0);

/** A message does not know the id of its question: what was said there about this must have been said since it was asked. */
function answersIt({ question: id, proof }: Answer, question: Question): boolean {
  if (proof?.kind !== 'slack') return id === question.id;
  // Slack signs whole seconds.
  return saidBy(proof.body)?.about === question.about && slackSignedAt(proof) + 999 >= Date.parse(question.askedAt);
}

/** The person behind an answer, as AWS or Slack tells it. */
export async function whoAnswers(answer: Answer, finding: Finding, policy: CompiledPolicy, ports: Pick<Hearing, 'clock' | 'prove'>): Promise<Ruling> {
  const { proof, reason = '' } = answer;
  if (reason.length > longestReason) return { refused: `Its reason is longer than ${longestReason} characters.` };
  if (!proof) return { refused: 'It bears no proof of who gave it.' };
  if (proof.kind !== 'caller' && finding.heard?.includes(proofId(proof))) return { refused: 'Its proof has been used already: each is good for one answer.' };
  if (proof.kind === 'slack') {
    const fault = unfitSlack(proof, answer, ports.clock.now());
    if (fault) return { refused: fault };
  }
  if (proof.kind === 'sts') {
    const fault = unfit(proof, answer, ports.clock.now());
    if (fault) return { refused: fault };
  }
  // The answer stays as it is, unheard, as long as its proof can be good.
  const principal = await ports.prove(proof).catch((cause: unknown) => {
    throw new RetryLaterError(proof.kind === 'slack' ? 'the signing secret of the Slack app cannot be read' : 'AWS STS cannot be asked who answers', 60, {
      cause,
    });
  });
  if (!principal)
    return { refused: proof.kind === 'slack' ? 'Its signature is not that of the Slack app of the policy.' : 'AWS STS does not confirm its proof.' };
  // The policy may name them by the same words: whom AWS confirms is no member of Slack, and the other way round.
  if ((proof.kind === 'slack') !== (slackUserIn(principal.arn) !== undefined)) return { refused: 'Its proof is of another kind than who it speaks of.' };
  const person = personOf(principal, policy.people, finding.resource.accountId);
  if (person) {
    // To have it looked at again decides nothing.
    if (answer.decision === 'recheck' || mayDecide(person.name, finding, policy)) return { principal, person };
    return { refused: `${person.name} does not decide about ${finding.control}: the policy leaves it to ${approversOf(finding, policy)!.join(', ')}.` };
  }
  const none = Object.keys(policy.people).length === 0;
  return {
    refused: none ? 'The policy names no people who may answer: add them under "people" and deploy.' : `${principal.arn} is none of the people of the policy.`,
  };
}
