/** What the commands share: the catalogue, the policy, the account, and how a line reaches the terminal. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'commander';
import type { LoadedPolicy } from '../engine/policy/load.ts';
import { loadPolicy } from '../engine/policy/load.ts';
import type { AwsAccess } from '../engine/ports.ts';
import { awsAccess } from '../handlers/aws/access.ts';
import { catalogue } from '../remediations/index.ts';
import { readNamed } from './files.ts';
import { nearest } from './nearest.ts';
import { checkRegion } from './region.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The policy that `serverless deploy` deploys when it is told no other. */
export const defaultPolicy = relative(process.cwd(), `${root}policies/account.yaml`);

/**
 * @throws UsageError when the file cannot be read.
 * @throws PolicyError with every fault at once.
 */
export async function policyFrom(file: string, baseline = `${root}policies/hipaa.yaml`): Promise<LoadedPolicy> {
  const text = readNamed(file).toString('utf8');
  const read = (path: string) => (path === file ? text : existsSync(path) ? readNamed(path).toString('utf8') : undefined);
  return loadPolicy({ file, read, catalogue, today: new Date().toISOString().slice(0, 10), baseline, nearest });
}

/** A person waits: an address that swallows packets must not hold the command for minutes. Milliseconds. */
const patience = { connectionTimeout: 4_000, requestTimeout: 20_000, throwOnRequestTimeout: true };

/** Queues are reached through the endpoint that is set, whatever host their URL names. */
export const access = (): AwsAccess => awsAccess({ requestHandler: patience, useQueueUrlAsEndpoint: false });

export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  readonly region: string;
}

/** Who the SDK's credential chain says we are, in the region it says. */
export async function whoAmI(givenRegion: string | undefined): Promise<Caller> {
  if (givenRegion !== undefined) checkRegion(givenRegion);
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient({ region: givenRegion, maxAttempts: 2, requestHandler: { ...patience, requestTimeout: 5_000 } });
  const region = await client.config.region();
  checkRegion(region);
  const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}));
  if (!Account || !Arn) throw new Error('AWS STS did not say whose credentials these are.');
  return { accountId: Account, arn: Arn, region };
}

/** An unset variable of a script must not become a stack. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
export function stackNameOf(text: string): string {
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(text)) throw new InvalidArgumentError('a stack has a name such as phidelity-dev');
  return text;
}

/** The `--state` folder for a command that only reads, which must not make one: undefined while nothing is kept there. */
export const existingState = (directory: string): string | undefined => (existsSync(directory) ? directory : undefined);

export { catalogue };

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
