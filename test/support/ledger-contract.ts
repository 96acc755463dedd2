/** What every adapter of the Ledger port owes, as one table of cases. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConflictError } from '../../engine/errors.ts';
import type { Answer, Finding } from '../../engine/model.ts';
import type { Brake, Deployment, FindingKey, Ledger } from '../../engine/ports.ts';
import { memoryLedger, observe, operations, type TestClock, testClock } from './ledger-model.ts';
import { control, entryOf, findingOf, keyOf, policyOf } from './ledger-samples.ts';

export interface Opened {
  readonly ledger: Ledger;
  close(): Promise<void> | void;
}

interface World {
  readonly ledger: Ledger;
  readonly clock: TestClock;
  open(parts?: Partial<Finding>, options?: Parameters<Ledger['open']>[2]): Promise<Finding>;
  save(finding: Finding, parts?: Partial<Finding>, options?: Parameters<Ledger['save']>[2]): Promise<Finding>;
  standing(key?: FindingKey, eventId?: string): ReturnType<Ledger['lookup']>;
  listed(open?: boolean): Promise<string[]>;
}

const days = 86_400;
const hours = 3_600;

const brakeOf = (parts: Partial<Brake> = {}): Brake => ({ scope: 'fixes of all controls', limit: 2, seconds: 60, ...parts });
const holders = (count: number, name = 'holder') => Array.from({ length: count }, (_, index) => `${name}-${index}`);

const cases: Record<string, (world: World) => Promise<void>> = {
  'nothing is known at first': async ({ ledger, standing, listed }) => {
    expect(await standing()).toEqual([{ done: false }]);
    expect(await ledger.lookup([])).toEqual([]);
    expect(await ledger.get('f-none')).toBeUndefined();
    expect(await ledger.entries('f-none')).toEqual([]);
    expect(await listed()).toEqual([]);
    expect(await ledger.policy()).toBeUndefined();
  },
  'an opened finding is read back whole': async ({ ledger, open, standing, listed }) => {
    const finding = await open({ actor: { arn: 'arn:aws:iam::123456789012:user/zoë', type: 'IAMUser' }, proposal: 'block public access' });
    expect(await ledger.get(finding.id)).toEqual(finding);
    expect(await standing()).toEqual([{ done: false, last: finding }]);
    expect(await ledger.entries(finding.id)).toEqual([entryOf(finding)]);
    expect(await listed(true)).toEqual([finding.id]);
  },
  'the next version replaces the last, entries stay': async ({ ledger, open, save, standing }) => {
    const first = await open();
    const second = await save(first, { seen: 2 });
    expect(await ledger.get(first.id)).toEqual(second);
    expect(await standing()).toEqual([{ done: false, last: second }]);
    expect(await ledger.entries(first.id)).toEqual([entryOf(first), entryOf(second)]);
  },
  'standings come in the order of the keys, one for each, also for a key named twice': async ({ ledger, open }) => {
    const fold = await open({ fold: 'root' });
    const plain = await open();
    await ledger.markDone('event-2', keyOf());
    const keys = [
      { ...keyOf({ fold: 'root' }), eventId: 'event-1' },
      { ...keyOf({ id: 'arn:aws:s3:::healthy' }), eventId: 'event-1' },
      { ...keyOf(), eventId: 'event-2' },
      { ...keyOf(), eventId: 'event-1' },
      { ...keyOf(), eventId: 'event-2' },
    ];
    expect(await ledger.lookup(keys)).toEqual([
      { done: false, last: fold },
      { done: false },
      { done: true, last: plain },
      { done: false, last: plain },
      { done: true, last: plain },
    ]);
  },
  'a hundred and fifty keys in one lookup': async ({ ledger, open }) => {
    const last = await open();
    const keys = Array.from({ length: 150 }, (_, index) => ({ ...keyOf(index % 2 ? {} : { id: `arn:aws:s3:::bucket-${index}` }), eventId: `event-${index}` }));
    expect(await ledger.lookup(keys)).toEqual(keys.map((_, index) => (index % 2 ? { done: false, last } : { done: false })));
  },
  'a version that does not follow is a conflict and leaves no trace': async ({ ledger, open, save }) => {
    const first = await open();
    const second = await save(first, { seen: 2 });
    await expect(save(first, { seen: 3 })).rejects.toThrow(ConflictError);
    await expect(save(second, { version: 5 }, { doneEventId: 'event-9' })).rejects.toThrow(ConflictError);
    await expect(save(findingOf(keyOf({ fold: 'never opened' })))).rejects.toThrow(ConflictError);
    expect(await ledger.lookup([{ ...keyOf(), eventId: 'event-9' }])).toEqual([{ done: false, last: second }]);
    expect(await ledger.entries(first.id)).toHaveLength(2);
  },
  'no episode begins while one is open': async ({ ledger, open }) => {
    const first = await open();
    await expect(open()).rejects.toThrow(ConflictError);
    await expect(open({ episode: 2 })).rejects.toThrow(ConflictError);
    expect(await ledger.get(findingOf({ episode: 2 }).id)).toBeUndefined();
    expect(await ledger.get(first.id)).toEqual(first);
  },
  'an episode may be saved many times and stays the open one': async ({ open, save }) => {
    let finding = await open();
    for (let version = 2; version < 5; version += 1) finding = await save(finding);
    await expect(open({ episode: 2 })).rejects.toThrow(ConflictError);
  },
  'the second episode begins after the first is resolved, under a number of its own': async ({ ledger, open, save, standing, listed }) => {
    const first = await save(await open(), { state: 'resolved', resolvedAt: '2026-03-01T13:00:00.000Z' });
    expect(await standing()).toEqual([{ done: false, last: first }]);
    expect(await listed(true)).toEqual([]);
    await expect(open({ id: 'f-other' })).rejects.toThrow(ConflictError);
    const second = await open({ episode: 2 });
    expect(await standing()).toEqual([{ done: false, last: second }]);
    expect(await ledger.get(first.id)).toEqual(first);
    expect(await listed(true)).toEqual([second.id]);
    expect(await listed()).toEqual([first.id, second.id].sort());
  },
  'an entry added to an old episode leaves the open one open': async ({ open, save, standing }) => {
    const first = await save(await open(), { state: 'resolved' });
    const second = await open({ episode: 2 });
    await save(first, { state: 'resolved', confirmedBy: 'event-7' });
    expect(await standing()).toEqual([{ done: false, last: second }]);
    await expect(open({ episode: 3 })).rejects.toThrow(ConflictError);
  },
  'an episode’s number is never below one that was used': async ({ open, save }) => {
    await save(await open({ episode: 2 }), { state: 'resolved' });
    await expect(open({ episode: 1 })).rejects.toThrow(ConflictError);
  },
  'a resolved finding is not opened again': async ({ ledger, open, save }) => {
    const resolved = await save(await open(), { state: 'resolved' });
    await expect(save(resolved, { state: 'open' })).rejects.toThrow(ConflictError);
    expect(await ledger.get(resolved.id)).toEqual(resolved);
  },
  'a finding may begin resolved': async ({ open, listed }) => {
    await open({ state: 'resolved' });
    expect(await listed(true)).toEqual([]);
    await open({ episode: 2 });
  },
  'an event is done for one key, with a finding': async ({ open, save, standing }) => {
    const first = await open({}, { doneEventId: 'event-1' });
    const last = await save(first, {}, { doneEventId: 'event-2' });
    for (const eventId of ['event-1', 'event-2']) expect(await standing(keyOf(), eventId)).toEqual([{ done: true, last }]);
    expect(await standing(keyOf(), 'event-3')).toEqual([{ done: false, last }]);
    expect(await standing(keyOf({ control: 'other-control' }), 'event-1')).toEqual([{ done: false }]);
  },
  'an event is done without a finding, marked any number of times, for 21 days': async ({ ledger, clock, standing }) => {
    await ledger.markDone('event-1', keyOf());
    await ledger.markDone('event-1', keyOf());
    clock.pass(21 * days - 1);
    expect(await standing()).toEqual([{ done: true }]);
    clock.pass(1);
    expect(await standing()).toEqual([{ done: false }]);
  },
  'fold keys are kept apart': async ({ ledger, open, standing }) => {
    const one = await open({ fold: 'us-east-1' }, { doneEventId: 'event-1' });
    const two = await open({ fold: '' });
    expect(await standing(keyOf({ fold: 'us-east-1' }))).toEqual([{ done: true, last: one }]);
    expect(await standing(keyOf({ fold: '' }))).toEqual([{ done: false, last: two }]);
    expect(await standing(keyOf())).toEqual([{ done: false }]);
    await ledger.markDone('event-1', keyOf());
    expect(await standing(keyOf({ fold: '' }))).toEqual([{ done: false, last: two }]);
  },
  'resource ids, lease keys and event ids of 2,000 characters': async ({ ledger, open, standing }) => {
    const [long, other] = ['a', 'b'].map((end) => `arn:aws:ecs:us-east-1:123456789012:${'é'.repeat(1_964)}${end}`) as [string, string];
    const last = await open(keyOf({ id: long }), { doneEventId: long });
    expect(await standing(keyOf({ id: long }), long)).toEqual([{ done: true, last }]);
    expect(await standing(keyOf({ id: other }), long)).toEqual([{ done: false }]);
    expect(await ledger.lease(long, 'one', 60)).toBeDefined();
    expect(await ledger.lease(other, 'two', 60)).toBeDefined();
    expect(await ledger.recent(control, long, long, '2026-03-01T12:00:00Z')).toBe(0);
  },
  'a finding with 500 KB of settings': async ({ ledger, open, standing }) => {
    const setting = Array.from({ length: 10_000 }, (_, index) => ({ rule: `sgr-${index}`, cidr: `10.0.${index % 256}.0/24` }));
    const intended = {
      change: { kind: 'change', action: 'ec2:RevokeSecurityGroupIngress', summary: 'close', before: setting, after: [] },
      intendedAt: '2026-03-01T12:00:00Z',
    } as const;
    const finding = await open({ intended });
    expect(await ledger.get(finding.id)).toEqual(finding);
    expect(await standing()).toEqual([{ done: false, last: finding }]);
    expect(await Array.fromAsync(ledger.findings({ open: true }))).toEqual([finding]);
  },
  'of twenty who open the same finding one wins': async ({ ledger, open }) => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => open({ severity: index % 2 ? 'LOW' : 'HIGH' })));
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(lost).toHaveLength(19);
    for (const reason of lost) expect(reason).toBeInstanceOf(ConflictError);
    const [winner] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(await ledger.get(findingOf().id)).toEqual(winner);
    expect(await ledger.entries(findingOf().id)).toHaveLength(1);
  },
  'a lease is one owner’s until it runs out': async ({ ledger, clock }) => {
    expect(await ledger.lease('setting', 'one', 60)).toEqual({ key: 'setting', owner: 'one', fence: 1 });
    clock.pass(59.999);
    expect(await ledger.lease('setting', 'two', 60)).toBeUndefined();
    expect(await ledger.lease('other setting', 'two', 60)).toEqual({ key: 'other setting', owner: 'two', fence: 1 });
    clock.pass(0.001);
    expect(await ledger.lease('setting', 'two', 60)).toEqual({ key: 'setting', owner: 'two', fence: 2 });
    expect(await ledger.lease('setting', 'one', 60)).toBeUndefined();
  },
  'of twenty who ask for the same lease one holds it': async ({ ledger }) => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ledger.lease('setting', `owner-${index}`, 60)));
    expect(answers.filter(Boolean)).toEqual([expect.objectContaining({ fence: 1 })]);
  },
  'an owner renews its lease': async ({ ledger, clock }) => {
    const lease = await ledger.lease('setting', 'one', 60);
    clock.pass(50);
    expect(await ledger.lease('setting', 'one', 60)).toEqual(lease);
    clock.pass(50);
    expect(await ledger.lease('setting', 'two', 60)).toBeUndefined();
    clock.pass(10);
    expect(await ledger.lease('setting', 'one', 60)).toEqual({ key: 'setting', owner: 'one', fence: 2 });
  },
  'a released lease is free and its fence grows on': async ({ ledger }) => {
    const lease = (await ledger.lease('setting', 'one', 60))!;
    await ledger.release(lease);
    await ledger.release(lease);
    expect(await ledger.lease('setting', 'two', 60)).toEqual({ key: 'setting', owner: 'two', fence: 2 });
  },
  'only its holder releases a lease': async ({ ledger, clock }) => {
    const old = (await ledger.lease('setting', 'one', 60))!;
    await ledger.release({ ...old, owner: 'two' });
    await ledger.release({ ...old, key: 'no such lease' });
    expect(await ledger.lease('setting', 'two', 60)).toBeUndefined();
    clock.pass(60);
    await ledger.lease('setting', 'two', 60);
    await ledger.release(old);
    expect(await ledger.lease('setting', 'three', 60)).toBeUndefined();
  },
  'a save with a lease that has passed on is a conflict and leaves no trace': async ({ ledger, clock, open, save, standing }) => {
    const stale = (await ledger.lease('setting', 'one', 60))!;
    const second = await save(await open(), {}, { lease: stale });
    clock.pass(60);
    const third = await save(second, {}, { lease: stale });
    const fresh = (await ledger.lease('setting', 'two', 60))!;
    await expect(save(third, {}, { lease: stale, doneEventId: 'event-1' })).rejects.toThrow(ConflictError);
    await expect(open({ fold: 'other' }, { lease: stale })).rejects.toThrow(ConflictError);
    await expect(open({ fold: 'other' }, { lease: { ...stale, key: 'never taken' } })).rejects.toThrow(ConflictError);
    expect(await standing()).toEqual([{ done: false, last: third }]);
    expect(await ledger.entries(third.id)).toHaveLength(3);
    await save(third, {}, { lease: fresh });
  },
  'an owner’s earlier lease does not stand for its later one': async ({ ledger, clock, open, save }) => {
    const earlier = (await ledger.lease('setting', 'one', 60))!;
    clock.pass(60);
    await ledger.lease('setting', 'one', 60);
    const finding = await open();
    await expect(save(finding, {}, { lease: earlier })).rejects.toThrow(ConflictError);
    await ledger.release(earlier);
    expect(await ledger.lease('setting', 'two', 60)).toBeUndefined();
  },
  'events are counted once, each fold and control by itself': async ({ ledger }) => {
    const count = (eventId: string, fold = 'alice', name = control) => ledger.recent(name, fold, eventId, '2026-03-01T11:59:00Z');
    expect(await count('event-1')).toBe(0);
    expect(await count('event-1')).toBe(0);
    expect(await count('event-2')).toBe(1);
    expect(await count('event-3')).toBe(2);
    expect(await count('event-1')).toBe(2);
    expect(await count('event-4', 'bob')).toBe(0);
    expect(await count('event-4', 'alice', 'other-control')).toBe(0);
  },
  'events are counted within 24 hours of each other, in whatever order they come': async ({ ledger }) => {
    const count = (eventId: string, time: string) => ledger.recent(control, 'alice', eventId, time);
    expect(await count('noon', '2026-03-01T12:00:00Z')).toBe(0);
    expect(await count('day before', '2026-02-28T12:00:00Z')).toBe(0);
    expect(await count('a second later', '2026-02-28T12:00:01Z')).toBe(2);
    expect(await count('next day', '2026-03-02T11:59:59Z')).toBe(1);
  },
  'counters are forgotten after 25 hours': async ({ ledger, clock }) => {
    const count = (eventId: string) => ledger.recent(control, 'alice', eventId, '2026-03-01T12:00:00Z');
    await count('event-1');
    clock.pass(25 * hours - 1);
    expect(await count('event-2')).toBe(1);
    clock.pass(1);
    expect(await count('event-3')).toBe(1);
  },
  'a brake has as many slots as its limit, each until its seconds are over': async ({ ledger, clock }) => {
    const brake = brakeOf();
    expect(await ledger.takeSlots('one', [brake])).toEqual({});
    clock.pass(10);
    expect(await ledger.takeSlots('two', [brake])).toEqual({});
    clock.pass(49.999);
    expect(await ledger.takeSlots('three', [brake])).toEqual({ full: brake });
    clock.pass(0.001);
    expect(await ledger.takeSlots('three', [brake])).toEqual({});
    expect(await ledger.takeSlots('four', [brake])).toEqual({ full: brake });
    clock.pass(10);
    expect(await ledger.takeSlots('four', [brake])).toEqual({});
  },
  'a holder that has its slots takes no second ones, and has them no longer for asking': async ({ ledger, clock }) => {
    const brake = brakeOf();
    for (let times = 0; times < 3; times += 1) {
      expect(await ledger.takeSlots('one', [brake])).toEqual({});
      clock.pass(20);
    }
    expect(await ledger.takeSlots('two', [brake])).toEqual({});
    expect(await ledger.takeSlots('three', [brake])).toEqual({});
    expect(await ledger.takeSlots('one', [brake])).toEqual({ full: brake });
    expect(await ledger.takeSlots('two', [brake])).toEqual({});
  },
  'slots are taken of all brakes or of none; the first full one of the order is told': async ({ ledger }) => {
    const [wide, narrow, other] = [brakeOf({ scope: 'wide', limit: 3 }), brakeOf({ scope: 'narrow', limit: 1 }), brakeOf({ scope: 'other', limit: 1 })];
    expect(await ledger.takeSlots('one', [wide, narrow, other])).toEqual({});
    expect(await ledger.takeSlots('two', [wide, narrow, other])).toEqual({ full: narrow });
    expect(await ledger.takeSlots('two', [wide, other, narrow])).toEqual({ full: other });
    expect(await ledger.takeSlots('three', [wide])).toEqual({});
    expect(await ledger.takeSlots('four', [wide])).toEqual({});
    expect(await ledger.takeSlots('two', [narrow, wide])).toEqual({ full: narrow });
    expect(await ledger.takeSlots('two', [wide])).toEqual({ full: wide });
    expect(await ledger.takeSlots('two', [])).toEqual({});
  },
  'a holder takes the slots that it lacks, also beside a brake that is full with its own': async ({ ledger, clock }) => {
    const [hour, day] = [brakeOf({ scope: 'hour', limit: 1, seconds: hours }), brakeOf({ scope: 'day', limit: 1, seconds: days })];
    expect(await ledger.takeSlots('one', [hour, day])).toEqual({});
    clock.pass(2 * hours);
    expect(await ledger.takeSlots('two', [hour, day])).toEqual({ full: day });
    expect(await ledger.takeSlots('one', [hour, day])).toEqual({});
    expect(await ledger.takeSlots('two', [hour])).toEqual({ full: hour });
  },
  'of sixty who ask at once for one of ten slots, ten have one and fifty are told that there is none': async ({ ledger }) => {
    const brake = brakeOf({ limit: 10 });
    const answers = await Promise.all(holders(60).map((holder) => ledger.takeSlots(holder, [brake])));
    expect(answers.filter(({ full }) => full === undefined)).toHaveLength(10);
    expect(answers.filter(({ full }) => full).map(({ full }) => full)).toEqual(Array(50).fill(brake));
  },
  'of twenty who ask at once for two brakes, one in two orders, as many get through as the narrower lets': async ({ ledger }) => {
    const [wide, narrow] = [brakeOf({ scope: 'wide', limit: 8 }), brakeOf({ scope: 'narrow', limit: 4 })];
    const answers = await Promise.all(holders(20).map((holder, index) => ledger.takeSlots(holder, index % 2 ? [wide, narrow] : [narrow, wide])));
    expect(answers.filter(({ full }) => full === undefined)).toHaveLength(4);
    expect(answers.filter(({ full }) => full).map(({ full }) => full)).toEqual(Array(16).fill(narrow));
    const rest = await Promise.all(holders(8, 'later').map((holder) => ledger.takeSlots(holder, [wide])));
    expect(rest.filter(({ full }) => full === undefined)).toHaveLength(4);
  },
  'a holder that asks twenty times at once has one slot': async ({ ledger }) => {
    const brake = brakeOf({ limit: 3 });
    expect(await Promise.all(holders(20).map(() => ledger.takeSlots('one', [brake])))).toEqual(Array(20).fill({}));
    expect(await ledger.takeSlots('two', [brake])).toEqual({});
    expect(await ledger.takeSlots('three', [brake])).toEqual({});
    expect(await ledger.takeSlots('four', [brake])).toEqual({ full: brake });
  },
  'after a limit was lowered, slots above it count until they are free': async ({ ledger, clock }) => {
    const [before, after] = [brakeOf({ limit: 10 }), brakeOf({ limit: 4 })];
    for (const holder of holders(8)) {
      expect(await ledger.takeSlots(holder, [before])).toEqual({});
      clock.pass(1);
    }
    expect(await ledger.takeSlots('late', [after])).toEqual({ full: after });
    // Five of eight are over, three are left.
    clock.pass(56);
    const answers = await Promise.all(holders(6, 'later').map((holder) => ledger.takeSlots(holder, [after])));
    expect(answers.filter(({ full }) => full === undefined)).toHaveLength(1);
  },
  'a raised limit holds at once': async ({ ledger }) => {
    expect(await ledger.takeSlots('one', [brakeOf({ limit: 1 })])).toEqual({});
    expect(await ledger.takeSlots('two', [brakeOf({ limit: 1 })])).toEqual({ full: brakeOf({ limit: 1 }) });
    expect(await ledger.takeSlots('two', [brakeOf({ limit: 2 })])).toEqual({});
  },
  'another span of a brake counts from when a slot was taken': async ({ ledger, clock }) => {
    const [short, long] = [brakeOf({ limit: 1 }), brakeOf({ limit: 1, seconds: 2 * hours })];
    expect(await ledger.takeSlots('one', [short])).toEqual({});
    clock.pass(hours);
    expect(await ledger.takeSlots('two', [long])).toEqual({ full: long });
    expect(await ledger.takeSlots('two', [short])).toEqual({});
  },
  'scopes and holders of 2,000 characters': async ({ ledger }) => {
    const [long, other] = ['a', 'b'].map((end) => `${'é'.repeat(1_999)}${end}`) as [string, string];
    expect(await ledger.takeSlots(long, [brakeOf({ scope: long, limit: 1 })])).toEqual({});
    expect(await ledger.takeSlots(other, [brakeOf({ scope: long, limit: 1 })])).toEqual({ full: brakeOf({ scope: long, limit: 1 }) });
    expect(await ledger.takeSlots(other, [brakeOf({ scope: other, limit: 1 })])).toEqual({});
  },
  'what is remembered last is recalled, each key by itself': async ({ ledger }) => {
    const deployment: Deployment = {
      at: '2026-03-01T12:00:00Z',
      policyId: 'one',
      regions: ['us-east-1'],
      unreached: { 'us-west-2': 'disabled' },
      fixSince: {},
    };
    expect(await ledger.recall('deployment')).toBeUndefined();
    await ledger.remember('deployment', { ...deployment, policyId: 'older' });
    await ledger.remember('deployment', deployment);
    await ledger.remember('sweep|one', { next: 'é'.repeat(300_000) });
    expect(await ledger.recall('deployment')).toEqual(deployment);
    expect(await ledger.recall('sweep|one')).toEqual({ next: 'é'.repeat(300_000) });
    for (const key of ['attended', 'held|security', 'reminded|f-1'] as const) await ledger.remember(key, { key });
    expect(await ledger.recall('held|security')).toEqual({ key: 'held|security' });
    expect(await ledger.recall('sweep|two')).toBeUndefined();
    expect(await ledger.recall('tick')).toBeUndefined();
  },
  'findings of one control, open ones or all': async ({ ledger, open, save }) => {
    const ids = async (filter: Parameters<Ledger['findings']>[0]) => (await Array.fromAsync(ledger.findings(filter))).map(({ id }) => id).sort();
    const mine: Finding[] = [];
    for (let index = 0; index < 9; index += 1) {
      const finding = await open(keyOf({ id: `arn:aws:s3:::bucket-${index}`, control: index % 3 ? 'other-control' : control }));
      if (index % 3 === 0) mine.push(finding);
    }
    const [first, ...others] = mine as [Finding, ...Finding[]];
    await save(first, { state: 'resolved' });
    expect(await ids({ control })).toEqual(mine.map(({ id }) => id).sort());
    expect(await ids({ control, open: true })).toEqual(others.map(({ id }) => id).sort());
    expect(await ids({ control: 'nobody’s', open: true })).toEqual([]);
  },
  'findings whose undo goes on, open ones apart': async ({ ledger, open, save }) => {
    const ids = async (filter: Parameters<Ledger['findings']>[0]) => (await Array.fromAsync(ledger.findings(filter))).map(({ id }) => id);
    const undo = { state: 'asked', by: 'lee', reason: 'r', until: '2026-12-01', at: '2026-03-01T12:00:00Z' } as const;
    const [asked, half, calm] = [
      await open(keyOf({ id: 'arn:aws:s3:::asked' })),
      await open(keyOf({ id: 'arn:aws:s3:::half' })),
      await open(keyOf({ id: 'arn:aws:s3:::calm' })),
    ];
    await save(half, { undo });
    await save(calm, { state: 'resolved' });
    const resolved = await save(asked, { state: 'resolved' });
    expect(await ids({ undoing: true })).toEqual([]);
    const begun = await save(resolved, { undo: { ...undo, state: 'intended' } });
    expect(await ids({ undoing: true })).toEqual([asked.id]);
    expect(await ids({ open: true })).toEqual([half.id]);
    await save(begun, { undo: { ...undo, state: 'done' } });
    expect(await ids({ undoing: true })).toEqual([]);
  },
  'findings and entries come over several pages, none twice': async ({ ledger, open, save, listed }) => {
    const opened: Finding[] = [];
    for (let index = 0; index < 11; index += 1)
      opened.push(
        await open({ ...keyOf({ id: `arn:aws:s3:::bucket-${index}` }), openedAt: `2026-03-01T12:00:${String(50 - Math.floor(index / 2)).padStart(2, '0')}Z` }),
      );
    const [resolved, ...still] = opened as [Finding, ...Finding[]];
    let last = resolved;
    for (let version = 2; version <= 12; version += 1) last = await save(last, { state: version === 12 ? 'resolved' : 'open' });
    expect(await listed()).toEqual(opened.map(({ id }) => id).sort());
    expect(await listed(true)).toEqual(still.map(({ id }) => id).sort());
    const times = (await Array.fromAsync(ledger.findings({ open: true }))).map(({ openedAt }) => openedAt);
    expect(times).toEqual([...times].sort());
    expect((await ledger.entries(resolved.id)).map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  },
  'findings may be resolved while they are listed': async ({ ledger, open, save, listed }) => {
    for (let index = 0; index < 7; index += 1) await open(keyOf({ id: `arn:aws:s3:::bucket-${index}` }));
    for await (const finding of ledger.findings({ open: true })) await save(finding, { state: 'resolved' });
    expect(await listed(true)).toEqual([]);
  },
  'what is remembered under a lease is refused when the lease has passed on': async ({ ledger, clock }) => {
    const first = (await ledger.lease('document', 'one', 30))!;
    await ledger.remember('exceptions', { by: 'one' }, first);
    clock.pass(31);
    const second = (await ledger.lease('document', 'two', 30))!;
    await ledger.remember('exceptions', { by: 'two' }, second);
    await expect(ledger.remember('exceptions', { by: 'one, late' }, first)).rejects.toThrow(ConflictError);
    expect(await ledger.recall('exceptions')).toEqual({ by: 'two' });
  },
  'answers are kept once, and come in the order they were given': async ({ ledger }) => {
    const answerOf = (id: string, at: string, findingId = 'f-1'): Answer => ({ id, findingId, decision: 'approve', question: 'q', planHash: 'h', at });
    const [late, early, third] = [answerOf('a', '2026-03-01T12:00:02Z'), answerOf('b', '2026-03-01T12:00:01Z'), answerOf('c', '2026-03-01T12:00:03Z')];
    for (const answer of [late, early, third, answerOf('d', '2026-03-01T12:00:00Z', 'f-2'), answerOf('e', '2026-03-01T12:00:04Z')]) await ledger.answer(answer);
    expect((await ledger.answers('f-1')).map(({ id }) => id)).toEqual(['b', 'a', 'c', 'e']);
    expect(await ledger.answers('f-3')).toEqual([]);
    await expect(ledger.answer({ ...late, decision: 'deny' })).rejects.toThrow(ConflictError);
    expect((await ledger.answers('f-1'))[1]).toEqual(late);
  },
  'the policy stored last is read back': async ({ ledger }) => {
    await ledger.storePolicy(policyOf(2));
    await ledger.storePolicy(policyOf(1));
    expect(await ledger.policy()).toEqual(policyOf(1));
  },
  'a policy of more than 400 KB': async ({ ledger }) => {
    expect(JSON.stringify(policyOf(4_000)).length).toBeGreaterThan(400 * 1024);
    await ledger.storePolicy(policyOf(4_000));
    expect(await ledger.policy()).toEqual(policyOf(4_000));
  },
};

/**
 * `fresh` makes an empty ledger that reads three items a page.
 * @param runs random sequences to compare with the model
 */
export function ledgerContract(fresh: (clock: TestClock, pageSize: number) => Promise<Opened>, runs: number): void {
  const opened: Opened[] = [];
  const make = async (clock: TestClock) => {
    const one = await fresh(clock, 3);
    opened.push(one);
    return one.ledger;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  describe('the contract of a ledger', () => {
    test.each(Object.entries(cases))('%s', async (_, run) => {
      const clock = testClock();
      const ledger = await make(clock);
      await run({
        ledger,
        clock,
        async open(parts, options) {
          const finding = findingOf(parts);
          await ledger.open(finding, entryOf(finding), options);
          return finding;
        },
        async save(finding, parts, options) {
          const next = { ...finding, version: finding.version + 1, ...parts };
          await ledger.save(next, entryOf(next), options);
          return next;
        },
        standing: (key = keyOf(), eventId = 'event-1') => ledger.lookup([{ ...key, eventId }]),
        listed: async (open) => (await Array.fromAsync(ledger.findings({ open }))).map(({ id }) => id).sort(),
      });
    });

    test('random operations show what the model shows', async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (sequence) => {
          const [clock, modelClock] = [testClock(), testClock()];
          expect(await observe(await make(clock), clock, sequence)).toEqual(await observe(memoryLedger(modelClock), modelClock, sequence));
        }),
        { numRuns: runs },
      );
    });
  });
}
