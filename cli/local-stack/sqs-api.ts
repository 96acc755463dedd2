/**
 * SQS calls whose seconds are those of the stack's clock: messages sent with a delay, and how long a received one stays hidden.
 * Everything else of SQS is the emulator's.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type SendMessageBatchRequestEntry, SendMessageCommand, type SendMessageRequest, type SQSClient } from '@aws-sdk/client-sqs';
import type { Authorise } from './authorise.ts';
import type { StackClock } from './clock.ts';
import { type Answer, type Call, json, parse } from './wire.ts';

export const differences: readonly string[] = ["SQS: delays of messages that come through the stack's endpoint pass by the stack's clock"];

export interface Delays {
  api(authorise: Authorise): (call: Call) => Promise<Answer | undefined>;
  /** When a received message is to be seen again, if its consumer has said so; milliseconds of the stack's clock. */
  visibleAt(receiptHandle: string): number | undefined;
  /** Messages that are not there to be received yet. */
  readonly waiting: number;
  /** Messages on their way into a queue. */
  readonly busy: number;
  stop(): void;
}

interface Held {
  readonly at: number;
  readonly message: SendMessageRequest;
  timer?: NodeJS.Timeout;
}

const longestTimer = 2 ** 31 - 1;

/** @param emulator its endpoint: queue URLs name that of the stack */
export function createDelays(sqs: SQSClient, emulator: string, clock: StackClock, log: (line: string) => void): Delays {
  const held = new Set<Held>();
  const hidden = new Map<string, number>();
  let busy = 0;

  const send = ({ QueueUrl, DelaySeconds: _, ...message }: SendMessageRequest) =>
    sqs.send(new SendMessageCommand({ ...message, QueueUrl: new URL(new URL(QueueUrl!).pathname, emulator).href }));

  const release = async (each: Held) => {
    held.delete(each);
    clearTimeout(each.timer);
    busy += 1;
    await send(each.message)
      .catch((error: Error) => log(`a delayed message could not be sent: ${error.message}`))
      .finally(() => {
        busy -= 1;
      });
  };
  const stopListening = clock.onAdvance(() => {
    for (const each of held) if (each.at <= clock.now().getTime()) void release(each);
  });

  const take = async (message: SendMessageRequest) => {
    const milliseconds = (message.DelaySeconds ?? 0) * 1000;
    const each: Held = { at: clock.now().getTime() + milliseconds, message };
    if (milliseconds === 0) await send(message);
    else {
      held.add(each);
      each.timer = setTimeout(() => void release(each), Math.min(longestTimer, milliseconds));
    }
    return { MessageId: randomUUID(), MD5OfMessageBody: createHash('md5').update(message.MessageBody!).digest('hex') };
  };

  return {
    api: (authorise) => async (call) => {
      switch (call.headers['x-amz-target']) {
        case 'AmazonSQS.SendMessage': {
          const message = parse<SendMessageRequest>(call.body);
          if (!message.DelaySeconds) return undefined;
          await authorise(call, 'sqs:SendMessage');
          return json(await take(message));
        }
        case 'AmazonSQS.SendMessageBatch': {
          const { QueueUrl, Entries } = parse<{ QueueUrl: string; Entries: SendMessageBatchRequestEntry[] }>(call.body);
          if (!Entries.some(({ DelaySeconds }) => DelaySeconds)) return undefined;
          await authorise(call, 'sqs:SendMessage');
          const Successful = [];
          for (const { Id, ...entry } of Entries) Successful.push({ Id, ...(await take({ QueueUrl, ...entry })) });
          return json({ Successful, Failed: [] });
        }
        case 'AmazonSQS.ChangeMessageVisibility': {
          const { ReceiptHandle, VisibilityTimeout } = parse<{ ReceiptHandle: string; VisibilityTimeout: number }>(call.body);
          hidden.set(ReceiptHandle, clock.now().getTime() + VisibilityTimeout * 1000);
          return undefined;
        }
        default:
          return undefined;
      }
    },
    visibleAt(receiptHandle) {
      const at = hidden.get(receiptHandle);
      hidden.delete(receiptHandle);
      return at;
    },
    get waiting() {
      return held.size;
    },
    get busy() {
      return busy;
    },
    stop() {
      stopListening();
      for (const { timer } of held) clearTimeout(timer);
    },
  };
}
