/**
 * What no event brings about: folded alerts, reminders, escalations and digests whose time has come since somebody last looked.
 * Each is left for its channel first and noted after: a crash between tells twice, under the same id; never not at all.
 */
import { randomUUID } from 'node:crypto';
import type { Catalogue } from '../control.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Lease } from '../ports.ts';
import type { Delivery } from './delivery.ts';
import { digestOf } from './digest.ts';
import { type DigestFacts, type DigestPorts, factsOf } from './digest-facts.ts';
import { forget, release } from './fold.ts';
import { dailyBetween } from './quiet.ts';
import { reminded, reminders } from './remind.ts';

export interface AttendPorts extends DigestPorts {
  /** Leaves them for their channels. */
  enqueue(deliveries: readonly Delivery[]): Promise<void>;
}

interface AttendMemo {
  /** ISO 8601, of the last look. */
  readonly last: string;
  /** When each channel that has digests was last sent one, or began to have them. */
  readonly digests: Readonly<Record<string, string>>;
}

/** Longer than a look takes. Seconds. */
const alone = 300;
const day = 86_400_000;

/** Asked for every quarter of an hour. @throws what went wrong, after everything has been tried; nothing of it is lost then */
export async function attend(policy: CompiledPolicy, catalogue: Catalogue, ports: AttendPorts): Promise<void> {
  const lease = await ports.ledger.lease('attended', randomUUID(), alone);
  if (!lease) return;
  const errors: unknown[] = [];
  try {
    for (const look of [() => tellHeld(policy, ports), () => remind(policy, catalogue, ports, lease), () => digest(policy, catalogue, ports, lease)])
      await look().catch((error: unknown) => errors.push(error));
  } finally {
    await ports.ledger.release(lease);
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} of what was due could not be told`);
}

async function tellHeld(policy: CompiledPolicy, ports: AttendPorts): Promise<void> {
  const released = await release(policy, ports);
  if (released.length === 0) return;
  await ports.enqueue(released.map(({ delivery }) => delivery));
  await forget(released, ports);
  for (const { delivery } of released) ports.log.count('AlertsFolded', { channel: delivery.channel });
}

/** So many are left and noted at a time, that a death repeats few. */
const together = 25;

async function remind(policy: CompiledPolicy, catalogue: Catalogue, ports: AttendPorts, lease: Lease): Promise<void> {
  const due = await reminders(policy, catalogue, ports);
  for (let at = 0; at < due.length; at += together) {
    const some = due.slice(at, at + together);
    await ports.enqueue(some.map(({ delivery }) => delivery));
    await reminded(some, ports, lease);
  }
}

async function digest(policy: CompiledPolicy, catalogue: Catalogue, ports: AttendPorts, lease: Lease): Promise<void> {
  const { ledger, clock } = ports;
  const now = clock.now();
  const memo = await ledger.recall<AttendMemo>('attended');
  const wanted = Object.entries(policy.channels).filter(([, channel]) => channel.digest !== undefined);
  // What lies before the first look, or before a channel had digests, is nobody's day.
  let digests = Object.fromEntries(wanted.map(([name]) => [name, memo?.digests[name] ?? memo?.last ?? now.toISOString()]));
  const due = wanted
    .filter(([name, channel]) => dailyBetween(channel.digest!, channel.timezone, new Date(digests[name]!), now))
    // The first one tells of a whole day too.
    .map(([name]) => ({ name, since: new Date(Math.min(Date.parse(digests[name]!), now.getTime() - day)) }));
  let facts: DigestFacts | undefined;
  if (due.length > 0) facts = await factsOf(ports, new Date(Math.min(...due.map(({ since }) => since.getTime()))));
  for (const { name, since } of due) {
    await ports.enqueue([{ channel: name, alert: digestOf(name, policy, catalogue, facts!, since) }]);
    digests = { ...digests, [name]: now.toISOString() };
    await remember();
  }
  await remember();

  function remember(): Promise<void> {
    return ledger.remember('attended', { last: now.toISOString(), digests } satisfies AttendMemo, lease);
  }
}
