/** Schedules of faults against the deployed bot on the local stack, and what came of them: `npm run bench:faults -- --schedules N --seed N`. */
import { parseArgs } from 'node:util';
import { kills } from '../cli/local-stack/faults.ts';
import { report, startHarness, type Verdict } from '../test/faults/harness.ts';
import { scheduleOf } from '../test/faults/schedule.ts';

const { values } = parseArgs({
  options: { schedules: { type: 'string' }, seed: { type: 'string' }, wave: { type: 'string', default: '12' }, verbose: { type: 'boolean', default: false } },
});
const first = Number(values.seed ?? 1);
const many = Number(values.schedules ?? (values.seed === undefined ? 2_000 : 1));

const counted = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, those]) => `  ${name}: ${those.length}`)
    .join('\n');

const begun = performance.now();
const harness = await startHarness({
  wave: Number(values.wave),
  ...(values.verbose && { log: console.error, onLog: ({ line }) => line.includes('"ERROR"') && console.error(line) }),
});
const deployed = performance.now();
let verdicts: Verdict[] = [];
try {
  verdicts = await harness.run(
    Array.from({ length: many }, (_, index) => scheduleOf(first + index)),
    (verdict) => {
      if (verdict.violations.length > 0 || values.verbose || many === 1) console.log(report(verdict));
    },
  );
} finally {
  await harness.stop();
}
const struck = verdicts.flatMap(({ lane }) => lane.struck);
const killed = verdicts.filter(({ lane }) => lane.struck.some(kills));
const calls = verdicts
  .flatMap(({ lane }) => [...lane.counts.values()].flatMap((invocations) => [...invocations.values()]))
  .reduce((sum, invocation) => sum + invocation.calls, 0);
const failed = verdicts.filter(({ violations }) => violations.length > 0);
console.log(
  [
    `Schedules: ${verdicts.length} (seeds ${first} to ${first + many - 1}), drifts: ${verdicts.flatMap(({ schedule }) => schedule.drifts).length}`,
    `Controls covered: ${new Set(verdicts.flatMap(({ lane }) => lane.cases.map(({ broken }) => broken.control))).size}`,
    `Calls of the bot: ${calls}`,
    `Faults: ${struck.length}`,
    counted(struck),
    `SIGKILLs: ${struck.filter(kills).length}, in ${killed.length} schedules`,
    'Outcomes:',
    counted(verdicts.flatMap(({ outcomes }) => outcomes.map((outcome) => outcome.split(' ')[1]!))),
    `Violations: ${failed.flatMap(({ violations }) => violations).length}, in ${failed.length} schedules${failed.length > 0 ? `: seeds ${failed.map(({ schedule }) => schedule.seed).join(' ')}` : ''}`,
    `Deploy: ${Math.round((deployed - begun) / 1000)} s, schedules: ${Math.round((performance.now() - deployed) / 1000)} s`,
    'A seed gives the same drifts, deliveries and faults. Not the same each time: how calls of processes that run at once interleave, and so which call is the nth.',
  ].join('\n'),
);
if (failed.length > 0) process.exitCode = 1;
