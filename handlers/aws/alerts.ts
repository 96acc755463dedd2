/** The alert queue: what each channel is to be told, redacted, until it has been. */
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Delivery } from '../../engine/alerts/delivery.ts';
import type { Aws } from '../../engine/ports.ts';

/** What lies in the queue. */
export type Letter = Delivery | { readonly attend: true };

const mostMessages = 10;
/** Bytes of one request; a message may be as long. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const mostBytes = 250_000;

/** @throws when one of them was not taken: leave all again, the channels drop repeats */
export async function enqueueAt(QueueUrl: string, deliveries: readonly Delivery[], aws: Aws): Promise<void> {
  const client = aws.client(SQSClient);
  for (const bodies of batches(deliveries.map((delivery) => JSON.stringify(delivery)))) {
    const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    if (Failed.length > 0) throw new Error(`${Failed.length} alerts could not be left for their channels: ${Failed[0]!.Code}`);
  }
}

function batches(bodies: readonly string[]): string[][] {
  const found: string[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    const last = found.at(-1);
    if (last && last.length < mostMessages && bytes + size <= mostBytes) {
      last.push(body);
      bytes += size;
    } else {
      found.push([body]);
      bytes = size;
    }
  }
  return found;
}

export async function attendAt(QueueUrl: string, aws: Aws): Promise<void> {
  await aws.client(SQSClient).send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ attend: true } satisfies Letter) }));
}
