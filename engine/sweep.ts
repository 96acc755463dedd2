/**
 * Sweeps: everything of a type in one place, page by page, judged like events. They heal what no event told of. Afterwards the open
 * findings that the listing did not show are read once more: what is gone is resolved.
 */
import { createHash } from 'node:crypto';
import { backlogAlertOf } from './alerts/backlog.ts';
import { Batch, type Detection, emptyReport, type Report } from './batch.ts';
import type { AnyControl, AnyStateControl, Catalogue, Page } from './control.ts';
import { isEventControl } from './control.ts';
import { askAgain, cannotSee, deniedWords, mayPass } from './denied.ts';
import { DeniedError, RetryLaterError, retryAfter } from './errors.ts';
import { settingsOf } from './judge.ts';
import type { Finding, Place, Trigger } from './model.ts';
import { botPermissions } from './own.ts';
import type { Deployment, MemoKey, Ports, SweepRequest } from './ports.ts';
import type { SweepItem } from './route.ts';

export type SweepTrigger = Extract<Trigger, { source: 'sweep' }>;

/** What is remembered of the sweeps of one control in one place. */
export interface SweepMemo {
  /** When the last one that came to its end began, ISO 8601. */
  readonly began: string;
  /** When it ended. */
  readonly finished: string;
}

export const memoOf = (control: string, { accountId, region }: Place): MemoKey => `sweep|${control}|${accountId}|${region}`;

/** A sweep that begins now; what has never been swept is told only. */
export async function sweepOf(control: string, place: Place, delay: number, { ledger, clock }: Pick<Ports, 'ledger' | 'clock'>): Promise<SweepRequest> {
  const memo = await ledger.recall<SweepMemo>(memoOf(control, place));
  const { accountId, region } = place;
  return { accountId, region, control, delay, began: clock.now().toISOString(), ...(!memo && { first: true as const }) };
}

/** Seconds. */
const together = 600;
const soon = 60;
/** Until what failed by itself is tried again. */
const retryDelay = 60;

/**
 * Never inside this batch: a type can have thousands of resources. Events of ten minutes share a sweep: those of the first minute the one
 * that follows it, later ones another at their end. The leases are shorter than the waits, so that each event has its sweep behind it.
 * They are held in the event's name: one that comes back because the queue did not take its sweep asks for it again.
 */
export async function requestSweep({ trigger: { eventId }, control, place }: SweepItem, { ports, queued }: Detection): Promise<void> {
  const { ledger } = ports;
  const request = async (delay: number) => ports.requestSweeps([await sweepOf(control.id, place, delay, ports)]);
  if (!queued) return request(0);
  const all = { control: control.id, resource: { ...place, type: control.resourceType, id: '*' } };
  const [standing] = await ledger.lookup([{ ...all, eventId }]);
  if (standing!.done) return;
  const take = (part: string, seconds: number) => ledger.lease(`sweep|${control.id}|${place.accountId}|${place.region}|${part}`, eventId, seconds - 5);
  if (await take('first', together)) {
    await take('covered', soon);
    await request(soon);
  } else if ((await take('covered', soon)) && (await take('last', together))) await request(together);
  await ledger.markDone(eventId, all);
}

export interface SweptPage {
  readonly report: Report;
  /** Token of the page that follows; undefined after the last. */
  readonly next?: string;
}

/** Milliseconds that a page may take: a new one is begun only while there is as much time. */
const pageMs = 20_000;

/** Sweeps on from the trigger's page, until the end or the deadline; what is left is asked for. @param since when its message was first received */
export async function* sweepPages(
  { trigger, control, place }: SweepItem & { readonly trigger: SweepTrigger },
  detection: Detection,
  since?: Date,
): AsyncGenerator<SweptPage> {
  // What has no live state cannot be swept.
  if (isEventControl(control)) return;
  const { ports, policy, own, deadline, dryRun, queued } = detection;
  const page = async (fill: (batch: Batch) => void): Promise<Report> => {
    const report = emptyReport(since);
    const batch = new Batch([report], detection);
    fill(batch);
    await batch.work();
    return queued && !trigger.only ? putOff(report) : report;
  };
  /** One resource that cannot be judged must not keep the others from being swept: it gets a message of its own. */
  const putOff = async (report: Report): Promise<Report> => {
    const ids = [...new Set(report.failed.map(({ id }) => id))];
    await ports.requestSweeps(ids.map((only) => ({ ...requestOf(trigger), only, delay: retryDelay })));
    return { ...report, errors: [], failed: [] };
  };

  if (trigger.only) {
    const resource = { accountId: place.accountId, region: place.region, type: control.resourceType, id: trigger.only };
    yield { report: await page((batch) => batch.add({ trigger, control, resource }, 0)) };
    return;
  }
  const { params } = settingsOf(policy, control.id);
  let ended = false;
  /** The page that follows those that are done. */
  let reached: string | undefined;
  /**
   * A listing that is denied ends the sweep with a finding; it is made again when the action works. One that fails after some pages goes
   * on from there in a message of its own, lest its tries be used up on what is done.
   */
  const listed = async function* (): AsyncGenerator<Page> {
    try {
      yield* control.list(ports.aws(place, { share: true }), { from: trigger.from, params });
    } catch (error) {
      if (!queued) throw error;
      if (!(error instanceof DeniedError)) {
        if (!reached) throw error;
        ended = true;
        return ports.requestSweeps([{ ...requestOf(trigger), from: reached, delay: retryAfter(error) ?? retryDelay }]);
      }
      const deployment = await ports.ledger.recall<Deployment>('deployment');
      if (mayPass(deployment, since ?? new Date(deployment?.at ?? 0), ports.clock.now()))
        throw new RetryLaterError(deniedWords(error), askAgain, { cause: error });
      await cannotSee(error, { control: control.id, ...place, first: trigger.first }, own.self, 'detect', ports);
      ended = true;
    }
  };
  let at = ports.clock.now().toISOString();
  for await (const { resources, next } of listed()) {
    const report = await page((batch) => {
      for (const [resource, state] of resources) batch.add({ trigger, control, resource }, 0, state === undefined ? undefined : { state, at });
    });
    yield { report, next };
    if (next && deadline && ports.clock.now().getTime() + pageMs > deadline.getTime())
      return ports.requestSweeps([{ ...requestOf(trigger), from: next, delay: 0 }]);
    reached = next;
    at = ports.clock.now().toISOString();
  }
  if (dryRun || ended) return;
  const open = await openIn(control, place, ports);
  const standings = await ports.ledger.lookup(open.map(({ resource }) => ({ control: control.id, resource, eventId: trigger.eventId })));
  yield {
    // Open findings that the listing has not met: gone, or not listed any more.
    report: await page((batch) => {
      for (const [index, { resource }] of open.entries()) if (!standings[index]!.done) batch.add({ trigger, control, resource }, 0);
    }),
  };
  await finish(trigger, control, place, detection);
}

const requestOf = ({ accountId, region, control, began, first, apply }: SweepTrigger) => ({ accountId, region, control, began, first, apply });

const openIn = async ({ id, scope }: Pick<AnyControl, 'id' | 'scope'>, { accountId, region }: Place, { ledger }: Pick<Ports, 'ledger'>): Promise<Finding[]> =>
  (await Array.fromAsync(ledger.findings({ open: true, control: id }))).filter(
    ({ resource }) => resource.accountId === accountId && (scope === 'global' || resource.region === region),
  );

async function finish({ began, first }: SweepTrigger, control: AnyStateControl, place: Place, { ports }: Detection): Promise<void> {
  if (first) {
    const found = (await openIn(control, place, ports)).filter(({ backlog, decision }) => backlog && decision.action === 'notify');
    if (found.length > 0) await ports.alert(backlogAlertOf(control, { ...place, began }, found));
  }
  // What it was not let see is no less old than the rest: the next sweep is a first one too.
  if (first && (await isBlind(control, place, ports))) return;
  await ports.ledger.remember(memoOf(control.id, place), { began, finished: ports.clock.now().toISOString() } satisfies SweepMemo);
}

async function isBlind({ id }: AnyStateControl, { region }: Place, { ledger }: Pick<Ports, 'ledger'>): Promise<boolean> {
  for await (const { blind = [] } of ledger.findings({ open: true, control: botPermissions.id }))
    if (blind.some((unseen) => unseen.control === id && unseen.region === region)) return true;
  return false;
}

/** Quarter hours of a day. */
const slots = 96;
const slotMs = 15 * 60_000;

/** The quarter hour of the day in which a control is swept; spread out, and always the same. */
const slotOf = (control: string): number => createHash('sha256').update(control).digest().readUInt32BE(0) % slots;

/** Controls whose sweep falls between two ticks; after an outage everything it kept from being swept, once: its ticks come all at a time. */
export function dueBetween(catalogue: Catalogue, last: Date, now: Date): Catalogue {
  const [from, to] = [last, now].map((time) => Math.floor(time.getTime() / slotMs)) as [number, number];
  const due = new Set(Array.from({ length: Math.min(to - from, slots) }, (_, back) => (to - back) % slots));
  const often = now.getTime() - last.getTime() > slotMs / 2;
  return catalogue.filter(({ id, kind, sweptOften }) => kind === 'state' && ((sweptOften && often) || due.has(slotOf(id))));
}
