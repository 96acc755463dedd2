import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Finding } from '../../engine/model.ts';
import type { Aws } from '../../engine/ports.ts';

/** The first execution bears the finding's id; one that follows after the first has ended bears its number too. */
export const executionName = ({ id, drives }: Pick<Finding, 'id' | 'drives'>): string => (drives > 1 ? `${id}-${drives}` : id);

/**
 * Starts the durable execution of a finding, or nothing when it is there already.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
 */
export async function dispatchTo(remediateArn: string, finding: Finding, aws: Aws): Promise<void> {
  await aws.client(LambdaClient).send(
    new InvokeCommand({
      FunctionName: remediateArn,
      InvocationType: 'Event',
      DurableExecutionName: executionName(finding),
      Payload: new TextEncoder().encode(JSON.stringify({ findingId: finding.id })),
    }),
  );
}
