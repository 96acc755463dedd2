/** Whatever can be undone is undone over random prior settings: test/remediations/round-trip.test.ts. */
import { expect, test } from '@jest/globals';
import { catalogue } from '../../remediations/index.ts';
import { roundTrips } from '../remediations/round-trip/index.ts';

test('every control with an undo has random prior settings, and no other control', () => {
  const undoable = catalogue.filter(({ undo }) => undo).map(({ id }) => id);
  expect(Object.keys(roundTrips).sort()).toEqual(undoable.sort());
});

test('a control without a world here says why in a sentence', () => {
  for (const world of Object.values(roundTrips)) if ('reason' in world) expect(world.reason).toMatch(/^[A-Z].{20,}\.$/s);
});
