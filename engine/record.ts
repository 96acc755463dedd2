/**
 * What a verdict means for the finding: opened, continued, closed or confirmed; then told or dispatched.
 * Recorded first, told second, marked done last: a crash in between repeats the telling, and loses nothing.
 */
import { randomUUID } from 'node:crypto';
import { alertOf, toldKey } from './alert.ts';
import type { AnyControl } from './control.ts';
import { isEventControl } from './control.ts';
import { statusOf } from './decide.ts';
import { ConflictError, StaleVerdictError } from './errors.ts';
import { actorOf, opened, resolved, type Step, seen, step } from './finding.ts';
import type { Judged } from './judge.ts';
import type { Actor, Decision, Finding, Outcome, OutcomeStatus, Trigger } from './model.ts';
import type { FindingKey, Ports, SaveOptions, Standing } from './ports.ts';

export interface Verdict {
  readonly key: FindingKey;
  readonly control: AnyControl;
  readonly trigger: Trigger;
  /** Who is judged to have made the change; the trigger that speaks for a batch may not know. */
  readonly actor: Actor | undefined;
  readonly standing: Standing;
  readonly judged: Judged;
  /** When the state was read, ISO 8601; undefined for a verdict on the event itself. */
  readonly readAt?: string;
  /** Seconds between telling and fixing. */
  readonly fixAfter: number;
  readonly own: { readonly roleArns: readonly string[] };
  readonly ports: Ports;
}

export interface Recorded {
  readonly outcome: { readonly status: OutcomeStatus; readonly reason: string };
  readonly findingId: string | null;
}

/** Events under one key are one finding for a day; then the next one is news again. */
const dayInMs = 24 * 3_600_000;
/** Longer than `act` waits for AWS between two records. */
const deadAfterMs = 7 * 3_600_000;

export async function record(verdict: Verdict): Promise<Recorded> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await recordOnce(verdict);
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === 5) throw error;
      const { key, trigger, ports } = verdict;
      const [standing] = await ports.ledger.lookup([{ ...key, eventId: trigger.eventId }]);
      verdict = { ...verdict, standing: standing! };
    }
  }
}

async function recordOnce(verdict: Verdict): Promise<Recorded> {
  const { control, trigger, standing, judged, ports } = verdict;
  const { last } = standing;
  const open = last?.state === 'open' ? last : undefined;
  const { decision } = judged;
  const outcome = { status: statusOf(decision.action, judged.evaluation), reason: decision.reason };

  // While this event held what it had read, another one opened the finding, or led to its fix.
  const newer = open ? open.lastSeenAt : last?.resolvedAt;
  const stale = verdict.readAt !== undefined && newer !== undefined && newer > verdict.readAt;
  const turns = open ? decision.action === 'none' : drifts(decision);
  if (stale && turns && !standing.done) throw new StaleVerdictError(`read before ${last?.id} changed`);

  if (standing.done) return { outcome: last?.outcome ?? outcome, findingId: last?.id ?? null };
  if (!drifts(decision)) {
    if (open) return close(open, verdict, outcome);
    // The end of an episode is told by whoever comes by, should the one who ended it have died before telling.
    const untold = last && (last.alerted || last.outcome?.status === 'REMEDIATED') && last.alerted !== toldKey(last);
    if (untold) await tell(last, control, ports, {});
    else if (last) await confirm(last, verdict);
    return { outcome, findingId: null };
  }
  if (open && isEventControl(control) && Date.parse(trigger.time) - Date.parse(open.openedBy.time) > dayInMs) {
    const at = ports.clock.now().toISOString();
    const quiet = resolved(open, undefined, { status: 'COMPLIANT', reason: 'A day has passed; a new event is a new finding.', at }, 'detect');
    await ports.ledger.save(quiet.finding, quiet.entry);
    return { outcome, findingId: (await begin(quiet.finding, verdict)).id };
  }
  const finding = open ? await proceed(open, verdict) : await begin(last, verdict);
  return { outcome: finding.outcome ?? outcome, findingId: finding.id };
}

/** Something is wrong that somebody must hear of, or that is to be mended. */
export const drifts = ({ action }: Decision): boolean => action !== 'none' && action !== 'off' && action !== 'except';

function newsOf({ actor, judged, fixAfter, ports }: Verdict): Pick<Finding, 'actor' | 'evaluation' | 'decision' | 'proposal' | 'fixNotBefore'> {
  const { evaluation, decision, plan } = judged;
  return {
    actor,
    evaluation: evaluation!,
    decision,
    proposal: plan?.kind === 'change' ? plan.summary : undefined,
    fixNotBefore: decision.action === 'fix' && fixAfter > 0 ? new Date(ports.clock.now().getTime() + fixAfter * 1_000).toISOString() : undefined,
  };
}

async function begin(last: Finding | undefined, verdict: Verdict): Promise<Finding> {
  const { key, control, trigger, ports } = verdict;
  const first = opened(key, control, newsOf(verdict), trigger, last, ports.clock.now().toISOString());
  await ports.ledger.open(first.finding, first.entry);
  return carryOut(first.finding, verdict);
}

async function proceed(open: Finding, verdict: Verdict): Promise<Finding> {
  const { trigger, ports, own, judged } = verdict;
  if (open.lastTrigger.eventId === trigger.eventId) return carryOut(open, verdict);
  const news = newsOf(verdict);
  const same = open.decision.action === judged.decision.action;
  // What an execution has already ended is taken up again by a new one: on a new decision, or on somebody's new event.
  const ended = open.outcome !== undefined;
  const now = ports.clock.now();
  // An execution that has recorded nothing for so long is dead; its name is used up.
  const begun = Math.max(...[open.drivenAt, open.fixNotBefore].map((time) => (time ? Date.parse(time) : 0)));
  const dead = open.drives > 0 && !ended && now.getTime() - begun > deadAfterMs;
  const again = judged.decision.action === 'fix' && (ended || dead || (!same && open.drives > 0)) && !isOwn(trigger, own);
  const next = seen(
    open,
    trigger,
    {
      ...news,
      fixNotBefore: same ? open.fixNotBefore : news.fixNotBefore,
      ...(again && { outcome: undefined, alerted: undefined, drives: open.drives + 1, drivenAt: now.toISOString() }),
      ...(!same && !again && { outcome: undefined }),
    },
    ports.clock.now().toISOString(),
  );
  await ports.ledger.save(next.finding, next.entry);
  return carryOut(next.finding, verdict);
}

/** Tells or dispatches, then marks the event done. */
async function carryOut(finding: Finding, { key, control, trigger, ports }: Verdict): Promise<Finding> {
  const acts = finding.decision.action === 'fix' && finding.outcome === undefined;
  // A fix that follows at once is told when it is done, not before.
  const tells = finding.alerted !== toldKey(finding) && (!acts || finding.fixNotBefore !== undefined);
  const options = { doneEventId: trigger.eventId };
  const at = ports.clock.now().toISOString();
  if (tells) {
    const told = await tell(finding, control, ports, acts ? {} : options);
    // The other may be telling an older state of it: this event comes back and sees.
    if (!told) throw new Error(`${finding.id} is being told by another process`);
    if (!acts) return told;
    finding = told;
  }
  if (acts) await ports.dispatch(finding);
  if (acts && finding.drives === 0) {
    const next = step(finding, { drives: 1, drivenAt: at }, { kind: 'DISPATCHED', by: 'detect', at, note: finding.decision.reason, eventId: trigger.eventId });
    return saveUnlessActed(next, options, ports, key, trigger);
  }
  await ports.ledger.markDone(trigger.eventId, key);
  return finding;
}

/** Undefined: somebody else is at it. */
async function tell(finding: Finding, control: AnyControl, { ledger, clock, alert }: Ports, options: SaveOptions): Promise<Finding | undefined> {
  const lease = await ledger.lease(`tell|${finding.id}`, randomUUID(), 60);
  if (!lease) return undefined;
  try {
    const current = (await ledger.get(finding.id)) ?? finding;
    if (current.alerted === toldKey(current)) {
      if (options.doneEventId) await ledger.markDone(options.doneEventId, current);
      return current;
    }
    await alert(alertOf(current, control));
    const next = step(current, { alerted: toldKey(current) }, { kind: 'ALERTED', by: 'detect', at: clock.now().toISOString(), note: current.decision.reason });
    await ledger.save(next.finding, next.entry, options);
    return next.finding;
  } finally {
    await ledger.release(lease);
  }
}

/** The dispatched execution may be quicker than this save: what it has recorded stands. */
async function saveUnlessActed({ finding, entry }: Step, options: SaveOptions, { ledger }: Ports, key: FindingKey, trigger: Trigger): Promise<Finding> {
  try {
    await ledger.save(finding, entry, options);
    return finding;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    await ledger.markDone(trigger.eventId, key);
    return (await ledger.get(finding.id)) ?? finding;
  }
}

async function close(open: Finding, verdict: Verdict, outcome: Omit<Outcome, 'at'>): Promise<Recorded> {
  const { control, trigger, judged, ports, key } = verdict;
  // An intended write may be why the resource is compliant now: only `act`, which holds the lease, can tell.
  if (open.intended && open.decision.action === 'fix' && open.outcome === undefined) {
    await ports.dispatch(open);
    return { outcome: { status: 'RETRY_LATER', reason: 'A fix is under way.' }, findingId: open.id };
  }
  const next = resolved(open, judged.evaluation, { ...outcome, at: ports.clock.now().toISOString() }, 'detect', trigger.eventId);
  await ports.ledger.save(next.finding, next.entry);
  // Those who were told of the drift are told of its end; the others never knew.
  if (open.alerted) await tell(next.finding, control, ports, { doneEventId: trigger.eventId });
  else await ports.ledger.markDone(trigger.eventId, key);
  return { outcome, findingId: open.id };
}

/** The bot's own write comes back as an event: the read that answers it proves the fix a second time. */
async function confirm(last: Finding, { trigger, judged, own, ports }: Verdict): Promise<void> {
  const confirms = last.outcome?.status === 'REMEDIATED' && !last.confirmedBy && judged.evaluation?.complianceType === 'COMPLIANT' && isOwn(trigger, own);
  if (!confirms) return;
  const at = ports.clock.now().toISOString();
  const next = step(
    last,
    { confirmedBy: trigger.eventId },
    { kind: 'CONFIRMED', by: 'detect', at, note: 'The write was seen in CloudTrail; the state is compliant.', eventId: trigger.eventId },
  );
  await ports.ledger.save(next.finding, next.entry, { doneEventId: trigger.eventId });
}

const isOwn = (trigger: Trigger, { roleArns }: Verdict['own']): boolean => {
  const actor = actorOf(trigger);
  return actor !== undefined && [actor.arn, actor.issuerArn].some((arn) => arn !== undefined && roleArns.includes(arn));
};
