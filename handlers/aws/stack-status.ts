import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import type { Aws, AwsAccess } from '../../engine/ports.ts';

/** See Ports.stackStatus. A nested stack is quiet between the moves of the one that it belongs to. */
export async function stackStatusOf(stackId: string, access: AwsAccess): Promise<string | undefined> {
  const [, , , region = '', accountId = ''] = stackId.split(':');
  const aws = access({ accountId, region }, { share: false });
  const stack = await stackOf(stackId, aws);
  if (!stack?.RootId || inProgress(stack)) return stack?.StackStatus;
  const root = await stackOf(stack.RootId, aws);
  return root && inProgress(root) ? root.StackStatus : stack.StackStatus;
}

const inProgress = ({ StackStatus }: Stack): boolean => StackStatus?.endsWith('_IN_PROGRESS') ?? false;

/** A stack that was deleted is known by its ARN for 90 days. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
async function stackOf(StackName: string, aws: Aws): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await aws.client(CloudFormationClient).send(new DescribeStacksCommand({ StackName }));
    return Stacks[0];
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError' && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}
