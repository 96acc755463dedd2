/** On moto, or on a shaped fake where the entry says so; the entries are in round-trip/. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnyStateControl } from '../../engine/control.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { accountId, adminKeys, region } from '../support/control-tester.ts';
import { describeOnMoto, type Moto, startMoto } from '../support/moto.ts';
import { roundTrip } from '../support/round-trip.ts';
import { roundTrips } from './round-trip/index.ts';

/** Worlds of each control in one run of the tests; more of them by hand: `RUNS=50`. */
const runs = Number(process.env.RUNS ?? 4);

describeOnMoto('fix, undo, fix, undo: the setting ends as it began', () => {
  let moto: Moto;
  let access: ReturnType<typeof awsAccess>;
  beforeAll(async () => {
    moto = await startMoto();
    access = awsAccess({ credentials: adminKeys, maxAttempts: 1, endpoint: moto.endpoint, forcePathStyle: true });
  });
  afterAll(() => moto?.stop());

  let made = 0;
  const worlds = Object.entries(roundTrips);
  const whole = worlds.flatMap(([id, world]) =>
    'reason' in world ? [] : [{ id, world, on: world.fake ? 'on a shaped fake' : ['on moto', world.moto].filter(Boolean).join('; ') }],
  );
  for (const [id, world] of worlds) if ('reason' in world) test.skip(`${id}: ${world.reason}`, () => {});

  test.each(whole)('$id ($on)', async ({ id, world }) => {
    const control = (await catalogue.find((entry) => entry.id === id)!.load()) as AnyStateControl;
    const aws = access({ accountId, region }, { share: false });
    const holds = fc.asyncProperty(world.prior, async (prior) => {
      const fake = world.fake?.();
      try {
        made += 1;
        await roundTrip(control, world, aws, prior, `round-${made}`);
      } finally {
        await world.clear?.(aws);
        fake?.restore();
      }
    });
    await fc.assert(holds, { numRuns: runs });
    expect.hasAssertions();
  });
});
