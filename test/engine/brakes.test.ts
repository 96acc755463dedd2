/** The brakes: how many fixes go through, what becomes of the rest, and what a person hears of it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Finding } from '../../engine/model.ts';
import type { CompiledGuards } from '../../engine/policy/model.ts';
import { botRole, by, call, policyOf, terraform, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const wide: CompiledGuards = {
  fixesPerHour: 1_000,
  fixesPerControlPerHour: 1_000,
  repeat: { limit: 1_000, within: 86_400 },
  ramp: { fixes: 1_000, hours: 24 },
};
const guard = (guards: Partial<CompiledGuards>) => {
  world.policy = { ...policyOf({ 'lamp-off': {}, 'root-call': { mode: 'page' } }), guards: { ...wide, ...guards } };
};

const burst = async (count: number, prefix = 'lamp') => {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (const name of names) world.house.lamps.set(name, { on: true });
  await world.detect(...names.map((name) => call('SwitchOn', name)));
  return world.runDispatched();
};

const statusesOf = (findings: readonly Finding[]) =>
  Object.fromEntries(
    [...Map.groupBy(findings, ({ control, outcome, decision }) => `${control} ${outcome?.status ?? decision.action}`)].map(([key, { length }]) => [
      key,
      length,
    ]),
  );
const subjects = () => world.alerts.map(({ subject, urgency }) => `${urgency} ${subject}`);

describe('a burst', () => {
  test('60 drifts, 10 fixes an hour: exactly 10 fixes, one page that says so, 50 wait for approval', async () => {
    guard({ fixesPerHour: 10 });
    await burst(60);
    expect(world.house.writes).toHaveLength(10);
    expect(statusesOf(await world.findings())).toEqual({ 'lamp-off REMEDIATED': 10, 'lamp-off AWAITING_APPROVAL': 50, 'bot-brakes page': 1 });
    const pages = world.alerts.filter(({ urgency }) => urgency === 'page');
    expect(pages).toHaveLength(1);
    expect(pages[0]!.text).toContain('10 fixes within an hour: the policy allows no more (guards.fixesPerHour).');
  });

  test('an hour is a sliding one: as many again go through when the first are an hour old, not before', async () => {
    guard({ fixesPerHour: 10 });
    await burst(10, 'first');
    world.advance(3_599);
    await burst(5, 'early');
    expect(world.house.writes).toHaveLength(10);
    world.advance(2);
    await burst(15, 'late');
    expect(world.house.writes).toHaveLength(20);
  });

  test('a control has a brake of its own, and what it holds takes no slot of the others', async () => {
    guard({ fixesPerHour: 10, fixesPerControlPerHour: 4 });
    await burst(60);
    expect(world.house.writes).toHaveLength(4);
    expect(world.alerts.filter(({ urgency }) => urgency === 'page')).toHaveLength(1);
    expect((await world.ledger.takeSlots('another', [{ scope: 'hour', limit: 5, seconds: 3_600 }])).full).toBeUndefined();
  });

  test('a ramp: so many fixes in the first hours after the deploy that set the control to fix; then the bot goes on', async () => {
    guard({ ramp: { fixes: 3, hours: 24 } });
    const at = world.clock.now().toISOString();
    await world.ledger.remember('deployment', { at, policyId: 'p1', regions: ['us-east-1'], unreached: {}, fixSince: { 'lamp-off': at } });
    await burst(5);
    expect(world.house.writes).toHaveLength(3);
    world.advance(24 * 3_600 + 1);
    await burst(5, 'later');
    expect(world.house.writes).toHaveLength(8);
  });

  test('the brake lifts a whole hour after it last held something back: told once, and the sweep takes up what waits', async () => {
    guard({ fixesPerHour: 2 });
    await burst(4);
    world.alerts.length = 0;
    world.advance(1_800);
    await burst(1, 'more');
    world.advance(2_000);
    await world.tick();
    expect(subjects().filter((subject) => subject.includes('bot-brakes'))).toEqual([]);
    world.advance(1_700);
    await world.tick();
    expect(subjects().filter((subject) => subject.includes('bot-brakes'))).toEqual([expect.stringContaining('Resolved: bot-brakes')]);
    for (let hour = 0; hour < 30; hour += 1) {
      await world.runDispatched();
      world.advance(3_601);
      await world.tick();
    }
    expect([...world.house.lamps.values()].filter(({ on }) => on)).toEqual([]);
  });

  test('events that meet a finding held by a brake neither fix nor page again', async () => {
    guard({ fixesPerHour: 1 });
    await burst(2);
    const told = world.alerts.length;
    for (let again = 0; again < 5; again += 1) {
      await world.detect(call('SwitchOn', 'lamp-1'), call('SwitchOn', 'lamp-0'));
      await world.runDispatched();
    }
    expect(world.alerts).toHaveLength(told);
    expect(world.house.writes).toHaveLength(1);
  });
});

describe('one thing again and again', () => {
  test('opened 10 times, limit 3: 3 fixes, then one page that names who breaks it and who repairs it', async () => {
    guard({ repeat: { limit: 3, within: 86_400 } });
    for (let time = 0; time < 10; time += 1) {
      world.house.lamps.set('hall', { on: true });
      await world.detect(call('SwitchOn', 'hall', by(terraform)));
      await world.runDispatched();
      world.advance(60);
    }
    expect(world.house.writes).toHaveLength(3);
    const pages = world.alerts.filter(({ urgency }) => urgency === 'page');
    expect(pages).toHaveLength(1);
    expect(pages[0]!.text).toContain(terraform);
    expect(pages[0]!.text).toContain(botRole);
    expect(pages[0]!.text).toContain('Fixed 3 times within 24 h');
  });

  test('two who break it are both named', async () => {
    guard({ repeat: { limit: 1, within: 86_400 } });
    for (const actor of [terraform, 'arn:aws:iam::123456789012:user/zoe']) {
      world.house.lamps.set('hall', { on: true });
      await world.detect(call('SwitchOn', 'hall', by(actor)));
      await world.runDispatched();
    }
    expect(world.alerts.at(-1)!.text).toContain(`Broken by arn:aws:iam::123456789012:user/zoe and by ${terraform}`);
  });

  test('after the window it is fixed again', async () => {
    guard({ repeat: { limit: 1, within: 3_600 } });
    for (let time = 0; time < 2; time += 1) {
      world.house.lamps.set('hall', { on: true });
      await world.detect(call('SwitchOn', 'hall'));
      await world.runDispatched();
      world.advance(3_601);
    }
    expect(world.house.writes).toHaveLength(2);
  });
});

describe('the kill switch', () => {
  test('on: nothing is written, each fix is a page instead', async () => {
    world.killSwitch = 'on';
    await burst(2);
    expect(world.house.writes).toEqual([]);
    expect(world.alerts.map(({ urgency }) => urgency)).toEqual(['page', 'page']);
    expect(world.alerts[0]!.text).toContain('The kill switch is on, so nothing is written.');
  });

  test('it cannot be read: nothing is written', async () => {
    world.killSwitch = new Error('no answer');
    await burst(1);
    expect(world.house.writes).toEqual([]);
    expect(world.alerts[0]!.text).toContain('The kill switch cannot be read');
  });

  test('switched on between the decision and the fix', async () => {
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall'));
    world.killSwitch = 'on';
    await world.runDispatched();
    expect(world.house.writes).toEqual([]);
  });

  test('off again: the next event is fixed', async () => {
    world.killSwitch = 'on';
    await burst(1);
    world.killSwitch = 'off';
    await world.detect(call('SwitchOn', 'lamp-0'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });
});
