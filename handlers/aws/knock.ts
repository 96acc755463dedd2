/** Wakes whoever is to judge an answer. It carries nothing: what counts lies in the ledger. */
import { InvokeCommand, LambdaClient, SendDurableExecutionCallbackSuccessCommand } from '@aws-sdk/client-lambda';
import type { Work } from '../../engine/answers/work.ts';
import { codeOf } from '../../engine/errors.ts';
import type { Answer } from '../../engine/model.ts';
import type { Aws, Ledger } from '../../engine/ports.ts';

interface Door {
  readonly ledger: Pick<Ledger, 'recall'>;
  readonly aws: Pick<Aws, 'client'>;
  /** ARN of the published version that new executions run on. */
  remediateArn(): Promise<string> | string;
}

/** It waits no more. https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackSuccess.html */
const gone = ['InvalidParameterValueException', 'ResourceNotFoundException', 'CallbackTimeoutException'];

/** Wakes the execution that waits, or has a new one look where none does. Safe to repeat. */
export async function knockFor({ findingId, id, decision }: Pick<Answer, 'findingId' | 'id' | 'decision'>, work: Work, door: Door): Promise<void> {
  const client = door.aws.client(LambdaClient);
  const waiting = decision === 'approve' || decision === 'deny' ? await door.ledger.recall<{ callbackId: string }>(`knock|${findingId}`) : undefined;
  if (waiting) {
    try {
      await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: waiting.callbackId }));
      return;
    } catch (error) {
      if (!gone.includes(codeOf(error))) throw error;
    }
  }
  await client.send(
    new InvokeCommand({
      FunctionName: await door.remediateArn(),
      InvocationType: 'Event',
      DurableExecutionName: `${findingId}-${id}`,
      Payload: new TextEncoder().encode(JSON.stringify({ findingId, ...(work !== 'act' && { [work]: true }) })),
    }),
  );
}
