/** From one unit of work to its verdict, and what is made of it. */
import type { Detection, Line } from './batch.ts';
import { actorAmong, inOrder, keyOf, type Listed, speakerOf, type Unit } from './coalesce.ts';
import type { AnyControl, AnyStateControl, EventControl } from './control.ts';
import { isEventControl } from './control.ts';
import { decide, statusOf } from './decide.ts';
import { askAgain, cannotSee, deniedWords, mayPass } from './denied.ts';
import { breaks, edgesOf } from './edges.ts';
import { RetryLaterError, StaleVerdictError } from './errors.ts';
import { actorOf, findingId, summaryOf } from './finding.ts';
import { isOff, type Judged, judge, settingsOf } from './judge.ts';
import type { Actor, Finding, Owner, ResourceRef, Trigger } from './model.ts';
import { modeFor } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Aws, Deployment, Standing } from './ports.ts';
import { drifts, record, type Verdict } from './record.ts';
import { passedBy, toldOnly, wanted } from './transient.ts';

type Judgement = Omit<Line, 'calls'> & { readonly index: number };

/** The speaker's judgement first; it is that of the others too. @param since when its message was first received */
export async function judgeState(unit: Unit, first: Standing, since: Date, detection: Detection, aws: Aws): Promise<Judgement[]> {
  const { ports } = detection;
  const { trigger, index, listed, standing } = await speakerOf(unit, first, ports.ledger);
  const calls = unit.work.map((work) => work.trigger);
  const edges = edgesOf(unit.of, calls, settingsOf(detection.policy, unit.control).params);
  // A list may be older than a call that came along with it.
  const spoken = { index, ...(await look(standing, edges.length > 0 ? undefined : listed, aws)) };
  const others = unit.work.filter((work) => work.trigger !== trigger);
  return [
    spoken,
    ...others.map((work) => ({ ...spoken, index: work.index, eventId: work.trigger.eventId, eventName: summaryOf(work.trigger).eventName ?? null })),
  ];

  async function look(known: Standing, from: Listed | undefined, place: Aws, again = 2): Promise<Omit<Judgement, 'index'>> {
    const open = known.last?.state === 'open' ? known.last : undefined;
    const actor = open?.actor ?? actorAmong(unit, detection.own.roleArns, settingsOf(detection.policy, unit.control));
    const backlog = isBacklog(trigger, open, unit.of as AnyStateControl);
    const readAt = from?.at ?? ports.clock.now().toISOString();
    // Who asks for it to be treated like new drift is asked anew.
    const denied = trigger.source === 'sweep' && trigger.apply ? undefined : open?.denied;
    const looking = { actor, backlog, denied, owner: open?.owner };
    const seen = await verdictOn(unit, { ...looking, listed: from?.state }, place, detection);
    const judged = contradicted(seen, unit, detection) ? await lookTwice(unit, looking, detection) : seen;
    if (judged.denied && !detection.dryRun) return blind({ ...judged, denied: judged.denied }, known);
    try {
      return await settle(unit, { trigger, actor, standing: known, judged, edges, readAt, backlog }, detection);
    } catch (error) {
      if (!(error instanceof StaleVerdictError) || again === 0) throw error;
      const [now] = await ports.ledger.lookup([{ ...keyOf(unit), eventId: trigger.eventId }]);
      // A shared read would give the stale answer again.
      return look(now!, undefined, ports.aws(unit.resource, { share: false }), again - 1);
    }
  }

  /** What is known of the resource stays as it is: nothing new has been seen. */
  async function blind({ denied, evaluation, decision }: Judged & Required<Pick<Judged, 'denied'>>, known: Standing): Promise<Omit<Judgement, 'index'>> {
    const deployment = await ports.ledger.recall<Deployment>('deployment');
    if (mayPass(deployment, since, ports.clock.now())) throw new RetryLaterError(deniedWords(denied), askAgain, { cause: denied });
    const { accountId, region, id } = unit.resource;
    const first = trigger.source === 'sweep' ? trigger.first : undefined;
    const unseen = { control: unit.control, accountId, region, resource: id, first };
    const finding = known.done ? undefined : await cannotSee(denied, unseen, detection.own.self, 'detect', ports);
    await ports.ledger.markDone(trigger.eventId, keyOf(unit));
    return {
      ...lineOf(unit, trigger),
      evaluation: evaluation ?? null,
      decision,
      outcome: { status: 'PAGED', reason: decision.reason },
      change: null,
      findingId: finding?.id ?? null,
    };
  }
}

/** An open finding is what it was when it was opened, until an operator says otherwise. */
const isBacklog = (trigger: Trigger, open: Finding | undefined, { deployed }: Pick<AnyStateControl, 'deployed'>): boolean => {
  // What was deployed just now cannot have been there before.
  if (deployed) return false;
  if (trigger.source === 'sweep' && trigger.apply) return false;
  return open ? open.backlog === true : trigger.source === 'sweep' && trigger.first === true;
};

interface Looking extends Pick<Finding, 'denied' | 'owner'> {
  readonly actor: Actor | undefined;
  readonly listed?: unknown;
  readonly backlog: boolean;
}

async function verdictOn(unit: Unit, { actor, ...known }: Looking, aws: Aws, { ports, policy }: Detection): Promise<Judged> {
  if (isOff(settingsOf(policy, unit.control))) return { decision: { action: 'off', reason: 'The policy has this control off.' } };
  return judge(unit.of as AnyStateControl, unit.resource, actor, policy, aws, ports, known);
}

/** Seconds within which AWS may still show what was before a call. */
const freshMs = 30_000;

/** What is read is good, though the last that is known to have happened can only have made it bad. */
const contradicted = ({ decision, evaluation }: Judged, unit: Unit, { ports, own, policy }: Detection): boolean => {
  if (decision.action !== 'none' || evaluation?.complianceType === 'NOT_APPLICABLE') return false;
  const latest = inOrder(unit).at(-1)!.trigger.time;
  const last = unit.work.map(({ trigger }) => trigger).filter(({ time }) => time === latest);
  const fresh = ports.clock.now().getTime() - Date.parse(latest) < freshMs;
  const { params } = settingsOf(policy, unit.control);
  return (
    fresh && last.every((trigger) => breaks(unit.of as AnyStateControl, trigger, params) && !own.roleArns.some((role) => role === actorOf(trigger)?.issuerArn))
  );
};

async function lookTwice(unit: Unit, looking: Looking, detection: Detection): Promise<Judged> {
  const { ports, deadline } = detection;
  const aws = ports.aws(unit.resource, { share: false });
  let judged = await verdictOn(unit, looking, aws, detection);
  for (const pause of [1_000, 2_000, 4_000]) {
    if (!contradicted(judged, unit, detection) || (deadline && ports.clock.now().getTime() + pause >= deadline.getTime())) break;
    await ports.clock.sleep(pause);
    judged = await verdictOn(unit, looking, aws, detection);
  }
  return judged;
}

/** Each event has a verdict of its own; they are taken in the order they happened. */
export async function judgeEvents(unit: Unit, first: Standing, detection: Detection): Promise<Judgement[]> {
  const { ports, policy, dryRun } = detection;
  const control = unit.of;
  if (!isEventControl(control)) return [];
  const judgements: Judgement[] = [];
  let standing: Standing | undefined = first;
  for (const { trigger, index } of inOrder(unit)) {
    standing ??= (await ports.ledger.lookup([{ ...keyOf(unit), eventId: trigger.eventId }]))[0]!;
    const count = dryRun || !control.counts ? 0 : await ports.ledger.recent(control.id, unit.fold ?? '', trigger.eventId, trigger.time);
    const judged = judgeEvent(control, trigger, policy, count);
    judgements.push({ index, ...(await settle(unit, { trigger, actor: actorOf(trigger), standing, judged, edges: [], backlog: false }, detection)) });
    standing = undefined;
  }
  return judgements;
}

/** What an event control watches is what somebody does: no stack defines that. */
const nothingDefined: Owner = {};

export function judgeEvent(control: EventControl, trigger: Trigger, policy: CompiledPolicy, count: number): Judged {
  if (trigger.source !== 'cloudtrail') throw new Error(`${control.id} is judged from CloudTrail events only`);
  const settings = settingsOf(policy, control.id);
  const evaluation = control.evaluate(trigger.detail, settings.params, { count }, policy);
  return { evaluation, decision: decide({ evaluation, mode: modeFor(settings, trigger.actor, nothingDefined), noFix: control.noFix }) };
}

const lineOf = ({ control, resource }: Pick<Line, 'control' | 'resource'>, trigger: Trigger) => ({
  eventId: trigger.eventId,
  eventName: summaryOf(trigger).eventName ?? null,
  control,
  resource,
});

export const idle = (control: AnyControl, trigger: Trigger, resource: ResourceRef, { evaluation, decision }: Judged): Line => ({
  ...lineOf({ control: control.id, resource }, trigger),
  evaluation: evaluation ?? null,
  decision,
  outcome: { status: statusOf(decision.action, evaluation), reason: decision.reason },
  change: null,
  findingId: null,
  calls: { read: 0, write: 0 },
});

type Settling = Pick<Verdict, 'trigger' | 'actor' | 'standing' | 'judged' | 'edges' | 'readAt' | 'backlog'>;

async function settle(unit: Unit, settling: Settling, detection: Detection): Promise<Omit<Judgement, 'index'>> {
  const { trigger, standing, judged, edges } = settling;
  const { ports, policy, dryRun, own } = detection;
  const key = keyOf(unit);
  const passing = { control: unit.of, edges, judged, own };
  const candidate = standing.done ? undefined : passedBy({ ...passing, last: undefined });
  const hears = candidate !== undefined && (await wanted(candidate, unit.control, unit.resource, policy, ports));
  // Drift that is gone is told of, like drift that stands.
  const told = hears && passedBy({ ...passing, last: standing.last }) ? { ...judged, decision: toldOnly } : judged;
  const settled = dryRun
    ? { outcome: dryOutcome(told), findingId: standing.last?.state === 'open' ? standing.last.id : null }
    : await record({
        ...settling,
        key,
        hears,
        control: unit.of,
        fixAfter: settingsOf(policy, unit.control).fixAfter,
        // What is left of a page is found after the digest has gone out.
        quiet: trigger.source === 'sweep' && trigger.first === true && !trigger.only,
        own,
        ports,
      });
  const { evaluation = null, plan, decision } = told;
  return {
    ...lineOf(unit, trigger),
    evaluation,
    decision,
    ...settled,
    findingId: settled.findingId ?? (dryRun && drifts(decision) ? findingId(key, (standing.last?.episode ?? 0) + 1) : null),
    change: plan?.kind === 'change' ? plan : null,
  };
}

const dryOutcome = (judged: Judged): Line['outcome'] =>
  drifts(judged.decision)
    ? { status: 'DRY_RUN', reason: `Would ${judged.decision.action}: ${judged.decision.reason}` }
    : { status: statusOf(judged.decision.action, judged.evaluation), reason: judged.decision.reason };
