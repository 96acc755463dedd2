import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Attempt, act } from '../../engine/act.ts';
import { actionHash } from '../../engine/answers/action-hash.ts';
import { redrive } from '../../engine/drive.ts';
import { except, madeExceptions } from '../../engine/exceptions.ts';
import type { Finding } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { giveUpUndo, undo } from '../../engine/undo.ts';
import { give, people, person } from '../support/answers.ts';
import { by, call, denied, lampArn, policyOf, sweepOf, terraform, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const fixing = (): CompiledPolicy => ({ ...policyOf({ 'lamp-off': {} }), people });
const finding = async (): Promise<Finding> => (await world.findings()).find(({ control }) => control === 'lamp-off')!;
const notes = async (kind: string) => (await world.ledger.entries((await finding()).id)).filter((entry) => entry.kind === kind).map(({ note }) => note);
const isOn = () => world.house.lamps.get('hall')?.on;

/** A lamp that the bot has switched off. */
async function fixed(event = call('SwitchOn', 'hall', by(terraform))): Promise<Finding> {
  world.policy = fixing();
  world.house.lamps.set('hall', { on: true });
  await world.detect(event);
  expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  world.alerts.length = 0;
  return finding();
}
const run = async (woken = false): Promise<Attempt> => undo((await finding()).id, world.action, woken);

describe('an undo', () => {
  test('writes an exception first, puts back the setting, verifies it, records and tells', async () => {
    const order: string[] = [];
    const { id } = await fixed();
    await give(world, await finding(), 'undo');
    world.house.before = async (name) => {
      if (name === 'write') order.push(`write with ${(await madeExceptions(world.ledger)).length} exception`);
    };
    expect(await run()).toEqual({ ended: 'EXCEPTED' });
    expect(order).toEqual(['write with 1 exception']);
    expect(isOn()).toBe(true);
    expect(await madeExceptions(world.ledger)).toMatchObject([
      { control: 'lamp-off', reason: 'the vendor needs it', approvedBy: 'lee', expires: '2026-12-01', findingId: id },
    ]);
    expect(await finding()).toMatchObject({ state: 'resolved', undo: { state: 'done', by: 'lee' }, outcome: { status: 'EXCEPTED' } });
    expect((await finding()).changes[0]).toMatchObject({ undoneAt: expect.any(String) });
    expect(world.alerts).toMatchObject([{ urgency: 'notify', subject: '[HIGH] Undone: lamp-off on hall' }]);
    expect(world.alerts[0]!.text).toContain('Undone for lee (the vendor needs it), and excepted until 2026-12-01. Verified by reading the live state');
    expect(await notes('UNDONE')).toHaveLength(1);
  });

  test('waits while another undo writes its exception', async () => {
    await fixed();
    await give(world, await finding(), 'undo');
    await world.ledger.lease('exceptions', 'another', 2);
    expect(await run()).toEqual({ ended: 'EXCEPTED' });
    expect(await madeExceptions(world.ledger)).toHaveLength(1);
  });

  test('is not fixed again while the exception holds, and is new drift after it', async () => {
    await fixed();
    await give(world, await finding(), 'undo', { until: '2026-11-03' });
    await run();
    await world.detect(call('SwitchOn', 'hall'));
    await world.detect(sweepOf('lamp-off'));
    expect(world.dispatched).toEqual([]);
    world.advance(4 * 86_400);
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(isOn()).toBe(false);
    expect((await world.findings()).map(({ episode }) => episode).sort()).toEqual([1, 2]);
  });

  test('of an undo is a new fix: the exception is ended by a person, the next look fixes it', async () => {
    await fixed();
    await give(world, await finding(), 'undo');
    await run();
    await give(world, await finding(), 'undo');
    await run();
    expect(await notes('REFUSED')).toEqual([expect.stringMatching(/has been undone already/)]);
    await give(world, await finding(), 'end', { planHash: actionHash(await finding(), 'end') });
    await run();
    expect(await madeExceptions(world.ledger)).toEqual([]);
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(isOn()).toBe(false);
  });

  test('twice in a row, and after a crash at any point, is done once', async () => {
    await fixed();
    await give(world, await finding(), 'undo');
    await Promise.allSettled([run(), run()]);
    await run();
    expect(world.house.writes).toEqual(['hall=false', 'hall=true']);
  });

  test('of a fix half done puts back what was there', async () => {
    world.policy = fixing();
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    world.house.after = (name) => {
      if (name === 'write') throw new Error('killed');
    };
    await expect(act(world.dispatched[0]!, world.action)).rejects.toThrow('killed');
    world.house.after = () => {};
    expect(isOn()).toBe(false);
    await give(world, await finding(), 'undo');
    expect(await run()).toEqual({ ended: 'EXCEPTED' });
    expect(isOn()).toBe(true);
    expect(await finding()).toMatchObject({ state: 'resolved', undo: { state: 'done' } });
    // The execution that was at the fix comes back, and leaves it.
    await act(world.dispatched[0]!, world.action);
    expect(isOn()).toBe(true);
  });
});

describe('what stands in its way', () => {
  const refusedWith = async (kind: string, words: RegExp) => {
    expect(await notes(kind)).toEqual([expect.stringMatching(words)]);
    expect(world.house.writes).toEqual(['hall=false']);
    expect(await madeExceptions(world.ledger)).toEqual([]);
  };

  test('somebody has changed the setting since: a diff, nothing is written', async () => {
    await fixed();
    world.house.lamps.set('hall', { on: false, dimmed: 7 } as never);
    await give(world, await finding(), 'undo');
    expect(await run()).toEqual({ ended: 'REMEDIATED' });
    await refusedWith('UNDO_FAILED', /changed it since the fix.*setting\.dimmed was nothing, is 7/);
    expect(world.alerts).toMatchObject([{ urgency: 'page', subject: '[HIGH] UNDO FAILED: lamp-off on hall' }]);
  });

  test('much has been changed: told in few words', async () => {
    await fixed();
    world.house.lamps.set('hall', { on: false, ...Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`scene${at}`, at])) });
    await give(world, await finding(), 'undo');
    await run();
    await refusedWith('UNDO_FAILED', /and 490 more$/);
  });

  test('it is gone', async () => {
    await fixed();
    world.house.lamps.clear();
    await give(world, await finding(), 'undo');
    await run();
    await refusedWith('UNDO_FAILED', /does not exist any more/);
  });

  test('CloudFormation is at its stack: the undo waits for it, and says so after two hours', async () => {
    const stackId = 'arn:aws:cloudformation:us-east-1:123456789012:stack/portal/1';
    world.tags.set(lampArn('hall'), { 'aws:cloudformation:stack-id': stackId, 'aws:cloudformation:stack-name': 'portal' });
    await fixed();
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    await give(world, await finding(), 'undo');
    expect(await run()).toMatchObject({ again: 60 });
    expect(world.house.writes).toEqual(['hall=false']);
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await run()).toEqual({ ended: 'EXCEPTED' });
  });

  test('the kill switch', async () => {
    await fixed();
    world.killSwitch = 'on';
    await give(world, await finding(), 'undo');
    await run();
    await refusedWith('UNDO_FAILED', /kill switch is on/);
  });

  test('the kill switch, after an attempt that died right after it made the exception', async () => {
    await fixed();
    await give(world, await finding(), 'undo');
    let saves = 0;
    world.before = (name) => {
      if (name === 'ledger.save') saves += 1;
      if (saves === 2) throw new Error('killed');
    };
    await expect(run()).rejects.toThrow('killed');
    expect(await madeExceptions(world.ledger)).toHaveLength(1);
    world.before = () => {};
    world.killSwitch = 'on';
    await run();
    await refusedWith('UNDO_FAILED', /kill switch is on/);
  });

  test('a later fix of the same setting: last in, first out', async () => {
    const first = await fixed();
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    await world.runDispatched();
    world.house.writes = ['hall=false'];
    await give(world, first, 'undo');
    await undo(first.id, world.action);
    const second = (await world.findings()).find(({ episode }) => episode === 2)!;
    const said = (await world.ledger.entries(first.id)).filter(({ kind }) => kind === 'UNDO_FAILED');
    expect(said.map(({ note }) => note)).toEqual([expect.stringContaining(`first undo ${second.id} (lamp-off)`)]);
    expect(world.house.writes).toEqual(['hall=false']);
    await give(world, second, 'undo');
    expect(await undo(second.id, world.action)).toEqual({ ended: 'EXCEPTED' });
    await give(world, (await world.ledger.get(first.id)) as Finding, 'undo');
    expect(await undo(first.id, world.action)).toEqual({ ended: 'EXCEPTED' });
  });

  test('a denied write: told, and that an exception was made', async () => {
    await fixed();
    await give(world, await finding(), 'undo');
    world.house.before = (name) => {
      if (name === 'write') denied(name);
    };
    await run();
    expect(await notes('UNDO_FAILED')).toEqual([expect.stringMatching(/Not allowed to call lamp:write/)]);
    expect(await finding()).toMatchObject({ undo: { state: 'failed' } });
    expect(world.alerts.at(-1)!.text).toContain('Its exception stands until 2026-12-01: npx phidelity exceptions end f-');
  });

  test.each<[string, Parameters<typeof give>[3], RegExp]>([
    ['no reason', { reason: undefined }, /names no reason/],
    ['no last day', { until: undefined }, /no last day/],
    ['a last day beyond 90 days', { until: '2027-06-01' }, /at most 90 days/],
    ['a last day that is no day', { until: 'for ever' }, /no last day/],
    ['a last day that no calendar has', { until: '9999-99-99' }, /no last day/],
    ['a last day that its month does not have', { until: '2026-11-31' }, /no last day/],
    ['a last day that is over', { until: '2026-10-31' }, /is over/],
    ['other writes than those that stand', { planHash: 'other' }, /other writes/],
    ['nobody of the policy', { by: person('mallory') }, /none of the people/],
    ['no proof', { proof: undefined }, /no proof/],
  ])('refused: %s', async (_, parts, words) => {
    await fixed();
    await give(world, await finding(), 'undo', parts);
    expect(await run()).toEqual({ ended: 'REMEDIATED' });
    await refusedWith('REFUSED', words);
  });

  test('nothing was written', async () => {
    world.policy = { ...policyOf({ 'lamp-off': { mode: 'notify' } }), people };
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall'));
    await give(world, await finding(), 'undo', { planHash: 'x' });
    await run();
    expect(await notes('REFUSED')).toEqual([expect.stringMatching(/has written nothing/)]);
  });
});

describe('a second person', () => {
  test('whoever made the change that was fixed may ask, but another must approve', async () => {
    await fixed(call('SwitchOn', 'hall'));
    await give(world, await finding(), 'undo', { by: person('dana') });
    expect(await run()).toMatchObject({ knock: true });
    expect(world.alerts).toMatchObject([{ urgency: 'page', subject: '[HIGH] Undo asked: lamp-off on hall' }]);
    expect(world.house.writes).toEqual(['hall=false']);
    await give(world, await finding(), 'approve', { by: person('lee') });
    expect(await run(true)).toEqual({ ended: 'EXCEPTED' });
    expect(isOn()).toBe(true);
  });

  test.each([
    ['whoever asked is not a second one', ['lee'], false],
    ['another one is', ['kim'], true],
  ])('the end of a public exposure is brought back by two persons: %s', async (_, approvers, undone) => {
    const control = (await world.catalogue[0]!.load()) as { endsPublicExposure?: true };
    control.endsPublicExposure = true;
    await fixed();
    await give(world, await finding(), 'undo', { by: person('lee') });
    expect(await run()).toMatchObject({ knock: true });
    for (const name of approvers) await give(world, await finding(), 'approve', { by: person(name) });
    expect(await run(true)).toMatchObject(undone ? { ended: 'EXCEPTED' } : { knock: true });
    expect(isOn()).toBe(undone);
  });

  test('nobody does: the undo is off', async () => {
    await fixed(call('SwitchOn', 'hall'));
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    world.advance(73 * 3_600);
    expect(await run()).toEqual({ ended: 'REMEDIATED' });
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Not undone: lamp-off on hall');
    expect(isOn()).toBe(false);
  });

  test('somebody denies it', async () => {
    await fixed(call('SwitchOn', 'hall'));
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    await give(world, await finding(), 'deny', { by: person('kim'), reason: 'no' });
    expect(await run(true)).toEqual({ ended: 'REMEDIATED' });
    expect(await finding()).toMatchObject({ undo: { state: 'withdrawn' } });
  });
});

/** A fix that was begun and written, and whose execution died. */
async function halfDone(): Promise<Finding> {
  world.policy = fixing();
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall'));
  world.house.after = (name) => {
    if (name === 'write') throw new Error('killed');
  };
  await expect(act(world.dispatched[0]!, world.action)).rejects.toThrow('killed');
  world.house.after = () => {};
  return finding();
}

/** The finding's own row, as somebody who may write the table leaves it. */
async function rewrite(found: Finding, parts: Partial<Finding>): Promise<void> {
  const row = { ...found, ...parts, version: found.version + 1 };
  const [entry] = (await world.ledger.entries(row.id)).slice(-1);
  await world.ledger.save(row, { ...entry!, seq: row.version });
}

describe('an undo that waits for a second person, of a fix half done', () => {
  test('is still asked after a sweep that treats all as new drift', async () => {
    await halfDone();
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    world.house.lamps.set('hall', { on: true });
    await world.detect(sweepOf('lamp-off', { apply: true }));
    await give(world, await finding(), 'approve', { by: person('lee') });
    expect(await run(true)).toEqual({ ended: 'EXCEPTED' });
    expect(isOn()).toBe(true);
  });

  test('keeps the fix from going on, also where it was asked between the first look at it and the lease', async () => {
    const { id } = await halfDone();
    world.house.lamps.set('hall', { on: true });
    world.house.writes = [];
    const ports = {
      ...world.ports,
      killSwitch: async () => {
        await give(world, await finding(), 'undo', { by: person('dana') });
        await run();
        return false;
      },
    };
    expect(await act(id, { ...world.action, ports })).toMatchObject({ again: 900 });
    expect(world.house.writes).toEqual([]);
  });

  test('is no question that an execution of the fix could end', async () => {
    await halfDone();
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    const at = world.clock.now().toISOString();
    await rewrite(await finding(), { outcome: { status: 'AWAITING_APPROVAL', reason: 'asked before', at } });
    world.dispatched.length = 0;
    world.advance(80 * 3_600);
    await redrive(await finding(), world.ports);
    expect(world.dispatched).toEqual([]);
  });

  test('lets the fix go on when it is off', async () => {
    const { id } = await halfDone();
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    expect(await act(id, world.action)).toMatchObject({ again: 900 });
    await give(world, await finding(), 'deny', { by: person('lee') });
    await run(true);
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Not undone: lamp-off on hall');
    world.advance(900);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Fixed: lamp-off on hall');
    expect(world.alerts.at(-1)!.text).toContain('Done:      Switch the lamp off.');
  });

  test('once it is off, what is asked next is told', async () => {
    const { id } = await halfDone();
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    await give(world, await finding(), 'deny', { by: person('lee') });
    await run(true);
    world.policy = { ...policyOf({ 'lamp-off': { mode: 'approve' } }, 'p2'), people };
    world.house.lamps.set('hall', { on: true });
    world.advance(900);
    expect(await act(id, world.action)).toMatchObject({ knock: true });
    expect(world.alerts.at(-1)).toMatchObject({ urgency: 'page', subject: '[HIGH] Approval needed: lamp-off on hall' });
  });

  test('and is off, leaves what was denied before denied', async () => {
    const { id } = await halfDone();
    const denied = { planHash: 'another', by: 'kim', at: world.clock.now().toISOString(), reason: 'kim denied it.' };
    await rewrite(await finding(), { denied });
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    await give(world, await finding(), 'deny', { by: person('lee'), reason: 'no' });
    await run(true);
    expect(await world.ledger.get(id)).toMatchObject({ denied, undo: { state: 'withdrawn', why: 'lee denied it: no' } });
  });
});

describe('a row that somebody else wrote', () => {
  test('an undo that has begun, and was never asked for', async () => {
    const found = await fixed();
    const undoing = { state: 'intended', by: 'lee', reason: 'r', until: '2026-12-01', at: world.clock.now().toISOString() } as const;
    await rewrite(found, { undo: undoing });
    await run();
    expect(world.house.writes).toEqual(['hall=false']);
  });

  test('what the bot is said to have written changed after the undo was asked for', async () => {
    await fixed(call('SwitchOn', 'hall'));
    await give(world, await finding(), 'undo', { by: person('dana') });
    await run();
    const found = await finding();
    const [write] = found.changes;
    await rewrite(found, { changes: [{ ...write!, change: { ...write!.change, before: { on: 'always' } } }] });
    await give(world, await finding(), 'approve', { by: person('lee') });
    await run(true);
    expect(world.house.writes).toEqual(['hall=false']);
    expect(await notes('UNDO_FAILED')).toEqual([expect.stringContaining('not what was asked about any more')]);
  });
});

test.each([
  ['done', '[HIGH] Undone: lamp-off on hall', () => {}],
  ['failed', '[HIGH] UNDO FAILED: lamp-off on hall', () => world.house.lamps.clear()],
])('an undo that is %s and could not be told is told by the next attempt, once', async (_, subject, meanwhile) => {
  await fixed();
  meanwhile();
  await give(world, await finding(), 'undo');
  world.before = (name) => {
    if (name === 'alert') throw new Error('no topic');
  };
  await expect(run()).rejects.toThrow('no topic');
  world.before = () => {};
  await run();
  await run();
  expect(world.alerts.map((alert) => alert.subject)).toEqual([subject]);
});

describe('giving up', () => {
  test('an undo that is done and could not be told is done', async () => {
    const { id } = await fixed();
    await give(world, await finding(), 'undo');
    world.before = (name) => {
      if (name === 'alert') throw new Error('no topic');
    };
    await expect(run()).rejects.toThrow('no topic');
    world.before = () => {};
    await giveUpUndo(id, '5 attempts failed', world.action);
    expect(await finding()).toMatchObject({ undo: { state: 'done' } });
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Undone: lamp-off on hall');
  });

  test('where nothing has been recorded yet, nothing is', async () => {
    const { id } = await fixed();
    expect(await giveUpUndo(id, '5 attempts failed', world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('on AWS, which keeps an undo waiting for ever', async () => {
    await fixed();
    const control = (await world.catalogue[0]!.load()) as { undo?: unknown };
    control.undo = async () => ({ again: 60, note: 'The lamp is being moved.' });
    await give(world, await finding(), 'undo');
    expect(await run()).toMatchObject({ again: 60 });
    world.advance(7 * 3_600);
    await run();
    expect(await notes('UNDO_FAILED')).toEqual([expect.stringContaining('kept the undo waiting too long')]);
  });
});

test('an exception made while the bot runs holds for its own resource and control only', async () => {
  world.policy = fixing();
  const resource = { accountId: '123456789012', region: 'us-east-1', type: 'AWS::Lamp::Lamp', id: lampArn('hall') };
  const made = { control: 'lamp-off', resource, reason: 'r', approvedBy: 'lee', expires: '2026-11-02', findingId: 'f', at: '2026-11-01T00:00:00Z' };
  await except([made], world.ports);
  await except([{ ...made, control: 'other' }], world.ports);
  for (const lamp of ['hall', 'attic']) {
    world.house.lamps.set(lamp, { on: true });
    await world.detect(call('SwitchOn', lamp));
  }
  await world.runDispatched();
  expect(world.house.writes).toEqual(['attic=false']);
});
