/** Sits at the gateway: knows which schedule each call of the bot works for, lets the faults strike, and looks at what is written and told as it goes out. */
import type { Fate, OnCall, Seen } from '../../cli/local-stack/gateway.ts';
import type { Ledger } from '../../engine/ports.ts';
import { alertsIn } from '../support/left-alerts.ts';
import type { Drift } from './drifts/index.ts';
import { type Case, count, effectOf, isWrite, type Lane, operationOf, strike } from './lane.ts';
import type { FunctionName } from './schedule.ts';

export interface Watch {
  readonly onCall: OnCall;
  /** Keeps the events of different schedules out of each other's batches. */
  laneOf(body: string): string;
  /** Faults strike from now on, or no more. */
  strikes(on: boolean): void;
  addLane(lane: Lane): void;
  addEvent(eventId: string, lane: Lane, drift: Drift): void;
  /** The schedule that an event, a finding or an execution belongs to. */
  ofEvent(body: string): Lane | undefined;
  ofFinding(text: string): { readonly findingId: string; readonly lane: Lane } | undefined;
}

export interface Watching {
  /** Asked once there is one. */
  readonly ledger: () => Pick<Ledger, 'entries'>;
  /** Makes it drift once more, and tells the bot. */
  readonly again: (lane: Lane, its: Case) => Promise<void>;
}

const functionOf = ({ by }: Seen): FunctionName | undefined => (['detect', 'remediate'] as const).find((name) => by?.functionName.endsWith(`-${name}`));
const findingIn = (text: string): string | undefined => /f-[a-z2-7]{26}/.exec(text)?.[0];
const eventIn = (body: string): string => (JSON.parse(body) as { detail?: { eventID?: string } }).detail?.eventID ?? '';

export function watch({ ledger, again }: Watching): Watch {
  let striking = false;
  const laneOfEvent = new Map<string, Lane>();
  const caseOfFinding = new Map<string, readonly [Lane, Case]>();
  const workOfInvocation = new Map<number, readonly [Lane, number] | undefined>();

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
    const entries = await ledger().entries(id);
    if (!entries.some(({ kind }) => kind === 'INTENDED')) lane.violations.push(`a write before its INTENDED: ${where}`);
    lane.writes.push({ findingId: id, operation, effect: effectOf(call, its.broken) });
    return {
      do: 'forward',
      async onAnswer({ status }) {
        if (status >= 300) return;
        const wrote = (lane.wrote.get(its.drift) ?? 0) + 1;
        lane.wrote.set(its.drift, wrote);
        // Not where two fixes share a setting: the other one would be told of after it was undone.
        if (striking && wrote === its.planned.againAfter && its.drift.broken.length === 1) {
          lane.log.push(`${its.broken.control}: drifts again after write ${wrote}`);
          await again(lane, its);
        }
      },
    };
  };

  /** An alert is left for the channels: "Fixed" must be so. From here on it is the queue's, and whoever delivers may be late, but not wrong. */
  const onAlert = async (call: Seen): Promise<Fate | undefined> => {
    const told = alertsIn(call).flatMap(({ finding, subject }) => {
      const found = finding && caseOfFinding.get(finding.id);
      return found ? [{ lane: found[0], its: found[1], findingId: finding.id, subject }] : [];
    });
    for (const { lane, its, subject } of told) {
      if (subject.includes('Fixed') && !its.broken.right(await its.drift.read()))
        lane.violations.push(`an alert says "Fixed" for what is not: ${its.broken.control}: ${JSON.stringify(await its.drift.read())}`);
    }
    return {
      do: 'forward',
      async onAnswer({ status }) {
        if (status < 300) for (const { lane, findingId, subject } of told) lane.told.push({ findingId, subject });
      },
    };
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
    const watched = alertsIn(call).length > 0 ? await onAlert(call) : isWrite(call) ? await onWrite(lane, call) : undefined;
    return struck && watched && 'onAnswer' in watched ? { ...struck, onAnswer: watched.onAnswer } : (struck ?? watched);
  };

  return {
    onCall,
    laneOf: (body) => String(laneOfEvent.get(eventIn(body))?.schedule.seed ?? ''),
    strikes(on) {
      striking = on;
    },
    addLane(lane) {
      for (const each of lane.cases) for (const id of each.findingIds) caseOfFinding.set(id, [lane, each]);
    },
    addEvent(eventId, lane, drift) {
      lane.events.set(eventId, drift);
      laneOfEvent.set(eventId, lane);
    },
    ofEvent: (body) => laneOfEvent.get(eventIn(body)),
    ofFinding(text) {
      const findingId = findingIn(text) ?? '';
      const found = caseOfFinding.get(findingId);
      return found && { findingId, lane: found[0] };
    },
  };
}
