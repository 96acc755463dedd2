/** Sweeps and ticks: what they find, what they heal, and what they leave alone. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeniedError } from '../../engine/errors.ts';
import { call, denied, detectRole, lampArn, policyOf, sweepFor, sweepOf, tickAt, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const light = (...names: string[]) => {
  for (const name of names) world.house.lamps.set(name, { on: true });
};
const lit = () => [...world.house.lamps].filter(([, { on }]) => on).map(([name]) => name);
const statuses = async () =>
  (await world.findings()).map(({ resource, outcome, decision }) => `${resource.id.split('/').at(-1)} ${outcome?.status ?? decision.action}`);
const swept = () => world.ledger.recall('sweep|lamp-off|123456789012|us-east-1');

describe('a sweep', () => {
  test('goes through all pages, heals what no event told of, and is remembered', async () => {
    light('a', 'c', 'e');
    for (const name of ['b', 'd']) world.house.lamps.set(name, { on: false });
    await world.detect(sweepOf('lamp-off'));
    await world.runDispatched();
    expect(lit()).toEqual([]);
    expect(world.house.reads).toBe(6); // act reads before and after each write; the sweep itself reads no lamp
    expect(await swept()).toMatchObject({ finished: expect.any(String) });
  });

  test('resources listed by name only are read one by one', async () => {
    world.house.listsNamesOnly = true;
    light('a', 'b', 'c');
    await world.detect(sweepOf('lamp-off'));
    expect(world.house.reads).toBe(3);
    expect(await world.findings()).toHaveLength(3);
  });

  test('out of time: the rest is asked for with the token of the next page', async () => {
    light('a', 'b', 'c', 'd', 'e');
    const { detect } = await import('../../engine/detect.ts');
    const deadline = new Date(world.clock.now().getTime() + 1_000);
    await detect([sweepOf('lamp-off', { first: true })], { ...world.detection(), deadline });
    expect(await world.findings()).toHaveLength(2);
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off', from: '2', first: true, delay: 0 }]);
    expect(await swept()).toBeUndefined();
    const [rest] = world.sweeps.splice(0);
    await world.detect(sweepFor(rest!));
    expect(await world.findings()).toHaveLength(5);
    expect(await swept()).toBeDefined();
  });

  test('one resource that cannot be judged does not keep the others: it is asked for by itself', async () => {
    world.house.listsNamesOnly = true;
    light('a', 'b', 'c');
    let asked = 0;
    world.house.before = (name) => {
      if (name !== 'read') return;
      asked += 1;
      if (asked === 2) throw new Error('ServiceUnavailable');
    };
    const [report] = await world.detect(sweepOf('lamp-off'));
    expect(report!.errors).toEqual([]);
    const missed = world.sweeps.splice(0);
    expect(missed).toMatchObject([{ only: lampArn('b') }]);
    world.house.before = () => {};
    for (const sweep of missed) await world.detect(sweepFor(sweep));
    expect(await world.findings()).toHaveLength(3);
  });

  test('an open finding whose resource the listing does not show is read again: gone is resolved', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    world.house.lamps.delete('a');
    await world.detect(sweepOf('lamp-off'));
    expect((await statuses()).sort()).toEqual(['a DOES_NOT_EXIST', 'b page']);
  });

  test('delivered twice: nothing is done twice', async () => {
    light('a');
    const event = sweepOf('lamp-off');
    await world.detect(event);
    await world.detect(event);
    expect(world.dispatched).toHaveLength(1);
    expect(await world.findings()).toMatchObject([{ seen: 1 }]);
  });

  test('what is known and told is not written again by each sweep', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    await world.detect(sweepOf('lamp-off'));
    const [before] = await world.findings();
    await world.detect(sweepOf('lamp-off'), sweepOf('lamp-off'));
    expect((await world.findings())[0]!.version).toBe(before!.version);
    expect(world.alerts).toHaveLength(1);
  });

  test('a failed fix is tried again by the sweep of the next day, not by each', async () => {
    light('a');
    world.house.before = (name) => {
      if (name === 'write') denied('Switch');
    };
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['REMEDIATION_FAILED']);
    world.house.before = () => {};
    await world.detect(sweepOf('lamp-off'));
    expect(world.dispatched).toEqual([]);
    world.advance(21 * 3_600);
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });
});

describe('the first sweep', () => {
  test('tells in one alert, and changes nothing', async () => {
    light('a', 'b', 'c');
    await world.detect(sweepOf('lamp-off', { first: true }));
    expect(await world.runDispatched()).toEqual([]);
    expect(world.house.writes).toEqual([]);
    expect((await world.findings()).map(({ backlog, decision }) => [backlog, decision.action])).toEqual(Array(3).fill([true, 'notify']));
    expect(world.alerts).toMatchObject([{ urgency: 'notify', severity: 'HIGH', subject: '[HIGH] Was there before: 3 failing lamp-off in us-east-1' }]);
  });

  test('what it found stays as it is with later sweeps and events, until `sweep --apply`', async () => {
    light('a');
    await world.detect(sweepOf('lamp-off', { first: true }));
    await world.detect(sweepOf('lamp-off'), call('SwitchOn', 'a'));
    expect(await world.runDispatched()).toEqual([]);
    await world.detect(sweepOf('lamp-off', { apply: true }));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('drift that an event opened before is fixed', async () => {
    light('a', 'old');
    await world.detect(call('SwitchOn', 'a'));
    await world.detect(sweepOf('lamp-off', { first: true }));
    await world.runDispatched();
    expect(lit()).toEqual(['old']);
  });

  test('backlog: fix', async () => {
    world.policy = { ...world.policy, backlog: 'fix' };
    light('a');
    await world.detect(sweepOf('lamp-off', { first: true }));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('once closed, the next drift is new', async () => {
    light('a');
    await world.detect(sweepOf('lamp-off', { first: true }));
    world.house.lamps.set('a', { on: false });
    await world.detect(call('SwitchOff', 'a'));
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });
});

describe('a tick', () => {
  const deployedTo = (regions: string[], at = world.clock.now().toISOString()) =>
    world.ledger.remember('deployment', { at, policyId: world.policy.id, regions, unreached: {}, fixSince: {} });

  test('the first asks for first sweeps of every control that is on, in every region covered', async () => {
    await deployedTo(['us-east-1', 'eu-west-1']);
    await world.detect(tickAt(world.clock.now()));
    expect(world.sweeps.map(({ control, region, first }) => [control, region, first])).toEqual([
      ['lamp-off', 'us-east-1', true],
      ['lamp-off', 'eu-west-1', true],
    ]);
  });

  test('a day of ticks sweeps each control once', async () => {
    await world.tick();
    world.sweeps.length = 0;
    for (let quarter = 0; quarter < 96; quarter += 1) {
      world.advance(900);
      await world.detect(tickAt(world.clock.now()));
    }
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off' }]);
  });

  test('after an outage of two days it sweeps once', async () => {
    await world.tick();
    world.advance(2 * 86_400);
    await world.detect(tickAt(world.clock.now()));
    expect(world.sweeps).toHaveLength(1);
  });

  test('a region that a later deploy covers is swept at once', async () => {
    await deployedTo(['us-east-1']);
    await world.tick();
    world.advance(60);
    await deployedTo(['us-east-1', 'eu-west-1']);
    await world.detect(tickAt(world.clock.now()));
    expect(world.sweeps).toMatchObject([{ region: 'eu-west-1', first: true }]);
  });

  test('a control switched off: its findings close as OFF, its execution is stopped, those who were told hear of it, all in the evidence', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'fix', fixAfter: 3_600 } });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    const [waiting] = await world.findings();
    world.policy = policyOf({ 'lamp-off': { mode: 'off' } }, 'p2');
    await world.detect(tickAt(world.clock.now()));
    expect(world.stopped).toEqual([waiting!.id]);
    expect(await world.findings()).toMatchObject([{ state: 'resolved', outcome: { status: 'OFF' } }]);
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Closed, control off: lamp-off on a');
    expect((await world.ledger.entries(waiting!.id)).at(-2)).toMatchObject({ kind: 'RESOLVED', note: 'The policy has this control off.' });
    expect(world.sweeps).toEqual([]);
  });

  test('a control that is no longer in the catalogue closes its findings too', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.policy = policyOf({});
    world.catalogue.length = 0;
    await world.detect(tickAt(world.clock.now()));
    expect(await world.findings()).toMatchObject([{ state: 'resolved', outcome: { status: 'OFF' } }]);
  });

  test('a fix that was decided and never asked for is asked for', async () => {
    light('a');
    world.before = (name) => {
      if (name === 'dispatch') throw new Error('killed');
    };
    await world.detect(call('SwitchOn', 'a'));
    world.before = () => {};
    world.advance(60);
    await world.detect(tickAt(world.clock.now()));
    expect(world.dispatched).toEqual([]);
    world.advance(601);
    await world.detect(tickAt(world.clock.now()));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('a page that nobody sent is sent', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    world.before = (name) => {
      if (name === 'alert') throw new Error('killed');
    };
    await world.detect(call('SwitchOn', 'a'));
    world.before = () => {};
    world.advance(120);
    await world.detect(tickAt(world.clock.now()));
    expect(world.alerts).toMatchObject([{ urgency: 'page' }]);
  });

  test('two at once: one of them ticks', async () => {
    await Promise.all([world.detect(tickAt(world.clock.now())), world.detect(tickAt(world.clock.now()))]);
    expect(world.sweeps).toHaveLength(1);
  });
});

describe('a denied read', () => {
  const deny = (words = 'no identity-based policy allows the action') => {
    world.house.before = (name) => {
      if (name === 'read')
        throw new DeniedError('lamp:read', { cause: new Error(`User: x is not authorized to perform: lamp:GetLamp on resource: y because ${words}`) });
    };
  };
  const allow = () => {
    world.house.before = () => {};
  };

  test('of many resources is one finding and one page, for the role and the action', async () => {
    deny();
    light('a', 'b', 'c');
    const reports = await world.detect(...['a', 'b', 'c'].map((name) => call('SwitchOn', name)));
    expect(
      reports
        .flatMap(({ lines }) => lines.filter(({ control }) => control === 'lamp-off'))
        .map(({ evaluation, outcome }) => [evaluation!.complianceType, outcome.status]),
    ).toEqual(Array(3).fill(['INSUFFICIENT_DATA', 'PAGED']));
    expect(await world.findings()).toMatchObject([{ control: 'bot-permissions', fold: 'lamp:read', resource: { id: detectRole } }]);
    expect(world.alerts).toMatchObject([{ urgency: 'page' }]);
    expect(world.alerts[0]!.text).toContain('Not allowed to call lamp:GetLamp. The role lacks the permission');
    expect(world.alerts[0]!.text).toContain(lampArn('a'));
  });

  test.each([
    ['with an explicit deny in a service control policy', 'A service control policy of the organization forbids it'],
    ['no service control policy allows the lamp:GetLamp action', 'A service control policy of the organization forbids it'],
    ['with an explicit deny in a permissions boundary', 'The permissions boundary of the role does not allow it'],
    ['with an explicit deny in a resource-based policy', "The resource's own policy does not let the bot in"],
  ])('%s is told apart', async (words, told) => {
    deny(words);
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    expect(world.alerts[0]!.text).toContain(told);
  });

  test('closes when the action works again, is told, and what was not seen is looked at', async () => {
    deny();
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    await world.detect(tickAt(world.clock.now()));
    expect(await world.findings()).toMatchObject([{ state: 'open' }]);
    allow();
    world.sweeps.length = 0;
    await world.tick();
    expect((await world.findings()).find(({ control }) => control === 'bot-permissions')).toMatchObject({ state: 'resolved' });
    expect(world.alerts.at(-1)!.subject).toContain('Resolved: bot-permissions');
    await world.runDispatched();
    expect(lit()).toEqual([]);
  });

  test('does not resolve, or change, what was known of the resource', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    deny();
    await world.detect(call('SwitchOff', 'a'));
    expect((await world.findings()).find(({ control }) => control === 'lamp-off')).toMatchObject({
      state: 'open',
      evaluation: { complianceType: 'NON_COMPLIANT' },
    });
  });

  test('within ten minutes of a deploy it comes back for a minute before it is told', async () => {
    await world.ledger.remember('deployment', { at: world.clock.now().toISOString(), policyId: 'p1', regions: [], unreached: {}, fixSince: {} });
    deny();
    light('a');
    const { detect } = await import('../../engine/detect.ts');
    const event = call('SwitchOn', 'a');
    const first = world.clock.now();
    const [early] = await detect([event], world.detection(), [first]);
    expect(early!.errors).toMatchObject([{ name: 'RetryLaterError', seconds: 15 }]);
    expect(world.alerts).toEqual([]);
    world.advance(61);
    const [late] = await detect([event], world.detection(), [first]);
    expect(late!.errors).toEqual([]);
    expect(world.alerts).toHaveLength(1);
  });

  test('of more resources than are remembered one by one: all of the type is swept when it works again, and is still told only', async () => {
    deny();
    world.house.listsNamesOnly = true;
    light(...Array.from({ length: 103 }, (_, index) => `lamp-${index}`));
    await world.detect(sweepOf('lamp-off', { first: true }));
    const { blind = [] } = (await world.findings())[0]!;
    expect(blind.filter(({ resource }) => resource !== undefined)).toHaveLength(100);
    expect(blind.at(-1)).toEqual({ control: 'lamp-off', accountId: '123456789012', region: 'us-east-1', first: true });
    allow();
    world.sweeps.length = 0;
    await world.tick();
    await world.runDispatched();
    expect(world.house.writes).toEqual([]);
    expect((await world.findings()).filter(({ backlog }) => backlog)).toHaveLength(103);
  });

  test('of a listing ends the sweep with one finding; when the action works again the sweep is made', async () => {
    light('a', 'b');
    world.house.before = (name) => {
      if (name === 'list') denied('List');
    };
    const [report] = await world.detect(sweepOf('lamp-off'));
    expect(report!.errors).toEqual([]);
    expect(await world.findings()).toMatchObject([{ control: 'bot-permissions', fold: 'lamp:List', blind: [{ control: 'lamp-off', region: 'us-east-1' }] }]);
    expect(await swept()).toBeUndefined();
    await world.detect(tickAt(world.clock.now()));
    world.sweeps.length = 0;
    expect(await world.findings()).toMatchObject([{ state: 'open' }]);
    allow();
    await world.tick();
    await world.runDispatched();
    expect(lit()).toEqual([]);
  });

  test('of the role that fixes: one page, nothing written; when it may read again the next tick has it fixed', async () => {
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    deny();
    expect(await world.runDispatched()).toEqual(['PAGED', 'PAGED']);
    expect(world.alerts.filter(({ urgency }) => urgency === 'page')).toHaveLength(1);
    allow();
    for (let quarter = 0; quarter < 3; quarter += 1) {
      world.advance(900);
      await world.tick();
      await world.runDispatched();
    }
    expect(lit()).toEqual([]);
    expect((await world.findings()).find(({ control }) => control === 'bot-permissions')).toMatchObject({ state: 'resolved' });
  });
});

describe('a read that contradicts an event of a few seconds ago', () => {
  const freshly = (eventName: string, name: string) => call(eventName, name, { eventTime: world.clock.now().toISOString() });

  test('is read again until it shows the break', async () => {
    world.house.lamps.set('hall', { on: false });
    world.house.after = (name) => {
      if (name === 'read' && world.house.reads === 2) light('hall');
    };
    await world.detect(freshly('SwitchOn', 'hall'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('an older one is believed, and so is a repair', async () => {
    world.house.lamps.set('hall', { on: false });
    await world.detect(freshly('SwitchOff', 'hall'));
    const old = freshly('SwitchOn', 'hall');
    world.advance(31);
    await world.detect(old);
    expect(world.house.reads).toBe(2);
  });
});
