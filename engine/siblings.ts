/** Two controls that write one setting of one resource: the one that takes less away acts, the other is judged after it. */
import { canonical } from './canonical.ts';
import type { AnyStateControl, Catalogue } from './control.ts';
import { isEventControl } from './control.ts';
import { DeniedError } from './errors.ts';
import { judge } from './judge.ts';
import type { Change, Finding } from './model.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Aws, Ports } from './ports.ts';

/** Open findings of other controls that would write a setting of this one on the same resource. */
export async function siblingsOf(finding: Finding, control: AnyStateControl, catalogue: Catalogue, { ledger }: Pick<Ports, 'ledger'>): Promise<Finding[]> {
  const others = catalogue.filter(({ id, writes }) => id !== control.id && writes.some((setting) => control.writes.includes(setting)));
  if (others.length === 0) return [];
  const standings = await ledger.lookup(others.map(({ id }) => ({ control: id, resource: finding.resource, eventId: 'sibling' })));
  return standings.flatMap(({ last }) => (last?.state === 'open' ? [last] : []));
}

/** Milliseconds in which a fix that was decided is begun; one that is not will not hold up another. */
const promptMs = 15 * 60_000;

/** Milliseconds after which a write that was begun is not gone on with any more. */
const slowMs = 7 * 3_600_000;

/** It has written a part of it, and comes back for the rest: in between nobody holds the lease. */
const hasBegun = ({ intended, outcome, drivenAt }: Finding, now: Date): boolean =>
  intended !== undefined &&
  !intended.refused &&
  outcome === undefined &&
  now.getTime() - Math.max(Date.parse(intended.intendedAt), drivenAt ? Date.parse(drivenAt) : 0) < slowMs;

const isAtWork = (finding: Finding, now: Date): boolean => {
  const { decision, outcome, lastSeenAt, held } = finding;
  if (hasBegun(finding, now)) return true;
  if (held || (decision.action !== 'fix' && decision.action !== 'approve')) return false;
  // People may take days over the one: the other must not wait for them, untold.
  return outcome === undefined && now.getTime() - Date.parse(lastSeenAt) < promptMs;
};

/** What a plan takes away, as a size that two plans for one setting can be compared by. */
const takes = ({ before, after }: Change): number => canonical(before ?? null).length + canonical(after ?? null).length / 1_000;

/** The end of a public exposure comes first, then what takes less away. */
const rank = ({ endsPublicExposure }: AnyStateControl, plan: Change): number => takes(plan) + (endsPublicExposure ? 0 : 1e9);

/** The sibling that is to act before this one; undefined: none. */
export async function whoGoesFirst(
  finding: Finding,
  control: AnyStateControl,
  plan: Change,
  policy: CompiledPolicy,
  aws: Aws,
  { catalogue, ports }: { readonly catalogue: Catalogue; readonly ports: Ports },
): Promise<Finding | undefined> {
  const siblings = (await siblingsOf(finding, control, catalogue, ports)).filter((sibling) => isAtWork(sibling, ports.clock.now()));
  for (const sibling of siblings) {
    if (hasBegun(sibling, ports.clock.now())) return sibling;
    const other = await catalogue.find(({ id }) => id === sibling.control)!.load();
    if (isEventControl(other)) continue;
    const judged = await judge(other, sibling.resource, sibling.actor, policy, aws, ports, { denied: sibling.denied }).catch((error: unknown) => {
      // Where the other cannot be judged, it will not act either.
      if (error instanceof DeniedError) return undefined;
      throw error;
    });
    const wants = judged?.decision.action === 'fix' || judged?.decision.action === 'approve';
    if (!wants || judged?.plan?.kind !== 'change') continue;
    const [mine, its] = [rank(control, plan), rank(other, judged.plan)];
    if (its < mine || (its === mine && other.id < control.id)) return sibling;
  }
  return undefined;
}
