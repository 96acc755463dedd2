import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { offersOf } from '../../../engine/alerts/offers.ts';
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
