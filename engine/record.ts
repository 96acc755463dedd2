/**
 * What a verdict means for the finding: opened, continued, closed or confirmed; then told or dispatched.
 * Recorded first, told second, marked done last: a crash in between repeats the telling, and loses nothing.
 */
import { confirmationOf } from './alerts/finding.ts';
import { toldKey } from './alerts/told.ts';
import { planHash } from './answers/plan-hash.ts';
import type { AnyControl } from './control.ts';
import { isEventControl } from './control.ts';
import { statusOf } from './decide.ts';
import { acts, drive, isActed, isAsked, isDead, untold } from './drive.ts';
import { type Edge, earlierBegin, endOf, hindsight, openerOf } from './edges.ts';
import { ConflictError, RetryLaterError, StaleVerdictError } from './errors.ts';
import { actorOf, findingId, isUndoing, type News, opened, resolved, seen, step } from './finding.ts';
import type { Judged } from './judge.ts';
import type { Actor, Decision, Finding, Outcome, OutcomeStatus, Trigger } from './model.ts';
import type { FindingKey, Ports, SaveOptions, Standing } from './ports.ts';
import { noteTold, tell } from './tell.ts';
import { goneWords, passedBy, passing } from './transient.ts';

export interface Verdict {
  readonly key: FindingKey;
  readonly control: AnyControl;
  readonly trigger: Trigger;
  /** Who is judged to have made the change; the trigger that speaks for a batch may not know. */
  readonly actor: Actor | undefined;
  readonly standing: Standing;
  readonly judged: Judged;
  /** The calls among the events that answer for it which began or ended the drift, oldest first. */
  readonly edges: readonly Edge[];
  /** The policy wants to hear of drift that is already gone. */
  readonly hears: boolean;
  /** When the state was read, ISO 8601; undefined for a verdict on the event itself. */
  readonly readAt?: string;
  /** Seconds between telling and fixing. */
  readonly fixAfter: number;
  /** It was there before the bot. */
  readonly backlog: boolean;
  /** A digest tells of it, together with others. */
  readonly quiet: boolean;
  readonly own: { readonly roleArns: readonly string[] };
  readonly ports: Ports;
}

export interface Recorded {
  readonly outcome: { readonly status: OutcomeStatus; readonly reason: string };
  readonly findingId: string | null;
}

/** Events under one key are one finding for a day; then the next one is news again. */
const dayInMs = 24 * 3_600_000;
/** A fix that has failed is tried again by the sweep of the next day, not by each one. */
const restMs = 20 * 3_600_000;

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
    const passed = verdict.hears ? passedBy({ ...verdict, last }) : undefined;
    if (passed) return pass(passed, verdict, outcome.status);
    // The end of an episode is told by whoever comes by, should the one who ended it have died before telling.
    const unheard = last && (last.alerted || last.transient || last.outcome?.status === 'REMEDIATED') && last.alerted !== toldKey(last);
    const known = last && (await lookBack(last, verdict, unheard ? {} : { doneEventId: trigger.eventId }));
    if (unheard) await toldOrLater(known!, verdict);
    else if (known) await confirm(known, verdict);
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

function newsOf({ actor, judged, fixAfter, backlog, ports }: Verdict): News {
  const { evaluation, decision, plan } = judged;
  return {
    actor,
    ...(judged.owner && { owner: judged.owner }),
    backlog: backlog || undefined,
    transient: undefined,
    evaluation: evaluation!,
    decision,
    proposal: plan?.kind === 'change' ? plan.summary : undefined,
    fixNotBefore: decision.action === 'fix' && fixAfter > 0 ? new Date(ports.clock.now().getTime() + fixAfter * 1_000).toISOString() : undefined,
  };
}

async function begin(last: Finding | undefined, verdict: Verdict): Promise<Finding> {
  const { key, control, trigger, edges, ports } = verdict;
  const at = ports.clock.now().toISOString();
  const openedBy = openerOf(control, trigger, edges);
  const driftedBy = earlierBegin({ openedBy, openedAt: at }, edges, last?.resolvedAt);
  const first = opened(key, control, { ...newsOf(verdict), openedBy, ...(driftedBy && { driftedBy }) }, trigger, last, at);
  await ports.ledger.open(first.finding, first.entry);
  return carryOut(first.finding, verdict);
}

/** Opened and resolved in one go. Who dies in between leaves an open one that the next look ends and tells. */
async function pass(by: Edge, verdict: Verdict, status: OutcomeStatus): Promise<Recorded> {
  const { begun, ended } = passing(by, { ...verdict, status, last: verdict.standing.last, at: verdict.ports.clock.now().toISOString() });
  await verdict.ports.ledger.open(begun.finding, begun.entry);
  await verdict.ports.ledger.save(ended.finding, ended.entry);
  const told = await toldOrLater(ended.finding, verdict, { doneEventId: verdict.trigger.eventId });
  return { outcome: told.outcome!, findingId: told.id };
}

/** When the last episode before this one ended: what happened earlier is no part of it. */
const endBefore = async ({ episode }: Finding, { key, ports }: Verdict): Promise<string | undefined> =>
  episode === 1 ? undefined : (await ports.ledger.get(findingId(key, episode - 1)))?.resolvedAt;

/** Asks for the episode before only when there is something to ask. */
const begunEarlier = async (finding: Finding, verdict: Verdict) =>
  earlierBegin(finding, verdict.edges) && earlierBegin(finding, verdict.edges, await endBefore(finding, verdict));

/** Events of an episode may come after its end, and tell when it began or ended. */
async function lookBack(last: Finding, verdict: Verdict, options: SaveOptions): Promise<Finding> {
  const { edges, trigger, ports } = verdict;
  if (last.state !== 'resolved' || !hindsight(last, edges)) return last;
  const learnt = hindsight(last, edges, await endBefore(last, verdict));
  if (!learnt) return last;
  const at = ports.clock.now().toISOString();
  const next = step(last, learnt, { kind: 'SEEN', by: 'detect', at, note: 'A call that came later tells when it began or ended.', eventId: trigger.eventId });
  await ports.ledger.save(next.finding, next.entry, options);
  return next.finding;
}

async function proceed(open: Finding, verdict: Verdict): Promise<Finding> {
  const { trigger, ports, own, judged, key } = verdict;
  // What was thought to be gone has no verdict of its own yet.
  if (open.lastTrigger.eventId === trigger.eventId && !open.transient) return carryOut(open, verdict);
  const now = ports.clock.now();
  // What a brake has decided stands until the brake lifts, or an operator wants it tried.
  const applies = trigger.source === 'sweep' && trigger.apply === true;
  const holds = !applies && judged.decision.action === 'fix' && open.held !== undefined && open.held.until > now.toISOString();
  const news = holds ? { ...newsOf(verdict), decision: open.decision, held: open.held } : { ...newsOf(verdict), held: undefined };
  const same = open.decision.action === news.decision.action;
  // What an execution has already ended is taken up again by a new one: on a new decision, or on somebody's new event.
  const rested = open.outcome === undefined || now.getTime() - Date.parse(open.outcome.at) > restMs;
  // While people are asked about this very plan, nothing else is to be asked.
  const asked = isAsked(open) && !applies && same && isAbout(open, judged);
  const ended = open.outcome !== undefined && !asked && (trigger.source !== 'sweep' || !same || rested || isAsked(open));
  const again = !holds && isActed(news.decision) && (ended || isDead(open, now) || (!same && open.drives > 0)) && !isOwn(trigger, own);
  const waits = acts(open) && open.drives === 0;
  // Who has waited once for a fix need not do so again for the next attempt.
  const waited = again && open.fixNotBefore !== undefined && open.fixNotBefore <= now.toISOString();
  const begun = await begunEarlier(open, verdict);
  if (trigger.source === 'sweep' && same && !begun && !again && !waits && !untold(open) && open.evaluation.annotation === news.evaluation.annotation) {
    // A sweep that finds what is known writes nothing: it comes by every day.
    await ports.ledger.markDone(trigger.eventId, key);
    return open;
  }
  const next = seen(
    open,
    trigger,
    {
      ...news,
      ...(begun && { driftedBy: begun }),
      fixNotBefore: same || waited ? open.fixNotBefore : news.fixNotBefore,
      // What comes of it is news after a day; before, only when it differs.
      ...(again && { outcome: undefined, alerted: rested ? undefined : open.alerted, drives: open.drives + 1, drivenAt: now.toISOString() }),
      ...(!same && !again && { outcome: undefined }),
      // One that did not come about has been told; what follows is told too.
      ...(again && !isUndoing(open) && { undo: undefined }),
      // Who wants it treated like new drift has it asked anew.
      ...(applies && !isUndoing(open) && { denied: undefined, question: undefined }),
    },
    ports.clock.now().toISOString(),
  );
  // It waits with what is no longer asked, or no longer to be done.
  const planned = acts(open) && open.drives > 0 && (open.fixNotBefore ?? '') > now.toISOString();
  if (again ? isAsked(open) || planned : isAsked(open) && !same) await ports.stopExecution(open);
  await ports.ledger.save(next.finding, next.entry);
  return carryOut(next.finding, verdict);
}

/** What would be written is what people are being asked. */
const isAbout = ({ question, ...finding }: Finding, { plan }: Judged): boolean =>
  question !== undefined && plan?.kind === 'change' && planHash(finding, plan) === question.planHash;

/** Tells or dispatches, then marks the event done. */
async function carryOut(finding: Finding, { key, control, trigger, quiet, ports }: Verdict): Promise<Finding> {
  const options = { doneEventId: trigger.eventId };
  // A page is never folded into a digest.
  if (quiet && finding.backlog && finding.decision.action === 'notify' && untold(finding))
    return noteTold(finding, 'Told in the digest of the first sweep.', 'detect', ports, options);
  if (untold(finding)) {
    const told = await toldOrLater(finding, { control, ports }, acts(finding) ? {} : options);
    if (!acts(finding)) return told;
    finding = told;
  }
  if (acts(finding)) return drive(finding, ports, trigger, key);
  await ports.ledger.markDone(trigger.eventId, key);
  return finding;
}

async function toldOrLater(finding: Finding, { control, ports }: Pick<Verdict, 'control' | 'ports'>, options: SaveOptions = {}): Promise<Finding> {
  const told = await tell(finding, control, 'detect', ports, options);
  // The other may be telling an older state of it: this event comes back and sees.
  if (!told) throw new RetryLaterError(`${finding.id} is being told by another process`, 30);
  return told;
}

async function close(open: Finding, verdict: Verdict, outcome: Omit<Outcome, 'at'>): Promise<Recorded> {
  const { trigger, judged, ports, key } = verdict;
  // An intended write may be why the resource is compliant now: only `act`, which holds the lease, can tell.
  if (open.intended && acts(open)) {
    await ports.dispatch(open);
    return { outcome: { status: 'RETRY_LATER', reason: 'A fix is under way.' }, findingId: open.id };
  }
  if (isAsked(open)) await ports.stopExecution(open);
  const at = ports.clock.now().toISOString();
  const begun = await begunEarlier(open, verdict);
  const endedBy = outcome.status === 'OFF' || outcome.status === 'EXCEPTED' ? undefined : endOf(open, verdict.edges, at);
  const learnt = { ...(begun && { driftedBy: begun }), ...(endedBy && { endedBy }) };
  const reason = open.transient ? goneWords(outcome.reason) : outcome.reason;
  const next = resolved(open, judged.evaluation, { ...outcome, reason, at }, 'detect', trigger.eventId, learnt);
  await ports.ledger.save(next.finding, next.entry);
  // Those who were told of the drift are told of its end; the others never knew.
  if (open.alerted || open.transient) await toldOrLater(next.finding, verdict, { doneEventId: trigger.eventId });
  else await ports.ledger.markDone(trigger.eventId, key);
  return { outcome, findingId: open.id };
}

/** The bot's own write comes back as an event: the read that answers it proves the fix a second time. */
async function confirm(last: Finding, { trigger, judged, own, ports, control }: Verdict): Promise<void> {
  const confirms = last.outcome?.status === 'REMEDIATED' && !last.confirmedBy && judged.evaluation?.complianceType === 'COMPLIANT' && isOwn(trigger, own);
  if (!confirms) return;
  const at = ports.clock.now().toISOString();
  const next = step(
    last,
    { confirmedBy: trigger.eventId },
    { kind: 'CONFIRMED', by: 'detect', at, note: 'The write was seen in CloudTrail; the state is compliant.', eventId: trigger.eventId },
  );
  await ports.ledger.save(next.finding, next.entry, { doneEventId: trigger.eventId });
  if (next.finding.alerted) await ports.alert(confirmationOf(next.finding, control));
}

const isOwn = (trigger: Trigger, { roleArns }: Verdict['own']): boolean => {
  const actor = actorOf(trigger);
  return actor !== undefined && [actor.arn, actor.issuerArn].some((arn) => arn !== undefined && roleArns.includes(arn));
};
