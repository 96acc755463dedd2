/** Many events, few resources: what is found and written is what the drifted resources say, not what the events are. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Report } from '../../engine/detect.ts';
import { by, call, configItem, lampArn, policyOf, sweepOf, terraform, World } from '../support/world.ts';

const names = ['hall', 'cellar', 'attic'] as const;
type Name = (typeof names)[number];

/** One event, and the lamps that it has looked at. */
interface Told {
  readonly event: Record<string, unknown>;
  readonly lamps: readonly Name[];
  readonly root?: string;
}

const kinds = {
  on: (name: Name): Told => ({ event: call('SwitchOn', name), lamps: [name] }),
  off: (name: Name): Told => ({ event: call('SwitchOff', name), lamps: [name] }),
  'on, by terraform': (name: Name): Told => ({ event: call('SwitchOn', name, by(terraform)), lamps: [name] }),
  config: (name: Name): Told => ({ event: configItem(name), lamps: [name] }),
  failed: (name: Name): Told => ({ event: call('SwitchOn', name, { errorCode: 'AccessDenied' }), lamps: [] }),
  unnamed: (): Told => ({ event: call('SwitchOn', null), lamps: [] }),
  sweep: (): Told => ({ event: sweepOf('lamp-off'), lamps: names }),
  'another account': (name: Name): Told => ({ event: { ...call('SwitchOn', name), account: '999999999999' }, lamps: [] }),
  'another service': (name: Name): Told => ({ event: { ...configItem(name), 'detail-type': 'Config Rules Re-evaluation Status' }, lamps: [] }),
  root: (name: Name): Told => ({
    event: call(`Delete-${name}`, name, { eventSource: 'iam.amazonaws.com', userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root' } }),
    lamps: [],
    root: `Delete-${name}`,
  }),
};

interface Story {
  /** Lamps that are on before the first event. */
  readonly lit: readonly Name[];
  readonly told: readonly Told[];
  /** Batches of indexes into `told`: any order, any event any number of times. */
  readonly batches: readonly { readonly events: readonly number[]; readonly atOnce: boolean; readonly runAfter: boolean }[];
}

const story: fc.Arbitrary<Story> = fc
  .record({
    lit: fc.subarray([...names]),
    kinds: fc.array(fc.tuple(fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])), fc.constantFrom(...names)), { minLength: 1, maxLength: 6 }),
  })
  .chain(({ lit, kinds: drawn }) =>
    fc.record({
      lit: fc.constant(lit),
      told: fc.constant(drawn.map(([kind, name]) => kinds[kind](name))),
      batches: fc.array(
        fc.record({ events: fc.array(fc.nat(drawn.length - 1), { minLength: 1, maxLength: 8 }), atOnce: fc.boolean(), runAfter: fc.boolean() }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  );

/** Every event ends as a line, a sweep that was asked for, a drop or an error; or it shares the line of another event of its batch. */
function ends(told: readonly Told[], reports: readonly Report[]): void {
  const judged = new Set(reports.flatMap(({ lines, errors }) => [...lines.map(({ resource }) => resource.id), ...(errors.length > 0 ? ['error'] : [])]));
  for (const [index, { lines, dropped, sweeps, errors }] of reports.entries()) {
    const own = lines.length + dropped.length + sweeps + errors.length > 0;
    const shared = told[index]!.lamps.every((name) => judged.has(lampArn(name)) || judged.has('error'));
    expect(own || shared).toBe(true);
    for (const name of told[index]!.lamps) expect(judged.has(lampArn(name)) || judged.has('error')).toBe(true);
  }
}

async function live(world: World, { lit, told, batches }: Story): Promise<void> {
  for (const name of names) world.house.lamps.set(name, { on: lit.includes(name) });
  const receive = async (batch: readonly Told[]): Promise<void> => {
    let waiting = batch;
    // What ended in an error comes back, as from the queue.
    for (let round = 0; waiting.length > 0; round += 1) {
      expect(round).toBeLessThan(5);
      const reports = await world.detect(...waiting.map(({ event }) => event));
      ends(waiting, reports);
      waiting = waiting.filter((_, index) => reports[index]!.errors.length > 0);
    }
  };
  for (const { events, atOnce, runAfter } of batches) {
    const batch = events.map((index) => told[index]!);
    if (atOnce) await Promise.all([receive(batch), receive([...batch].reverse())]);
    else await receive(batch);
    if (runAfter) await world.runDispatched();
  }
  await world.runDispatched();
}

test('the findings, writes and alerts are those of the drifted resources, however often and in whatever order they are spoken of', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (drawn) => {
      const world = new World();
      try {
        await live(world, drawn);
        const heard = drawn.batches.flatMap(({ events }) => events.map((index) => drawn.told[index]!));
        const drifted = names.filter((name) => drawn.lit.includes(name) && heard.some(({ lamps }) => lamps.includes(name))).sort();
        const roots = [...new Set(heard.flatMap(({ root = [] }) => root))].sort();

        const findings = await world.findings();
        const lamps = findings.filter(({ control }) => control === 'lamp-off');
        expect(lamps.map(({ resource }) => resource.id).sort()).toEqual(drifted.map(lampArn).sort());
        expect(lamps.map(({ state, outcome, episode }) => [state, outcome?.status, episode])).toEqual(drifted.map(() => ['resolved', 'REMEDIATED', 1]));
        expect([...world.house.writes].sort()).toEqual(drifted.map((name) => `${name}=false`));
        expect(
          findings
            .filter(({ control }) => control === 'root-call')
            .map(({ fold }) => fold)
            .sort(),
        ).toEqual(roots);
        expect(world.alerts).toHaveLength(drifted.length + roots.length);
        for (const { id, version } of findings)
          expect((await world.ledger.entries(id)).map(({ seq }) => seq)).toEqual([...Array(version)].map((_, at) => at + 1));
      } finally {
        world.close();
      }
    }),
    { numRuns: 60 },
  );
});

test('each new drift is an episode of its own, and no old event that comes along hides or repeats it', async () => {
  const rounds = fc.array(
    fc.record({
      relit: fc.subarray([...names]),
      again: fc.array(fc.nat(20), { maxLength: 5 }),
      order: fc.array(fc.nat(1_000), { minLength: 8, maxLength: 8 }),
      minutes: fc.integer({ min: -30, max: 30 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(rounds, async (drawn) => {
      const world = new World();
      try {
        const past: unknown[] = [];
        const expected = new Map<string, number>();
        for (const { relit, again, order, minutes } of drawn) {
          const eventTime = new Date(world.clock.now().getTime() + minutes * 60_000).toISOString();
          const fresh = relit.map((name) => {
            world.house.lamps.set(name, { on: true });
            expected.set(name, (expected.get(name) ?? 0) + 1);
            return call('SwitchOn', name, { eventTime });
          });
          const old = again.map((index) => past[index]).filter((event) => event !== undefined);
          const batch = [...fresh, ...old].map((event, index) => ({ event, at: order[index]! })).sort((a, b) => a.at - b.at);
          const reports = await world.detect(...batch.map(({ event }) => event));
          expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
          await world.runDispatched();
          past.push(...fresh);
        }
        for (const [name, times] of expected) {
          expect([name, world.house.lamps.get(name)]).toEqual([name, { on: false }]);
          expect(world.house.writes.filter((write) => write === `${name}=false`)).toHaveLength(times);
          const episodes = (await world.findings()).filter(({ resource }) => resource.id === lampArn(name as Name)).map(({ episode }) => episode);
          expect(episodes.sort()).toEqual([...Array(times)].map((_, index) => index + 1));
        }
      } finally {
        world.close();
      }
    }),
    { numRuns: 60 },
  );
});

describe('in one batch', () => {
  test('six events of one drifted resource, two of them copies: one read, four lines, one finding, one write', async () => {
    const world = new World();
    try {
      world.house.lamps.set('hall', { on: true });
      const events = [kinds.on('hall'), kinds.off('hall'), kinds.config('hall'), kinds.on('hall')].map(({ event }) => event);
      const reports = await world.detect(...events, events[0], events[2]);
      expect(reports.flatMap(({ lines }) => lines.filter(({ control }) => control === 'lamp-off'))).toHaveLength(4);
      expect(reports.every(({ work }) => work > 0)).toBe(true);
      expect(world.house.reads).toBe(1);
      await world.runDispatched();
      expect(world.house.writes).toEqual(['hall=false']);
      expect(await world.findings()).toHaveLength(1);
    } finally {
      world.close();
    }
  });

  describe('the one who changed it answers for it, whichever event speaks for the resource', () => {
    const pageTerraform = policyOf({ 'lamp-off': { when: [{ actor: 'arn:aws:sts::*:assumed-role/terraform/*', mode: 'page' }] } });
    const dana = () => call('SwitchOn', 'hall', { eventTime: '2026-11-01T02:00:00Z' });
    const later = () => call('SwitchOn', 'hall', { ...by(terraform), eventTime: '2026-11-01T02:59:00Z' });
    const cases: Readonly<Record<string, { readonly events: () => unknown[]; readonly actor: string; readonly ended: readonly string[] }>> = {
      'a call, then its Config item': { events: () => [dana(), configItem('hall')], actor: 'Admin/dana', ended: ['REMEDIATED'] },
      'a Config item, then the call that came late': { events: () => [configItem('hall'), dana()], actor: 'Admin/dana', ended: ['REMEDIATED'] },
      'two who changed it: the one for whom the policy is more cautious': { events: () => [later(), dana()], actor: 'terraform/run-1', ended: [] },
      'the one who must be asked about, then a Config item': { events: () => [later(), configItem('hall')], actor: 'terraform/run-1', ended: [] },
    };
    for (const [name, { events, actor, ended }] of Object.entries(cases)) {
      test(name, async () => {
        const world = new World();
        try {
          world.policy = pageTerraform;
          world.house.lamps.set('hall', { on: true });
          await world.detect(...events());
          expect(await world.runDispatched()).toEqual(ended);
          expect((await world.findings())[0]!.actor?.arn).toMatch(actor);
        } finally {
          world.close();
        }
      });
    }

    test('one who was unknown when it was opened is learnt from a batch too', async () => {
      const world = new World();
      try {
        world.policy = pageTerraform;
        world.house.lamps.set('hall', { on: true });
        await world.detect(configItem('hall'));
        await world.detect(dana(), configItem('hall'));
        expect(await world.runDispatched()).toEqual(['REMEDIATED']);
      } finally {
        world.close();
      }
    });
  });
});

describe('an event that is done does not hide another of its batch', () => {
  const early = { eventTime: '2026-11-01T02:00:00Z' };
  const late = { eventTime: '2026-11-01T02:59:00Z' };
  const root = (times: object) =>
    call('DeleteTrail', 'hall', { ...times, eventSource: 'iam.amazonaws.com', userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root' } });

  for (const [name, order] of Object.entries({ 'the new one first': [1, 0], 'the new one last': [0, 1] })) {
    test(`drift again, delivered with a copy of the event that was answered; ${name}`, async () => {
      const world = new World();
      try {
        const events = [call('SwitchOn', 'hall', early), call('SwitchOn', 'hall', { ...by(terraform), ...late })];
        world.house.lamps.set('hall', { on: true });
        await world.detect(events[0]);
        await world.runDispatched();
        world.house.lamps.set('hall', { on: true });
        await world.detect(...order.map((index) => events[index]));
        expect(await world.runDispatched()).toEqual(['REMEDIATED']);
        expect(world.house.writes).toEqual(['hall=false', 'hall=false']);
        expect((await world.findings()).map(({ episode }) => episode).sort()).toEqual([1, 2]);
      } finally {
        world.close();
      }
    });

    test(`an event control counts each event once; ${name}`, async () => {
      const world = new World();
      try {
        const events = [root(early), root(late), root(early)];
        await world.detect(events[0]);
        await world.detect(events[2]);
        await world.detect(...order.map((index) => events[index]));
        await world.detect(...events);
        expect((await world.findings()).map(({ seen, fold }) => [fold, seen])).toEqual([['DeleteTrail', 3]]);
      } finally {
        world.close();
      }
    });
  }
});
