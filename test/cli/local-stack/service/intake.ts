/** A queue's consumer for the tests of the local stack: messages say what becomes of them. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

interface Message {
  readonly findingId?: string;
  readonly fail?: boolean;
  readonly throw?: boolean;
}

let batches = 0;

export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  batches += 1;
  const messages = event.Records.map(({ body, messageId }) => {
    const message = JSON.parse(body) as Message & { detail?: Message };
    return { messageId, ...(message.detail ?? message) };
  });
  appendFileSync(
    join(process.env.OUTBOX!, 'intake.log'),
    `${JSON.stringify({ pid: process.pid, batches, size: messages.length, remaining: context.getRemainingTimeInMillis(), environment: process.env })}\n`,
  );
  if (messages.some((message) => message.throw)) throw new Error('the whole batch');
  for (const { findingId } of messages)
    if (findingId && process.env.STEPS_ARN)
      await new LambdaClient().send(
        new InvokeCommand({
          FunctionName: process.env.STEPS_ARN,
          InvocationType: 'Event',
          DurableExecutionName: findingId,
          Payload: JSON.stringify({ findingId, kind: 'plain' }),
        }),
      );
  return { batchItemFailures: messages.filter((message) => message.fail).map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
