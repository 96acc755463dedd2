/**
 * Schedules against the deployed bot: built artifacts in child processes on the local stack, IAM enforced. Several run at once, each on
 * resources and in batches of its own; they share the clock, so that all of them are struck first and all of them recover together.
 */
import { randomUUID } from 'node:crypto';
import type { LocalStackOptions, StackEvent } from '../../cli/local-stack/index.ts';
import { isEventControl } from '../../engine/control.ts';
import { findingId } from '../../engine/finding.ts';
import type { Aws } from '../../engine/ports.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { type Deployed, deployed, policyFile } from '../e2e/world.ts';
import { choresOf } from './chores.ts';
import { type Drift, scenarios } from './drifts/index.ts';
import { type Case, type Lane, laneFor } from './lane.ts';
import { accountFor, findingsOf, judgeLane } from './oracle.ts';
import { actors, controls, guards, params } from './policy.ts';
import { inWords, type Mode, rounds, type Schedule } from './schedule.ts';
import { watch } from './watch.ts';

/** How a schedule ended. */
export interface Verdict {
  readonly schedule: Schedule;
  readonly lane: Lane;
  /** Outcome per control that was broken. */
  readonly outcomes: readonly string[];
  readonly violations: readonly string[];
}

export interface Harness {
  readonly bot: Deployed;
  /** Runs the schedules, as many at a time as `wave` says. */
  run(schedules: readonly Schedule[], onVerdict?: (verdict: Verdict) => void): Promise<Verdict[]>;
  stop(): Promise<void>;
}

export async function startHarness({ wave = 30, ...options }: { readonly wave?: number } & LocalStackOptions = {}): Promise<Harness> {
  const stuck = new Set<string>();
  const watcher = watch({
    ledger: () => bot.ledger,
    async again(lane, { drift, planned }) {
      await drift.again();
      await put(lane, drift, planned.mode);
    },
  });
  const bot = await deployed(policyFile(controls, undefined, guards), {
    warm: true,
    asleep: '-deliver',
    ...options,
    onCall: watcher.onCall,
    laneOf: watcher.laneOf,
  });
  const { stack } = bot;
  const access = awsAccess({ credentials: async () => stack.emulator.adminCredentials(), endpoint: stack.emulator.endpoint, forcePathStyle: true });
  const admin: Aws = access({ accountId: stack.accountId, region: stack.region }, { share: false });

  const eventOf = ({ told }: Drift, mode: Mode): StackEvent =>
    bot.event(told.source, told.eventName, {
      ...told.detail,
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${stack.accountId}:assumed-role/${actors[mode]}/dana`, accountId: stack.accountId },
    });
  const register = (event: StackEvent, lane: Lane, drift: Drift) => {
    watcher.addEvent((event.detail as { eventID: string }).eventID, lane, drift);
    return event;
  };
  async function put(lane: Lane, drift: Drift, mode: Mode): Promise<void> {
    await stack.putEvents([register(eventOf(drift, mode), lane, drift)]);
  }

  const begin = async (schedule: Schedule): Promise<Lane> => {
    const cases: Case[] = [];
    for (const [index, planned] of schedule.drifts.entries()) {
      const scenario = scenarios[planned.scenario]!;
      const drift = await scenario.make(admin, `f${schedule.seed}-${index}-${randomUUID().slice(0, 8)}`);
      for (const broken of drift.broken) {
        const control = await catalogue.find(({ id }) => id === broken.control)!.load();
        if (isEventControl(control)) throw new Error(`${control.id} is judged from events: it has nothing to fix`);
        const resource = { accountId: stack.accountId, region: broken.region, type: control.resourceType, id: broken.id };
        const state = await control.inspect(resource, admin);
        const plan = control.plan?.(state, control.params.parse(params[broken.control] ?? {}));
        const key = { control: control.id, resource };
        const [standing] = await bot.ledger.lookup([{ ...key, eventId: 'none' }]);
        const episode = standing!.last?.episode ?? 0;
        const findingIds = [1, 2, 3, 4].map((next) => findingId(key, episode + next));
        cases.push({ drift, planned, broken, resource, expected: plan?.kind === 'change' ? plan : undefined, severity: control.severity, findingIds });
      }
    }
    const lane = laneFor(schedule, cases);
    watcher.addLane(lane);
    return lane;
  };

  /** Copies of one drift's event are the same event. */
  const deliveries = (lane: Lane) => {
    const { schedule } = lane;
    const drifts = [...new Map(lane.cases.map(({ drift, planned }) => [drift, planned]))];
    const copies = drifts.flatMap(([drift, planned]) => {
      const event = register(eventOf(drift, planned.mode), lane, drift);
      return planned.copies.map((round) => ({ round, event }));
    });
    return copies.map((copy, index) => ({ ...copy, order: schedule.order[index % schedule.order.length]! })).sort((a, b) => a.order - b.order);
  };

  const { redrive, setHeartbeat } = await choresOf(stack.clients);
  const visibility = 361;
  const settle = async () => {
    const now = await stack.drain(300);
    if (!now.idle) throw new Error(`still busy: ${JSON.stringify(now)}`);
    return now;
  };

  /** For people, who have days to answer. */
  const waits = ({ due }: { readonly due?: string }) => due !== undefined && Date.parse(due) - stack.clock.now().getTime() > 24 * 3_600_000;

  const recover = async () => {
    for (let round = 0; round < 16; round += 1) {
      const { executions, messagesWaiting } = await settle();
      const moved = await redrive((body) => watcher.ofEvent(body)?.log.push('an event came back from the dead-letter queue'));
      if (moved + messagesWaiting === 0 && executions.every((execution) => waits(execution) || stuck.has(execution.name))) return;
      stack.clock.advance(visibility);
    }
    const { executions, messagesWaiting } = await settle();
    if (messagesWaiting > 0) throw new Error(`the bot does not come to rest: ${messagesWaiting} messages come back again and again`);
    for (const { name } of executions.filter((execution) => !waits(execution))) {
      stuck.add(name);
      watcher.ofFinding(name)?.lane.violations.push(`the execution ${name} does not end, though nothing goes wrong any more`);
    }
  };

  /** Those that go together: all with the heartbeat or all without, and none with what another one has alone. */
  const wavesOf = (schedules: readonly Schedule[]): Schedule[][] => {
    const waves: { readonly schedules: Schedule[]; readonly taken: Set<number> }[] = [];
    for (const schedule of schedules) {
      const own = schedule.drifts.map(({ scenario }) => scenario).filter((scenario) => scenarios[scenario]!.alone);
      const room = waves.find(
        (each) => each.schedules.length < wave && each.schedules[0]!.ticks === schedule.ticks && !own.some((scenario) => each.taken.has(scenario)),
      );
      if (room) {
        room.schedules.push(schedule);
        for (const scenario of own) room.taken.add(scenario);
      } else waves.push({ schedules: [schedule], taken: new Set(own) });
    }
    return waves.map(({ schedules: those }) => those);
  };

  /** Whoever is at nothing for so long is dead; what he left is taken up by the heartbeat. Seconds. */
  const deadAfter = 8 * 3_600;
  const isUndecided = async ({ findingIds }: Case): Promise<boolean> => {
    const last = (await findingsOf(findingIds, bot.ledger)).at(-1);
    return last?.state === 'open' && last.decision.action === 'fix' && last.outcome === undefined;
  };

  interface Wave {
    readonly verdicts: Verdict[];
    /** At rest, but with something left that only the heartbeat can take up, much later. */
    readonly left: Lane[];
  }

  const judged = async (lanes: readonly Lane[]): Promise<Verdict[]> => {
    const verdicts: Verdict[] = [];
    for (const lane of lanes) {
      const outcomes = await judgeLane(lane, bot.ledger);
      verdicts.push({ schedule: lane.schedule, lane, outcomes, violations: [...new Set(lane.violations)] });
    }
    return verdicts;
  };

  const runWave = async (schedules: readonly Schedule[]): Promise<Wave> => {
    const lanes: Lane[] = [];
    const { ticks } = schedules[0]!;
    await setHeartbeat(ticks);
    for (const schedule of schedules) lanes.push(await begin(schedule));
    const planned = lanes.map(deliveries);
    watcher.strikes(true);
    for (let round = 0; round < rounds; round += 1) {
      if (round > 0) stack.clock.advance(visibility);
      await stack.putEvents(planned.flatMap((copies) => copies.filter((copy) => copy.round === round).map(({ event }) => event)));
      await settle();
    }
    watcher.strikes(false);
    await setHeartbeat(false);
    stack.clock.advance(visibility);
    await recover();
    if (!ticks) for (const lane of lanes) await accountFor(lane, bot.ledger);
    await heartbeat();
    const left: Lane[] = [];
    for (const lane of lanes) if ((await Promise.all(lane.cases.map(isUndecided))).includes(true)) left.push(lane);
    // What there is one of cannot wait for its turn.
    if (left.some(({ cases }) => cases.some(({ drift }) => drift.repair))) {
      await muchLater();
      left.length = 0;
    }
    const verdicts = await judged(lanes.filter((lane) => !left.includes(lane)));
    for (const lane of lanes) {
      for (const { drift, planned } of lane.cases) {
        if (!drift.repair) continue;
        await drift.repair();
        await put(lane, drift, planned.mode);
      }
    }
    await recover();
    return { verdicts, left };
  };

  const muchLater = async () => {
    stack.clock.advance(deadAfter);
    await heartbeat();
  };
  const heartbeat = async () => {
    await setHeartbeat(true);
    await stack.tick();
    await setHeartbeat(false);
    await recover();
  };
  // The first sweep has found a new account as AWS makes it, and only told of that.
  for (const scenario of scenarios.filter(({ alone }) => alone)) {
    const drift = await scenario.make(admin, '');
    await drift.repair!();
    await stack.putEvents([eventOf(drift, 'fix')]);
  }
  await recover();

  return {
    bot,
    async run(schedules, onVerdict = () => undefined) {
      const all: Verdict[] = [];
      const left: Lane[] = [];
      const take = (verdicts: readonly Verdict[]) => {
        for (const verdict of verdicts) onVerdict(verdict);
        all.push(...verdicts);
      };
      for (const those of wavesOf(schedules)) {
        const begun = performance.now();
        const done = await runWave(those);
        options.log?.(`${those.length} schedules in ${Math.round(performance.now() - begun)} ms`);
        take(done.verdicts);
        left.push(...done.left);
      }
      if (left.length > 0) await muchLater();
      take(await judged(left));
      return all;
    },
    stop: () => stack.stop(),
  };
}

/** What a person needs to see it again. */
export const report = ({ schedule, lane, violations, outcomes }: Verdict): string =>
  [
    inWords(schedule),
    ...violations.map((violation) => `  VIOLATION ${violation}`),
    ...outcomes.map((outcome) => `  ended: ${outcome}`),
    ...lane.log.map((line) => `  ${line}`),
    `  again: npm run bench:faults -- --seed ${schedule.seed} --schedules 1`,
  ].join('\n');
