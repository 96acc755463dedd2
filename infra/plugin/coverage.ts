/** A forwarder in every region that the policy watches, and in no other. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { codeOf, isDenied } from '../../engine/errors.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Deployment } from '../../engine/ports.ts';
import { forwarderName, forwarderOf, type Home } from '../forwarders.ts';
import type { Rule } from '../rules.ts';
import { dropForwarder, type Forwarder, putForwarder } from './forwarding.ts';
import type { Coverage } from './record.ts';
import { type ConfigOf, enabledRegions, inEach, wantedRegions } from './regions.ts';

/** Region -> what came of it. */
type Reasons = Readonly<Record<string, string>>;

export interface Forwarding extends Coverage {
  /** Forwarders made or changed by this deploy. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Forwarders that are still there though nobody wants them, and why. */
  readonly left: Reasons;
}

const clientIn = async (configOf: ConfigOf, region: string) => new CloudFormationClient(await configOf(region));

interface Reach {
  readonly configOf: ConfigOf;
  /** The deploy before, if there was one. */
  readonly last?: Deployment;
}

const reasons = (answers: ReadonlyMap<string, unknown>): Reasons =>
  Object.fromEntries([...answers].flatMap(([region, answer]) => (answer instanceof Error ? [[region, `${codeOf(answer)}: ${answer.message}`]] : [])));

/** What could not be removed. Nothing of the bot's can be in a region that lets nobody look and that no deploy has tried. */
const leftIn = (answers: ReadonlyMap<string, unknown>, last: Deployment | undefined): Reasons => {
  const tried = (region: string) => !last || last.regions.includes(region) || region in last.unreached;
  return reasons(new Map([...answers].filter(([region, answer]) => tried(region) || !isDenied(answer))));
};

const where = (answers: ReadonlyMap<string, unknown>, ...wanted: readonly string[]): string[] =>
  [...answers].filter(([, answer]) => wanted.includes(answer as string)).map(([region]) => region);

const forwarderFor = (home: Home, rules: readonly Rule[]): Forwarder => ({ name: forwarderName(home.stackName), template: forwarderOf(rules, home) });

/** Deploys the forwarders of a policy, and removes those of regions that it no longer watches. */
export async function cover(policy: CompiledPolicy, rules: readonly Rule[], home: Home, { configOf, last }: Reach): Promise<Forwarding> {
  const enabled = await enabledRegions(new EC2Client(await configOf(home.region)));
  const wanted = wantedRegions(policy, enabled, home.region);
  const forwarder = forwarderFor(home, rules);
  const put = await inEach(wanted.forwarders, async (region) => putForwarder(await clientIn(configOf, region), forwarder));
  const others = enabled.filter((region) => region !== home.region && !wanted.forwarders.includes(region));
  const dropped = await inEach(others, async (region) => dropForwarder(await clientIn(configOf, region), forwarder));
  return {
    covered: [home.region, ...where(put, 'made', 'changed', 'as it was')],
    unreached: { ...wanted.unreached, ...reasons(put) },
    changed: where(put, 'made', 'changed'),
    removed: where(dropped, 'gone'),
    left: leftIn(dropped, last),
  };
}

/** Looks wherever a forwarder can be: also where the last deploy put one and the policy no longer looks, or the region was switched off since. */
export async function uncover(home: Home, { configOf, last }: Reach): Promise<Pick<Forwarding, 'removed' | 'left'>> {
  const enabled = await enabledRegions(new EC2Client(await configOf(home.region)));
  const regions = [...new Set([...enabled, ...(last?.regions ?? [])])].filter((region) => region !== home.region);
  const forwarder = forwarderFor(home, []);
  const dropped = await inEach(regions, async (region) => dropForwarder(await clientIn(configOf, region), forwarder));
  return { removed: where(dropped, 'gone'), left: leftIn(dropped, last) };
}
