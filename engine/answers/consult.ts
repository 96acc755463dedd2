/** Asking people, and what comes of it: a question stands until it is answered, its time has run out, or what would be written is no longer what was asked. */
import type { Told } from '../alerts/finding.ts';
import type { AnyStateControl } from '../control.ts';
import { type Attempt, tellOnce } from '../ending.ts';
import { step } from '../finding.ts';
import type { Judged } from '../judge.ts';
import type { Change, Decision, Finding, Question } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { type Heard, hear } from './hear.ts';
import { planHash } from './plan-hash.ts';
import { isOpen, needsOf, questionOf } from './question.ts';

/** The question about this very plan, if one was asked. One whose time ends in a fix is over then. */
const about = ({ question, ...finding }: Finding, plan: Change, now: Date): Question | undefined => {
  const same = question?.about === 'fix' && question.planHash === planHash(finding, plan);
  return same && (question.otherwise === 'deny' || isOpen(question, now)) ? question : undefined;
};

/** What was approved in time may be held off for 2 hours by an update of its stack. */
const carriedOutMs = 3 * 3_600_000;

export type Consulted = Heard | { readonly finding: Finding; readonly verdict: 'expired'; readonly decision: Decision };

/** What people have said about this plan so far. @param begun it was approved and begun: it is finished, however long that takes */
export async function consult(
  finding: Finding,
  control: Told,
  plan: Change,
  { wants, begun, woken }: { readonly wants: 'fix' | 'approve'; readonly begun: boolean; readonly woken: boolean },
  policy: CompiledPolicy,
  ports: Ports,
): Promise<Consulted> {
  const question = about(finding, plan, ports.clock.now());
  if (!question) return { finding, verdict: 'open' };
  const heard = await hear(finding, control, policy, ports, woken);
  const now = ports.clock.now();
  const approved = heard.verdict === 'approved';
  const counts = begun || now.getTime() < Date.parse(question.expires) + carriedOutMs;
  if (heard.verdict === 'denied' || isOpen(question, now) || (approved && counts)) return heard;
  if (wants === 'fix') return { ...heard, verdict: 'open' };
  const at = now.toISOString();
  const words = approved
    ? `It was approved, but could not be carried out by ${question.expires}.`
    : `Nobody has approved it by ${question.expires}, and what is not approved is denied.`;
  const reason = `${words} A sweep with --apply asks anew.`;
  const next = step(heard.finding, { denied: { planHash: question.planHash, at, reason } }, { kind: 'EXPIRED', by: 'remediate', at, note: reason });
  await ports.ledger.save(next.finding, next.entry);
  return { finding: next.finding, verdict: 'expired', decision: { action: 'page', reason } };
}

/** Asks where it has not been asked yet, tells it once, and waits for an answer. */
export async function awaitApproval(
  finding: Finding,
  control: AnyStateControl,
  plan: Change,
  { decision, evaluation }: Judged,
  policy: CompiledPolicy,
  ports: Ports,
): Promise<Attempt> {
  const now = ports.clock.now();
  const asked = about(finding, plan, now);
  const question =
    asked ?? questionOf(finding, plan, { about: 'fix', otherwise: 'deny', expires: expiryOf(policy, now), needs: needsOf(finding, policy), policy }, now);
  const waiting = asked && finding.outcome?.status === 'AWAITING_APPROVAL' ? finding : await ask();
  const told = await tellOnce(waiting, control, ports);
  if (!('ended' in told)) return told;
  return { again: secondsUntil(question.expires, now), note: 'It waits for a person.', knock: true };

  async function ask(): Promise<Finding> {
    const at = now.toISOString();
    const note = `${asked || !finding.question ? '' : 'What would be written has changed since it was asked last. '}${decision.reason}`;
    const next = step(
      finding,
      {
        decision,
        evaluation: evaluation ?? finding.evaluation,
        outcome: { status: 'AWAITING_APPROVAL', reason: note, at },
        question,
        held: undefined,
        proposal: plan.summary,
      },
      { kind: 'ASKED', by: 'remediate', at, note: `${plan.summary}? ${note}` },
    );
    await ports.ledger.save(next.finding, next.entry);
    return next.finding;
  }
}

/** A planned fix can be denied until it is due: what it is about is recorded, so that an answer can be held to it. */
export async function announce(finding: Finding, plan: Change, due: Date, policy: CompiledPolicy, ports: Ports): Promise<Finding> {
  const now = ports.clock.now();
  if (about(finding, plan, now)) return finding;
  const question = questionOf(finding, plan, { about: 'fix', otherwise: 'fix', expires: due, needs: 1, policy }, now);
  const next = step(
    finding,
    { question, proposal: plan.summary },
    { kind: 'ASKED', by: 'remediate', at: question.askedAt, note: `${plan.summary} at ${question.expires}, unless somebody denies it before.` },
  );
  await ports.ledger.save(next.finding, next.entry);
  return next.finding;
}

export const expiryOf = ({ approvals: { expires } }: Pick<CompiledPolicy, 'approvals'>, now: Date): Date => new Date(now.getTime() + expires * 1_000);

export const secondsUntil = (time: string, now: Date): number => Math.max(1, Math.ceil((Date.parse(time) - now.getTime()) / 1_000));
