/** Two controls that write one setting of one resource. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { act } from '../../engine/act.ts';
import { actionHash } from '../../engine/answers/action-hash.ts';
import type { CatalogueEntry, Control } from '../../engine/control.ts';
import { madeExceptions } from '../../engine/exceptions.ts';
import { change, compliant, type Finding, nonCompliant } from '../../engine/model.ts';
import { undo } from '../../engine/undo.ts';
import { give, people } from '../support/answers.ts';
import { by, call, lampOff, policyOf, terraform, World } from '../support/world.ts';

/** Wants lamps dim, or off: it takes less away than `lamp-off`, which wants them off. */
const lampDim = (world: World, stronger = false): Control => {
  const { house } = world;
  const read = async (id: string) => house.lamps.get(id.slice(id.lastIndexOf('/') + 1)) as { on: boolean; bright?: boolean } | undefined;
  return {
    ...(lampOff(house) as Control),
    id: 'lamp-dim',
    inspect: async ({ id }) => read(id),
    evaluate: (state) => ((state as { on: boolean }).on ? nonCompliant('The lamp is bright.') : compliant('The lamp is not bright.')),
    plan: (state) => {
      const before = stronger ? { ...(state as object), and: 'much more that is taken away' } : 1;
      return change({ action: 'lamp:Dim', summary: 'Dim the lamp', before, after: 0 });
    },
    remediate: async ({ id }) => house.write(id.slice(id.lastIndexOf('/') + 1), false),
    undo: async ({ id }) => house.write(id.slice(id.lastIndexOf('/') + 1), true),
  };
};

const entryFor = (world: World, control: Control): CatalogueEntry => ({
  ...world.catalogue[0]!,
  id: control.id,
  writes: control.writes,
  load: async () => control,
});

let world: World;
beforeEach(() => {
  world = new World();
  Object.assign(world.catalogue[0]!, { writes: ['lamp:switch'] });
});
afterEach(() => world.close());

async function both(dim: Control, mode: 'fix' | 'approve' = 'fix') {
  world.catalogue.push(entryFor(world, dim));
  world.policy = { ...policyOf({ 'lamp-off': { mode }, 'lamp-dim': { mode } }), people };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  // Side by side, as executions run: each comes back when it said it would.
  const came: unknown[] = [];
  const due = new Map(world.dispatched.splice(0).map((name) => [name, 0]));
  for (let second = 0; second < 120 && due.size > 0; second += 1, world.advance(1))
    await Promise.all(
      [...due].map(async ([name, at]) => {
        if (at > second) return;
        const attempt = await act(name, world.action);
        if ('ended' in attempt) came.push(attempt.ended);
        if ('ended' in attempt) due.delete(name);
        else due.set(name, second + attempt.again);
      }),
    );
  return came;
}
const found = async (control: string): Promise<Finding> => (await world.findings()).find((finding) => finding.control === control)!;

test('the one that takes less away acts; one fix, one alert naming both', async () => {
  expect(new Set(await both(lampDim(world)))).toEqual(new Set(['REMEDIATED', 'COMPLIANT']));
  expect(world.house.writes).toEqual(['hall=false']);
  expect(await found('lamp-dim')).toMatchObject({ outcome: { status: 'REMEDIATED' }, also: ['lamp-off'] });
  expect(await found('lamp-off')).toMatchObject({ state: 'resolved', outcome: { status: 'COMPLIANT' } });
  expect(world.alerts.map(({ subject }) => subject)).toEqual(['[HIGH] Fixed: lamp-dim on hall']);
  expect(world.alerts[0]!.text).toContain('Also:      lamp-off failed on the same setting');
});

test('the other way round', async () => {
  await both(lampDim(world, true));
  expect(await found('lamp-off')).toMatchObject({ outcome: { status: 'REMEDIATED' }, also: ['lamp-dim'] });
  expect(world.alerts).toHaveLength(1);
});

test('people are asked about both, lest one wait untold for days; what is approved first is fixed, the other judged after it', async () => {
  await both(lampDim(world), 'approve');
  expect(world.alerts.map(({ subject }) => subject).sort()).toEqual(['[HIGH] Approval needed: lamp-dim on hall', '[HIGH] Approval needed: lamp-off on hall']);
  await give(world, await found('lamp-off'), 'approve');
  expect(await act((await found('lamp-off')).id, world.action, true)).toEqual({ ended: 'REMEDIATED' });
  expect(await act((await found('lamp-dim')).id, world.action)).toEqual({ ended: 'COMPLIANT' });
  expect(world.house.writes).toEqual(['hall=false']);
});

test('a fix that has begun and waits for AWS is not written into by one that takes less away', async () => {
  const slow = (await world.catalogue[0]!.load()) as Control;
  const write = slow.remediate!;
  let moved = false;
  Object.assign(slow, { remediate: async (...given: Parameters<typeof write>) => (moved ? write(...given) : { again: 60, note: 'being moved' }) });
  // Asked for long before it is begun.
  world.policy = { ...policyOf({ 'lamp-off': { fixAfter: 9 * 3_600 } }), people };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  const first = await found('lamp-off');
  world.advance(9 * 3_600);
  expect(await act(first.id, world.action)).toMatchObject({ again: 60 });
  world.advance(3_600);
  world.catalogue.push(entryFor(world, lampDim(world)));
  world.policy = { ...policyOf({ 'lamp-off': {}, 'lamp-dim': {} }), people };
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  expect(await act((await found('lamp-dim')).id, world.action)).toMatchObject({ again: 45, note: expect.stringContaining('lamp-off writes the same setting') });
  expect(world.house.writes).toEqual([]);
  moved = true;
  expect(await act(first.id, world.action)).toEqual({ ended: 'REMEDIATED' });
  expect(await act((await found('lamp-dim')).id, world.action)).toEqual({ ended: 'COMPLIANT' });
});

test('the end of a public exposure goes first, though it takes more away', async () => {
  Object.assign((await world.catalogue[0]!.load()) as object, { endsPublicExposure: true });
  await both({ ...lampDim(world), endsPublicExposure: undefined });
  expect(await found('lamp-off')).toMatchObject({ outcome: { status: 'REMEDIATED' }, also: ['lamp-dim'] });
});

test('the undo of the one that acted puts back what was there', async () => {
  await both(lampDim(world));
  const { id } = await found('lamp-dim');
  await give(world, await found('lamp-dim'), 'undo');
  expect(await undo(id, world.action)).toEqual({ ended: 'EXCEPTED' });
  expect(world.house.lamps.get('hall')).toMatchObject({ on: true });
  // Nor does the other one fix it now: who took the fix back has been told of both.
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  expect(await world.runDispatched()).toEqual([]);
  expect((await madeExceptions(world.ledger)).map(({ control }) => control)).toEqual(['lamp-dim', 'lamp-off']);
  await give(world, await found('lamp-dim'), 'end', { planHash: actionHash(await found('lamp-dim'), 'end') });
  await undo(id, world.action);
  expect(await madeExceptions(world.ledger)).toEqual([]);
});
