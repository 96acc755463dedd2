/** The line: events in, one report per event out. Reads resources, writes only the ledger, dispatches and alerts. */
import { randomUUID } from 'node:crypto';
import { actorAmong, inOrder, keyOf, type Listed, speakerOf, standingsOf, type Unit, Units } from './coalesce.ts';
import type { AnyControl, AnyStateControl, EventControl } from './control.ts';
import { isEventControl } from './control.ts';
import { decide, statusOf } from './decide.ts';
import { StaleVerdictError } from './errors.ts';
import { actorOf, findingId, resourceKey, summaryOf } from './finding.ts';
import { isOff, type Judged, judge, settingsOf } from './judge.ts';
import type { Actor, Change, Decision, Evaluation, Finding, OutcomeStatus, ResourceRef, Trigger } from './model.ts';
import { type DropReason, normalise } from './normalise.ts';
import { modeFor } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Calls, Ports, Standing } from './ports.ts';
import { drifts, record, type Verdict } from './record.ts';
import { type Router, route, type SweepItem, type WorkItem } from './route.ts';

export interface Detection {
  readonly ports: Ports;
  readonly router: Router;
  readonly policy: CompiledPolicy;
  readonly own: { readonly accountId: string; readonly roleArns: readonly string[] };
  /** Read and judge; write nothing, tell nobody. */
  readonly dryRun: boolean;
  /** No work is begun after this; what is left is reported as such. */
  readonly deadline?: Date;
}

/** One work item's way through the line. */
export interface Line {
  readonly eventId: string;
  readonly eventName: string | null;
  readonly control: string;
  readonly resource: ResourceRef;
  readonly evaluation: Evaluation | null;
  readonly decision: Decision;
  readonly outcome: { readonly status: OutcomeStatus; readonly reason: string };
  readonly change: Change | null;
  readonly findingId: string | null;
  readonly calls: Readonly<Calls>;
}

export interface Report {
  /** Why the event, or a part of it, gave no work. */
  readonly dropped: readonly (DropReason | 'no control')[];
  readonly lines: readonly Line[];
  /** Work items the event was part of; one that a copy of the event in the same batch answers has its line there. */
  readonly work: number;
  /** Sweeps asked for because the event does not name its resource. */
  readonly sweeps: number;
  /** Back to the queue: what went wrong, or that time ran out. */
  readonly errors: readonly unknown[];
}

/** Loads the controls that these events can concern: time that the caller spends waiting for something else anyway. */
export async function preload(events: readonly unknown[], { router, own }: Pick<Detection, 'router' | 'own'>): Promise<void> {
  const triggers = events.flatMap((event) => normalise(event, own).triggers);
  await Promise.all(triggers.flatMap((trigger) => router.select(trigger)).map((entry) => entry.load()));
}

const parallel = 5;

/** Seconds. */
const sweepDelay = 60;

export async function detect(events: readonly unknown[], detection: Detection): Promise<Report[]> {
  const { ports, dryRun } = detection;
  const reports = events.map(() => ({ dropped: [] as Report['dropped'][number][], lines: [] as Line[], work: 0, sweeps: 0, errors: [] as unknown[] }));
  const units = new Units();

  const add = (item: WorkItem, index: number, listed?: Listed) => {
    const { trigger, control, resource } = item;
    reports[index]!.work += 1;
    if (isEventControl(control) && !control.counts) {
      const judged = judgeEvent(control, trigger, detection.policy, 0);
      // Most events of an account need nothing: they cost no look at the ledger.
      if (!drifts(judged.decision)) return void reports[index]!.lines.push(idle(control, trigger, resource, judged));
    }
    units.add(item, index, listed);
  };

  for (const [index, event] of events.entries()) {
    const report = reports[index]!;
    try {
      const { triggers, dropped } = normalise(event, detection.own);
      report.dropped.push(...dropped);
      for (const trigger of triggers) {
        const entries = detection.router.select(trigger);
        const controls = await Promise.all(entries.map((entry) => entry.load()));
        const { items, sweeps: unnamed } = route(trigger, controls, detection.policy);
        const sweeps = unnamed.filter(({ control }) => !isOff(settingsOf(detection.policy, control.id)));
        for (const item of items) add(item, index);
        for (const sweep of sweeps) {
          report.sweeps += 1;
          const at = ports.clock.now().toISOString();
          if (trigger.source !== 'sweep') await requestSweep(sweep, detection);
          else for await (const [resource, state] of listOf(sweep, ports)) add({ trigger, control: sweep.control, resource }, index, { state, at });
        }
        if (items.length + sweeps.length === 0) report.dropped.push('no control');
      }
      for (const reason of report.dropped) ports.log.count('EventsDropped', { reason });
    } catch (error) {
      report.errors.push(error);
    }
  }

  const all = units.all();
  const standings = await standingsOf(all, ports.ledger);
  const groups = Map.groupBy(
    all.map((unit, at) => ({ unit, standing: standings[at]! })),
    ({ unit }) => resourceKey(unit.resource),
  );
  const waiting = [...groups.values()];

  const worker = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      const calls: Calls = { read: 0, write: 0 };
      const aws = ports.aws(group[0]!.unit.resource, { share: true, calls });
      const counting = { ...detection, ports: { ...ports, dispatch: (finding: Finding) => ports.dispatch(finding, calls) } };
      for (const { unit, standing } of group) {
        const fail = (error: unknown) => {
          for (const { index } of unit.work) reports[index]!.errors.push(error);
        };
        if (detection.deadline && ports.clock.now() >= detection.deadline) {
          fail(new Error('no time left in this batch'));
          continue;
        }
        try {
          const before = { ...calls };
          const lines = isEventControl(unit.of) ? await judgeEvents(unit, standing, detection) : await judgeState(unit, standing, counting, aws);
          const spent = { read: calls.read - before.read, write: calls.write - before.write };
          for (const [nth, { index, ...line }] of lines.entries()) reports[index]!.lines.push({ ...line, calls: nth === 0 ? spent : { read: 0, write: 0 } });
        } catch (error) {
          fail(error);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, waiting.length) }, worker));
  if (!dryRun) for (const report of reports) ports.log.count(report.errors.length > 0 ? 'EventsReturned' : 'EventsHandled');
  return reports;
}

type Judgement = Omit<Line, 'calls'> & { readonly index: number };

/** The speaker's judgement first; it is that of the others too. */
async function judgeState(unit: Unit, first: Standing, detection: Detection, aws: ReturnType<Ports['aws']>): Promise<Judgement[]> {
  const { ports } = detection;
  const { trigger, index, listed, standing } = await speakerOf(unit, first, ports.ledger);
  const spoken = { index, ...(await look(standing, listed, aws)) };
  const others = unit.work.filter((work) => work.trigger !== trigger);
  return [
    spoken,
    ...others.map((work) => ({ ...spoken, index: work.index, eventId: work.trigger.eventId, eventName: summaryOf(work.trigger).eventName ?? null })),
  ];

  async function look(known: Standing, from: Listed | undefined, place: ReturnType<Ports['aws']>, again = 2): Promise<Omit<Judgement, 'index'>> {
    const readAt = from?.at ?? ports.clock.now().toISOString();
    const actor = (known.last?.state === 'open' ? known.last.actor : undefined) ?? actorAmong(unit, detection.own.roleArns);
    const judged = await verdictOn(unit, actor, from?.state, place, detection);
    try {
      return await settle(unit, { trigger, actor, standing: known, judged, readAt }, detection);
    } catch (error) {
      if (!(error instanceof StaleVerdictError) || again === 0) throw error;
      const [now] = await ports.ledger.lookup([{ ...keyOf(unit), eventId: trigger.eventId }]);
      // A shared read would give the stale answer again.
      return look(now!, undefined, ports.aws(unit.resource, { share: false }), again - 1);
    }
  }
}

async function verdictOn(unit: Unit, actor: Actor | undefined, listed: unknown, aws: ReturnType<Ports['aws']>, { ports, policy }: Detection): Promise<Judged> {
  if (isOff(settingsOf(policy, unit.control))) return { decision: { action: 'off', reason: 'The policy has this control off.' } };
  return judge(unit.of as AnyStateControl, unit.resource, actor, policy, aws, ports, { listed });
}

/** Each event has a verdict of its own; they are taken in the order they happened. */
async function judgeEvents(unit: Unit, first: Standing, detection: Detection): Promise<Judgement[]> {
  const { ports, policy, dryRun } = detection;
  const control = unit.of;
  if (!isEventControl(control)) return [];
  const judgements: Judgement[] = [];
  let standing: Standing | undefined = first;
  for (const { trigger, index } of inOrder(unit)) {
    standing ??= (await ports.ledger.lookup([{ ...keyOf(unit), eventId: trigger.eventId }]))[0]!;
    const count = dryRun || !control.counts ? 0 : await ports.ledger.recent(control.id, unit.fold ?? '', trigger.eventId, trigger.time);
    const judged = judgeEvent(control, trigger, policy, count);
    judgements.push({ index, ...(await settle(unit, { trigger, actor: actorOf(trigger), standing, judged }, detection)) });
    standing = undefined;
  }
  return judgements;
}

function judgeEvent(control: EventControl, trigger: Trigger, policy: CompiledPolicy, count: number): Judged {
  if (trigger.source !== 'cloudtrail') throw new Error(`${control.id} is judged from CloudTrail events only`);
  const settings = settingsOf(policy, control.id);
  const evaluation = control.evaluate(trigger.detail, settings.params, { count }, policy);
  return { evaluation, decision: decide({ evaluation, mode: modeFor(settings, trigger.actor), noFix: control.noFix }) };
}

const idle = (control: AnyControl, trigger: Trigger, resource: ResourceRef, { evaluation, decision }: Judged): Line => ({
  eventId: trigger.eventId,
  eventName: summaryOf(trigger).eventName ?? null,
  control: control.id,
  resource,
  evaluation: evaluation ?? null,
  decision,
  outcome: { status: statusOf(decision.action, evaluation), reason: decision.reason },
  change: null,
  findingId: null,
  calls: { read: 0, write: 0 },
});

type Settling = Pick<Verdict, 'trigger' | 'actor' | 'standing' | 'judged' | 'readAt'>;

async function settle(unit: Unit, settling: Settling, detection: Detection): Promise<Omit<Judgement, 'index'>> {
  const { trigger, standing, judged } = settling;
  const { ports, policy, dryRun, own } = detection;
  const key = keyOf(unit);
  const settled = dryRun
    ? { outcome: dryOutcome(judged), findingId: standing.last?.state === 'open' ? standing.last.id : null }
    : await record({ ...settling, key, control: unit.of, fixAfter: settingsOf(policy, unit.control).fixAfter, own, ports });
  const { evaluation = null, plan, decision } = judged;
  return {
    eventId: trigger.eventId,
    eventName: summaryOf(trigger).eventName ?? null,
    control: unit.control,
    resource: unit.resource,
    evaluation,
    decision,
    ...settled,
    findingId: settled.findingId ?? (dryRun && drifts(judged.decision) ? findingId(key, (standing.last?.episode ?? 0) + 1) : null),
    change: plan?.kind === 'change' ? plan : null,
  };
}

const dryOutcome = (judged: Judged): Line['outcome'] =>
  drifts(judged.decision)
    ? { status: 'DRY_RUN', reason: `Would ${judged.decision.action}: ${judged.decision.reason}` }
    : { status: statusOf(judged.decision.action, judged.evaluation), reason: judged.decision.reason };

/**
 * Never inside this batch: a type can have thousands of resources. Events of one minute share a sweep: it runs `sweepDelay` later,
 * when all of them have happened. The lease is shorter than the queue's visibility timeout, so that a crash after it loses no sweep.
 */
async function requestSweep({ control, place }: SweepItem, { ports, dryRun }: Detection): Promise<void> {
  const asked = dryRun || (await ports.ledger.lease(`sweep|${control.id}|${place.accountId}|${place.region}`, randomUUID(), sweepDelay - 5));
  if (asked) await ports.requestSweep(control.id, place, sweepDelay);
}

function listOf({ control, place }: SweepItem, { aws }: Pick<Ports, 'aws'>): AsyncIterable<readonly [ResourceRef, unknown]> {
  return isEventControl(control) ? nothing() : control.list(aws(place, { share: true }));
}

async function* nothing(): AsyncGenerator<readonly [ResourceRef, unknown]> {}
