/** A deployed stack, as CloudFormation tells of it, and the ledger it keeps. */
import { CloudFormationClient, DescribeStacksCommand, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { codeOf } from '../engine/errors.ts';
import type { Aws, Clock, Ledger } from '../engine/ports.ts';
import { clockOf } from '../handlers/aws/clock.ts';
import { dynamoLedger } from '../handlers/aws/ledger.ts';
import { access, whoAmI } from './context.ts';
import { UsageError } from './errors.ts';
import { clockVariable } from './local-stack/clock.ts';

export interface Stack {
  readonly name: string;
  readonly region: string;
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** One resource of a stack: `id` is its name, URL or ARN, as Ref would give it. */
export interface StackPart {
  readonly logicalId: string;
  readonly id: string;
  readonly type: string;
}

/** Real time, but on the local stack, whose time can be moved. */
export const stackTime = (): Clock => clockOf(process.env[clockVariable]);

/** Undefined when there is no such stack. */
export async function describeStack(name: string, aws: Aws): Promise<Stack | undefined> {
  try {
    const { Stacks: [stack] = [] } = await aws.client(CloudFormationClient).send(new DescribeStacksCommand({ StackName: name }));
    const outputs = Object.fromEntries(stack?.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]) ?? []);
    return stack && { name, region: aws.region, status: stack.StackStatus ?? '', outputs };
  } catch (error) {
    // What CloudFormation answers for a stack that does not exist.
    if (codeOf(error) === 'ValidationError') return undefined;
    throw error;
  }
}

/** @throws UsageError when there is no such stack. */
export async function partsOf(stack: string, aws: Aws): Promise<StackPart[]> {
  const parts: StackPart[] = [];
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client: aws.client(CloudFormationClient) }, { StackName: stack })) {
      for (const { LogicalResourceId, PhysicalResourceId, ResourceType } of StackResourceSummaries)
        if (LogicalResourceId && PhysicalResourceId && ResourceType) parts.push({ logicalId: LogicalResourceId, id: PhysicalResourceId, type: ResourceType });
    }
  } catch (cause) {
    if (codeOf(cause) === 'ValidationError') throw new UsageError(`there is no stack ${stack} in ${aws.region}`, 2, { cause });
    throw cause;
  }
  return parts;
}

export interface OpenStack {
  readonly stack: Stack;
  /** The stack's account and home region. */
  readonly aws: Aws;
  readonly ledger: Ledger;
}

/** The name of an output is told when it is missing. @throws UsageError */
export function outputOf({ name, outputs }: Stack, output: string): string {
  const value = outputs[output];
  if (!value) throw new UsageError(`stack ${name} has no output ${output}: it was not deployed by this version of this project`, 2);
  return value;
}

export const ledgerAt = (table: string, aws: Aws): Ledger => dynamoLedger({ client: aws.client(DynamoDBClient), table, clock: stackTime() });

/** @throws UsageError when there is no such stack, or it is not one of this project. */
export async function openStack(name: string, region: string | undefined): Promise<OpenStack> {
  const caller = await whoAmI(region);
  const aws = access()(caller, { share: false });
  const stack = await describeStack(name, aws);
  if (!stack) throw new UsageError(`there is no stack ${name} in ${caller.region} of account ${caller.accountId}`, 2);
  return { stack, aws, ledger: ledgerAt(outputOf(stack, 'LedgerTableName'), aws) };
}
