/** `sweep`: evaluates everything that exists, control by control. */
import { randomUUID } from 'node:crypto';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { detect } from '../../engine/detect.ts';
import type { Place } from '../../engine/model.ts';
import { globalRegionOf } from '../../engine/route.ts';
import { catalogue, defaultPolicy, policyFrom, whoAmI } from '../context.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { failuresOf } from '../failures.ts';
import { lineWriter } from '../lines.ts';
import { nearest } from '../nearest.ts';
import { openSession } from '../session.ts';

interface Options {
  readonly control?: readonly string[];
  readonly service?: readonly string[];
  readonly policy: string;
  readonly apply?: true;
  readonly json?: true;
  readonly state: string;
  readonly region?: string;
}

/** The message that asks for a sweep of one control in one place; the same one detect sends itself. */
export const sweepEvent = (control: string, { accountId, region }: Place): unknown => ({
  source: 'phidelity',
  'detail-type': 'Sweep',
  id: randomUUID(),
  account: accountId,
  region,
  time: new Date().toISOString(),
  detail: { control },
});

export function addSweep(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('sweep')
    .description('evaluate everything that exists in a region; exit code 1 when something fails a control')
    .option('--control <id...>', 'only these controls')
    .option('--service <name...>', 'only the controls of these services')
    .option('--policy <file>', 'policy to decide by', defaultPolicy)
    .option('--apply', 'act; without it nothing is written')
    .option('--state <dir>', 'folder of the embedded database', '.phidelity')
    .option('--region <region>', 'AWS region to sweep; by default that of the SDK')
    .option('--json', 'one JSON line a resource, and a last line with the summary')
    .addHelpText(
      'after',
      '\nExamples: look at all buckets; close what fails one control\n  npx phidelity sweep --service s3\n  npx phidelity sweep --control s3-bucket-public-access-block --apply',
    )
    .action(async (options: Options) => exit(await sweep(options)));
}

async function sweep(options: Options): Promise<ExitCode> {
  const entries = chosen(options);
  const { policy } = await policyFrom(options.policy);
  const caller = await whoAmI(options.region);
  const session = openSession({ state: options.state, policy, caller, apply: options.apply ?? false });
  const writer = lineWriter(options.json ?? false);
  // Not with --apply: alerts go to standard error too, and the bar would be drawn over them.
  const progress =
    process.stderr.isTTY && !options.apply
      ? new SingleBar({ stream: process.stderr, format: '{bar} {value}/{total} {control}', hideCursor: true, clearOnComplete: true })
      : undefined;
  const failures = failuresOf();
  let routed = 0;
  let unread = 0;
  progress?.start(entries.length, 0, { control: '' });
  try {
    for (const { id, scope } of entries) {
      progress?.update({ control: id });
      const region = scope === 'global' ? globalRegionOf(caller.region) : caller.region;
      const [report] = await detect([sweepEvent(id, { accountId: caller.accountId, region })], session.detection);
      // A bar that stops puts the cursor back to where it began: nothing may be printed meanwhile.
      if (report!.lines.length > 0) progress?.stop();
      for (const line of report!.lines) writer.write(line);
      if (report!.lines.length > 0) progress?.start(entries.length, routed + unread, { control: id });
      failures.add(report!.errors, id);
      if (report!.errors.length > 0) unread += 1;
      else routed += 1;
      progress?.increment();
      if (failures.hopeless) break;
    }
  } finally {
    progress?.stop();
    session.close();
  }
  const notRun = entries.length - routed - unread;
  const droppedBy = { ...(unread > 0 && { 'could not be read': unread }), ...(notRun > 0 && { 'not run': notRun }) };
  const { drift } = writer.end({ events: entries.length, routed, droppedBy, failed: failures.count });
  failures.tell();
  return failures.count > 0 ? 2 : drift ? 1 : 0;
}

function chosen({ control, service }: Options) {
  // Event controls have no live state to sweep.
  const sweepable = catalogue.filter(({ kind }) => kind === 'state');
  const check = (given: readonly string[] | undefined, known: readonly string[], what: string) => {
    for (const word of given ?? []) {
      if (known.includes(word)) continue;
      const near = nearest(word, known);
      throw new UsageError(`there is no ${what} ${word} to sweep${near ? `; did you mean ${near}?` : ''}`, 2);
    }
  };
  check(
    control,
    sweepable.map(({ id }) => id),
    'control',
  );
  check(service, [...new Set(sweepable.map((entry) => entry.service))], 'service');
  return sweepable.filter((entry) => (!control || control.includes(entry.id)) && (!service || service.includes(entry.service)));
}
