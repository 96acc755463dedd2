/** Queues as whoever takes from them needs them. */
import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Aws } from '../../engine/ports.ts';

/**
 * When a message that could not be dealt with comes back.
 * @param sibling URL of another queue of the same stack: theirs differ in the name only
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export async function showAgain(queueArn: string, sibling: string, ReceiptHandle: string, VisibilityTimeout: number, aws: Aws): Promise<void> {
  const QueueUrl = sibling.replace(/[^/]+$/, queueArn.split(':').at(-1)!);
  await aws.client(SQSClient).send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
}

/** Roughly how many messages lie there, those that somebody is reading now included. */
export async function depthOf(QueueUrl: string, aws: Aws): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await aws.client(SQSClient).send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }));
  return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
