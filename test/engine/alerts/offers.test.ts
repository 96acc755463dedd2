import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import { offersOf } from '../../../engine/alerts/offers.ts';
import { undo } from '../../../engine/undo.ts';
import { give, people, person } from '../../support/answers.ts';
import { by, call, policyOf, terraform, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test.each<[string, Parameters<typeof offersOf>[1], string[]]>([
  ['any control', {}, ['except', 'snooze', 'recheck']],
  ['one that ends a public exposure', { endsPublicExposure: true }, ['snooze', 'recheck']],
  ['one that guards the bot itself', { deployed: () => ({}) }, ['snooze', 'recheck']],
])('what one person may not except is not offered: %s', async (_, control, offered) => {
  world.policy = policyOf({ 'lamp-off': { mode: 'notify' } });
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  expect(offersOf((await world.findings())[0]!, control).map(({ decision }) => decision)).toEqual(offered);
});

test('a yes or no to an undo says that it is one', async () => {
  world.policy = { ...policyOf({ 'lamp-off': {} }), people };
  const control = (await world.catalogue[0]!.load()) as { endsPublicExposure?: true };
  control.endsPublicExposure = true;
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  const found = async () => (await world.findings())[0]!;
  await give(world, await found(), 'undo', { by: person('lee') });
  await undo((await found()).id, world.action);
  expect(offersOf(await found(), { undo: true })).toMatchObject([
    { decision: 'approve', about: 'undo' },
    { decision: 'deny', about: 'undo' },
  ]);
});

test('a yes or no to a fix says nothing more', async () => {
  world.policy = { ...policyOf({ 'lamp-off': { mode: 'approve' } }), people };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  await act(world.dispatched[0]!, world.action);
  const offers = offersOf((await world.findings())[0]!, {});
  expect(offers.map(({ decision, about }) => [decision, about])).toEqual([
    ['approve', undefined],
    ['deny', undefined],
    ['except', undefined],
    ['snooze', undefined],
    ['recheck', undefined],
  ]);
});
