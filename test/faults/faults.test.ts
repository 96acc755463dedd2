/** The deployed bot under seeded schedules of faults: a hundred that are the same each time, and fifty new ones. */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kills } from '../../cli/local-stack/faults.ts';
import { describeOnMoto } from '../support/moto.ts';
import { type Harness, report, startHarness, type Verdict } from './harness.ts';
import { scheduleOf } from './schedule.ts';

const fixedSeeds = 100;
const newSeeds = 50;
/** Schedules that must have had a process killed in earnest. */
const killed = 100;

describeOnMoto('schedules of faults (on moto, IAM enforced)', () => {
  let harness: Harness;
  const verdicts: Verdict[] = [];
  const first = randomInt(1_000_000, 2_000_000_000);

  beforeAll(async () => {
    harness = await startHarness();
  }, 240_000);
  afterAll(() => harness?.stop());

  const runs = async (from: number, many: number) => {
    const those = await harness.run(Array.from({ length: many }, (_, index) => scheduleOf(from + index)));
    verdicts.push(...those);
    // The text of a failure is what a person needs to see it again.
    expect(those.filter(({ violations }) => violations.length > 0).map(report)).toEqual([]);
  };

  test(`seeds 1 to ${fixedSeeds}: each drift ends fixed once or told, with all of its evidence`, () => runs(1, fixedSeeds), 1_800_000);

  test(`${newSeeds} new seeds, ${first} and those that follow`, () => runs(first, newSeeds), 1_200_000);

  test('they have struck: at least ten controls, every kind of fault, and a real SIGKILL in most', () => {
    const struck = verdicts.map(({ lane }) => lane.struck);
    expect(new Set(verdicts.flatMap(({ lane }) => lane.cases.map(({ broken }) => broken.control))).size).toBeGreaterThanOrEqual(10);
    expect(struck.filter((kinds) => kinds.some(kills)).length).toBeGreaterThanOrEqual(killed);
  });
});
