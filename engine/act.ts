/**
 * One attempt at a fix, run afresh every time: its memory is the ledger, never a checkpoint. After any wait or crash it asks
 * again whether the policy still wants the write, whether the drift is still there, and what of it has been done already.
 */
import { randomUUID } from 'node:crypto';
import { toldKey } from './alert.ts';
import { brakeOn, type Held } from './brakes.ts';
import type { AnyStateControl, Catalogue } from './control.ts';
import { isEventControl } from './control.ts';
import { statusOf } from './decide.ts';
import { askAgain, cannotSee, deniedWords, mayPass } from './denied.ts';
import { DeniedError, isCredentialError, TerminalError } from './errors.ts';
import { resolved, resourceKey, step } from './finding.ts';
import { type Judged, judge, settingsOf } from './judge.ts';
import type { Again, Change, Decision, EntryKind, Finding, OutcomeStatus, RecordedChange } from './model.ts';
import { modeFor } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Aws, Calls, Deployment, Lease, Ports } from './ports.ts';
import { tell } from './tell.ts';

export interface Action {
  readonly ports: Ports;
  readonly catalogue: Catalogue;
  /** ARN of the role that the calls are made under. */
  readonly roleArn: string;
  /** Longer than one attempt can take: a lease must not run out under its holder. */
  readonly leaseSeconds: number;
  /** Counted as calls to resources are sent. */
  readonly calls?: Calls;
}

/** Ended: the finding holds the outcome. Again: come back after so many seconds. */
export type Attempt = { readonly ended: OutcomeStatus } | Again;

/** AWS shows a new setting late: SQS says up to 60 s. Past this the fix has failed. */
const verifyForMs = 5 * 60_000;
const busySeconds = 15;
/** A database that is being made or moved can keep a fix waiting for hours; past this a person must look. */
const waitForMs = 6 * 3_600_000;

/** Milliseconds since the write was intended, or since the execution that takes it up again was asked for. */
const since = ({ intended, drivenAt }: Finding, { clock }: Ports): number =>
  clock.now().getTime() - Math.max(Date.parse(intended!.intendedAt), drivenAt ? Date.parse(drivenAt) : 0);

export async function act(findingId: string, action: Action): Promise<Attempt> {
  const { ports } = action;
  const finding = await ports.ledger.get(findingId);
  if (!finding) throw new TerminalError(`there is no finding ${findingId}`);
  const control = await controlOf(finding, action.catalogue);
  if (finding.state === 'resolved') return tellOnce(finding, control, ports);

  const now = ports.clock.now();
  const due = finding.fixNotBefore ? Date.parse(finding.fixNotBefore) : 0;
  if (due > now.getTime()) return { again: Math.ceil((due - now.getTime()) / 1_000), note: 'The time to fix has not come.' };

  const policy = await ports.ledger.policy().catch((error: unknown) => {
    ports.log.error('Policy cannot be read', { error });
    return undefined;
  });
  if (!policy) return give(finding, control, ports, { action: 'page', reason: 'The policy cannot be read, so nothing is written.' });

  // Asked before anything is read: a policy that no longer wants the fix has taken the right to read with it.
  const { mode, reason } = modeFor(settingsOf(policy, control.id), finding.actor);
  if (mode !== 'fix') return give(finding, control, ports, { action: mode, reason });

  const stop = await stopped(ports);
  if (stop) return give(finding, control, ports, { action: 'page', reason: stop });

  const owner = `${findingId}:${randomUUID()}`;
  const leases = await leaseAll(control, finding, owner, action);
  if (!leases) return { again: busySeconds, note: 'Another fix of the same setting is under way.' };
  try {
    // Another attempt may have ended while this one waited for the lease.
    const current = (await ports.ledger.get(findingId)) ?? finding;
    if (current.state === 'resolved') return await tellOnce(current, control, ports);
    const aws = ports.aws(finding.resource, { share: false, calls: action.calls });
    const deployment = await ports.ledger.recall<Deployment>('deployment');
    return await attempt(current, control, policy, deployment, aws, leases[0]!, action);
  } finally {
    await Promise.all(leases.map((lease) => ports.ledger.release(lease)));
  }
}

/** Why nothing may be written at all; undefined = it may. */
const stopped = ({ killSwitch, log }: Ports): Promise<string | undefined> =>
  killSwitch().then(
    (on) => (on ? 'The kill switch is on, so nothing is written.' : undefined),
    (error: unknown) => {
      log.error('Kill switch cannot be read', { error });
      return 'The kill switch cannot be read, so nothing is written.';
    },
  );

/** Records that the attempts have been given up, and pages. For the caller whose retries are spent. */
export async function giveUp(findingId: string, reason: string, { ports, catalogue }: Pick<Action, 'ports' | 'catalogue'>): Promise<Attempt> {
  const finding = await ports.ledger.get(findingId);
  if (!finding) throw new TerminalError(`there is no finding ${findingId}`);
  const control = await controlOf(finding, catalogue);
  return finding.state === 'resolved' ? tellOnce(finding, control, ports) : fail(finding, control, ports, reason);
}

async function controlOf(finding: Finding, catalogue: Catalogue): Promise<AnyStateControl> {
  const control = await catalogue.find(({ id }) => id === finding.control)?.load();
  if (!control || isEventControl(control)) throw new TerminalError(`there is no control ${finding.control} that could act`);
  return control;
}

async function leaseAll(control: AnyStateControl, { resource }: Finding, owner: string, { ports, leaseSeconds }: Action): Promise<Lease[] | undefined> {
  const held: Lease[] = [];
  // In one order for everybody, so that two fixes never hold what the other waits for.
  for (const setting of [...control.writes].sort()) {
    const lease = await ports.ledger.lease(`${resourceKey(resource)}|${setting}`, owner, leaseSeconds);
    if (!lease) {
      await Promise.all(held.map((taken) => ports.ledger.release(taken)));
      return undefined;
    }
    held.push(lease);
  }
  return held;
}

async function attempt(
  finding: Finding,
  control: AnyStateControl,
  policy: CompiledPolicy,
  deployment: Deployment | undefined,
  aws: Aws,
  lease: Lease,
  { ports, roleArn }: Action,
): Promise<Attempt> {
  const look = (begun?: Change) => judge(control, finding.resource, finding.actor, policy, aws, ports, { begun, backlog: finding.backlog });
  const judged = await look(finding.intended?.change);
  const asked = new Date(Math.max(...[finding.openedAt, finding.drivenAt, finding.fixNotBefore].map((time) => (time ? Date.parse(time) : 0))));
  const passes = () => mayPass(deployment, asked, ports.clock.now());

  if (judged.denied) {
    if (passes()) return { again: askAgain, note: deniedWords(judged.denied) };
    const { accountId, region, id } = finding.resource;
    await cannotSee(judged.denied, { control: control.id, accountId, region, resource: id }, roleArn, 'remediate', ports);
    return give(finding, control, ports, judged.decision, judged, { quiet: true });
  }

  if (judged.decision.action === 'none') return settled(finding, control, judged, lease, ports);
  if (judged.decision.action !== 'fix' || judged.plan?.kind !== 'change') return give(finding, control, ports, judged.decision, judged);

  const begun = finding.intended && !finding.intended.refused ? finding.intended : undefined;
  // A write that this execution has begun has its slots; begun anew by another one, it is one more.
  const mine = begun && begun.intendedAt >= (finding.drivenAt ?? '');
  const held = mine ? undefined : await brakeOn(finding, policy.guards, deployment, roleArn, ports);
  // That something may be half written is no part of what the brake tells.
  if (held) return give(finding, control, ports, held.decision, judged, { ...held, quiet: held.quiet && !begun });

  const intended = await intend(finding, judged.decision, judged.plan, lease, ports);
  const { change } = intended.intended!;
  try {
    const again = await control.remediate!(finding.resource, change, aws, { findingId: finding.id });
    if (again) return since(intended, ports) < waitForMs ? again : fail(intended, control, ports, `AWS has kept the fix waiting too long: ${again.note}`);
  } catch (error) {
    if (isCredentialError(error)) throw error;
    if (error instanceof DeniedError) {
      const refused = { ...intended, intended: { ...intended.intended!, refused: true as const } };
      return passes() ? askLater(refused, error, ports) : fail(refused, control, ports, deniedWords(error));
    }
    if (error instanceof TerminalError) return fail(intended, control, ports, `${error.message}.`);
    throw error;
  }
  return verify(intended, control, () => look(change), lease, ports);
}

/** What AWS has refused was not written: the ledger must say so before the next attempt. */
async function askLater(refused: Finding, error: DeniedError, { ledger, clock }: Ports): Promise<Again> {
  const note = deniedWords(error);
  const next = step(refused, {}, { kind: 'RETRY_LATER', by: 'remediate', at: clock.now().toISOString(), note });
  await ledger.save(next.finding, next.entry);
  return { again: askAgain, note };
}

/** Recorded before the write. An open INTENDED is the same write begun earlier: its `before` is the true one. */
async function intend(finding: Finding, decision: Decision, plan: Change, lease: Lease, { ledger, clock }: Ports): Promise<Finding> {
  const earlier = finding.intended?.refused ? undefined : finding.intended;
  const same = earlier && JSON.stringify(earlier.change.after) === JSON.stringify(plan.after);
  // An attempt that died before it told what it had come to is made again: what it came to no longer holds.
  if (same && finding.outcome === undefined) return finding;
  const at = clock.now().toISOString();
  const intended: RecordedChange = same ? earlier : { change: plan, intendedAt: at };
  // A plan that has changed since was written in part or not at all; it is kept, so that undo can take it back too.
  const changes = earlier && !same ? [...finding.changes, earlier] : finding.changes;
  const next = step(
    finding,
    { decision, outcome: undefined, held: undefined, intended, changes, proposal: plan.summary },
    { kind: 'INTENDED', by: 'remediate', at, note: plan.summary },
  );
  await ledger.save(next.finding, next.entry, { lease });
  return next.finding;
}

async function verify(finding: Finding, control: AnyStateControl, look: () => Promise<Judged>, lease: Lease, ports: Ports): Promise<Attempt> {
  let judged = await look();
  for (const pause of [250, 1_000, 2_000]) {
    if (judged.decision.action === 'none') break;
    await ports.clock.sleep(pause);
    judged = await look();
  }
  if (judged.decision.action === 'none') return settled(finding, control, judged, lease, ports);
  if (judged.evaluation?.complianceType === 'INSUFFICIENT_DATA') {
    return fail(finding, control, ports, `The change was sent, but whether it holds cannot be seen: ${judged.evaluation.annotation}`);
  }
  if (since(finding, ports) < verifyForMs) return { again: 20, note: 'The change was sent, but AWS does not show it yet.' };
  return fail(finding, control, ports, `The change was sent, but the live state still fails: ${judged.evaluation?.annotation ?? ''}`);
}

/** Compliant, not applicable or gone, as just read. */
async function settled(finding: Finding, control: AnyStateControl, { state, evaluation, decision }: Judged, lease: Lease, ports: Ports): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const { intended } = finding;
  if (intended && !intended.refused && evaluation?.complianceType === 'COMPLIANT') {
    const done: RecordedChange = { ...intended, doneAt: at, observed: control.setting?.(state) };
    const fixed = resolved(
      { ...finding, changes: [...finding.changes, done] },
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
async function give(
  finding: Finding,
  control: AnyStateControl,
  ports: Ports,
  decision: Decision,
  judged?: Judged,
  { held, quiet = false }: Partial<Held> = {},
): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const outcome = { status: statusOf(decision.action, judged?.evaluation ?? finding.evaluation), reason: decision.reason, at };
  const over = decision.action === 'except' || decision.action === 'off';
  const given = { ...finding, decision, outcome, held, evaluation: judged?.evaluation ?? finding.evaluation };
  const next = over
    ? resolved({ ...finding, decision }, judged?.evaluation, outcome, 'remediate')
    : step(
        given,
        // In one save: whoever comes by in between would tell each of a burst.
        quiet ? { alerted: toldKey(given) } : {},
        { kind: 'DECIDED', by: 'remediate', at, note: quiet ? `${decision.reason} Told by the page about the bot itself.` : decision.reason },
      );
  await ports.ledger.save(next.finding, next.entry);
  if (quiet || (over && !finding.alerted)) return { ended: outcome.status };
  return tellOnce(next.finding, control, ports);
}

async function fail(finding: Finding, control: AnyStateControl, ports: Ports, reason: string): Promise<Attempt> {
  const at = ports.clock.now().toISOString();
  const kind: EntryKind = 'REMEDIATION_FAILED';
  const next = step(finding, { outcome: { status: kind, reason, at } }, { kind, by: 'remediate', at, note: reason });
  await ports.ledger.save(next.finding, next.entry);
  return tellOnce(next.finding, control, ports);
}

async function tellOnce(finding: Finding, control: AnyStateControl, ports: Ports): Promise<Attempt> {
  const ended = finding.outcome!.status;
  // Whoever was not told of a drift need not hear that it ended by itself.
  const unheard = finding.state === 'resolved' && !finding.alerted && ended !== 'REMEDIATED';
  if (unheard || finding.alerted === toldKey(finding)) return { ended };
  return (await tell(finding, control, 'remediate', ports)) ? { ended } : { again: busySeconds, note: 'Another process is telling of it.' };
}
