/** `sweep --stack`: the deployed bot sweeps, with its own roles and its own ledger; the command line only asks. */
import type { CatalogueEntry } from '../engine/control.ts';
import { isOff, settingsOf } from '../engine/judge.ts';
import type { Deployment, SweepRequest } from '../engine/ports.ts';
import { globalRegionOf } from '../engine/route.ts';
import { sweepOf } from '../engine/sweep.ts';
import { requestSweepsThrough } from '../handlers/aws/sweeps.ts';
import { UsageError } from './errors.ts';
import { openStack, outputOf, stackTime } from './stack.ts';

export interface AskedSweep {
  readonly control: string;
  readonly region: string;
}

/** Seconds over which the sweeps are spread, so that they do not meet the rate limits of AWS together. */
const spread = 300;

/**
 * @param regions undefined: every region that the bot covers
 * @param apply what was there before the bot is treated like new drift
 * @throws UsageError when the bot does not cover a region
 */
export async function askForSweeps(
  name: string,
  entries: readonly CatalogueEntry[],
  regions: readonly string[] | undefined,
  apply: boolean,
): Promise<AskedSweep[]> {
  const { stack, aws, ledger } = await openStack(name, undefined);
  const clock = stackTime();
  const [policy, deployment] = await Promise.all([ledger.policy(), ledger.recall<Deployment>('deployment')]);
  if (!policy) throw new UsageError(`stack ${name} has no policy yet: deploy it to its end`, 2);
  const covered = deployment?.regions ?? [aws.region];
  const strange = regions?.find((region) => !covered.includes(region));
  if (strange) throw new UsageError(`stack ${name} does not look into ${strange}; it covers ${covered.join(', ')}`, 2);
  const wanted = entries
    .filter(({ id }) => !isOff(settingsOf(policy, id)))
    .flatMap(({ id, scope }) => (scope === 'global' ? [globalRegionOf(aws.region)] : (regions ?? covered)).map((region) => ({ control: id, region })));
  const requests = await Promise.all(
    wanted.map(async ({ control, region }, index): Promise<SweepRequest> => {
      const request = await sweepOf(control, { accountId: aws.accountId, region }, Math.floor((index / wanted.length) * spread), { ledger, clock });
      return apply ? { ...request, first: undefined, apply } : request;
    }),
  );
  await requestSweepsThrough(outputOf(stack, 'SweepQueueUrl'), requests, aws, clock);
  return wanted;
}
