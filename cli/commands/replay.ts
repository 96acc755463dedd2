/** `replay`: saved events through the same code as live ones. */
import type { Command } from 'commander';
import type { AnyControl } from '../../engine/control.ts';
import { detect, type Line } from '../../engine/detect.ts';
import { summaryOf } from '../../engine/finding.ts';
import type { ResourceRef, Trigger } from '../../engine/model.ts';
import { type DropReason, normalise } from '../../engine/normalise.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { type Routed, route, routerOf } from '../../engine/route.ts';
import { sweepPages } from '../../engine/sweep.ts';
import { catalogue, defaultPolicy, policyFrom, say, whoAmI } from '../context.ts';
import { type ExitCode, printable, UsageError } from '../errors.ts';
import { failuresOf } from '../failures.ts';
import { eventsOf, type InputEvent } from '../input.ts';
import { type Form, lineWriter } from '../lines.ts';
import { openSession } from '../session.ts';
import { sweepTrigger } from './sweep.ts';

interface Options {
  readonly policy: string;
  readonly apply?: true;
  readonly offline?: true;
  readonly json?: true;
  readonly raw?: true;
  readonly state: string;
  readonly region?: string;
}

/** Reasons that mean the input is wrong, rather than of no interest. */
const refused: readonly string[] = [
  'not an event',
  'incomplete event',
  'unknown kind of event',
  'another account',
  'another account in the record',
] satisfies DropReason[];

export function addReplay(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('replay')
    .description('run saved events through the bot: EventBridge events, arrays, NDJSON or CloudTrail log files, also .gz')
    .argument('<file...>', 'files of events; - is standard input')
    .option('--policy <file>', 'policy to decide by', defaultPolicy)
    .option('--apply', 'act; without it live state is read and nothing is written')
    .option('--offline', 'only route: no AWS, records of any account and region')
    .option('--state <dir>', 'folder of the embedded database', '.phidelity')
    .option('--region <region>', 'AWS region to sign in to; by default that of the SDK')
    .option('--json', 'one JSON line a work item, and a last line with the summary')
    .option('--raw', 'names as they are; without it identifiers of persons are redacted')
    .addHelpText(
      'after',
      '\nExamples: what would be looked at, what would be done, and do it\n  npx phidelity replay trail.json.gz --offline\n  npx phidelity replay trail.json.gz\n  npx phidelity replay trail.json.gz --apply --policy policies/restore-and-close.yaml',
    )
    .action(async (files: string[], options: Options) => {
      if (options.apply && options.offline) throw new UsageError('--apply reads and writes live state, --offline does neither: choose one', 2);
      const inputs = await eventsOf(files);
      const { policy } = await policyFrom(options.policy);
      exit(options.offline ? await offline(inputs, policy, options) : await live(inputs, policy, options));
    });
}

async function live(inputs: readonly InputEvent[], policy: CompiledPolicy, options: Options): Promise<ExitCode> {
  const caller = await whoAmI(options.region);
  const session = openSession({ state: options.state, policy, caller, apply: options.apply ?? false });
  const writer = lineWriter(options);
  const tally = tallyOf(caller.accountId);
  const failures = failuresOf();
  try {
    // As many at a time as a batch from the queue, so that state is never held for a whole log file.
    for (let at = 0; at < inputs.length; at += 10) {
      const batch = inputs.slice(at, at + 10);
      if (failures.hopeless) {
        for (const { place } of batch) tally.add(place, false, ['not run']);
        continue;
      }
      const reports = await detect(
        batch.map(({ event }) => event),
        session.detection,
      );
      for (const [index, { lines, work, sweeps, dropped, errors }] of reports.entries()) {
        const { place } = batch[index]!;
        for (const line of lines) writer.write(line);
        failures.add(errors, place);
        tally.add(place, work + sweeps + errors.length > 0, dropped);
      }
    }
    for (const { control, place } of session.wanted) {
      if (failures.hopeless) break;
      const of = await catalogue.find(({ id }) => id === control)!.load();
      const trigger = sweepTrigger(control, place, new Date().toISOString());
      const what = `${control} in ${place.region}`;
      try {
        for await (const { report } of sweepPages({ trigger, control: of, place }, session.detection)) {
          for (const line of report.lines) writer.write(line);
          failures.add(report.errors, what);
        }
      } catch (error) {
        failures.add([error], what);
      }
    }
  } finally {
    session.close();
  }
  const { drift } = writer.end({ events: inputs.length, failed: failures.count, ...tally });
  failures.tell();
  return failures.count > 0 ? 2 : drift || tally.refused > 0 ? 1 : 0;
}

async function offline(inputs: readonly InputEvent[], policy: CompiledPolicy, form: Form): Promise<ExitCode> {
  const router = routerOf(catalogue);
  const writer = lineWriter(form);
  const tally = tallyOf();
  for (const { place, event } of inputs) {
    const { triggers, dropped } = normalise(event);
    let work = 0;
    for (const trigger of triggers) {
      const selected = await Promise.all(router.select(trigger).map((entry) => entry.load()));
      const routed = route(trigger, selected, policy);
      for (const line of offlineLines(trigger, routed)) writer.write(line);
      work += routed.items.length + routed.sweeps.length;
    }
    tally.add(place, work > 0, triggers.length > 0 && work === 0 ? [...dropped, 'no control'] : dropped);
  }
  writer.end({ events: inputs.length, failed: 0, ...tally });
  return tally.refused > 0 ? 1 : 0;
}

function offlineLines(trigger: Trigger, { items, sweeps }: Routed): Line[] {
  const line = (control: AnyControl, resource: ResourceRef, reason: string): Line => ({
    eventId: trigger.eventId,
    eventName: summaryOf(trigger).eventName ?? null,
    control: control.id,
    resource,
    evaluation: null,
    decision: { action: 'none', reason },
    outcome: { status: 'DRY_RUN', reason },
    change: null,
    findingId: null,
    calls: { read: 0, write: 0 },
  });
  return [
    ...items.map(({ control, resource }) => line(control, resource, 'Offline: routed, not read.')),
    ...sweeps.map(({ control, place }) =>
      line(
        control,
        { ...place, type: control.resourceType, id: '*' },
        'Offline: the event does not name its resource, so all of the type there would be read.',
      ),
    ),
  ];
}

/** @param own the account whose events are taken; undefined takes those of any. */
function tallyOf(own?: string) {
  const droppedBy: Record<string, number> = {};
  const tally = {
    droppedBy,
    routed: 0,
    refused: 0,
    add(place: string, worked: boolean, reasons: readonly string[]) {
      if (worked) tally.routed += 1;
      for (const reason of new Set(reasons)) {
        if (!worked) droppedBy[reason] = (droppedBy[reason] ?? 0) + 1;
        if (!refused.includes(reason)) continue;
        tally.refused += 1;
        if (tally.refused <= 5)
          say(printable(`${place}: ${reason}${own && reason.startsWith('another account') ? `: the credentials are those of ${own}` : ''}`));
        if (tally.refused === 6) say('... and more; the summary counts them');
      }
    },
  };
  return tally;
}
