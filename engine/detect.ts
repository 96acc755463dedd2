/** The line: events in, one report per event out. Reads resources, writes only the ledger, dispatches and alerts. */
import { Batch, type Detection, emptyReport, type Report } from './batch.ts';
import { isOff, settingsOf } from './judge.ts';
import { normalise } from './normalise.ts';
import { route } from './route.ts';
import { requestSweep, sweepPages } from './sweep.ts';
import { tick } from './tick.ts';

export type { Detection, Line, Report } from './batch.ts';

/** Loads the controls that these events can concern: time that the caller spends waiting for something else anyway. */
export async function preload(events: readonly unknown[], { router, own }: Pick<Detection, 'router' | 'own'>): Promise<void> {
  const triggers = events.flatMap((event) => normalise(event, own).triggers);
  await Promise.all(triggers.flatMap((trigger) => router.select(trigger)).map((entry) => entry.load()));
}

/** @param since when each event was first received; a message that has come before is given less patience */
export async function detect(events: readonly unknown[], detection: Detection, since: readonly Date[] = []): Promise<Report[]> {
  const { ports, policy, router, dryRun } = detection;
  const reports = events.map((_, index) => emptyReport(since[index]));
  const batch = new Batch(reports, detection);

  for (const [index, event] of events.entries()) {
    const report = reports[index]!;
    try {
      const { triggers, dropped } = normalise(event, detection.own);
      report.dropped.push(...dropped);
      for (const trigger of triggers) {
        if (trigger.source === 'tick' && !dryRun) {
          await tick(trigger, detection);
          continue;
        }
        const controls = await Promise.all(router.select(trigger).map((entry) => entry.load()));
        const { items, sweeps } = route(trigger, controls, policy);
        for (const item of items) batch.add(item, index);
        const wanted = sweeps.filter(({ control }) => !isOff(settingsOf(policy, control.id)));
        for (const sweep of wanted) {
          report.sweeps += 1;
          if (trigger.source === 'sweep') for await (const page of sweepPages({ ...sweep, trigger }, detection, since[index])) merge(report, page.report);
          else await requestSweep(sweep, detection);
        }
        if (items.length + wanted.length === 0) report.dropped.push('no control');
      }
      for (const reason of report.dropped) ports.log.count('EventsDropped', { reason });
    } catch (error) {
      report.errors.push(error);
    }
  }

  await batch.work();
  if (!dryRun) for (const report of reports) ports.log.count(report.errors.length > 0 ? 'EventsReturned' : 'EventsHandled');
  return reports;
}

function merge(report: Report, { lines, work, errors }: Report): void {
  report.lines.push(...lines);
  report.errors.push(...errors);
  report.work += work;
}
