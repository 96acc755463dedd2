/** Sends messages to where they belong, then deletes them: one may come twice, none is lost. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, type Message, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Aws } from '../../engine/ports.ts';
import { outputOf, type Stack } from '../stack.ts';
import { alarmText, homeOf } from './letter.ts';
import type { Dlq } from './queues.ts';
import { takeFrom } from './read.ts';

export interface Failed {
  readonly id: string;
  readonly queue: string;
  /** Sent, but not deleted: it will be sent again. */
  readonly sent: boolean;
  readonly cause: unknown;
}

export interface Redriven {
  readonly sent: readonly string[];
  readonly failed: readonly Failed[];
}

/**
 * Needs sqs:SendMessage on the stack's queues, sqs:ReceiveMessage, DeleteMessage and ChangeMessageVisibility on the dead-letter queue,
 * kms:GenerateDataKey and Decrypt on the data key; all as the caller's own IAM rights: the queue policies name services only.
 *
 * @param wanted ids; undefined = all
 */
export async function redrive(dlq: Dlq, stack: Stack, home: Aws, wanted: ReadonlySet<string> | undefined): Promise<Redriven> {
  const sent = new Set<string>();
  const gone = new Set<string>();
  const tried = new Set<string>();
  const failed: Failed[] = [];

  const one = async (message: Message): Promise<void> => {
    const { MessageId: id = '', ReceiptHandle } = message;
    tried.add(id);
    try {
      await send(message, stack, home);
      sent.add(id);
      await dlq.aws.client(SQSClient).send(new DeleteMessageCommand({ QueueUrl: dlq.url, ReceiptHandle }));
      gone.add(id);
    } catch (cause) {
      failed.push({ id, queue: dlq.name, sent: sent.has(id), cause });
    }
  };
  await takeFrom(dlq, gone, async (messages) => {
    await Promise.all(messages.filter(({ MessageId = '' }) => !wanted || wanted.has(MessageId)).map(one));
    return wanted && tried.size === wanted.size ? 'enough' : 'more';
  });
  return { sent: [...sent], failed };
}

const urls = { intake: 'IntakeQueueUrl', sweep: 'SweepQueueUrl', alert: 'AlertQueueUrl' } as const;

async function send(message: Message, stack: Stack, home: Aws): Promise<void> {
  const to = homeOf(message);
  if (to === 'ownHealth') {
    await home.client(SNSClient).send(new PublishCommand({ TopicArn: outputOf(stack, 'OwnHealthTopic'), Message: alarmText(message) }));
  } else {
    const QueueUrl = outputOf(stack, urls[to]);
    await home.client(SQSClient).send(new SendMessageCommand({ QueueUrl, MessageBody: message.Body }));
  }
}
