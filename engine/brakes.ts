/** What keeps the bot from running away: it fixes only so many things in an hour, and no thing again and again. Past that it asks. */
import { arnFrom } from './arn.ts';
import { findingId, resourceKey } from './finding.ts';
import { type Decision, type Finding, nonCompliant, type ResourceRef } from './model.ts';
import { botBrakes, raise } from './own.ts';
import type { CompiledGuards } from './policy/model.ts';
import type { Brake, Deployment, Ports } from './ports.ts';
import { globalRegionOf } from './route.ts';

const hour = 3_600;

interface Named extends Brake {
  /** Epoch milliseconds at which the brake ends for good. */
  readonly ends?: number;
  readonly kind: 'repeat' | 'fixesPerHour' | 'fixesPerControlPerHour' | 'ramp';
}

/** The first that is full decides. The same thing drifting again says more than many things drifting. */
function brakesOf({ control, resource }: Finding, guards: CompiledGuards, deployment: Deployment | undefined, now: Date): Named[] {
  const since = deployment?.fixSince[control];
  const rampEnds = since ? Date.parse(since) + guards.ramp.hours * hour * 1_000 : 0;
  return [
    { kind: 'repeat', scope: `repeat|${control}|${resourceKey(resource)}`, limit: guards.repeat.limit, seconds: guards.repeat.within },
    { kind: 'fixesPerHour', scope: 'hour', limit: guards.fixesPerHour, seconds: hour },
    { kind: 'fixesPerControlPerHour', scope: `hour|${control}`, limit: guards.fixesPerControlPerHour, seconds: hour },
    ...(now.getTime() < rampEnds
      ? [{ kind: 'ramp', scope: `ramp|${control}|${since}`, limit: guards.ramp.fixes, seconds: guards.ramp.hours * hour, ends: rampEnds } as const]
      : []),
  ];
}

export interface Held {
  readonly decision: Decision;
  readonly held: NonNullable<Finding['held']>;
  /** The page of the brake tells of it. */
  readonly quiet: boolean;
}

/** Takes the slots of a fix that is about to be written. Undefined: nothing stands in its way. */
export async function brakeOn(
  finding: Finding,
  guards: CompiledGuards,
  deployment: Deployment | undefined,
  roleArn: string,
  ports: Pick<Ports, 'ledger' | 'clock' | 'alert'>,
): Promise<Held | undefined> {
  const now = ports.clock.now();
  const brakes = brakesOf(finding, guards, deployment, now);
  const { full } = await ports.ledger.takeSlots(holderOf(finding), brakes);
  if (!full) return undefined;
  const { kind, ends = Number.POSITIVE_INFINITY } = brakes.find(({ scope }) => scope === full.scope)!;
  const held = { by: full.scope, until: new Date(Math.min(now.getTime() + full.seconds * 1_000, ends)).toISOString() };
  if (kind === 'repeat') {
    const reason = `${await disputeOf(finding, full, roleArn, ports)} The bot leaves it as it is until ${held.until}: settle which is right.`;
    return { decision: { action: 'page', reason }, held, quiet: false };
  }
  const reason = `${words(kind, finding.control, full)} Further drift waits for a person.`;
  await raise(
    botBrakes,
    {
      resource: accountOf(finding),
      fold: full.scope,
      evaluation: nonCompliant(reason),
      decision: { action: 'page', reason: 'A brake bites: look at what is drifting, and why.' },
      // Not for each of a burst: it lifts a whole span after the last one that it held, give or take a minute.
      more: (open) => (open?.held && Date.parse(held.until) - Date.parse(open.held.until) < 60_000 ? undefined : { held }),
    },
    'remediate',
    ports,
  );
  return { decision: { action: 'approve', reason }, held, quiet: true };
}

/** One fix counts once, however often its execution is interrupted. A write that did not hold and is made by the next execution is another one. */
const holderOf = ({ id, drives, intended }: Finding): string => (intended && !intended.refused && drives > 1 ? `${id}-${drives}` : id);

/** In one region, whichever the drift is in: a brake is the account's. */
const accountOf = ({ resource: { accountId, region } }: Finding): ResourceRef => ({
  accountId,
  region: globalRegionOf(region),
  type: 'AWS::::Account',
  id: arnFrom('arn:{partition}:iam::{account}:root', { accountId, region }, ''),
});

const spanOf = (seconds: number): string =>
  seconds % (24 * hour) === 0 && seconds > 24 * hour
    ? `${seconds / (24 * hour)} days`
    : seconds % hour === 0
      ? `${seconds / hour} h`
      : `${Math.round(seconds / 60)} min`;

const words = (kind: Exclude<Named['kind'], 'repeat'>, control: string, { limit, seconds }: Brake): string =>
  ({
    fixesPerHour: `${limit} fixes within an hour: the policy allows no more (guards.fixesPerHour).`,
    fixesPerControlPerHour: `${limit} fixes of ${control} within an hour: the policy allows no more (guards.fixesPerControlPerHour).`,
    ramp: `${limit} fixes of ${control} within the first ${spanOf(seconds)} of its being set to fix: the policy allows no more (guards.ramp).`,
  })[kind];

/** Who breaks it and who repairs it: two that each believe to be right. */
async function disputeOf(finding: Finding, { limit, seconds }: Brake, roleArn: string, { ledger }: Pick<Ports, 'ledger'>): Promise<string> {
  const episodes = Array.from({ length: Math.min(limit, finding.episode - 1) }, (_, back) => finding.episode - 1 - back);
  const earlier = await Promise.all(episodes.map((episode) => ledger.get(findingId(finding, episode))));
  const actors = new Set([finding, ...earlier].map((one) => one?.actor?.arn ?? 'somebody not known'));
  const times = `${limit} ${limit === 1 ? 'time' : 'times'} within ${spanOf(seconds)}`;
  const fixed = earlier.filter((one) => one?.outcome?.status === 'REMEDIATED').length >= limit;
  const said = fixed ? `Fixed ${times} and broken again each time.` : `The bot has tried to fix it ${times}, and it did not stay fixed.`;
  return `${said} Broken by ${named([...actors])}; repaired by the bot, ${roleArn}.`;
}

/** As many as leave room for both sides in one line of an alert. */
function named(actors: readonly string[]): string {
  const few = actors.filter((_, index) => index === 0 || actors.slice(0, index + 1).join().length < 200);
  const rest = actors.length - few.length;
  return [...few, ...(rest > 0 ? [`${rest} more`] : [])].join(' and by ');
}
