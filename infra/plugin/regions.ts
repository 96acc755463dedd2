/** Which regions the bot looks at, and what happens in many of them at once. */
import { DescribeRegionsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { CompiledPolicy } from '../../engine/policy/model.ts';

/** The configuration of an SDK client in a region. */
export type ConfigOf = (region: string) => Promise<object>;

/** Regions that are switched on in the account: in the others nothing can be made, and nothing called. */
export async function enabledRegions(ec2: EC2Client): Promise<string[]> {
  const { Regions = [] } = await ec2.send(new DescribeRegionsCommand({ AllRegions: false }));
  return Regions.map(({ RegionName = '' }) => RegionName).sort();
}

export interface Wanted {
  /** Regions that a forwarder belongs in. */
  readonly forwarders: readonly string[];
  /** Regions that the policy names and the account has not switched on, with the reason. */
  readonly unreached: Readonly<Record<string, string>>;
}

export function wantedRegions({ watch }: Pick<CompiledPolicy, 'watch'>, enabled: readonly string[], home: string): Wanted {
  const watched = watch === 'all' ? enabled : watch;
  return {
    forwarders: watched.filter((region) => region !== home && enabled.includes(region)),
    unreached: Object.fromEntries(watched.filter((region) => !enabled.includes(region)).map((region) => [region, 'the region is not enabled in this account'])),
  };
}

/** CloudFormation throttles; a person waits. */
const atOnce = 4;

/** In order of `regions`, a few at once. A refusal is the answer of its region, not the end. */
export async function inEach<Done>(regions: readonly string[], work: (region: string) => Promise<Done>): Promise<Map<string, Done | Error>> {
  const answers = new Map<string, Done | Error>(regions.map((region) => [region, new Error('not tried')]));
  const left = [...regions];
  const worker = async () => {
    for (let region = left.shift(); region !== undefined; region = left.shift()) {
      answers.set(region, await work(region).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}
