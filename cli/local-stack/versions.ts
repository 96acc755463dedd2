/** moto publishes a version but gives it no name, and before the function's new code is in place: environments that refer to one come out broken. */
import {
  type FunctionConfiguration,
  type LambdaClient,
  PublishVersionCommand,
  paginateListVersionsByFunction,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { TerminalError } from '../../engine/errors.ts';
import { type Deployed, type Difference, resolve } from './template.ts';

const frozen = ({ CodeSha256, Environment, Handler, Role, Timeout, MemorySize }: FunctionConfiguration) =>
  JSON.stringify([CodeSha256, Object.entries(Environment?.Variables ?? {}).sort(), Handler, Role, Timeout, MemorySize]);

/** The version that equals the function as it is now; published when there is none. */
async function currentVersion(lambda: LambdaClient, FunctionName: string): Promise<string> {
  const versions: FunctionConfiguration[] = [];
  for await (const page of paginateListVersionsByFunction({ client: lambda }, { FunctionName })) versions.push(...(page.Versions ?? []));
  const latest = versions.find(({ Version }) => Version === '$LATEST');
  const newest = versions.filter(({ Version }) => Version !== '$LATEST').sort((a, b) => Number(b.Version) - Number(a.Version))[0];
  if (latest && newest && frozen(latest) === frozen(newest)) return newest.FunctionArn!;
  const { FunctionArn } = await lambda.send(new PublishVersionCommand({ FunctionName }));
  return FunctionArn!;
}

interface Named {
  readonly logicalId: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const ofType = ({ template }: Deployed, type: string): Named[] =>
  Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) => (Type === type ? [{ logicalId, properties: Properties }] : []));

async function writeEnvironment(deployed: Deployed, lambda: LambdaClient, { logicalId, properties }: Named): Promise<boolean> {
  const environment = properties.Environment as { readonly Variables?: object } | undefined;
  if (!environment) return true;
  let Variables: Record<string, string>;
  try {
    Variables = resolve(environment.Variables ?? {}, deployed) as Record<string, string>;
  } catch (error) {
    if (error instanceof TerminalError) return false;
    throw error;
  }
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: deployed.physicalIds.get(logicalId), Environment: { Variables } }));
  return true;
}

/** Names the versions, in `deployed.physicalIds` too, and writes every function's environment as it is on AWS. */
export async function settleFunctions(deployed: Deployed, lambda: LambdaClient): Promise<Difference[]> {
  const settled: Difference[] = [];
  const type = 'AWS::Lambda::Function';
  // Functions first whose environment refers to no version: a version freezes it.
  const referring: Named[] = [];
  for (const each of ofType(deployed, type))
    if (await writeEnvironment(deployed, lambda, each)) settled.push({ logicalId: each.logicalId, type, note: 'Environment' });
    else referring.push(each);
  for (const { logicalId, properties } of ofType(deployed, 'AWS::Lambda::Version')) {
    const arn = await currentVersion(lambda, String(resolve(properties.FunctionName, deployed)));
    deployed.physicalIds.set(logicalId, arn);
    settled.push({ logicalId, type: 'AWS::Lambda::Version', note: arn });
  }
  for (const each of referring) {
    if (!(await writeEnvironment(deployed, lambda, each)))
      throw new TerminalError(`the environment of ${each.logicalId} refers to something the emulator did not make`);
    settled.push({ logicalId: each.logicalId, type, note: 'Environment, with the ARN of a version' });
  }
  return settled;
}
