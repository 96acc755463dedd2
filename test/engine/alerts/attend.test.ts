import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AttendPorts, attend } from '../../../engine/alerts/attend.ts';
import type { Delivery } from '../../../engine/alerts/delivery.ts';
import { admit } from '../../../engine/alerts/fold.ts';
import type { CompiledChannel } from '../../../engine/policy/model.ts';
import { accountId, World } from '../../support/world.ts';
import { alert, given, pagerDuty, sns, withChannels } from './samples.ts';

let world: World;
let left: Delivery[];
let fails: (delivery: Delivery) => boolean;
let listings: number;
beforeEach(() => {
  world = new World();
  left = [];
  fails = () => false;
  listings = 0;
});
afterEach(() => world.close());

const opened = '2026-11-01T03:00:00.000Z';
const digestAt8 = sns({ digest: '08:00' });

const portsOf = (): AttendPorts => ({
  ...world.ports,
  ledger: {
    ...world.ports.ledger,
    findings(filter) {
      if (!filter.open) listings += 1;
      return world.ledger.findings(filter);
    },
  },
  accountId,
  dlqDepths: async () => ({}),
  enqueue: async (deliveries) => {
    if (deliveries.some(fails)) throw new Error('the queue is away');
    left.push(...deliveries);
  },
});
const look = (channels: Record<string, CompiledChannel>) => attend(withChannels(channels), world.catalogue, portsOf());
/** Looks every quarter of an hour until then. */
const until = async (time: string, channels: Record<string, CompiledChannel>) => {
  for (; world.clock.now() <= new Date(time); world.advance(900)) await look(channels);
};
const subjects = () => left.map(({ channel, alert: { subject } }) => `${channel}: ${subject}`);

describe('digests', () => {
  test('one a day, at its time, none for what was before the first look', async () => {
    world.advance(6 * 3_600);
    await until('2026-11-03T09:00:00Z', { security: digestAt8 });
    expect(left.map(({ alert: { id } }) => id)).toEqual(['digest:security:2026-11-02T08:00:00.000Z', 'digest:security:2026-11-03T08:00:00.000Z']);
  });

  test('missed days are told once, late, and the digest says since when', async () => {
    await until('2026-11-01T09:00:00Z', { security: digestAt8 });
    left = [];
    world.advance(5 * 86_400);
    await look({ security: digestAt8 });
    await look({ security: digestAt8 });
    expect(subjects()).toEqual(['security: Daily digest: nothing open']);
    expect(left[0]!.alert.lines.find(({ label }) => label === 'Fixes')!.value).toMatch(/^None since 2026-11-01T08:/);
  });

  test('each channel at its own time, and all findings are read once for those of one look', async () => {
    const channels = { a: digestAt8, b: digestAt8, c: sns({ digest: '03:30', timezone: 'America/New_York' }), d: sns() };
    await until('2026-11-01T08:15:00Z', channels);
    expect(left.map(({ channel }) => channel)).toEqual(['a', 'b']);
    expect(listings).toBe(1);
    await until('2026-11-01T09:00:00Z', channels);
    expect(left.map(({ channel }) => channel)).toEqual(['a', 'b', 'c']);
  });

  test('a channel that gets digests later has none of the days before', async () => {
    await until('2026-11-01T12:00:00Z', { security: sns() });
    await until('2026-11-01T18:00:00Z', { security: digestAt8 });
    expect(left).toEqual([]);
    await until('2026-11-02T09:00:00Z', { security: digestAt8 });
    expect(left).toHaveLength(1);
  });

  test('but the one of today when its time comes between two looks', async () => {
    await until('2026-11-01T07:45:00Z', { security: sns() });
    await look({ security: digestAt8 });
    expect(left).toHaveLength(1);
  });

  test('one that could not be left is left by the next look, and no other twice', async () => {
    const channels = { a: digestAt8, b: digestAt8 };
    await until('2026-11-01T07:45:00Z', channels);
    fails = ({ channel }) => channel === 'b';
    await expect(look(channels)).rejects.toThrow('could not be told');
    fails = () => false;
    await look(channels);
    await look(channels);
    expect(left.map(({ channel }) => channel)).toEqual(['a', 'b']);
  });
});

describe('what was held back', () => {
  const hold = async () => {
    for (let nth = 0; nth < 5; nth += 1) await admit('security', sns(), alert({ name: `lamp-${nth}` }), false, world.ports);
    world.advance(600);
  };

  test('is told once', async () => {
    await hold();
    await look({ security: sns() });
    await look({ security: sns() });
    expect(subjects()).toEqual(['security: [HIGH] Many at once: 2 findings of lamp-off']);
  });

  test('stays, when it could not be left, and keeps no reminder back', async () => {
    await hold();
    await given(world.ledger, { toldAt: opened });
    world.advance(4 * 3_600);
    fails = ({ alert: { status } }) => status === 'FOLDED';
    const channels = { security: sns({ remindEvery: 3_600 }) };
    await expect(look(channels)).rejects.toThrow('1 of what was due could not be told');
    fails = () => false;
    await look(channels);
    expect(subjects().sort()).toEqual(['security: [CRITICAL] Still open: Drift: lamp-off on hall', 'security: [HIGH] Many at once: 2 findings of lamp-off']);
  });
});

test('reminders and escalations, each once', async () => {
  await given(world.ledger, { toldAt: opened });
  await until('2026-11-01T08:00:00Z', { security: sns({ remindEvery: 4 * 3_600 }), boss: pagerDuty({ escalateAfter: 3_600 }) });
  expect(subjects()).toEqual(['boss: [CRITICAL] ESCALATED: Drift: lamp-off on hall', 'security: [CRITICAL] Still open: Drift: lamp-off on hall']);
});

test('two at a time do not double', async () => {
  await given(world.ledger, { toldAt: opened });
  world.advance(5 * 3_600);
  const channels = { security: sns({ remindEvery: 3_600 }) };
  await Promise.all([look(channels), look(channels), look(channels)]);
  expect(left).toHaveLength(1);
});

test('one that died leaves the lease: the next look after it tells', async () => {
  await given(world.ledger, { toldAt: opened });
  world.advance(5 * 3_600);
  await world.ledger.lease('attended', 'dead', 300);
  const channels = { security: sns({ remindEvery: 3_600 }) };
  await look(channels);
  expect(left).toEqual([]);
  world.advance(301);
  await look(channels);
  expect(left).toHaveLength(1);
});
