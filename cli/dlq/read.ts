/** Takes messages out of a dead-letter queue for a moment; whatever is not deleted meanwhile lies there again afterwards. */
import { ChangeMessageVisibilityBatchCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Dlq } from './queues.ts';

/** Seconds for which a message is out of others' sight. */
const held = 120;
const batch = 10;
/** SQS asks only some of its servers at a time: that nothing came once does not say that nothing is there. */
const emptyEnough = 2;

/** Told of the messages that came, new ones only. Says `enough` when no more are wanted. */
export type Taken = (messages: readonly Message[]) => Promise<'more' | 'enough'>;

/** Messages are received until `taken` has enough or none comes any more; those not in `gone` are put back. */
export async function takeFrom({ url, aws }: Dlq, gone: ReadonlySet<string>, taken: Taken): Promise<void> {
  const client = aws.client(SQSClient);
  /** Receipt handles by message id. */
  const handles = new Map<string, string>();
  try {
    for (let empty = 0; empty < emptyEnough; ) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: batch,
          VisibilityTimeout: held,
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      );
      const fresh = Messages.filter(({ MessageId = '' }) => !handles.has(MessageId));
      for (const { MessageId = '', ReceiptHandle = '' } of Messages) handles.set(MessageId, ReceiptHandle);
      // What comes a second time has been held for too long: the whole queue has been read.
      if (Messages.length > 0 && fresh.length === 0) break;
      empty = Messages.length === 0 ? empty + 1 : 0;
      if (fresh.length > 0 && (await taken(fresh)) === 'enough') break;
    }
  } finally {
    await putBack([...handles].filter(([id]) => !gone.has(id)));
  }

  async function putBack(left: readonly (readonly [string, string])[]): Promise<void> {
    for (let from = 0; from < left.length; from += batch) {
      const Entries = left.slice(from, from + batch).map(([, ReceiptHandle], index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
    }
  }
}
