/** What an attempt at a fix comes to: recorded first, told second. */
import { toldKey } from './alerts/told.ts';
import { isOpen, needsOf, questionOf } from './answers/question.ts';
import type { Held } from './brakes.ts';
import type { AnyStateControl } from './control.ts';
import { statusOf } from './decide.ts';
import { RetryLaterError } from './errors.ts';
import { isUndoing, resolved, step } from './finding.ts';
import type { Judged } from './judge.ts';
import type { Again, Change, Decision, EntryKind, Finding, OutcomeStatus, RecordedChange } from './model.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Lease, Ports } from './ports.ts';
import { tell } from './tell.ts';

/** Ended: the finding holds the outcome. Again: come back after so many seconds; `knock`: sooner, when somebody answers. */
export type Attempt = { readonly ended: OutcomeStatus } | (Again & { readonly knock?: true });

/** Seconds until what another process is at is looked at again. */
export const busySeconds = 15;

/** What says when to come back is no fault of the attempt: nothing is lost, and no try is used up. */
export function orLater(error: unknown): Attempt {
  if (!(error instanceof RetryLaterError)) throw error;
  return { again: error.seconds, note: `${error.message}.` };
}

/** Compliant, not applicable or gone, as just read. */
export async function settled(
  finding: Finding,
  control: AnyStateControl,
  { state, evaluation, decision }: Judged,
  lease: Lease,
  ports: Ports,
  also: () => Promise<readonly string[]>,
): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const { intended } = finding;
  if (intended && !intended.refused && evaluation?.complianceType === 'COMPLIANT') {
    const done: RecordedChange = { ...intended, doneAt: at, observed: control.setting?.(state) };
    const others = await also();
    const fixed = resolved(
      { ...finding, changes: [...finding.changes, done], ...(others.length > 0 && { also: others }) },
      evaluation,
      { status: 'REMEDIATED', reason: `${intended.change.summary}; verified.`, at },
      'remediate',
    );
    await ports.ledger.save(fixed.finding, fixed.entry, { lease });
    return tellOnce(fixed.finding, control, ports);
  }
  const ended = resolved(finding, evaluation, { status: statusOf('none', evaluation), reason: decision.reason, at }, 'remediate');
  await ports.ledger.save(ended.finding, ended.entry, { lease });
  return finding.alerted ? tellOnce(ended.finding, control, ports) : { ended: ended.finding.outcome!.status };
}

/** The policy, an exception, a brake or the live state no longer wants this fix: what they want instead is done. */
export async function give(
  finding: Finding,
  control: AnyStateControl,
  ports: Ports,
  decision: Decision,
  judged?: Judged,
  { held, quiet = false }: Partial<Held> = {},
  asking?: { readonly plan: Change; readonly policy: CompiledPolicy },
): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const outcome = { status: statusOf(decision.action, judged?.evaluation ?? finding.evaluation), reason: decision.reason, at };
  const over = decision.action === 'except' || decision.action === 'off';
  // What a brake holds back is not waited for; but a person may approve it.
  const question = asking && decision.action === 'approve' ? heldQuestion(finding, asking, held, ports) : finding.question;
  const given = { ...finding, decision, outcome, held, question, evaluation: judged?.evaluation ?? finding.evaluation };
  // Decided and told by the event that came by during the wait.
  const known = finding.alerted === toldKey(finding) && finding.decision.action === decision.action && finding.decision.reason === decision.reason;
  const next = over
    ? resolved({ ...finding, decision }, judged?.evaluation, outcome, 'remediate')
    : step(
        given,
        // In one save: whoever comes by in between would tell each of a burst.
        quiet || known ? { alerted: toldKey(given) } : {},
        { kind: 'DECIDED', by: 'remediate', at, note: quiet ? `${decision.reason} Told by the page about the bot itself.` : decision.reason },
      );
  await ports.ledger.save(next.finding, next.entry);
  if (quiet || (over && !finding.alerted)) return { ended: outcome.status };
  return tellOnce(next.finding, control, ports);
}

export async function fail(finding: Finding, control: AnyStateControl, ports: Ports, reason: string): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const kind: EntryKind = 'REMEDIATION_FAILED';
  // People who are asked about an undo still are.
  const question = isUndoing(finding) ? finding.question : undefined;
  const next = step(finding, { outcome: { status: kind, reason, at }, question }, { kind, by: 'remediate', at, note: reason });
  await ports.ledger.save(next.finding, next.entry);
  return tellOnce(next.finding, control, ports);
}

export async function tellOnce(finding: Finding, control: AnyStateControl, ports: Ports): Promise<Attempt> {
  const ended = finding.outcome?.status ?? 'RETRY_LATER';
  // Whoever was not told of a drift need not hear that it ended by itself.
  const unheard = finding.state === 'resolved' && !finding.undo && !finding.alerted && ended !== 'REMEDIATED';
  if (unheard || finding.alerted === toldKey(finding)) return { ended };
  return (await tell(finding, control, 'remediate', ports)) ? { ended } : { again: busySeconds, note: 'Another process is telling of it.' };
}

const heldQuestion = (
  finding: Finding,
  { plan, policy }: { readonly plan: Change; readonly policy: CompiledPolicy },
  held: Finding['held'],
  { clock }: Ports,
) => {
  const now = clock.now();
  const expires = held ? new Date(held.until) : now;
  const question = questionOf(finding, plan, { about: 'fix', otherwise: 'fix', expires, needs: needsOf(finding, policy), policy }, now);
  const { question: asked } = finding;
  // Who has said yes need not do so again.
  const same = asked?.otherwise === 'fix' && asked.about === 'fix' && asked.planHash === question.planHash && isOpen(asked, now);
  return same ? asked : question;
};
