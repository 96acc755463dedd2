/** The line: events in, one report per event out. Reads resources, writes only the ledger, dispatches and alerts. */
import type { AnyControl, AnyStateControl, EventControl } from './control.ts';
import { isEventControl } from './control.ts';
import { decide, statusOf } from './decide.ts';
import { actorOf, findingId, findingKey, resourceKey, summaryOf } from './finding.ts';
import { isOff, type Judged, judge, settingsOf } from './judge.ts';
import type { Actor, Change, Decision, Evaluation, OutcomeStatus, ResourceRef, Trigger } from './model.ts';
import { type DropReason, normalise } from './normalise.ts';
import { modeFor } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Calls, FindingKey, Ports, Standing } from './ports.ts';
import { record, type Verdict } from './record.ts';
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
  /** Sweeps asked for because the event does not name its resource. */
  readonly sweeps: number;
  /** Back to the queue: what went wrong, or that time ran out. */
  readonly errors: readonly unknown[];
}

interface Unit extends FindingKey {
  readonly of: AnyControl;
  readonly work: { readonly trigger: Trigger; readonly index: number; readonly listed?: unknown }[];
}

const parallel = 5;

export async function detect(events: readonly unknown[], detection: Detection): Promise<Report[]> {
  const { ports, dryRun } = detection;
  const reports = events.map(() => ({ dropped: [] as Report['dropped'][number][], lines: [] as Line[], sweeps: 0, errors: [] as unknown[] }));
  const units = new Map<string, Unit>();

  const add = ({ trigger, control, resource, fold }: WorkItem, index: number, listed?: unknown) => {
    if (isEventControl(control) && !control.counts) {
      const judged = judgeEvent(control, trigger, detection.policy, 0);
      // Most events of an account need nothing: they cost no look at the ledger.
      if (!drifts(judged)) return void reports[index]!.lines.push(idle(control, trigger, resource, judged));
    }
    const key = findingKey({ control: control.id, resource, fold });
    const unit = units.get(key) ?? { of: control, control: control.id, resource, fold, work: [] };
    // The same event arrives once for every rule that matches it.
    if (!unit.work.some((work) => work.trigger.eventId === trigger.eventId)) unit.work.push({ trigger, index, listed });
    units.set(key, unit);
  };

  for (const [index, event] of events.entries()) {
    const report = reports[index]!;
    try {
      const { triggers, dropped } = normalise(event, detection.own);
      report.dropped.push(...dropped);
      for (const trigger of triggers) {
        const entries = detection.router.select(trigger);
        const controls = await Promise.all(entries.map((entry) => entry.load()));
        const { items, sweeps } = route(trigger, controls, detection.policy);
        for (const item of items) add(item, index);
        for (const sweep of sweeps) {
          if (isOff(settingsOf(detection.policy, sweep.control.id))) continue;
          report.sweeps += 1;
          if (trigger.source !== 'sweep') await requestSweep(sweep, detection);
          else for await (const [resource, state] of listOf(sweep, ports)) add({ trigger, control: sweep.control, resource }, index, state);
        }
        if (items.length + sweeps.length === 0) report.dropped.push('no control');
      }
      for (const reason of report.dropped) ports.log.count('EventsDropped', { reason });
    } catch (error) {
      report.errors.push(error);
    }
  }

  const all = [...units.values()];
  const standings = await ports.ledger.lookup(
    all.map((unit) => ({ ...keyOf(unit), eventId: inOrder(unit).at(isEventControl(unit.of) ? 0 : -1)!.trigger.eventId })),
  );
  const groups = Map.groupBy(
    all.map((unit, at) => ({ unit, standing: standings[at]! })),
    ({ unit }) => resourceKey(unit.resource),
  );
  const waiting = [...groups.values()];

  const worker = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      const calls: Calls = { read: 0, write: 0 };
      const aws = ports.aws(group[0]!.unit.resource, { share: true, calls });
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
          const lines = isEventControl(unit.of) ? await judgeEvents(unit, standing, detection) : [await judgeState(unit, standing, detection, aws)];
          const spent = { read: calls.read - before.read, write: calls.write - before.write };
          for (const { index, ...line } of lines) reports[index]!.lines.push({ ...line, calls: spent });
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

async function judgeState(unit: Unit, first: Standing, detection: Detection, aws: ReturnType<Ports['aws']>): Promise<Judgement> {
  const { ports, policy } = detection;
  const { trigger, index, listed, standing } = await speakerOf(unit, first, ports);
  const actor = (standing.last?.state === 'open' ? standing.last.actor : undefined) ?? actorAmong(unit);
  const judged: Judged = isOff(settingsOf(policy, unit.control))
    ? { decision: { action: 'off', reason: 'The policy has this control off.' } }
    : await judge(unit.of as AnyStateControl, unit.resource, actor, policy, aws, ports, { listed });
  return { index, ...(await settle(unit, { trigger, actor, standing, judged }, detection)) };
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

const keyOf = ({ control, resource, fold }: Unit): FindingKey => ({ control, resource, fold });

type Settling = Pick<Verdict, 'trigger' | 'actor' | 'standing' | 'judged'>;

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
    findingId: settled.findingId ?? (dryRun && drifts(judged) ? findingId(key, (standing.last?.episode ?? 0) + 1) : null),
    change: plan?.kind === 'change' ? plan : null,
  };
}

const drifts = ({ decision: { action } }: Judged) => action !== 'none' && action !== 'off' && action !== 'except';

const dryOutcome = (judged: Judged): Line['outcome'] =>
  drifts(judged)
    ? { status: 'DRY_RUN', reason: `Would ${judged.decision.action}: ${judged.decision.reason}` }
    : { status: statusOf(judged.decision.action, judged.evaluation), reason: judged.decision.reason };

/** The newest trigger speaks for the unit, as one look at the live state answers all; but one that is done leaves the word to those that are not. */
async function speakerOf(unit: Unit, newest: Standing, { ledger }: Pick<Ports, 'ledger'>): Promise<Unit['work'][number] & { readonly standing: Standing }> {
  const [last, ...earlier] = inOrder(unit).reverse();
  if (!newest.done) return { ...last!, standing: newest };
  const standings = await ledger.lookup(earlier.map(({ trigger }) => ({ ...keyOf(unit), eventId: trigger.eventId })));
  const open = standings.findIndex(({ done }) => !done);
  return open < 0 ? { ...last!, standing: newest } : { ...earlier[open]!, standing: standings[open]! };
}

const inOrder = ({ work }: Unit) => [...work].sort((a, b) => a.trigger.time.localeCompare(b.trigger.time));

const actorAmong = (unit: Unit): Actor | undefined =>
  inOrder(unit)
    .map(({ trigger }) => actorOf(trigger))
    .find((actor) => actor !== undefined);

/** Once for a control and place in ten minutes, and never inside this batch: a type can have thousands of resources. */
async function requestSweep({ control, place }: SweepItem, { ports, dryRun }: Detection): Promise<void> {
  if (dryRun || (await ports.ledger.once(`sweep|${control.id}|${place.accountId}|${place.region}`, 600))) await ports.requestSweep(control.id, place);
}

function listOf({ control, place }: SweepItem, { aws }: Pick<Ports, 'aws'>): AsyncIterable<readonly [ResourceRef, unknown]> {
  return isEventControl(control) ? nothing() : control.list(aws(place, { share: true }));
}

async function* nothing(): AsyncGenerator<readonly [ResourceRef, unknown]> {}
