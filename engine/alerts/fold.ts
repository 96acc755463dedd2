/** Many notifications told as one: bursts of a control, and what came in quiet hours. */
import { randomUUID } from 'node:crypto';
import { ConflictError, RetryLaterError } from '../errors.ts';
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Lease, MemoKey, Ports } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Delivery } from './delivery.ts';
import { foldedAlertOf } from './folded.ts';
import { endedOf, type Group, type Held, nothingHeld, passes, weigh, without } from './held.ts';

export type FoldPorts = Pick<Ports, 'ledger' | 'clock' | 'log'>;

const memoOf = (channel: string): MemoKey => `held|${channel}`;

/**
 * Whether a channel is told now, or later together with others. Safe to repeat: the same alert gets the same answer while it counts.
 * @param known the channel has said something of this finding before
 * @throws RetryLaterError when others are at it
 */
export async function admit(channelName: string, channel: CompiledChannel, alert: Alert, known: boolean, ports: FoldPorts): Promise<'send' | 'held'> {
  const now = ports.clock.now();
  if (passes(channel, alert, known)) {
    const held = await recalled(channelName, ports);
    // Nothing of it waits: nobody needs to be kept out for that.
    if (weigh(held, channel, alert, known, now).held === held) return 'send';
  }
  return changed(channelName, ports, (held) => {
    const { verdict, held: next } = weigh(held, channel, alert, known, now);
    return [verdict, next];
  });
}

/** One alert for what was held back. It is forgotten once it has been left for the channel: until then it is due again. */
export interface Release {
  readonly delivery: Delivery;
  readonly group: Group;
}

/** Bursts and quiet hours that have ended. */
export async function release(policy: Pick<CompiledPolicy, 'channels'>, ports: FoldPorts): Promise<readonly Release[]> {
  const now = ports.clock.now();
  const released: Release[] = [];
  for (const [name, channel] of Object.entries(policy.channels)) {
    const groups = endedOf(await recalled(name, ports), channel, now);
    released.push(...groups.map((group) => ({ group, delivery: { channel: name, alert: foldedAlertOf(name, group, channel.timezone) } })));
  }
  return released;
}

/** After they have been left for their channels. What has changed since stays, and is told with the next. */
export async function forget(released: readonly Release[], ports: FoldPorts): Promise<void> {
  for (const [name, told] of Map.groupBy(released, ({ delivery }) => delivery.channel)) {
    const groups = told.map(({ group }) => group);
    await changed(name, ports, (held) => [undefined, without(held, groups, ports.clock.now())]);
  }
}

const recalled = async (channel: string, { ledger }: FoldPorts): Promise<Held> => (await ledger.recall<Held>(memoOf(channel))) ?? nothingHeld;

/** Each holds the document for a moment. Milliseconds. */
const pauses = [50, 100, 200, 400, 800];

async function changed<Result>(channel: string, ports: FoldPorts, change: (held: Held) => readonly [Result, Held]): Promise<Result> {
  const { ledger, clock } = ports;
  const owner = randomUUID();
  let lease = await take();
  for (const pause of pauses) {
    if (lease) break;
    await clock.sleep(pause * (1 + Math.random()));
    lease = await take();
  }
  if (!lease) throw busy(channel);
  try {
    return await changeUnder(lease);
  } catch (error) {
    if (error instanceof ConflictError) throw busy(channel, { cause: error });
    throw error;
  } finally {
    await ledger.release(lease);
  }

  function take(): Promise<Lease | undefined> {
    return ledger.lease(memoOf(channel), owner, 30);
  }

  async function changeUnder(held: Lease): Promise<Result> {
    const before = await recalled(channel, ports);
    const [result, after] = change(before);
    if (after !== before) await ledger.remember(memoOf(channel), after, held);
    return result;
  }
}

const busy = (channel: string, options?: { cause: unknown }): RetryLaterError =>
  new RetryLaterError(`what the channel ${channel} is told is being weighed by other processes`, 5, options);
