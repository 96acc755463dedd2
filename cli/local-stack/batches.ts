/** A batch as Lambda hands it to a function, and what the function's answer means for its messages. */
import type { Message } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { InvocationResult } from './invoke.ts';

export const toRecord = (message: Message, arn: string, region: string): SQSRecord => ({
  messageId: message.MessageId!,
  receiptHandle: message.ReceiptHandle!,
  body: message.Body!,
  attributes: (message.Attributes ?? {}) as unknown as SQSRecord['attributes'],
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, BinaryValue, DataType }]) => [
      name,
      { stringValue: StringValue, binaryValue: BinaryValue && Buffer.from(BinaryValue).toString('base64'), dataType: DataType! },
    ]),
  ) as SQSRecord['messageAttributes'],
  md5OfBody: message.MD5OfBody!,
  eventSource: 'aws:sqs',
  eventSourceARN: arn,
  awsRegion: region,
});

/** Ids of the messages that stay in the queue. An answer that Lambda cannot read fails the whole batch. */
export function failedIds(result: InvocationResult, ids: readonly string[], reportsItems: boolean): ReadonlySet<string> {
  const all = new Set(ids);
  if (!result.ok) return all;
  if (!reportsItems) return new Set();
  const answer = JSON.parse(result.payload) as Partial<SQSBatchResponse> | null;
  const failures = answer?.batchItemFailures ?? [];
  const failed = failures.map(({ itemIdentifier }) => itemIdentifier);
  return failed.every((id) => all.has(id)) ? new Set(failed) : all;
}
