import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act, giveUp } from '../../engine/act.ts';
import { TerminalError } from '../../engine/errors.ts';
import { resourceKey } from '../../engine/finding.ts';
import { type Change, change, type ResourceRef, type Task } from '../../engine/model.ts';
import { call, denied, policyOf, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** A lamp on, noticed and dispatched; gives the finding's id. */
const dispatched = async (policy = policyOf({ 'lamp-off': {} })) => {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall'));
  return world.dispatched[0]!;
};
const finding = async () => (await world.findings())[0]!;
const kinds = async () => (await world.ledger.entries((await finding()).id)).map(({ kind }) => kind);

describe('asked again after every wait', () => {
  const changed = {
    'the policy turned to notify': { now: policyOf({ 'lamp-off': { mode: 'notify' } }), status: 'NOTIFIED', state: 'open' },
    'the policy turned to page': { now: policyOf({ 'lamp-off': { mode: 'page' } }), status: 'PAGED', state: 'open' },
    'the control was switched off': { now: policyOf({ 'lamp-off': { mode: 'off' } }), status: 'OFF', state: 'resolved' },
    'the control left the policy': { now: policyOf({}), status: 'OFF', state: 'resolved' },
    'an exception was made': {
      now: policyOf({ 'lamp-off': { exceptions: [{ region: '*', reason: 'r', approvedBy: 'a', expires: '2027-01-01' }] } }),
      status: 'EXCEPTED',
      state: 'resolved',
    },
  } as const;
  for (const [name, { now, status, state }] of Object.entries(changed)) {
    test(`a wait that wakes after ${name}: no write`, async () => {
      const id = await dispatched(policyOf({ 'lamp-off': { fixAfter: 3_600 } }));
      expect(await act(id, world.action)).toEqual({ again: 3_600, note: expect.any(String), knock: true });
      world.policy = now;
      world.advance(3_600);
      expect(await act(id, world.action)).toEqual({ ended: status });
      expect(world.house.writes).toEqual([]);
      expect(await finding()).toMatchObject({ state, outcome: { status } });
    });
  }

  test('a wait that wakes after the policy turned to approve: people are asked, no write', async () => {
    const id = await dispatched(policyOf({ 'lamp-off': { fixAfter: 3_600 } }));
    await act(id, world.action);
    world.policy = policyOf({ 'lamp-off': { mode: 'approve' } });
    world.advance(3_600);
    expect(await act(id, world.action)).toMatchObject({ again: 72 * 3_600, knock: true });
    expect(world.house.writes).toEqual([]);
    expect(await finding()).toMatchObject({ state: 'open', outcome: { status: 'AWAITING_APPROVAL' } });
  });

  test('told at once, fixed when it is due', async () => {
    const id = await dispatched(policyOf({ 'lamp-off': { fixAfter: 3_600 } }));
    expect(world.alerts).toMatchObject([{ urgency: 'notify', subject: '[HIGH] Fix planned: lamp-off on hall' }]);
    expect(world.alerts[0]!.text).toContain('The fix is due at 2026-11-01T04:00:00.000Z');
    world.advance(3_601);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.alerts).toHaveLength(2);
  });

  test('put right by a person meanwhile: no write, and it is not called our fix', async () => {
    const id = await dispatched();
    world.house.lamps.set('hall', { on: false });
    expect(await act(id, world.action)).toEqual({ ended: 'COMPLIANT' });
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toEqual([]);
  });

  test('deleted meanwhile', async () => {
    const id = await dispatched();
    world.house.lamps.clear();
    expect(await act(id, world.action)).toEqual({ ended: 'DOES_NOT_EXIST' });
  });

  test('the policy cannot be read: no write, a page', async () => {
    const id = await dispatched();
    const unreadable = { ...world.action, ports: { ...world.ports, ledger: { ...world.ports.ledger, policy: () => Promise.reject(new Error('throttled')) } } };
    expect(await act(id, unreadable)).toEqual({ ended: 'PAGED' });
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toMatchObject([{ urgency: 'page' }]);
  });
});

describe('a fix that does not succeed', () => {
  test('the live state cannot be read: INSUFFICIENT_DATA, a page, no write', async () => {
    const id = await dispatched();
    world.house.before = denied;
    expect(await act(id, world.action)).toEqual({ ended: 'PAGED' });
    expect(await finding()).toMatchObject({ state: 'open', evaluation: { complianceType: 'INSUFFICIENT_DATA' } });
    expect(world.house.writes).toEqual([]);
  });

  test('the write is denied: REMEDIATION_FAILED and a page that says so', async () => {
    const id = await dispatched();
    world.house.before = (name) => {
      if (name === 'write') denied(name);
    };
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATION_FAILED' });
    expect(world.alerts).toMatchObject([{ urgency: 'page', subject: '[HIGH] FIX FAILED: lamp-off on hall' }]);
    expect(world.alerts[0]!.text).toContain('Not allowed to call lamp:write. Nothing was changed.');
  });

  test('a denied read after the write: never success', async () => {
    const id = await dispatched();
    let wrote = false;
    world.house.after = (name) => {
      wrote ||= name === 'write';
    };
    world.house.before = (name) => {
      if (wrote && name === 'read') denied(name);
    };
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATION_FAILED' });
    expect((await finding()).outcome!.reason).toContain('whether it holds cannot be seen');
    expect(world.alerts[0]!.text).toContain('look at the resource');
  });

  test('a write without effect: looked at for five minutes, then a page', async () => {
    const id = await dispatched();
    world.house.write = async () => {};
    let attempt = await act(id, world.action);
    expect(attempt).toMatchObject({ again: 20 });
    for (let round = 0; round < 20 && 'again' in attempt; round += 1) {
      world.advance(attempt.again);
      attempt = await act(id, world.action);
    }
    expect(attempt).toEqual({ ended: 'REMEDIATION_FAILED' });
    expect(world.alerts).toHaveLength(1);
  });

  test('a setting that AWS shows late is verified when it shows', async () => {
    const id = await dispatched();
    const { house } = world;
    const write = house.write.bind(house);
    house.write = async (name, on) => {
      house.writes.push('sent');
      if (house.writes.length > 1) await write(name, on);
    };
    expect(await act(id, world.action)).toMatchObject({ again: 20 });
    world.advance(20);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(await finding()).toMatchObject({ changes: [{ change: { before: { on: true } } }] });
  });

  test('retries spent: REMEDIATION_FAILED, a page, once', async () => {
    const id = await dispatched();
    expect(await giveUp(id, '5 attempts failed', world.action)).toEqual({ ended: 'REMEDIATION_FAILED' });
    await giveUp(id, '5 attempts failed', world.action);
    expect(world.alerts).toHaveLength(1);
  });

  test('after a failure a new event of somebody else tries again, under a new name', async () => {
    const id = await dispatched();
    world.dispatched.length = 0;
    await giveUp(id, 'failed', world.action);
    await world.detect(call('SwitchOn', 'hall'));
    expect(world.dispatched).toEqual([`${id}-2`]);
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });
});

describe('one at a time', () => {
  test('while another holds the setting, it waits', async () => {
    const id = await dispatched();
    const lease = await world.ledger.lease(`${resourceKey((await finding()).resource)}|lamp:switch`, 'somebody', 60);
    expect(await act(id, world.action)).toMatchObject({ again: 15 });
    expect(world.house.writes).toEqual([]);
    await world.ledger.release(lease!);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('twenty attempts at once: one write', async () => {
    const id = await dispatched();
    await Promise.allSettled(Array.from({ length: 20 }, () => act(id, world.action)));
    expect(world.house.writes).toEqual(['hall=false']);
    expect((await finding()).outcome!.status).toBe('REMEDIATED');
  });

  test('an attempt that outlives its lease cannot record over its successor', async () => {
    const id = await dispatched();
    const { house } = world;
    const write = house.write.bind(house);
    house.write = async (name, on) => {
      house.write = write;
      world.advance(200);
      expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
      await write(name, on);
    };
    await expect(act(id, world.action)).rejects.toThrow();
    expect(house.lamps.get('hall')).toEqual({ on: false });
    expect((await kinds()).filter((kind) => kind === 'REMEDIATED')).toHaveLength(1);
  });
});

describe('killed at any call', () => {
  const places = ['before read', 'after read', 'before write', 'after write', 'ledger.save', 'alert'] as const;
  for (const place of places) {
    for (const nth of [1, 2, 3]) {
      test(`${place}, the ${nth}. time: the next attempt ends it, with the true before`, async () => {
        const id = await dispatched();
        let count = 0;
        const killAt = (name: string) => {
          if (name !== place) return;
          count += 1;
          if (count === nth) throw new Error('killed');
        };
        world.house.before = (name) => killAt(`before ${name}`);
        world.house.after = (name) => killAt(`after ${name}`);
        world.before = killAt;
        const first = await act(id, world.action).catch(() => 'killed');
        world.house.before = () => {};
        world.house.after = () => {};
        world.before = () => {};
        // A killed process releases no lease: it runs out.
        world.advance(121);
        expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
        expect(first === 'killed' || count < nth).toBe(true);
        expect(world.house.lamps.get('hall')).toEqual({ on: false });
        expect(await finding()).toMatchObject({ state: 'resolved', changes: [{ change: { before: { on: true } } }], alerted: 'resolved:REMEDIATED' });
        expect(world.alerts.length).toBeLessThanOrEqual(2);
        expect(new Set(world.house.writes)).toEqual(new Set(['hall=false']));
      });
    }
  }

  test('written, but killed before the record: the setting is found live and ends as REMEDIATED without a second write', async () => {
    const id = await dispatched();
    world.house.after = (name) => {
      if (name === 'write') throw new Error('killed');
    };
    await expect(act(id, world.action)).rejects.toThrow('killed');
    world.house.after = () => {};
    world.advance(121);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.house.writes).toEqual(['hall=false']);
  });
});

describe('a fix of two steps, killed between them', () => {
  /** The lamp is off after the first step, and dusted after the second. */
  const halfway = async () => {
    const id = await dispatched();
    world.house.after = (name) => {
      if (name === 'write') throw new Error('killed');
    };
    await expect(act(id, world.action)).rejects.toThrow('killed');
    world.house.after = () => {};
    world.advance(121);
    let dusty = true;
    const { house } = world;
    const write = house.write.bind(house);
    house.write = async (name, on) => {
      dusty = false;
      await write(name, on);
    };
    const entry = world.catalogue[0]!;
    const control = await entry.load();
    world.catalogue[0] = { ...entry, load: async () => ({ ...control, unfinished: () => dusty }) as typeof control };
    return id;
  };

  test('the second step is made up for before it is called done', async () => {
    expect(await act(await halfway(), world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.house.writes).toHaveLength(2);
  });

  test('but not when the policy no longer wants it: a page', async () => {
    const id = await halfway();
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    expect(await act(id, world.action)).toEqual({ ended: 'PAGED' });
    expect(world.house.writes).toHaveLength(1);
    expect(world.alerts[0]!.text).toContain('written in part');
  });
});

describe('a slow fix, of which some is done while the drift still stands', () => {
  const begun = async (unfinished: boolean) => {
    const id = await dispatched();
    const entry = world.catalogue[0]!;
    const control = await entry.load();
    const changes: unknown[] = [];
    let calls = 0;
    // What is planned anew in the middle is not what was planned.
    const plan = () => change({ action: 'lamp:Switch', summary: 'Switch', before: { on: true }, after: { on: calls > 0 } });
    const remediate = async (resource: ResourceRef, given: Change, _aws: unknown, task: Task) => {
      expect(task).toEqual({ findingId: id });
      changes.push(given.after);
      calls += 1;
      if (calls < 3) return { again: 20, note: 'busy' };
      await world.house.write(resource.id.split('/')[1]!, false);
      return undefined;
    };
    world.catalogue[0] = {
      ...entry,
      load: async () => ({ ...control, plan, remediate, unfinished: () => unfinished && calls < 3 }) as unknown as typeof control,
    };
    return { id, changes };
  };

  test('goes on as it was recorded', async () => {
    const { id, changes } = await begun(true);
    for (let round = 0; round < 3; round += 1) await act(id, world.action);
    expect(changes).toEqual([{ on: false }, { on: false }, { on: false }]);
    expect((await world.ledger.get(id))!.changes).toHaveLength(1);
  });

  test('is planned anew when nothing of it is done', async () => {
    const { id, changes } = await begun(false);
    for (let round = 0; round < 2; round += 1) await act(id, world.action);
    expect(changes).toEqual([{ on: false }, { on: true }]);
  });
});

test('a finding that is not there is for nobody to try again', async () => {
  await expect(act('f-none', world.action)).rejects.toThrow(TerminalError);
});
