/** Undos whose execution is dead: the heartbeat has another one go on, once, and leaves alone what somebody is at. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import type { Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { undo } from '../../../engine/undo.ts';
import { give, people, person } from '../../support/answers.ts';
import { by, call, policyOf, terraform, tickAt, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const hour = 3_600;
const fixing = (): CompiledPolicy => ({ ...policyOf({ 'lamp-off': {} }), people });
const finding = async (): Promise<Finding> => (await world.findings()).find(({ control }) => control === 'lamp-off')!;
const tick = () => world.detect(tickAt(world.clock.now()));
const isOn = () => world.house.lamps.get('hall')?.on;
const run = async () => undo((await finding()).id, world.action);

/** A lamp that the bot has switched off. @param maker whose change that was */
async function fixed(maker: Parameters<typeof call>[2] = by(terraform)): Promise<void> {
  world.policy = fixing();
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', maker));
  expect(await world.runDispatched()).toEqual(['REMEDIATED']);
}

/** The execution dies at the next call of this name. */
async function dies(at: string): Promise<void> {
  world.before = (name) => {
    if (name === at) throw new Error('killed');
  };
  world.house.before = (name) => {
    if (name === at) throw new Error('killed');
  };
  await expect(run()).rejects.toThrow('killed');
  world.before = () => {};
  world.house.before = () => {};
}

test('begun: gone on with once it has been silent for seven hours, to its verified end', async () => {
  await fixed();
  await give(world, await finding(), 'undo');
  await dies('write');
  expect(await finding()).toMatchObject({ state: 'resolved', undo: { state: 'intended' } });
  world.advance(6.9 * hour);
  await tick();
  expect(world.resumed).toEqual([]);
  world.advance(0.2 * hour);
  await tick();
  expect(world.resumed).toEqual([`${(await finding()).id} 1`]);
  expect((await world.ledger.entries((await finding()).id)).at(-1)).toMatchObject({ kind: 'DISPATCHED', by: 'detect', note: 'Nobody was at the undo.' });
  expect(await run()).toEqual({ ended: 'EXCEPTED' });
  expect(isOn()).toBe(true);
  expect(await finding()).toMatchObject({ undo: { state: 'done', by: 'lee' } });
  world.advance(24 * hour);
  await tick();
  expect(world.resumed).toHaveLength(1);
});

test('begun, of a fix that is still open, and that is not driven meanwhile', async () => {
  world.policy = fixing();
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  world.house.before = (name) => {
    if (name === 'write') throw new Error('killed');
  };
  await expect(act(world.dispatched[0]!, world.action)).rejects.toThrow('killed');
  world.house.before = () => {};
  await give(world, await finding(), 'undo');
  await dies('read');
  expect(await finding()).toMatchObject({ state: 'open', undo: { state: 'asked' } });
  world.advance(80 * hour);
  const driven = world.dispatched.length;
  await tick();
  expect([world.resumed.length, world.dispatched.length]).toEqual([1, driven]);
});

test('the heartbeat dies between noting it and asking: the next one asks, and starts nothing new', async () => {
  await fixed();
  await give(world, await finding(), 'undo');
  await dies('write');
  world.advance(8 * hour);
  world.before = (name) => {
    if (name === 'resumeUndo') throw new Error('killed');
  };
  await tick();
  world.before = () => {};
  expect(world.resumed).toEqual([]);
  world.advance(900);
  await tick();
  await tick();
  expect(world.resumed).toEqual([`${(await finding()).id} 1`]);
  // That one dies too.
  world.advance(8 * hour);
  await tick();
  expect(world.resumed).toEqual([`${(await finding()).id} 1`, `${(await finding()).id} 2`]);
});

test('waiting for a person: left alone until its time has run out, then told as off', async () => {
  await fixed(by(person('lee')));
  await give(world, await finding(), 'undo');
  expect(await run()).toMatchObject({ knock: true });
  world.advance(71 * hour);
  await tick();
  expect(world.resumed).toEqual([]);
  world.advance(hour + 700);
  await tick();
  expect(world.resumed).toHaveLength(1);
  await run();
  expect(await finding()).toMatchObject({ undo: { state: 'withdrawn' } });
  expect(world.alerts.at(-1)!.subject).toContain('Not undone');
});

test('approved by enough, and dead before it began', async () => {
  await fixed(by(person('lee')));
  await give(world, await finding(), 'undo');
  await run();
  await give(world, await finding(), 'approve', { by: person('kim') });
  await dies('read');
  expect(await finding()).toMatchObject({ undo: { state: 'asked' }, question: { approvals: [{ person: 'kim' }] } });
  world.advance(7.1 * hour);
  await tick();
  expect(world.resumed).toHaveLength(1);
  expect(await run()).toEqual({ ended: 'EXCEPTED' });
  expect(isOn()).toBe(true);
});
