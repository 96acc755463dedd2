/** What a deploy does once the home stack is there, and a removal before it goes. Gives what is to be printed. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { codeOf } from '../../engine/errors.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Deployment, Ledger } from '../../engine/ports.ts';
import { dynamoLedger } from '../../handlers/aws/ledger.ts';
import { catalogue } from '../../remediations/index.ts';
import { rulesOf } from '../rules.ts';
import { cover, uncover } from './coverage.ts';
import { factsOf } from './facts.ts';
import { deploymentOf, withFacts } from './record.ts';
import type { ConfigOf } from './regions.ts';
import { coverageWords, grantWords, nextWords, type Outputs, removedWords } from './words.ts';

/** A stack, deployed or to be removed. */
export interface Target {
  readonly name: string;
  readonly region: string;
  readonly configOf: ConfigOf;
}

export async function afterDeploy(policy: CompiledPolicy, target: Target, now: Date): Promise<string[]> {
  const { name, region, configOf } = target;
  const outputs = await outputsOf(target);
  const home = { stackName: name, region, forwarderRoleArn: given(outputs, 'ForwarderRoleArn') };
  const ledger = await ledgerOf(target, outputs);
  const last = await ledger.recall<Deployment>('deployment');
  const forwarding = await cover(policy, rulesOf(policy, catalogue), home, { configOf, last });
  const controls = await Promise.all(catalogue.map((entry) => entry.load()));
  const forwarders = forwarding.covered.filter((each) => each !== region);
  const own = await factsOf({ name, region, outputs, forwarders }, configOf);
  const complete = withFacts(policy, controls, own);
  const before = await ledger.policy();
  // First: a control that this deploy sets to fix must not fix before its ramp has begun.
  await ledger.remember('deployment', deploymentOf(complete, forwarding, now, last));
  await ledger.storePolicy(complete);
  await tick(target, outputs, now);
  return [...grantWords(policy, before, catalogue, controls), '', ...coverageWords(forwarding), '', ...nextWords(outputs)];
}

/** Takes the facts anew. @param made physical ids that CloudFormation does not tell */
export async function retakeFacts(target: Target, made: ReadonlyMap<string, string>): Promise<void> {
  const { name, region, configOf } = target;
  const outputs = await outputsOf(target);
  const ledger = await ledgerOf(target, outputs);
  const [policy, last] = [await ledger.policy(), await ledger.recall<Deployment>('deployment')];
  if (!policy || !last) throw new Error(`${name} has not been deployed wholly: its ledger holds no policy`);
  const own = await factsOf({ name, region, outputs, forwarders: last.regions.filter((each) => each !== region), made }, configOf);
  const complete = withFacts(policy, await Promise.all(catalogue.map((entry) => entry.load())), own);
  await ledger.storePolicy(complete);
  await ledger.remember('deployment', { ...last, policyId: complete.id } satisfies Deployment);
}

/** Takes away the forwarders: without their home they only fill their dead-letter queues. */
export async function beforeRemove(target: Target): Promise<{ readonly outputs: Outputs; readonly words: string[] }> {
  const outputs = await outputsOf(target).catch((error: unknown): Outputs => {
    // No stack: `remove` itself says so. A forwarder may have outlived it.
    if (codeOf(error) === 'ValidationError') return {};
    throw error;
  });
  const words: string[] = [];
  const last = await lastDeploy(target, outputs).catch((error: Error) => {
    // A bot with a broken key or table must be removable.
    words.push(`What the last deploy recorded cannot be read (${error.message}); forwarders are looked for in every region that is enabled.`);
    return undefined;
  });
  const home = { stackName: target.name, region: target.region, forwarderRoleArn: '' };
  return { outputs, words: [...words, ...removedWords(await uncover(home, { configOf: target.configOf, last }))] };
}

async function lastDeploy(target: Target, outputs: Outputs): Promise<Deployment | undefined> {
  return outputs.LedgerTableName ? (await ledgerOf(target, outputs)).recall<Deployment>('deployment') : undefined;
}

/** The bot looks at its new policy now, not in a quarter of an hour. */
async function tick({ region, configOf }: Target, outputs: Outputs, now: Date): Promise<void> {
  const QueueUrl = given(outputs, 'SweepQueueUrl');
  // An emulator's queue has the name of a host that is not there.
  const sqs = new SQSClient({ ...(await configOf(region)), useQueueUrlAsEndpoint: false });
  const account = given(outputs, 'DataKeyArn').split(':')[4];
  const message = { source: 'phidelity', 'detail-type': 'Tick', id: randomUUID(), account, region, time: now.toISOString(), detail: {} };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
}

async function ledgerOf({ region, configOf }: Target, outputs: Outputs): Promise<Ledger> {
  const clock = { now: () => new Date(), sleep: (milliseconds: number) => setTimeout(milliseconds) };
  return dynamoLedger({ client: new DynamoDBClient(await configOf(region)), table: given(outputs, 'LedgerTableName'), clock });
}

function given(outputs: Outputs, name: string): string {
  const value = outputs[name];
  if (!value) throw new Error(`the stack has no output ${name}`);
  return value;
}

async function outputsOf({ name, region, configOf }: Target): Promise<Outputs> {
  const client = new CloudFormationClient(await configOf(region));
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
  return Object.fromEntries(Stacks[0]?.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]) ?? []);
}
