/** Durable executions of handlers/remediate: one for a finding at a time. */
import { InvokeCommand, LambdaClient, paginateListDurableExecutionsByFunction, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { codeOf } from '../../engine/errors.ts';
import type { Finding } from '../../engine/model.ts';
import type { Aws } from '../../engine/ports.ts';

/** The first execution bears the finding's id; one that follows after the first has ended bears its number too. */
export const executionName = ({ id, drives }: Pick<Finding, 'id' | 'drives'>): string => (drives > 1 ? `${id}-${drives}` : id);

/**
 * Starts the durable execution of a finding, or nothing when it is there already.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
 */
export const dispatchTo = (remediateArn: string, finding: Finding, aws: Aws): Promise<void> =>
  start(remediateArn, executionName(finding), { findingId: finding.id }, aws);

/** Starts another execution of an undo, or nothing when it is there already. */
export const resumeUndoAt = (remediateArn: string, { id, undo, question }: Finding, aws: Aws): Promise<void> =>
  start(remediateArn, `${id}-${question?.id ?? 'undo'}-${undo?.resumed}`, { findingId: id, undo: true }, aws);

async function start(remediateArn: string, name: string, asked: object, aws: Aws): Promise<void> {
  await aws.client(LambdaClient).send(
    new InvokeCommand({
      FunctionName: remediateArn,
      InvocationType: 'Event',
      DurableExecutionName: name,
      Payload: new TextEncoder().encode(JSON.stringify(asked)),
    }),
  );
}

/** Ends the execution of a finding, whichever version of the function it runs on; nothing when none is running. */
export async function stopExecutionOf(remediateArn: string, finding: Finding, aws: Aws): Promise<void> {
  const client = aws.client(LambdaClient);
  // Without the version: an execution that has waited through deploys runs on an older one.
  const FunctionName = remediateArn.split(':').slice(0, 7).join(':');
  const input = { FunctionName, DurableExecutionName: executionName(finding), Statuses: ['RUNNING' as const] };
  for await (const { DurableExecutions = [] } of paginateListDurableExecutionsByFunction({ client }, input)) {
    for (const { DurableExecutionArn } of DurableExecutions) {
      await client.send(new StopDurableExecutionCommand({ DurableExecutionArn })).catch((error: unknown) => {
        // It has ended by itself meanwhile.
        if (codeOf(error) !== 'ResourceNotFoundException') throw error;
      });
    }
  }
}
