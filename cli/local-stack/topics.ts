/** Reads what is published to a topic, through a queue of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { textOf } from '../../engine/alerts/lines.ts';
import type { MachineForm } from '../../engine/alerts/render/machine.ts';
import { TerminalError } from '../../engine/errors.ts';
import type { Clients } from './clients.ts';

export interface Alerted {
  readonly subject?: string;
  /** Of an alert its lines, of anything else what came. */
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TopicReader {
  /** What has arrived since the last read. */
  read(): Promise<Alerted[]>;
  /** The next one. @throws TerminalError when none comes in time. */
  next(seconds?: number): Promise<Alerted>;
}

/** A queue is sent the form for programs. */
function readable(message: string): string {
  try {
    const { version, lines } = JSON.parse(message) as Partial<MachineForm>;
    return version === 1 && lines ? textOf({ lines }) : message;
  } catch {
    return message;
  }
}

export async function subscribe({ sns, sqs }: Clients, topicArn: string): Promise<TopicReader> {
  const name = `reader-${crypto.randomUUID()}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: Attributes!.QueueArn }));
  const read = async (): Promise<Alerted[]> => {
    const alerts: Alerted[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return alerts;
      for (const { Body, ReceiptHandle } of Messages) {
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        const {
          Subject,
          Message,
          MessageAttributes = {},
        } = JSON.parse(Body!) as {
          Subject?: string;
          Message: string;
          MessageAttributes?: Record<string, { Value: string }>;
        };
        alerts.push({
          subject: Subject,
          message: readable(Message),
          attributes: Object.fromEntries(Object.entries(MessageAttributes).map(([key, { Value }]) => [key, Value])),
        });
      }
    }
  };
  const ahead: Alerted[] = [];
  return {
    read: async () => [...ahead.splice(0), ...(await read())],
    async next(seconds = 30) {
      const deadline = Date.now() + seconds * 1000;
      for (;;) {
        if (ahead.length === 0) ahead.push(...(await read()));
        const first = ahead.shift();
        if (first) return first;
        if (Date.now() > deadline) throw new TerminalError(`nothing was published to ${topicArn} within ${seconds} seconds`);
        await pause(100);
      }
    },
  };
}
