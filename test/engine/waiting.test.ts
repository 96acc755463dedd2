/** Between telling and fixing: what was promised, and what may change meanwhile. The account is in memory; one execution per dispatch, as on AWS. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../engine/act.ts';
import type { CompiledControl } from '../../engine/policy/model.ts';
import { call, configItem, policyOf, sweepOf, World } from '../support/world.ts';

const hour = 3_600;
let world: World;
beforeEach(async () => {
  world = new World();
  world.policy = policyOf({ 'lamp-off': { fixAfter: hour } });
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall'));
});
afterEach(() => world.close());

const finding = async () => (await world.findings()).at(-1)!;
const becomes = (settings: Partial<CompiledControl>) => {
  world.policy = policyOf({ 'lamp-off': settings }, 'p2');
};
/** Half of the wait, something happens, the rest of it; what the executions come to. */
const meanwhile = async (happens: () => unknown): Promise<string[]> => {
  world.advance(hour / 2);
  await happens();
  return world.runDispatched();
};
const told = () => world.alerts.map(({ urgency, subject }) => `${urgency} ${subject}`);
const planned = 'notify [HIGH] Fix planned: lamp-off on hall';
const seenAgain = {
  'nobody comes by': async () => {},
  'another event comes by': () => world.detect(call('SwitchOn', 'hall')),
  'AWS Config comes by': () => world.detect(configItem('hall')),
  'a sweep comes by': () => world.detect(sweepOf('lamp-off')),
};

test('told now, fixed when it was promised', async () => {
  expect(told()).toEqual([planned]);
  expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  expect(world.clock.now().toISOString()).toBe('2026-11-01T04:00:00.000Z');
  expect(told()).toEqual([planned, 'notify [HIGH] Fixed: lamp-off on hall']);
});

describe.each(Object.entries(seenAgain))('the policy changes during the wait, %s', (_, comesBy) => {
  test.each([
    ['notify', 'NOTIFIED', 'notify [HIGH] Drift: lamp-off on hall'],
    ['page', 'PAGED', 'page [HIGH] ACTION NEEDED: lamp-off on hall'],
    ['approve', 'AWAITING_APPROVAL', 'page [HIGH] Approval needed: lamp-off on hall'],
    ['off', 'OFF', 'notify [HIGH] Closed, control off: lamp-off on hall'],
  ] as const)('to %s: nothing is written, and it is told once', async (mode, status, words) => {
    const ended = await meanwhile(async () => {
      becomes({ mode, fixAfter: hour });
      await comesBy();
    });
    expect(ended).toEqual([status]);
    expect(world.house.writes).toEqual([]);
    expect(told()).toEqual([planned, words]);
  });

  test('to an exception: nothing is written, the finding closes, and that is told', async () => {
    const ended = await meanwhile(async () => {
      becomes({ fixAfter: hour, exceptions: [{ region: '*', reason: 'r', approvedBy: 'a', expires: '2027-01-01' }] });
      await comesBy();
    });
    expect(ended).toEqual(['EXCEPTED']);
    expect(world.house.writes).toEqual([]);
    expect(told()).toEqual([planned, 'notify [HIGH] Closed, excepted: lamp-off on hall']);
  });

  // Somebody plans with the time that was told: a new number is for what is told from then on.
  test.each([
    ['shorter', 600],
    ['none', 0],
    ['longer', 48 * hour],
  ])('to a wait that is %s: the promised time stands', async (__, fixAfter) => {
    const ended = await meanwhile(async () => {
      becomes({ fixAfter });
      await comesBy();
    });
    expect(ended).toEqual(['REMEDIATED']);
    expect((await finding()).outcome!.at).toBe('2026-11-01T04:00:00.000Z');
    expect(told()).toEqual([planned, 'notify [HIGH] Fixed: lamp-off on hall']);
  });
});

describe('during the wait', () => {
  test('there and back again: the wait begins anew, and is told anew', async () => {
    world.advance(hour / 2);
    becomes({ mode: 'notify' });
    await world.detect(call('SwitchOn', 'hall'));
    becomes({ fixAfter: hour });
    await world.detect(call('SwitchOn', 'hall'));
    expect(told()).toEqual([planned, 'notify [HIGH] Drift: lamp-off on hall', planned]);
    expect(world.alerts.at(-1)!.text).toContain('due at 2026-11-01T04:30:00.000Z');
    const ended = await world.runDispatched();
    expect(new Set(ended)).toEqual(new Set(['REMEDIATED']));
    expect(world.house.writes).toEqual(['hall=false']);
    expect((await finding()).outcome!.at).toBe('2026-11-01T04:30:00.000Z');
  });

  test.each(['on', new Error('unreadable')] as const)('the kill switch %s: a page, nothing is written', async (state) => {
    const ended = await meanwhile(() => {
      world.killSwitch = state;
    });
    expect(ended).toEqual(['PAGED']);
    expect(world.house.writes).toEqual([]);
    expect(told()).toEqual([planned, 'page [HIGH] ACTION NEEDED: lamp-off on hall']);
  });

  test('a switch that is off again when the time has come is no matter', async () => {
    world.killSwitch = 'on';
    const ended = await meanwhile(() => {
      world.killSwitch = 'off';
    });
    expect(ended).toEqual(['REMEDIATED']);
  });

  test.each([
    ['and the event comes', () => world.detect(call('SwitchOff', 'hall'))],
    ['and nothing tells of it', async () => {}],
  ])('somebody puts it right, %s: nothing is written, and the end is told', async (_, comesBy) => {
    const ended = await meanwhile(async () => {
      world.house.lamps.set('hall', { on: false });
      await comesBy();
    });
    expect(ended).toEqual(['COMPLIANT']);
    expect(world.house.writes).toEqual([]);
    expect(told()).toEqual([planned, 'notify [HIGH] Resolved: lamp-off on hall']);
  });

  test('it is put right and drifts again: the new episode has a wait of its own', async () => {
    world.advance(hour / 2);
    world.house.lamps.set('hall', { on: false });
    await world.detect(call('SwitchOff', 'hall'));
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall'));
    expect(world.dispatched).toHaveLength(2);
    expect(await act(world.dispatched[0]!, world.action)).toEqual({ ended: 'COMPLIANT' });
    expect(await act(world.dispatched[1]!, world.action)).toMatchObject({ again: hour });
    expect(world.house.writes).toEqual([]);
  });

  test('it is deleted', async () => {
    expect(await meanwhile(() => world.house.lamps.clear())).toEqual(['DOES_NOT_EXIST']);
  });

  test('who did it is known only now, and the policy wants it told: nothing is written', async () => {
    world.close();
    world = new World();
    world.policy = policyOf({ 'lamp-off': { fixAfter: hour, when: [{ actor: '*/dana', mode: 'notify' }] } });
    world.house.lamps.set('hall', { on: true });
    await world.detect(configItem('hall'));
    await world.detect(call('SwitchOn', 'hall'));
    await world.runDispatched();
    expect(world.house.writes).toEqual([]);
  });
});

describe('a deploy during the wait', () => {
  const deploy = () => {
    becomes({ fixAfter: hour });
    const at = world.clock.now().toISOString();
    return world.ledger.remember('deployment', { at, policyId: 'p2', regions: ['us-east-1'], unreached: {}, fixSince: { 'lamp-off': at } });
  };

  test('the execution goes on, and is the only one', async () => {
    const ended = await meanwhile(async () => {
      await deploy();
      await world.tick();
    });
    expect(ended).toEqual(['REMEDIATED']);
    expect(world.house.writes).toEqual(['hall=false']);
    expect((await finding()).outcome!.at).toBe('2026-11-01T04:00:00.000Z');
  });

  test('an execution that it has ended is missed, and another one does the fix', async () => {
    world.dispatched.length = 0;
    world.advance(hour / 2);
    await deploy();
    for (let quarter = 0; quarter < 40 && world.dispatched.length === 0; quarter += 1) {
      world.advance(900);
      await world.tick();
    }
    expect(world.clock.now().getTime() - Date.parse('2026-11-01T04:00:00Z')).toBeLessThanOrEqual(7.5 * hour * 1_000);
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(world.house.writes).toEqual(['hall=false']);
  });
});
