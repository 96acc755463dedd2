/**
 * What people have answered to an open question. An answer in the ledger is a claim, a callback a knock: what counts is a proof of person
 * that AWS confirms, made for this question and this plan, by somebody who may answer. Each answer is judged once, and each refusal recorded.
 */
import { createHash } from 'node:crypto';
import { step } from '../finding.ts';
import type { Answer, Approval, EntryKind, Finding, Principal, Proof, Question } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { isActor, type Person, personOf } from './people.ts';
import { signedAt, unfit } from './proof.ts';
import { required } from './question.ts';

type Hearing = Pick<Ports, 'ledger' | 'clock' | 'prove' | 'seal' | 'isSealed'>;

export interface Heard {
  /** With everything that has been recorded. */
  readonly finding: Finding;
  readonly verdict: 'open' | 'approved' | 'denied';
}

const knockAlone = 'Something woke the execution, but there is no answer: nothing is done on a knock alone.';

/** A finding must not grow with what is thrown at it. */
const mostHeard = 200;

/** Neither the answer nor its proof counts again. */
export const heardWith = ({ heard = [] }: Finding, { id, proof }: Answer): string[] => [...heard, id, ...(proof ? [proofId(proof)] : [])].slice(-mostHeard);

/** What one answer comes to. */
type Ruling = { readonly refused: string } | { readonly principal: Principal; readonly person: Person };

/** @param woken something woke the execution before its time */
export async function hear(finding: Finding, policy: CompiledPolicy, ports: Hearing, woken = false): Promise<Heard> {
  let current = finding;
  const question = () => current.question!;
  const pending = (await ports.ledger.answers(finding.id)).filter(
    ({ id, decision }) => (decision === 'approve' || decision === 'deny') && !current.heard?.includes(id),
  );
  for (const answer of pending) {
    const ruling = await rule(answer, current, policy, ports);
    const heard = heardWith(current, answer);
    if ('refused' in ruling) {
      await note('REFUSED', `An answer (${answer.decision}) was refused: ${ruling.refused}`, { heard });
      continue;
    }
    const { person, principal } = ruling;
    const at = ports.clock.now().toISOString();
    if (answer.decision === 'deny') {
      const reason = `${person.name} denied it${answer.reason ? `: ${answer.reason}` : '.'}`;
      await note('DENIED', `${reason} (${principal.arn})`, {
        heard,
        denied: { planHash: question().planHash, by: person.name, at, reason },
      });
      return { finding: current, verdict: 'denied' };
    }
    const approval: Approval = { person: person.name, arn: principal.arn, at, seal: await ports.seal(sealWords(question(), person.name)) };
    await note('APPROVED', `${person.name} (${principal.arn}) approved plan ${question().planHash.slice(0, 12)}.`, {
      heard,
      question: { ...question(), approvals: [...question().approvals, approval] },
    });
  }
  const verdict = (await isApproved(current, policy, ports)) ? 'approved' : 'open';
  if (woken && pending.length === 0 && verdict === 'open' && !(await hasJustHeard())) await note('REFUSED', knockAlone);
  return { finding: current, verdict };

  /** An attempt that died after it had judged the answer is made again: what woke it was that. */
  async function hasJustHeard(): Promise<boolean> {
    const last = (await ports.ledger.entries(finding.id)).at(-1);
    return last?.kind === 'APPROVED' || (last?.kind === 'REFUSED' && last.note !== knockAlone);
  }

  async function note(kind: EntryKind, words: string, changes: Partial<Finding> = {}): Promise<void> {
    const next = step(current, changes, { kind, by: 'remediate', at: ports.clock.now().toISOString(), note: words });
    await ports.ledger.save(next.finding, next.entry);
    current = next.finding;
  }
}

/** What an approval's seal stands for: only who verified the proof can have made it. */
export const sealWords = ({ id, planHash }: Question, person: string): string => `${id}|${planHash}|${person}`;

/** Enough different persons of today's policy have said yes, each with a seal of the bot. */
export async function isApproved(
  { question, actor }: Finding,
  { people }: Pick<CompiledPolicy, 'people'>,
  { isSealed }: Pick<Ports, 'isSealed'>,
): Promise<boolean> {
  if (!question) return false;
  const valid: Approval[] = [];
  for (const approval of question.approvals)
    if (people[approval.person] && (await isSealed(sealWords(question, approval.person), approval.seal))) valid.push(approval);
  return new Set(valid.map(({ person }) => person)).size >= required(question, valid, actor, people);
}

/** The same proof in another row is the same. */
const proofId = (proof: Proof): string =>
  createHash('sha256')
    .update(proof.kind === 'sts' ? (proof.headers.authorization ?? '') : proof.kind)
    .digest('hex')
    .slice(0, 20);

async function rule(answer: Answer, finding: Finding, policy: CompiledPolicy, ports: Hearing): Promise<Ruling> {
  const question = finding.question!;
  if (answer.question !== question.id) return { refused: 'It answers another question than the one that is open. Look at the finding, and answer again.' };
  if (answer.planHash !== question.planHash) return { refused: 'It is about another plan than the one that is asked about.' };
  const proven = await whoAnswers(answer, finding, policy, ports);
  if ('refused' in proven) return proven;
  if (answer.proof?.kind === 'sts' && signedAt(answer.proof) > Date.parse(question.expires))
    return { refused: `It came too late: the time to answer ended at ${question.expires}.` };
  if (finding.actor && isActor(finding.actor, proven.person, proven.principal, policy.people, finding.resource.accountId))
    return { refused: `${proven.person.name} may have made the change: whoever made it does not decide about it.` };
  if (answer.decision === 'approve' && question.approvals.some(({ person }) => person === proven.person.name))
    return { refused: `${proven.person.name} has approved already: another person must.` };
  return proven;
}

/** The person behind an answer, as AWS tells it. */
export async function whoAnswers(answer: Answer, finding: Finding, policy: CompiledPolicy, ports: Pick<Hearing, 'clock' | 'prove'>): Promise<Ruling> {
  const { proof } = answer;
  if (!proof) return { refused: 'It bears no proof of who gave it.' };
  if (proof.kind === 'sts') {
    if (finding.heard?.includes(proofId(proof))) return { refused: 'Its proof has been used already: each is good for one answer.' };
    const fault = unfit(proof, answer, ports.clock.now());
    if (fault) return { refused: fault };
  }
  const principal = await ports.prove(proof);
  if (!principal) return { refused: 'AWS STS does not confirm its proof.' };
  const person = personOf(principal, policy.people, finding.resource.accountId);
  if (person) return { principal, person };
  const none = Object.keys(policy.people).length === 0;
  return {
    refused: none ? 'The policy names no people who may answer: add them under "people" and deploy.' : `${principal.arn} is none of the people of the policy.`,
  };
}
