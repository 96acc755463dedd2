/** Schedules of faults against the deployed bot on the local stack, and what came of them: `npm run bench:faults -- --schedules N --seed N`. */
import { parseArgs } from 'node:util';
import { kills } from '../cli/local-stack/faults.ts';
import { report, startHarness, type Verdict } from '../test/faults/harness.ts';
import { scheduleOf } from '../test/faults/schedule.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string' },
    seed: { type: 'string' },
    wave: { type: 'string', default: '30' },
    verbose: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed ?? 1);
const many = Number(values.schedules ?? (values.seed === undefined ? 2_000 : 1));

const counted = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, those]) => `  ${name}: ${those.length}`)
    .join('\n');

/** Schedules in one account: what earlier ones leave open is swept with the rest, and makes each sweep longer. */
const perAccount = 300;
/** Schedules that are asked for at a time. */
const perPart = values.stop ? 30 : perAccount;

const verdicts: Verdict[] = [];
const failedAlready = () => verdicts.some(({ violations }) => violations.length > 0);
let deploying = 0;
const begun = performance.now();
for (let from = 0; from < many && !(values.stop && failedAlready()); from += perAccount) {
  const since = performance.now();
  const harness = await startHarness({
    wave: Number(values.wave),
    ...(values.verbose && { log: console.error, onLog: ({ line }) => line.includes('"ERROR"') && console.error(line) }),
  });
  deploying += performance.now() - since;
  try {
    const to = Math.min(from + perAccount, many);
    for (let at = from; at < to && !(values.stop && failedAlready()); at += perPart) {
      const schedules = Array.from({ length: Math.min(perPart, to - at) }, (_, index) => scheduleOf(first + at + index));
      const those = await harness.run(schedules, (verdict) => {
        if (verdict.violations.length > 0 || values.verbose || many === 1) console.log(report(verdict));
      });
      verdicts.push(...those);
    }
  } finally {
    await harness.stop();
  }
}
const struck = verdicts.flatMap(({ lane }) => lane.struck);
const killed = verdicts.filter(({ lane }) => lane.struck.some(kills));
const calls = verdicts
  .flatMap(({ lane }) => [...lane.counts.values()].flatMap((invocations) => [...invocations.values()]))
  .reduce((sum, invocation) => sum + invocation.calls, 0);
const failed = verdicts.filter(({ violations }) => violations.length > 0);
console.log(
  [
    `Schedules: ${verdicts.length} (seeds ${first} to ${first + verdicts.length - 1}), drifts: ${verdicts.flatMap(({ schedule }) => schedule.drifts).length}`,
    `Controls covered: ${new Set(verdicts.flatMap(({ lane }) => lane.cases.map(({ broken }) => broken.control))).size}`,
    `Calls of the bot: ${calls}`,
    `Faults: ${struck.length}`,
    counted(struck),
    `SIGKILLs: ${struck.filter(kills).length}, in ${killed.length} schedules`,
    'Outcomes:',
    counted(verdicts.flatMap(({ outcomes }) => outcomes.map((outcome) => outcome.split(' ')[1]!))),
    `Violations: ${failed.flatMap(({ violations }) => violations).length}, in ${failed.length} schedules${failed.length > 0 ? `: seeds ${failed.map(({ schedule }) => schedule.seed).join(' ')}` : ''}`,
    `Deploying: ${Math.round(deploying / 1000)} s, schedules: ${Math.round((performance.now() - begun - deploying) / 1000)} s`,
    'A seed gives the same drifts, deliveries and faults. Not the same each time: how calls of processes that run at once interleave, and so which call is the nth.',
  ].join('\n'),
);
if (failed.length > 0) process.exitCode = 1;
