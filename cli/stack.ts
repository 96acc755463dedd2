/** A deployed stack, as its CloudFormation outputs tell. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { codeOf } from '../engine/errors.ts';
import { access, type Caller } from './context.ts';
import { UsageError } from './errors.ts';

export interface Stack {
  readonly table: string;
}

/** @throws UsageError when there is no such stack, or it is not one of this project. */
export async function stackOf(name: string, caller: Caller): Promise<Stack> {
  const client = access()(caller, { share: false }).client(CloudFormationClient);
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name })).catch((cause: unknown) => {
    if (codeOf(cause) === 'ValidationError') throw new UsageError(`there is no stack ${name} in ${caller.region} of account ${caller.accountId}`, 2, { cause });
    throw cause;
  });
  const outputs = new Map(Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  const table = outputs.get('LedgerTableName');
  if (!table) throw new UsageError(`stack ${name} has no output LedgerTableName: it was not deployed by this project`, 2);
  return { table };
}
