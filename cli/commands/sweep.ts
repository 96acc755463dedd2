/** `sweep`: evaluates everything that exists, control by control and region by region. What was interrupted can go on. */
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { Report } from '../../engine/batch.ts';
import type { CatalogueEntry } from '../../engine/control.ts';
import { isOff, settingsOf } from '../../engine/judge.ts';
import type { Place } from '../../engine/model.ts';
import { globalRegionOf } from '../../engine/route.ts';
import { type SweepTrigger, sweepPages } from '../../engine/sweep.ts';
import { catalogue, defaultPolicy, policyFrom, print, say, stackNameOf, whoAmI } from '../context.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { failuresOf } from '../failures.ts';
import { lineWriter } from '../lines.ts';
import { nearest } from '../nearest.ts';
import { checkRegion, doubtOf } from '../region.ts';
import { openSession } from '../session.ts';
import { askForSweeps } from '../sweep-stack.ts';
import { forget, fresh, keep, resumed } from '../sweep-standing.ts';

interface Options {
  readonly control?: readonly string[];
  readonly service?: readonly string[];
  readonly policy: string;
  readonly apply?: true;
  readonly resume?: true;
  readonly stack?: string;
  readonly json?: true;
  readonly raw?: true;
  readonly state: string;
  readonly region?: readonly string[];
}

/** A sweep of one control in one place, begun by a person at the terminal. */
export const sweepTrigger = (control: string, { accountId, region }: Place, began: string, from?: string): SweepTrigger => ({
  source: 'sweep',
  eventId: `sweep:${began}`,
  time: began,
  accountId,
  region,
  control,
  began,
  from,
});

export function addSweep(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('sweep')
    .description('evaluate everything that exists in a region; exit code 1 when something fails a control')
    .option('--control <id...>', 'only these controls')
    .option('--service <name...>', 'only the controls of these services')
    .option('--policy <file>', 'policy to decide by', defaultPolicy)
    .option('--apply', 'act; without it nothing is written')
    .option('--stack <name>', 'ask a deployed bot to sweep, with its own policy; with --apply it treats like new drift what was there before it', stackNameOf)
    .option('--resume', 'go on where the same sweep was interrupted')
    .option('--state <dir>', 'folder of the embedded database, and of what an interrupted sweep has reached', '.phidelity')
    .option('--region <region...>', 'AWS regions to sweep; by default that of the SDK')
    .option('--json', 'one JSON line a resource, and a last line with the summary')
    .option('--raw', 'names as they are; without it identifiers of persons are redacted')
    .addHelpText(
      'after',
      '\nExamples: look at all buckets; close what fails one control; go on after Ctrl-C\n  npx phidelity sweep --service s3\n  npx phidelity sweep --control s3-bucket-public-access-block --apply\n  npx phidelity sweep --resume',
    )
    .action(async (options: Options) => exit(options.stack === undefined ? await sweep(options) : await ask(options.stack, options)));
}

async function ask(stack: string, { region, apply, resume, json, ...options }: Options): Promise<ExitCode> {
  if (resume) throw new UsageError('--resume goes on with a sweep of this machine: leave it out, the bot goes on by itself', 2);
  for (const each of region ?? []) checkRegion(each);
  const asked = await askForSweeps(stack, chosen(options), region, apply ?? false);
  if (json) print(JSON.stringify({ asked }));
  else say(`Asked the bot for ${asked.length} sweeps. What comes of them: npx phidelity findings --open --stack ${stack}`);
  return 0;
}

async function sweep(options: Options): Promise<ExitCode> {
  const entries = chosen(options);
  for (const region of options.region ?? []) {
    checkRegion(region);
    const doubt = doubtOf(region);
    if (doubt) say(`${doubt} (warning)`);
  }
  const { policy } = await policyFrom(options.policy);
  const caller = await whoAmI(options.region?.[0]);
  const stretches = stretchesOf(
    entries.filter(({ id }) => !isOff(settingsOf(policy, id))),
    options.region ?? [caller.region],
    caller.accountId,
  );
  const asked = {
    accountId: caller.accountId,
    policy: policy.id,
    apply: options.apply ?? false,
    stretches: stretches.map(({ entry, place }) => `${entry.id} ${place.region}`),
  };
  const standing = options.resume ? resumed(options.state, asked) : fresh();
  /** Where --resume goes on. What was done since is done again, and counted then. */
  let reached = structuredClone(standing);
  const session = openSession({ state: options.state, policy, caller, apply: asked.apply });
  const writer = lineWriter(options, standing.counts);
  const failures = failuresOf();
  const bar = progressBar(stretches.length, options);
  const stop = stopOnInterrupt(() => keepOrTell(options.state, asked, reached));
  const failedBefore = standing.failed;
  const reach = (from?: string) => {
    Object.assign(standing, { from, failed: failedBefore + failures.count });
    reached = structuredClone(standing);
  };
  try {
    bar.at(standing.done, '');
    for (const { entry, place } of stretches.slice(standing.done)) {
      bar.at(standing.done, `${entry.id} ${place.region}`);
      const trigger = sweepTrigger(entry.id, place, standing.began, standing.from);
      const control = await entry.load();
      const before = failures.count;
      let cut = false;
      try {
        for await (const { report, next } of sweepPages({ trigger, control, place }, session.detection)) {
          bar.around(() => write(report));
          failures.add(report.errors, entry.id);
          if (failures.hopeless) break;
          if (next) reach(next);
          // After the last page little is left: it is done.
          cut = stop.asked && next !== undefined;
          if (cut) break;
        }
      } catch (error) {
        failures.add([error], entry.id);
      }
      if (cut || failures.hopeless) break;
      if (failures.count > before) standing.unread += 1;
      standing.done += 1;
      reach();
      if (stop.asked) break;
    }
  } finally {
    bar.stop();
    stop.end();
    session.close();
  }
  const notRun = stretches.length - standing.done;
  const goesOn = notRun > 0 && keepOrTell(options.state, asked, reached);
  if (notRun === 0) forget(options.state, asked);
  const { unread } = standing;
  const failed = failedBefore + failures.count;
  const droppedBy = { ...(unread > 0 && { 'could not be read': unread }), ...(notRun > 0 && { 'not run': notRun }) };
  const { drift } = writer.end({ events: stretches.length, routed: standing.done - unread, droppedBy, failed });
  failures.tell();
  if (goesOn) say('Interrupted. The same command with --resume goes on.');
  return failed > 0 || notRun > 0 ? 2 : drift ? 1 : 0;

  function write({ lines }: Report): void {
    for (const line of lines) writer.write(line);
  }
}

interface Stretch {
  readonly entry: CatalogueEntry;
  readonly place: Place;
}

/** A global control is swept once, whichever regions are asked for. */
const stretchesOf = (entries: readonly CatalogueEntry[], regions: readonly string[], accountId: string): Stretch[] =>
  entries.flatMap((entry) =>
    (entry.scope === 'global' ? [globalRegionOf(regions[0]!)] : [...new Set(regions)]).map((region) => ({ entry, place: { accountId, region } })),
  );

/** Nothing that would be drawn over: alerts of --apply go to standard error too. */
function progressBar(total: number, { apply }: Options) {
  const bar =
    process.stderr.isTTY && !apply
      ? new SingleBar({ stream: process.stderr, format: '{bar} {value}/{total} {control}', hideCursor: true, clearOnComplete: true })
      : undefined;
  let value = 0;
  let control = '';
  return {
    at(done: number, name: string) {
      value = done;
      control = name;
      if (bar?.isActive) bar.update(value, { control });
      else bar?.start(total, value, { control });
    },
    /** A bar that stops puts the cursor back to where it began: nothing may be printed meanwhile. */
    around(print: () => void) {
      bar?.stop();
      print();
      bar?.start(total, value, { control });
    },
    stop: () => bar?.stop(),
  };
}

/** False: the folder cannot be written. */
function keepOrTell(...[directory, asked, reached]: Parameters<typeof keep>): boolean {
  try {
    keep(directory, asked, reached);
    return true;
  } catch (error) {
    say(`How far the sweep has come cannot be kept in ${directory}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** Ctrl-C ends the sweep after the page it is at; a second one ends the process, which has kept what it had reached. */
function stopOnInterrupt(keepNow: () => void) {
  const stop = { asked: false, end: () => void process.off('SIGINT', onSignal) };
  const onSignal = () => {
    stop.asked = true;
    process.off('SIGINT', onSignal);
    keepNow();
  };
  process.on('SIGINT', onSignal);
  return stop;
}

function chosen({ control, service }: Pick<Options, 'control' | 'service'>) {
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
