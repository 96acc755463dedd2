/**
 * One attempt at a fix, run afresh every time: its memory is the ledger, never a checkpoint. After any wait or crash it asks
 * again whether the policy still wants the write, whether people do, whether the drift is still there, and what of it has been done already.
 */
import { announce, awaitApproval, consult, secondsUntil } from './answers/consult.ts';
import { brakeOn } from './brakes.ts';
import { canonical } from './canonical.ts';
import type { AnyStateControl, Catalogue } from './control.ts';
import { isEventControl } from './control.ts';
import { askAgain, cannotSee, deniedWords, mayPass } from './denied.ts';
import { type Attempt, busySeconds, fail, give, orLater, settled, tellOnce } from './ending.ts';
import { DeniedError, isCredentialError, TerminalError } from './errors.ts';
import { isUndoing, step } from './finding.ts';
import { holdOff } from './hold-off.ts';
import { type Judged, judge, settingsOf } from './judge.ts';
import { withLeases } from './leases.ts';
import type { Again, Change, Finding, RecordedChange } from './model.ts';
import { modeFor } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Aws, Calls, Deployment, Lease, Ports } from './ports.ts';
import { covers } from './settings.ts';
import { siblingsOf, whoGoesFirst } from './siblings.ts';
import { noteWriter } from './writes.ts';

export type { Attempt } from './ending.ts';

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

/** AWS shows a new setting late: SQS says up to 60 s. Past this the fix has failed. */
const verifyForMs = 5 * 60_000;
/** A database that is being made or moved can keep a fix waiting for hours; past this a person must look. */
export const waitForMs = 6 * 3_600_000;

/** Milliseconds since the write was intended, or since the execution that takes it up again was asked for. */
const since = ({ intended, drivenAt }: Finding, { clock }: Ports): number =>
  clock.now().getTime() - Math.max(Date.parse(intended!.intendedAt), drivenAt ? Date.parse(drivenAt) : 0);

/** @param woken somebody woke the execution before the time it waited for */
export const act = (findingId: string, action: Action, woken = false): Promise<Attempt> => actOnce(findingId, action, woken).catch(orLater);

async function actOnce(findingId: string, action: Action, woken: boolean): Promise<Attempt> {
  const { ports } = action;
  const finding = await ports.ledger.get(findingId);
  if (!finding) throw new TerminalError(`there is no finding ${findingId}`);
  const control = await controlOf(finding, action.catalogue);
  if (finding.state === 'resolved') return tellOnce(finding, control, ports);
  // Whoever takes back what was written must not find it written again.
  if (isUndoing(finding)) return afterUndo;

  const policy = await ports.ledger.policy().catch((error: unknown) => {
    ports.log.error('Policy cannot be read', { error });
    return undefined;
  });
  const due = finding.fixNotBefore ?? '';
  if (due > ports.clock.now().toISOString()) return waitUntil(due, finding, control, policy, action, woken);
  if (!policy) return give(finding, control, ports, { action: 'page', reason: 'The policy cannot be read, so nothing is written.' });

  // Asked before anything is read: a policy that no longer wants the fix has taken the right to read with it.
  const { mode, reason } = modeFor(settingsOf(policy, control.id), finding.actor, finding.owner);
  if (mode !== 'fix' && mode !== 'approve') return give(finding, control, ports, { action: mode, reason });

  const stop = await stopped(ports);
  if (stop) return give(finding, control, ports, { action: 'page', reason: stop });

  const done = await withLeases(control, finding, action, async ([lease]) => {
    // Another attempt may have ended while this one waited for the lease.
    const current = (await ports.ledger.get(findingId)) ?? finding;
    if (current.state === 'resolved') return tellOnce(current, control, ports);
    if (isUndoing(current)) return afterUndo;
    const aws = ports.aws(finding.resource, { share: false, calls: action.calls });
    return attempt(current, control, policy, aws, lease, action, woken);
  });
  return done ?? { again: busySeconds, note: 'Another fix of the same setting is under way.' };
}

/** Seconds: people may take days to say whether it is to be undone; if not, the fix goes on. */
const afterUndo: Again = { again: 900, note: 'It is being undone.' };

/** The time to fix has not come; until then people may deny it. */
async function waitUntil(
  due: string,
  finding: Finding,
  control: AnyStateControl,
  policy: CompiledPolicy | undefined,
  { ports, calls }: Action,
  woken: boolean,
): Promise<Attempt> {
  const wait = { again: secondsUntil(due, ports.clock.now()), note: 'The time to fix has not come.', knock: true } as const;
  if (!policy) return wait;
  const plan = finding.question?.otherwise === 'fix' ? finding.question.change : await planNow();
  if (!plan) return wait;
  const { finding: heard, verdict } = await consult(
    await announce(finding, plan, new Date(due), policy, ports),
    control,
    plan,
    { wants: 'fix', begun: false, woken },
    policy,
    ports,
  );
  return verdict === 'denied' ? give(heard, control, ports, { action: 'notify', reason: heard.denied!.reason }) : wait;

  /** What stands against it now may be gone when it is due: only a plan that would be carried out is announced. */
  async function planNow(): Promise<Change | undefined> {
    const aws = ports.aws(finding.resource, { share: false, calls });
    const judged = await judge(control, finding.resource, finding.actor, policy!, aws, ports, { backlog: finding.backlog });
    return judged.decision.action === 'fix' && judged.plan?.kind === 'change' ? judged.plan : undefined;
  }
}

/** Why nothing may be written at all; undefined = it may. */
export const stopped = ({ killSwitch, log }: Ports): Promise<string | undefined> =>
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
  // Anybody who may start an execution may name what is not there: nobody is to be told.
  if (!finding) return { ended: 'DOES_NOT_EXIST' };
  const control = await controlOf(finding, catalogue);
  return finding.state === 'resolved' ? tellOnce(finding, control, ports) : fail(finding, control, ports, reason);
}

export async function controlOf(finding: Finding, catalogue: Catalogue): Promise<AnyStateControl> {
  const control = await catalogue.find(({ id }) => id === finding.control)?.load();
  if (!control || isEventControl(control)) throw new TerminalError(`there is no control ${finding.control} that could act`);
  return control;
}

async function attempt(
  finding: Finding,
  control: AnyStateControl,
  policy: CompiledPolicy,
  aws: Aws,
  lease: Lease,
  action: Action,
  woken: boolean,
): Promise<Attempt> {
  const { ports, roleArn } = action;
  const deployment = await ports.ledger.recall<Deployment>('deployment');
  const look = (begun?: Change) =>
    judge(control, finding.resource, finding.actor, policy, aws, ports, { begun, backlog: finding.backlog, denied: finding.denied, owner: finding.owner });
  const judged = await look(finding.intended?.change);
  if (judged.owner) finding = { ...finding, owner: judged.owner };
  const asked = new Date(Math.max(...[finding.openedAt, finding.drivenAt, finding.fixNotBefore].map((time) => (time ? Date.parse(time) : 0))));
  const passes = () => mayPass(deployment, asked, ports.clock.now());

  if (judged.denied) {
    if (passes()) return { again: askAgain, note: deniedWords(judged.denied) };
    const { accountId, region, id } = finding.resource;
    await cannotSee(judged.denied, { control: control.id, accountId, region, resource: id }, roleArn, 'remediate', ports);
    return give(finding, control, ports, judged.decision, judged, { quiet: true });
  }

  if (judged.decision.action === 'none') return settled(finding, control, judged, lease, ports, () => alsoFailing(finding, control, action));
  const { action: wants } = judged.decision;
  if ((wants !== 'fix' && wants !== 'approve') || judged.plan?.kind !== 'change') return give(finding, control, ports, judged.decision, judged);

  const begun = finding.intended && !finding.intended.refused ? finding.intended : undefined;
  if (!begun) {
    const first = await whoGoesFirst(finding, control, judged.plan, policy, aws, action);
    // Longer than the other waits for the lease, lest the two meet again and again.
    if (first) return { again: 3 * busySeconds, note: `${first.control} writes the same setting, and has begun or takes less away: it goes first.` };
  }
  // What was begun is finished as it was approved: half of it may be written already.
  const plan = begun && isSame(begun.change, judged.plan) ? begun.change : judged.plan;
  const consulted = await consult(finding, control, plan, { wants, begun: begun !== undefined, woken }, policy, ports);
  const answered = consulted.finding;
  if (consulted.verdict === 'denied') return give(answered, control, ports, { action: 'notify', reason: answered.denied!.reason }, judged);
  if (consulted.verdict === 'expired') return give(answered, control, ports, consulted.decision, judged);
  if (wants === 'approve' && consulted.verdict !== 'approved') return awaitApproval(answered, control, plan, judged, policy, ports);
  // What is written in part is ended, whatever its stack is doing.
  const waits = begun ? undefined : await holdOff(answered, control, { asked: asked.toISOString(), passes }, ports);
  if (waits && 'again' in waits) return waits;
  if (waits) return give(answered, control, ports, waits, judged);

  // A write that this execution has begun has its slots; begun anew by another one, it is one more. What a person approved needs none.
  const mine = begun && begun.intendedAt >= (finding.drivenAt ?? '');
  const held = mine || consulted.verdict === 'approved' ? undefined : await brakeOn(answered, policy.guards, deployment, roleArn, ports);
  // That something may be half written is no part of what the brake tells.
  if (held) return give(answered, control, ports, held.decision, judged, { ...held, quiet: held.quiet && !begun }, { plan, policy });

  const intended = await intend(answered, control, judged, plan, lease, ports);
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
  return verify(
    intended,
    control,
    () => look(change),
    lease,
    ports,
    () => alsoFailing(finding, control, action),
  );
}

/** Other controls that failed on the setting that was just written: they are judged after it, and one alert names all. */
const alsoFailing = async (finding: Finding, control: AnyStateControl, { catalogue, ports }: Action): Promise<readonly string[]> =>
  (await siblingsOf(finding, control, catalogue, ports)).map((sibling) => sibling.control);

/** Half written, a plan takes less away than it did; one that takes away something else is another. */
const isSame = (begun: Change, plan: Change): boolean => canonical(begun.after) === canonical(plan.after) && covers(begun.before, plan.before);

/** What AWS has refused was not written: the ledger must say so before the next attempt. */
async function askLater(refused: Finding, error: DeniedError, { ledger, clock }: Ports): Promise<Again> {
  const note = deniedWords(error);
  const next = step(refused, {}, { kind: 'RETRY_LATER', by: 'remediate', at: clock.now().toISOString(), note });
  await ledger.save(next.finding, next.entry);
  return { again: askAgain, note };
}

/** Recorded before the write. An open INTENDED is the same write begun earlier: its `before` is the true one. */
async function intend(
  finding: Finding,
  control: AnyStateControl,
  { decision, state }: Judged,
  plan: Change,
  lease: Lease,
  { ledger, clock }: Ports,
): Promise<Finding> {
  const earlier = finding.intended?.refused ? undefined : finding.intended;
  const same = earlier && isSame(earlier.change, plan);
  // An attempt that died before it told what it had come to is made again: what it came to no longer holds.
  if (same && finding.outcome === undefined) return finding;
  const at = clock.now().toISOString();
  const intended: RecordedChange = same ? earlier : { change: plan, intendedAt: at, was: control.setting?.(state) };
  // A plan that has changed since was written in part or not at all; it is kept, so that undo can take it back too.
  const changes = earlier && !same ? [...finding.changes, earlier] : finding.changes;
  await noteWriter(finding, control.writes, lease, ledger);
  const next = step(
    finding,
    { decision, outcome: undefined, held: undefined, intended, changes, proposal: plan.summary },
    { kind: 'INTENDED', by: 'remediate', at, note: plan.summary },
  );
  await ledger.save(next.finding, next.entry, { lease });
  return next.finding;
}

async function verify(
  finding: Finding,
  control: AnyStateControl,
  look: () => Promise<Judged>,
  lease: Lease,
  ports: Ports,
  also: () => Promise<readonly string[]>,
): Promise<Attempt> {
  let judged = await look();
  for (const pause of [250, 1_000, 2_000]) {
    if (judged.decision.action === 'none') break;
    await ports.clock.sleep(pause);
    judged = await look();
  }
  if (judged.decision.action === 'none') return settled(finding, control, judged, lease, ports, also);
  if (judged.evaluation?.complianceType === 'INSUFFICIENT_DATA') {
    return fail(finding, control, ports, `The change was sent, but whether it holds cannot be seen: ${judged.evaluation.annotation}`);
  }
  if (since(finding, ports) < verifyForMs) return { again: 20, note: 'The change was sent, but AWS does not show it yet.' };
  return fail(finding, control, ports, `The change was sent, but the live state still fails: ${judged.evaluation?.annotation ?? ''}`);
}
