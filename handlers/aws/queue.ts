/** When a message that could not be dealt with comes back. */
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Aws } from '../../engine/ports.ts';

/**
 * @param sibling URL of another queue of the same stack: theirs differ in the name only
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export async function showAgain(queueArn: string, sibling: string, ReceiptHandle: string, VisibilityTimeout: number, aws: Aws): Promise<void> {
  const QueueUrl = sibling.replace(/[^/]+$/, queueArn.split(':').at(-1)!);
  await aws.client(SQSClient).send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
}
