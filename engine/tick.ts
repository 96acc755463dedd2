/**
 * The heartbeat, every quarter of an hour: asks for the sweeps that are due, and takes up what no event will come back for.
 * Each step is safe to repeat; what fails is done by the next tick.
 */
import { randomUUID } from 'node:crypto';
import type { Detection } from './batch.ts';
import type { AnyStateControl, Catalogue, CatalogueEntry } from './control.ts';
import { isEventControl } from './control.ts';
import { acts, isAsked, redrive, untold } from './drive.ts';
import { ConflictError, DeniedError, TerminalError } from './errors.ts';
import { isUndoing, resolved } from './finding.ts';
import { isOff, settingsOf } from './judge.ts';
import type { Finding, Place, Trigger } from './model.ts';
import { botBrakes, botPermissions, lift, ownControl, unknownControl } from './own.ts';
import type { Deployment, Ports, SweepRequest } from './ports.ts';
import { globalRegionOf } from './route.ts';
import { dueBetween, memoOf, sweepOf } from './sweep.ts';
import { endTold, tell } from './tell.ts';
import { resumeUndo } from './undo/resume.ts';

export interface TickMemo {
  /** ISO 8601. */
  readonly last: string;
  /** The policy and the deploy that it has taken up. */
  readonly policyId: string;
  readonly deployedAt?: string;
  /** Controls that were switched on. */
  readonly on?: readonly string[];
}

interface Looking {
  readonly on: Catalogue;
  readonly regions: readonly string[];
  readonly memo: TickMemo | undefined;
  /** There is a policy, or a deploy, that no tick has met. */
  readonly changed: boolean;
}

/** Longer than a tick takes, shorter than the wait of a message that comes back. Seconds. */
const alone = 300;

export async function tick(trigger: Trigger, detection: Detection): Promise<void> {
  const { ports, policy, router, deadline } = detection;
  const { ledger, clock, log } = ports;
  log.count('Ticks');
  const lease = await ledger.lease('tick', randomUUID(), alone);
  if (!lease) return;
  try {
    const now = clock.now();
    const [memo, deployment] = await Promise.all([ledger.recall<TickMemo>('tick'), ledger.recall<Deployment>('deployment')]);
    const on = router.catalogue.filter(({ id, kind }) => kind === 'state' && !isOff(settingsOf(policy, id)));
    const changed = memo?.policyId !== policy.id || memo.deployedAt !== deployment?.at;
    const regions = deployment?.regions ?? [trigger.region];
    await ports.requestSweeps(await dueSweeps(trigger, { on, regions, memo, changed }, ports));
    await ledger.remember('tick', { last: now.toISOString(), policyId: policy.id, deployedAt: deployment?.at, on: on.map(({ id }) => id) } satisfies TickMemo);
    const errors: unknown[] = [];
    for await (const finding of ledger.findings({ open: true })) {
      // The next tick takes up the rest.
      if (deadline && clock.now() >= deadline) break;
      await unlessOvertaken(takeUp(finding, detection)).catch((error: unknown) => errors.push(error));
    }
    for await (const finding of ledger.findings({ undoing: true })) {
      if (deadline && clock.now() >= deadline) break;
      await unlessOvertaken(resumeUndo(finding, policy, ports)).catch((error: unknown) => errors.push(error));
    }
    await ports.attendAlerts();
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} findings could not be taken up`);
  } finally {
    await ledger.release(lease);
  }
}

/** Sweeps that the clock asks for; after a deploy also those of what has never been swept, or not since it was switched off. */
async function dueSweeps({ accountId, region }: Place, { on, regions, memo, changed }: Looking, ports: Ports): Promise<SweepRequest[]> {
  const back = new Set(on.filter(({ id }) => memo?.on && !memo.on.includes(id)));
  // What guards the bot is judged by what a deploy has just told it.
  const atOnce = changed ? on.filter(({ sweptOften }) => sweptOften) : [];
  const due = new Set([...(memo ? dueBetween(on, new Date(memo.last), ports.clock.now()) : on), ...back, ...atOnce]);
  const placesOf = ({ scope }: CatalogueEntry): Place[] =>
    (scope === 'global' ? [globalRegionOf(region)] : regions).map((where) => ({ accountId, region: where }));
  const wanted = (changed ? on : [...due]).flatMap((entry) => placesOf(entry).map((place) => ({ entry, place })));
  const known = await Promise.all(wanted.map(async ({ entry, place }) => due.has(entry) || (await ports.ledger.recall(memoOf(entry.id, place))) === undefined));
  const asked = wanted.filter((_, index) => known[index]);
  // Spread, so that the sweeps of one tick do not meet the rate limits of AWS together.
  return Promise.all(
    asked.map(async ({ entry, place }, index) => ({
      ...(await sweepOf(entry.id, place, Math.floor((index / asked.length) * spread), ports)),
      // Nobody looked while it was off.
      ...(back.has(entry) && { first: true as const }),
    })),
  );
}

/** Seconds; less than a quarter of an hour, and SQS delays no longer than 900. */
const spread = 600;

/** Whoever was quicker has seen to it. */
const unlessOvertaken = (work: Promise<void>): Promise<void> =>
  work.catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error;
  });

async function takeUp(finding: Finding, { ports, policy, router, own }: Detection): Promise<void> {
  const now = ports.clock.now().toISOString();
  const about = ownControl(finding.control);
  if (about && untold(finding)) await tell(finding, about, 'detect', ports);
  if (finding.control === botBrakes.id) {
    if (finding.held && finding.held.until <= now) await lift(finding, 'The brake has held nothing back for as long as it counts: fixes go on.', ports);
    return;
  }
  if (finding.control === botPermissions.id) return seesAgain(finding, router.catalogue, { ports, policy, own });
  if (about) return;

  const entry = router.catalogue.find(({ id }) => id === finding.control);
  if (isOff(settingsOf(policy, finding.control))) return switchOff(finding, entry, { ports });
  if (untold(finding)) await tell(finding, entry ? await entry.load() : unknownControl(finding.control), 'detect', ports);
  // Nothing is fixed while it goes on.
  await (isUndoing(finding) ? resumeUndo(finding, policy, ports) : redrive(finding, ports));
}

/** The policy no longer has the control: nothing of it goes on, and the evidence says why. */
async function switchOff(finding: Finding, entry: CatalogueEntry | undefined, { ports }: Pick<Detection, 'ports'>): Promise<void> {
  if (finding.drives > 0 && (!finding.outcome || isAsked(finding))) await ports.stopExecution(finding);
  const at = ports.clock.now().toISOString();
  const reason = entry ? 'The policy has this control off.' : 'The control is no longer in the catalogue.';
  const ended = resolved(finding, undefined, { status: 'OFF', reason, at }, 'detect');
  await endTold(ended, entry ? await entry.load() : unknownControl(finding.control), ports);
}

/** Tries the action again. Once it works, everything that was not seen meanwhile is looked at: asked for first, lest it be forgotten. */
async function seesAgain(finding: Finding, catalogue: Catalogue, { ports, policy, own }: Pick<Detection, 'ports' | 'policy' | 'own'>): Promise<void> {
  const blind = (finding.blind ?? []).filter(({ control }) => !isOff(settingsOf(policy, control)));
  // Another role's right to read shows in what its own attempts came to: a sweep makes them.
  const mine = finding.resource.id === own.self;
  const still = mine ? await deniedStill(finding, blind[0], catalogue, { ports, policy }) : await waitsStill(blind, ports);
  if (still && mine) return;
  const began = ports.clock.now().toISOString();
  await ports.requestSweeps(
    blind.map(({ control, accountId, region, resource, first }) => ({ accountId, region, control, began, first, only: resource, delay: afterwards })),
  );
  if (!still) await lift(finding, endOf(blind, mine), ports);
}

/** Only one's own right to read has been tried. */
const endOf = (blind: readonly Blind[], mine: boolean): string => {
  if (blind.length === 0) return 'No control that is switched on needs the action.';
  return mine ? 'The action works again.' : 'No fix waits for the action any more.';
};

/** Seconds until what was not seen is looked at: by then the finding is closed, and a new denial opens another. */
const afterwards = 30;

type Blind = NonNullable<Finding['blind']>[number];

async function deniedStill(
  { fold }: Finding,
  blind: Blind | undefined,
  catalogue: Catalogue,
  { ports, policy }: Pick<Detection, 'ports' | 'policy'>,
): Promise<boolean> {
  const control = blind && (await catalogue.find(({ id }) => id === blind.control)?.load());
  if (!control || isEventControl(control)) return false;
  const place = { accountId: blind.accountId, region: blind.region };
  const aws = ports.aws(place, { share: false });
  const { params } = settingsOf(policy, control.id);
  try {
    if (blind.resource) await (control as AnyStateControl).inspect({ ...place, type: control.resourceType, id: blind.resource }, aws);
    else for await (const _ of (control as AnyStateControl).list(aws, { params })) break;
    return false;
  } catch (error) {
    if (error instanceof TerminalError) return error instanceof DeniedError && error.action === fold;
    // Nothing is known yet.
    throw error;
  }
}

async function waitsStill(blind: readonly Blind[], { ledger }: Detection['ports']): Promise<boolean> {
  for (const { control } of blind)
    for await (const finding of ledger.findings({ open: true, control })) {
      // One that a sweep has just decided to fix has yet to try.
      const waits = finding.evaluation.complianceType === 'INSUFFICIENT_DATA' || acts(finding);
      if (waits && blind.some((known) => known.resource === finding.resource.id)) return true;
    }
  return false;
}
