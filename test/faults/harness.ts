/**
 * Schedules against the deployed bot: built artifacts in child processes on the local stack, IAM enforced. Several run at once, each on
 * resources and in batches of its own; they share the clock, so that all of them are struck first and all of them recover together.
 */
import { randomUUID } from 'node:crypto';
import { GetScheduleCommand, ListSchedulesCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import { DeleteMessageCommand, paginateListQueues, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Fate, Seen } from '../../cli/local-stack/gateway.ts';
import type { LocalStackOptions, StackEvent } from '../../cli/local-stack/index.ts';
import { isEventControl } from '../../engine/control.ts';
import { findingId } from '../../engine/finding.ts';
import type { Aws } from '../../engine/ports.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { type Deployed, deployed, policyFile } from '../e2e/world.ts';
import { type Drift, scenarios } from './drifts.ts';
import { type Case, count, effectOf, isWrite, type Lane, laneFor, operationOf, strike } from './lane.ts';
import { accountFor, findingsOf, judgeLane } from './oracle.ts';
import { type FunctionName, inWords, type Mode, rounds, type Schedule } from './schedule.ts';

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

const actors: Readonly<Record<Mode, string>> = { fix: 'Developers', page: 'Paged', approve: 'Asked' };
const params: Readonly<Record<string, string>> = { 'sns-topic-encrypted': '\n  params: { kmsKeyId: alias/messages }' };

/** Every control that a scenario breaks: fixed, or what the policy wants for the actor. */
const policy = scenarios
  .flatMap(({ controls }) => controls)
  .map((control) => {
    const mode = catalogue.find(({ id }) => id === control)!.fix ? 'fix' : 'page';
    const when =
      mode === 'fix'
        ? (['page', 'approve'] as const).map((other) => `\n    - { actor: "arn:aws:sts::*:assumed-role/${actors[other]}/*", mode: ${other} }`)
        : [];
    return `${control}:\n  mode: ${mode}${params[control] ?? ''}${when.length > 0 ? `\n  when:${when.join('')}` : ''}`;
  })
  .join('\n');

/** Far away: what the brakes do is no fault. */
const guards = '{ fixesPerHour: 1000, fixesPerControlPerHour: 1000, repeat: { limit: 100 }, ramp: { fixes: 1000, hours: 1 } }';

const functionOf = ({ by }: Seen): FunctionName | undefined => (['detect', 'remediate'] as const).find((name) => by?.functionName.endsWith(`-${name}`));
const findingIn = (text: string): string | undefined => /f-[a-z2-7]{26}/.exec(text)?.[0];

export async function startHarness({ wave = 30, ...options }: { readonly wave?: number } & LocalStackOptions = {}): Promise<Harness> {
  const laneOfEvent = new Map<string, Lane>();
  const caseOfFinding = new Map<string, readonly [Lane, Case]>();
  const stuck = new Set<string>();
  const workOfInvocation = new Map<number, readonly [Lane, number] | undefined>();
  let striking = false;

  const eventIn = (body: string): string => (JSON.parse(body) as { detail?: { eventID?: string } }).detail?.eventID ?? '';
  const laneOf = (body: string) => String(laneOfEvent.get(eventIn(body))?.schedule.seed ?? '');

  const findingOf = ({ event }: NonNullable<Seen['by']>) => findingIn((JSON.parse(event) as { DurableExecutionArn?: string }).DurableExecutionArn ?? '') ?? '';

  /** Which schedule an invocation works for, and on which of its cases. */
  const workOf = (of: FunctionName, by: NonNullable<Seen['by']>): readonly [Lane, number] | undefined => {
    if (!workOfInvocation.has(by.number)) workOfInvocation.set(by.number, of === 'detect' ? detecting(by) : remediating(by));
    return workOfInvocation.get(by.number);
  };
  const detecting = ({ event }: NonNullable<Seen['by']>): readonly [Lane, number] | undefined => {
    const lane = (JSON.parse(event) as { Records?: { body: string }[] }).Records?.map(({ body }) => laneOfEvent.get(eventIn(body))).find(Boolean);
    return lane && [lane, 0];
  };
  const remediating = (by: NonNullable<Seen['by']>): readonly [Lane, number] | undefined => {
    const found = caseOfFinding.get(findingOf(by));
    return found && [found[0], found[0].cases.indexOf(found[1])];
  };

  /** A write goes out: is it in the ledger, what does it set, and does somebody undo it at once? */
  const onWrite = async (lane: Lane, call: Seen): Promise<Fate | undefined> => {
    const id = findingOf(call.by!);
    const found = caseOfFinding.get(id);
    const operation = operationOf(call);
    const where = `${operation} by ${id || 'detect'}`;
    if (!found) {
      lane.violations.push(`a write for no finding: ${where}`);
      return undefined;
    }
    const [, its] = found;
    const text = `${call.target} ${call.body}`;
    if (!its.drift.marks.some((mark) => text.includes(mark) || text.includes(encodeURIComponent(mark))))
      lane.violations.push(`a write to another resource: ${where}`);
    if (its.planned.mode !== 'fix' || !its.expected) lane.violations.push(`a write that the policy does not want: ${where}`);
    const entries = await bot.ledger.entries(id);
    if (!entries.some(({ kind }) => kind === 'INTENDED')) lane.violations.push(`a write before its INTENDED: ${where}`);
    lane.writes.push({ findingId: id, operation, effect: effectOf(call, its.broken) });
    return {
      do: 'forward',
      async onAnswer({ status }) {
        if (status >= 300) return;
        const wrote = (lane.wrote.get(its.drift) ?? 0) + 1;
        lane.wrote.set(its.drift, wrote);
        if (striking && wrote === its.planned.againAfter) {
          await its.drift.again();
          lane.log.push(`${its.broken.control}: drifts again after write ${wrote}`);
          await put([[lane, its.drift]], its.planned.mode);
        }
      },
    };
  };

  /** An alert goes out: "Fixed" must be so. */
  const onAlert = async (lane: Lane, call: Seen): Promise<void> => {
    const { Subject = '', Message = '' } = Object.fromEntries(new URLSearchParams(call.body.toString()));
    const found = caseOfFinding.get(findingIn(Message) ?? '');
    if (!Subject.includes('Fixed') || !found) return;
    const { broken, drift } = found[1];
    if (!broken.right(await drift.read()))
      lane.violations.push(`an alert says "Fixed" for what is not: ${broken.control}: ${JSON.stringify(await drift.read())}`);
  };

  const onCall = async (call: Seen): Promise<Fate | undefined> => {
    const of = functionOf(call);
    if (!of || !call.by) return undefined;
    const work = workOf(of, call.by);
    if (!work) return undefined;
    const [lane, finding] = work;
    const at = count(lane, of, finding, call.by.number);
    const struck = striking ? strike(lane, at, call) : undefined;
    const done = struck?.do !== 'answer' && struck?.do !== 'cut' && !(struck?.do === 'kill' && struck.when === 'before');
    if (!done) return struck;
    if (operationOf(call) === 'Publish') await onAlert(lane, call);
    if (!isWrite(call)) return struck;
    const write = await onWrite(lane, call);
    return struck && write && 'onAnswer' in write ? { ...struck, onAnswer: write.onAnswer } : (struck ?? write);
  };

  const bot = await deployed(policyFile(policy, undefined, guards), { warm: true, ...options, onCall, laneOf });
  const { stack } = bot;
  const access = awsAccess({ credentials: async () => stack.emulator.adminCredentials(), endpoint: stack.emulator.endpoint, forcePathStyle: true });
  const admin: Aws = access({ accountId: stack.accountId, region: stack.region }, { share: false });

  const eventOf = ({ told }: Drift, mode: Mode): StackEvent =>
    bot.event(told.source, told.eventName, {
      ...told.detail,
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${stack.accountId}:assumed-role/${actors[mode]}/dana`, accountId: stack.accountId },
    });
  const register = (event: StackEvent, lane: Lane, drift: Drift) => {
    const { eventID } = event.detail as { eventID: string };
    lane.events.set(eventID, drift);
    laneOfEvent.set(eventID, lane);
    return event;
  };
  async function put(which: readonly (readonly [Lane, Drift])[], mode: Mode): Promise<void> {
    await stack.putEvents(which.map(([lane, drift]) => register(eventOf(drift, mode), lane, drift)));
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
        const plan = control.plan?.(state, control.params.parse(broken.control in params ? { kmsKeyId: 'alias/messages' } : {}));
        const key = { control: control.id, resource };
        const [standing] = await bot.ledger.lookup([{ ...key, eventId: 'none' }]);
        const episode = standing!.last?.episode ?? 0;
        const findingIds = [1, 2, 3, 4].map((next) => findingId(key, episode + next));
        cases.push({ drift, planned, broken, resource, expected: plan?.kind === 'change' ? plan : undefined, severity: control.severity, findingIds });
      }
    }
    const lane = laneFor(schedule, cases);
    for (const each of cases) for (const id of each.findingIds) caseOfFinding.set(id, [lane, each]);
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

  const urls = async (): Promise<{ readonly dlq: string; readonly queue: string }[]> => {
    const found: string[] = [];
    for await (const { QueueUrls = [] } of paginateListQueues({ client: stack.clients.sqs }, { QueueNamePrefix: 'phidelity-dev-' })) found.push(...QueueUrls);
    return found
      .filter((url) => /dlq/i.test(url.split('/').at(-1)!))
      .flatMap((dlq) => {
        const kind = /-([a-z]+)dlq/i.exec(dlq)?.[1]?.toLowerCase();
        const queue = found.find((url) => url !== dlq && !/dlq/i.test(url) && url.split('/').at(-1)!.toLowerCase().startsWith(`phidelity-dev-${kind}queue`));
        return queue ? [{ dlq, queue }] : [];
      });
  };

  /** As an operator would: back into the queue they came from. */
  const redrive = async (): Promise<number> => {
    let moved = 0;
    for (const { dlq, queue } of dlqs) {
      for (;;) {
        const { Messages = [] } = await stack.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl: dlq, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) break;
        for (const { Body, ReceiptHandle } of Messages) {
          await stack.clients.sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: Body }));
          await stack.clients.sqs.send(new DeleteMessageCommand({ QueueUrl: dlq, ReceiptHandle }));
          const lane = laneOfEvent.get(eventIn(Body!));
          lane?.log.push('an event came back from the dead-letter queue');
          moved += 1;
        }
      }
    }
    return moved;
  };
  const dlqs = await urls();
  if (dlqs.length === 0) throw new Error('the stack has no dead-letter queue');

  const visibility = 361;
  const settle = async () => {
    const now = await stack.drain(300);
    if (!now.idle) throw new Error(`still busy: ${JSON.stringify(now)}`);
    return now;
  };

  const recover = async () => {
    for (let round = 0; round < 16; round += 1) {
      const { executions, messagesWaiting } = await settle();
      const moved = await redrive();
      if (moved + messagesWaiting === 0 && executions.every(({ name }) => stuck.has(name))) return;
      stack.clock.advance(visibility);
    }
    const { executions, messagesWaiting } = await settle();
    if (messagesWaiting > 0) throw new Error(`the bot does not come to rest: ${messagesWaiting} messages come back again and again`);
    for (const { name } of executions) {
      stuck.add(name);
      caseOfFinding.get(findingIn(name) ?? '')?.[0].violations.push(`the execution ${name} does not end, though nothing goes wrong any more`);
    }
  };

  const { Schedules = [] } = await stack.clients.scheduler.send(new ListSchedulesCommand({}));
  const setHeartbeat = async (on: boolean) => {
    for (const { GroupName, Name } of Schedules) {
      const { Target, ScheduleExpression, FlexibleTimeWindow } = await stack.clients.scheduler.send(new GetScheduleCommand({ GroupName, Name }));
      const State = on ? 'ENABLED' : 'DISABLED';
      await stack.clients.scheduler.send(new UpdateScheduleCommand({ GroupName, Name, Target, ScheduleExpression, FlexibleTimeWindow, State }));
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
    for (const { subject = '', message } of await bot.alerts.read()) {
      const id = findingIn(message);
      if (id) caseOfFinding.get(id)?.[0].told.push({ findingId: id, subject });
    }
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
    striking = true;
    for (let round = 0; round < rounds; round += 1) {
      if (round > 0) stack.clock.advance(visibility);
      await stack.putEvents(planned.flatMap((copies) => copies.filter((copy) => copy.round === round).map(({ event }) => event)));
      await settle();
    }
    striking = false;
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
        await put([[lane, drift]], planned.mode);
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
