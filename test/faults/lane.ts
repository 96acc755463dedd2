/** One schedule under way: what was drifted, what each call of its invocations met, and what the bot wrote and told. */
import { type FaultKind, fateOf, kills } from '../../cli/local-stack/faults.ts';
import type { Fate, Seen } from '../../cli/local-stack/gateway.ts';
import type { Change, ResourceRef } from '../../engine/model.ts';
import type { Broken, Drift } from './drifts/index.ts';
import type { Fault, FunctionName, PlannedDrift, Schedule } from './schedule.ts';

/** One control that one drift breaks, and what should come of it. */
export interface Case {
  readonly drift: Drift;
  readonly planned: PlannedDrift;
  readonly broken: Broken;
  readonly resource: ResourceRef;
  /** What the control would write, planned with an administrator's rights before anything went wrong. */
  readonly expected?: Change;
  readonly severity: string;
  /** Of the episode that the drift begins, and of those that could follow. */
  readonly findingIds: readonly string[];
}

export interface Write {
  readonly findingId: string;
  readonly operation: string;
  readonly effect: string;
}

export interface Lane {
  readonly schedule: Schedule;
  readonly cases: readonly Case[];
  /** CloudTrail ids, by drift. */
  readonly events: Map<string, Drift>;
  readonly log: string[];
  readonly struck: FaultKind[];
  readonly writes: Write[];
  readonly told: { readonly findingId: string; readonly subject: string }[];
  readonly violations: string[];
  /** Invocations of detect, or of remediate for one finding, by their number. */
  readonly counts: Map<string, Map<number, { readonly nth: number; calls: number }>>;
  readonly left: Map<Fault, number>;
  readonly wrote: Map<Drift, number>;
}

export const laneFor = (schedule: Schedule, cases: readonly Case[]): Lane => ({
  schedule,
  cases,
  events: new Map(),
  log: [],
  struck: [],
  writes: [],
  told: [],
  violations: [],
  counts: new Map(),
  left: new Map(schedule.faults.map((fault) => [fault, fault.times])),
  wrote: new Map(),
});

export interface At {
  readonly of: FunctionName;
  /** Which of the schedule's cases; 0 for detect, which works on all of them. */
  readonly finding: number;
  readonly invocation: number;
  readonly call: number;
}

/** Which call of which invocation this is; counts it. */
export function count(lane: Lane, of: FunctionName, finding: number, number: number): At {
  const key = `${of} ${finding}`;
  const invocations = lane.counts.get(key) ?? new Map<number, { readonly nth: number; calls: number }>();
  lane.counts.set(key, invocations);
  const at = invocations.get(number) ?? { nth: invocations.size + 1, calls: 0 };
  at.calls += 1;
  invocations.set(number, at);
  return { of, finding, invocation: at.nth, call: at.calls };
}

/** What the schedule has in store for this call. */
export function strike(lane: Lane, at: At, call: Seen): Fate | undefined {
  for (const fault of lane.schedule.faults) {
    const left = lane.left.get(fault)!;
    if (fault.of !== at.of || fault.finding % lane.cases.length !== at.finding % lane.cases.length || left === 0) continue;
    const begun = left < fault.times;
    const here = kills(fault.kind)
      ? at.invocation >= fault.invocation && at.call === fault.call
      : begun || (at.invocation === fault.invocation && at.call === fault.call);
    if (!here) continue;
    lane.left.set(fault, left - 1);
    lane.struck.push(fault.kind);
    const whose = at.of === 'remediate' ? ` of ${lane.cases[at.finding]!.broken.control}` : '';
    lane.log.push(`${at.of} ${at.invocation}${whose}, call ${at.call}, ${call.service} ${operationOf(call)}: ${fault.kind}`);
    return fateOf(fault.kind, call, fault.amount);
  }
  return undefined;
}

/** The operation as its protocol names it. */
export function operationOf({ target, method, headers, body, path, query }: Seen): string {
  if (headers['x-amz-target']) return target.split('.').at(-1)!;
  const action = /(?:^|&)Action=([^&]+)/.exec(body.subarray(0, 4_000).toString())?.[1];
  if (action) return action;
  const parts = [...query.keys()].filter((key) => key !== 'x-id');
  return `${method} ${parts.length > 0 ? parts.join('&') : path.slice(0, 2).join('/')}`;
}

const reads = /^(GET|HEAD|Get|List|Describe|Head|Lookup|Search|BatchGet)/;
const ownServices = new Set(['dynamodb', 'lambda', 'ssm', 'sts', 'scheduler']);

/** A call that changes a resource of the account. */
export const isWrite = (call: Seen): boolean => {
  const operation = operationOf(call);
  return !ownServices.has(call.service) && !reads.test(operation) && operation !== 'Publish' && !/^(SendMessage|ChangeMessageVisibility)/.test(operation);
};

// Made anew by each attempt.
const tokens = /&?(ClientToken|IdempotencyToken|ClientRequestToken)=[^&]*/g;

/** The body without what differs between two attempts. */
export const effectOf = ({ body }: Seen, broken: Broken): string => {
  const text = body.toString().replace(tokens, '');
  return broken.effect ? JSON.stringify(broken.effect(text)) : text;
};
