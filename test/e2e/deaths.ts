/** Kills remediate's process, for real, at chosen calls that it makes for chosen findings; and tells what it calls for them. */
import type { Seen } from '../../cli/local-stack/gateway.ts';
import type { OnCall } from '../../cli/local-stack/lambda.ts';
import type { Entry, EntryKind } from '../../engine/model.ts';
import { type Item, unpack } from '../../handlers/aws/table.ts';
import { isWrite, operationOf } from '../faults/lane.ts';

/** Before the call is done, and then it never is, or after, so that nobody hears the answer. */
export type Moment = 'before' | 'after';

export interface Sent {
  /** Counted from 1, in the span and in the invocation. */
  readonly nth: number;
  readonly inInvocation: number;
  readonly invocation: number;
  readonly name: string;
  /** What it changes. */
  readonly writes?: 'resource' | 'ledger';
}

export type Strike = (call: Sent) => Moment | undefined;

/** From the write of one entry to that of another, both included. */
export interface Span {
  readonly from: EntryKind;
  readonly to: EntryKind;
}

export interface Watched {
  readonly sent: Sent[];
  readonly deaths: string[];
}

export interface Reaper {
  readonly onCall: OnCall;
  watch(findingId: string, span: Span, strike?: Strike): Watched;
}

/** Kinds of the entries that a call writes to the ledger. */
function entriesOf({ service, target, body }: Seen): EntryKind[] {
  if (service !== 'dynamodb' || !target.endsWith('.TransactWriteItems')) return [];
  const { TransactItems } = JSON.parse(body.toString()) as { TransactItems: { Put?: { Item: Item } }[] };
  return TransactItems.flatMap(({ Put }) => (Put?.Item.sk?.S?.startsWith('entry#') ? [unpack<Entry>('entry', Put.Item).kind] : []));
}

const findingOf = (event: string): string =>
  /f-[a-z2-7]{26}/.exec((JSON.parse(event) as { DurableExecutionArn?: string }).DurableExecutionArn ?? '')?.[0] ?? '';

function changed(call: Seen): Sent['writes'] {
  // Approvals are sealed with a key.
  if (isWrite(call) && !/^(En|De)crypt$/.test(operationOf(call))) return 'resource';
  return call.service === 'dynamodb' && /\.(Put|Update|Transact)/.test(call.target) ? 'ledger' : undefined;
}

export function reaper(): Reaper {
  const watched = new Map<string, Watched & { readonly span: Span; readonly strike?: Strike; active: boolean }>();
  return {
    watch(findingId, span, strike) {
      const at = { span, strike, sent: [], deaths: [], active: false };
      watched.set(findingId, at);
      return at;
    },
    onCall(call) {
      // Checkpoints: what they hold is how far the waiting has come, and nothing of the fix.
      if (!call.by?.functionName.endsWith('-remediate') || call.service === 'lambda') return undefined;
      const at = watched.get(findingOf(call.by.event));
      if (!at) return undefined;
      const kinds = entriesOf(call);
      if (kinds.includes(at.span.from)) at.active = true;
      if (!at.active) return undefined;
      const invocation = call.by.number;
      const sent = {
        nth: at.sent.length + 1,
        invocation,
        inInvocation: at.sent.filter((other) => other.invocation === invocation).length + 1,
        name: `${call.service} ${operationOf(call)}`,
        writes: changed(call),
      };
      at.sent.push(sent);
      const moment = at.strike?.(sent);
      if (kinds.includes(at.span.to) && moment !== 'before') at.active = false;
      if (!moment) return undefined;
      at.deaths.push(`${moment} call ${sent.nth}, ${sent.name}`);
      return { do: 'kill', when: moment };
    },
  };
}

/** One death, at the nth call of the span. */
export const once = (nth: number, moment: Moment): Strike => {
  let dead = false;
  return (call) => {
    if (dead || call.nth !== nth) return undefined;
    dead = true;
    return moment;
  };
};

/** Before each call, and after each that changes something: a death after a read leaves what one before the next call leaves. */
export const deathsAt = ({ sent }: Watched): Strike[] => sent.flatMap(({ nth, writes }) => [once(nth, 'before'), ...(writes ? [once(nth, 'after')] : [])]);

/** Calls of each step of a fix that takes its time. A step is an invocation; its number is that of the changes made before it. */
export const stepsOf = ({ sent }: Watched): ReadonlyMap<number, readonly Sent[]> => {
  const steps = new Map<number, readonly Sent[]>();
  let done = 0;
  for (const those of Map.groupBy(sent, ({ invocation }) => invocation).values()) {
    if (!steps.has(done)) steps.set(done, those);
    done += those.filter(({ writes }) => writes === 'resource').length;
  }
  return steps;
};

/** Where in a step a death is; undefined: nowhere. */
export type Place = (step: number) => { readonly nth: number; readonly moment: Moment } | undefined;

/** One death in each step: whoever comes after it ends the step. */
export const inEachStep = (place: Place): Strike => {
  const dead = new Set<number>();
  let done = 0;
  let step = 0;
  let invocation = 0;
  return (call) => {
    if (call.invocation !== invocation) {
      invocation = call.invocation;
      step = done;
    }
    const at = dead.has(step) ? undefined : place(step);
    const moment = at?.nth === call.inInvocation ? at.moment : undefined;
    if (moment) dead.add(step);
    if (call.writes === 'resource' && moment !== 'before') done += 1;
    return moment;
  };
};
