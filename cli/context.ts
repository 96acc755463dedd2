/** What the commands share: the catalogue, the policy, the account, and how a line reaches the terminal. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { LoadedPolicy } from '../engine/policy/load.ts';
import { loadPolicy } from '../engine/policy/load.ts';
import { awsAccess } from '../handlers/aws/access.ts';
import { catalogue } from '../remediations/index.ts';
import { UsageError } from './errors.ts';
import { nearest } from './nearest.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The policy that `serverless deploy` deploys when it is told no other. */
export const defaultPolicy = relative(process.cwd(), `${root}policies/account.yaml`);

/** @throws PolicyError with every fault at once. */
export async function policyFrom(file: string, baseline = `${root}policies/hipaa.yaml`): Promise<LoadedPolicy> {
  if (!existsSync(file)) throw new UsageError(`${file}: no such file`, 2);
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  return loadPolicy({ file, read, catalogue, today: new Date().toISOString().slice(0, 10), baseline, nearest });
}

export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  readonly region: string;
}

/** Who the SDK's credential chain says we are, in the region it says. */
export async function whoAmI(givenRegion: string | undefined): Promise<Caller> {
  const client = new STSClient({ region: givenRegion, maxAttempts: 2 });
  const region = await client.config.region();
  const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}));
  return { accountId: Account!, arn: Arn!, region };
}

export { awsAccess, catalogue };

/** Never block on, or die of, a reader that has gone (`| head`). */
export const print = (line: string): void => void process.stdout.write(`${line}\n`);
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
