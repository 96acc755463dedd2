/** Sweeps and ticks met by faults: nothing is lost, nothing is told too little, nothing comes back for ever. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { detect } from '../../engine/detect.ts';
import { DeniedError } from '../../engine/errors.ts';
import { accountId, call, denied, lampArn, policyOf, sweepFor, sweepOf, tickAt, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const light = (...names: string[]) => {
  for (const name of names) world.house.lamps.set(name, { on: true });
};
const lit = () => [...world.house.lamps].filter(([, { on }]) => on).map(([name]) => name);
const heal = () => {
  world.before = () => {};
  world.house.before = () => {};
};
const failAt = (port: string) => {
  world.before = (name) => {
    if (name === port) throw new Error('ServiceUnavailable');
  };
};
const finish = async () => {
  for (let sweep = world.sweeps.shift(); sweep; sweep = world.sweeps.shift()) await world.detect(sweepFor(sweep));
};
const deployed = (at = world.clock.now().toISOString(), regions = ['us-east-1']) =>
  world.ledger.remember('deployment', { at, policyId: world.policy.id, regions, unreached: {}, fixSince: {} });

describe('an event that names no resource', () => {
  test.each([30, 360])('asks for its sweep again when the queue did not take it, %s s later', async (seconds) => {
    const event = call('SwitchOn', null);
    failAt('requestSweeps');
    expect((await world.detect(event))[0]!.errors).toHaveLength(1);
    heal();
    world.advance(seconds);
    expect((await world.detect(event))[0]!.errors).toEqual([]);
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off' }]);
  });

  test('asks again too when it was to share the sweep at the end of the ten minutes', async () => {
    await world.detect(call('SwitchOn', null));
    world.sweeps.length = 0;
    world.advance(60);
    const event = call('SwitchOn', null);
    failAt('requestSweeps');
    await world.detect(event);
    heal();
    world.advance(360);
    await world.detect(event);
    expect(world.sweeps).toMatchObject([{ delay: 600 }]);
  });

  test('delivered again, minutes later: no second sweep', async () => {
    const event = call('SwitchOn', null);
    await world.detect(event, event);
    world.advance(120);
    await world.detect(event);
    expect(world.sweeps).toHaveLength(1);
  });
});

test('a call that AWS never answers takes no other event along', async () => {
  light('a', 'b');
  let reads = 0;
  world.house.before = async (name) => {
    if (name !== 'read') return;
    reads += 1;
    if (reads === 1) await new Promise(() => {});
  };
  const given = detect([call('SwitchOn', 'a'), call('SwitchOn', 'b')], { ...world.detection(), signal: AbortSignal.timeout(500) });
  const [hangs, other] = await given;
  expect(hangs!.errors).toMatchObject([{ message: 'AWS has not answered in time' }]);
  expect(other!.errors).toEqual([]);
  expect(world.dispatched).toHaveLength(1);
});

describe('a resource left of a page', () => {
  test('of the first sweep is told by itself: the digest has gone out without it', async () => {
    world.house.listsNamesOnly = true;
    light('a', 'b');
    world.house.before = (name) => {
      if (name === 'read') throw new Error('ServiceUnavailable');
    };
    await world.detect(sweepOf('lamp-off', { first: true }));
    expect(world.alerts).toEqual([]);
    heal();
    await finish();
    expect(world.alerts).toMatchObject([{ urgency: 'notify' }, { urgency: 'notify' }]);
    await world.runDispatched();
    expect(lit()).toEqual(['a', 'b']);
  });

  test('and denied soon after a deploy comes back for a minute, not until it is given up', async () => {
    await deployed();
    light('a');
    world.house.before = (name) => {
      if (name === 'read') denied('read');
    };
    const event = sweepOf('lamp-off', { only: lampArn('a') });
    const since = [world.clock.now()];
    expect((await detect([event], world.detection(), since))[0]!.errors).toMatchObject([{ name: 'RetryLaterError' }]);
    world.advance(61);
    expect((await detect([event], world.detection(), since))[0]!.errors).toEqual([]);
    expect(world.alerts).toMatchObject([{ urgency: 'page', control: 'bot-permissions' }]);
  });
});

test('a listing that is throttled after some pages goes on from there when it is told to, and is remembered when it is done', async () => {
  light('a', 'b', 'c', 'd', 'e');
  let pages = 0;
  world.house.before = (name) => {
    if (name !== 'list page') return;
    pages += 1;
    if (pages === 2) throw Object.assign(new Error('Rate exceeded'), { name: 'Throttling' });
  };
  const [report] = await world.detect(sweepOf('lamp-off', { first: true }));
  expect(report!.errors).toEqual([]);
  expect(world.sweeps).toMatchObject([{ from: '4', first: true, delay: 30 }]);
  expect(await world.ledger.recall('sweep|lamp-off|123456789012|us-east-1')).toBeUndefined();
  await finish();
  expect(await world.findings()).toHaveLength(5);
  expect(await world.ledger.recall('sweep|lamp-off|123456789012|us-east-1')).toBeDefined();
  expect(world.alerts).toHaveLength(1);
});

test('a listing that an event has overtaken closes nothing', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
  world.house.lamps.set('a', { on: false });
  // The answer of AWS is on its way when the lamp is switched on.
  const { load } = world.catalogue[0]!;
  const control = await load();
  Object.assign(world.catalogue[0]!, {
    load: async () => ({
      ...control,
      async *list() {
        const resource = { accountId, region: 'us-east-1', type: 'AWS::Lamp::Lamp', id: lampArn('a') };
        world.advance(1);
        light('a');
        Object.assign(world.catalogue[0]!, { load });
        await world.detect(call('SwitchOn', 'a'));
        world.advance(1);
        yield { resources: [[resource, { on: false }]] };
      },
    }),
  });
  await world.detect(sweepOf('lamp-off'));
  expect(await world.findings()).toMatchObject([{ state: 'open' }]);
});

describe('a tick', () => {
  test('whose findings cannot all be taken up asks for the sweeps that are due', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    failAt('alert');
    await world.detect(call('SwitchOn', 'a'));
    world.advance(120);
    expect((await world.detect(tickAt(world.clock.now())))[0]!.errors).toHaveLength(1);
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off' }]);
  });

  test('that runs out of time has asked for its sweeps, and leaves the rest to the next', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a', 'b');
    failAt('alert');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    world.advance(120);
    world.before = (name) => {
      if (name === 'alert') world.advance(60);
    };
    const [report] = await detect([tickAt(world.clock.now())], { ...world.detection(), deadline: new Date(world.clock.now().getTime() + 50_000) });
    expect(report!.errors).toEqual([]);
    expect(world.alerts).toHaveLength(1);
    expect(world.sweeps).toHaveLength(1);
    heal();
    await world.detect(tickAt(world.clock.now()));
    expect(world.alerts).toHaveLength(2);
  });

  test('that comes with others after an outage asks once for what is swept at each', async () => {
    Object.assign(world.catalogue[0]!, { sweptOften: true });
    await world.tick();
    world.advance(6 * 3_600);
    for (let late = 0; late < 24; late += 1) {
      await world.detect(tickAt(world.clock.now()));
      world.advance(2);
    }
    expect(world.sweeps).toHaveLength(1);
    world.advance(840);
    await world.detect(tickAt(world.clock.now()));
    expect(world.sweeps).toHaveLength(2);
  });

  test('that follows a deploy asks at once for what is swept at each', async () => {
    Object.assign(world.catalogue[0]!, { sweptOften: true });
    await world.tick();
    world.advance(60);
    await deployed();
    await world.detect(tickAt(world.clock.now()));
    expect(world.sweeps).toHaveLength(1);
  });

  test('in a dry run does nothing', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.policy = policyOf({ 'lamp-off': { mode: 'off' } }, 'p2');
    const [report] = await detect([tickAt(world.clock.now())], world.detection(true));
    expect(report).toMatchObject({ errors: [], dropped: ['no control'] });
    expect(await world.findings()).toMatchObject([{ state: 'open' }]);
    expect(await world.ledger.recall('tick')).toBeUndefined();
  });

  test('a control that was off for a while: what it finds then was there before it came back', async () => {
    await world.tick();
    world.policy = policyOf({ 'lamp-off': { mode: 'off' } }, 'p2');
    world.advance(900);
    await world.tick();
    light('a');
    world.advance(900);
    world.policy = policyOf({ 'lamp-off': {} }, 'p3');
    await world.tick();
    expect(await world.runDispatched()).toEqual([]);
    expect(await world.findings()).toMatchObject([{ backlog: true, decision: { action: 'notify' } }]);
  });
});

describe('a denial that is asked again by a tick', () => {
  const blinded = async () => {
    await world.tick();
    light('a');
    world.house.before = (name) => {
      if (name === 'read') throw new DeniedError('lamp:read', { cause: new Error('AccessDenied') });
    };
    await world.detect(call('SwitchOn', 'a'));
  };
  const own = async () => (await world.findings()).filter(({ control }) => control === 'bot-permissions');

  test('and meets another fault stays open', async () => {
    await blinded();
    world.house.before = (name) => {
      if (name === 'read') throw new Error('ServiceUnavailable');
    };
    await world.detect(tickAt(world.clock.now()));
    expect(await own()).toMatchObject([{ state: 'open' }]);
  });

  test('and whose sweeps the queue does not take is asked again', async () => {
    await blinded();
    failAt('requestSweeps');
    world.house.before = () => {};
    await world.detect(tickAt(world.clock.now()));
    heal();
    world.advance(360);
    await world.tick();
    await world.runDispatched();
    expect(lit()).toEqual([]);
    expect(await own()).toMatchObject([{ state: 'resolved' }]);
  });
});
