/** `replay`: saved events through the same code as live ones. */
import type { Command } from 'commander';
import type { AnyControl } from '../../engine/control.ts';
import { detect, type Line } from '../../engine/detect.ts';
import { summaryOf } from '../../engine/finding.ts';
import type { ResourceRef, Trigger } from '../../engine/model.ts';
import { type DropReason, normalise } from '../../engine/normalise.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { type Routed, route, routerOf } from '../../engine/route.ts';
import { catalogue, defaultPolicy, policyFrom, say, whoAmI } from '../context.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { eventsOf, type InputEvent } from '../input.ts';
import { lineWriter } from '../lines.ts';
import { openSession } from '../session.ts';
import { sweepEvent } from './sweep.ts';

interface Options {
  readonly policy: string;
  readonly apply?: true;
  readonly offline?: true;
  readonly json?: true;
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
    .description('run saved events through the bot: EventBridge events, arrays, NDJSON or CloudTrail log files, also .gz; - is standard input')
    .argument('<file...>')
    .option('--policy <file>', 'policy to decide by', defaultPolicy)
    .option('--apply', 'act; without it live state is read and nothing is written')
    .option('--offline', 'only route: no AWS, records of any account and region')
    .option('--state <dir>', 'folder of the embedded database', '.phidelity')
    .option('--region <region>', 'AWS region of the caller')
    .option('--json', 'one JSON line a work item, and a last line with the summary')
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
  const writer = lineWriter(options.json ?? false);
  const tally = tallyOf();
  const errors: unknown[] = [];
  const run = async (events: readonly unknown[]) => {
    const reports = await detect(events, session.detection);
    for (const report of reports) {
      for (const line of report.lines) writer.write(line);
      errors.push(...report.errors);
    }
    return reports;
  };
  try {
    // As many at a time as a batch from the queue, so that state is never held for a whole log file.
    for (let at = 0; at < inputs.length; at += 10) {
      const batch = inputs.slice(at, at + 10);
      const reports = await run(batch.map(({ event }) => event));
      for (const [index, { lines, sweeps, dropped, errors: failed }] of reports.entries()) {
        tally.add(batch[index]!.place, lines.length + sweeps + failed.length > 0, dropped);
      }
    }
    for (const { control, place } of session.wanted) await run([sweepEvent(control, place)]);
  } finally {
    session.close();
  }
  const { drift } = writer.end({ events: inputs.length, ...tally });
  // One fault, many events: it is told once.
  const [first] = errors;
  if (first !== undefined) throw first;
  return drift || tally.refused > 0 ? 1 : 0;
}

async function offline(inputs: readonly InputEvent[], policy: CompiledPolicy, { json = false }: { readonly json?: boolean }): Promise<ExitCode> {
  const router = routerOf(catalogue);
  const controls = new Map(await Promise.all(catalogue.map(async (entry) => [entry.id, await entry.load()] as const)));
  const writer = lineWriter(json);
  const tally = tallyOf();
  for (const { place, event } of inputs) {
    const { triggers, dropped } = normalise(event);
    let work = 0;
    for (const trigger of triggers) {
      const selected = router.select(trigger).map(({ id }) => controls.get(id)!);
      const routed = route(trigger, selected, policy);
      for (const line of offlineLines(trigger, routed)) writer.write(line);
      work += routed.items.length + routed.sweeps.length;
    }
    tally.add(place, work > 0, triggers.length > 0 && work === 0 ? [...dropped, 'no control'] : dropped);
  }
  writer.end({ events: inputs.length, ...tally });
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

function tallyOf() {
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
        if (tally.refused <= 5) say(`${place}: ${reason}`);
        if (tally.refused === 6) say('... and more; the summary counts them');
      }
    },
  };
  return tally;
}
