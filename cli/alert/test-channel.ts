/** One alert that says it is a test, through the deployed bot: put into its alert queue, and watched until it has left it. */
import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Delivery } from '../../engine/alerts/delivery.ts';
import { testAlertOf } from '../../engine/alerts/test-alert.ts';
import { type ChannelKind, kindOf } from '../../engine/policy/ways.ts';
import { countOf, type Dlq } from '../dlq/queues.ts';
import { UsageError } from '../errors.ts';
import { type OpenStack, partsOf } from '../stack.ts';
import { named } from './preview.ts';

/** What was seen; whether the other side shows it, the other side knows. */
export interface Tested {
  readonly channel: string;
  readonly kind: ChannelKind;
  readonly subject: string;
  readonly messageId: string;
  /** The alert queue was seen empty, twice in a row. */
  readonly taken: boolean;
  readonly waiting: number;
  /** Messages in the dead-letter queue of alerts. */
  readonly dlq: { readonly before: number; readonly after: number };
}

/** Times that the queue is looked at, a second apart. */
const looks = 30;

/**
 * Needs sqs:SendMessage and GetQueueAttributes on the alert queue and its dead-letter queue, kms:GenerateDataKey and Decrypt on the data key.
 *
 * @param pause waits for a second
 * @throws UsageError when the policy of the stack has no such channel, or the stack no alert queue
 */
export async function testChannel(name: string, open: OpenStack, pause: () => Promise<void>, now: Date): Promise<Tested> {
  const { stack, aws, ledger } = open;
  const policy = await ledger.policy();
  if (!policy) throw new UsageError(`stack ${stack.name} has no policy: deploy again`, 2);
  const channel = policy.channels[named(`channel in the policy of stack ${stack.name} called`, name, Object.keys(policy.channels))]!;
  if ('securityHub' in channel) throw new UsageError(`channel ${name} is Security Hub, which takes findings and no messages: there is nothing to send`, 2);
  const parts = await partsOf(stack.name, aws);
  const queueAt = (logicalId: string): Dlq => {
    const part = parts.find((one) => one.logicalId === logicalId);
    if (!part) throw new UsageError(`stack ${stack.name} has no ${logicalId}: it was not deployed by this version of this project`, 2);
    return { name: logicalId, url: part.id, aws };
  };
  const [queue, dead] = [queueAt('AlertQueue'), queueAt('AlertDlq')];

  const before = await countOf(dead);
  const alert = testAlertOf({ channel: name, stack: stack.name, accountId: aws.accountId, region: stack.region, at: now.toISOString(), id: randomUUID() });
  const messageId = await send(queue, { channel: name, alert });

  let empty = 0;
  let waiting = 1;
  // SQS counts approximately: one zero is no proof.
  for (let look = 0; look < looks && empty < 2; look += 1) {
    await pause();
    waiting = await countOf(queue);
    empty = waiting === 0 ? empty + 1 : 0;
  }
  return { channel: name, kind: kindOf(channel), subject: alert.subject, messageId, taken: empty === 2, waiting, dlq: { before, after: await countOf(dead) } };
}

async function send({ url, aws }: Dlq, delivery: Delivery): Promise<string> {
  const { MessageId } = await aws.client(SQSClient).send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(delivery) }));
  return MessageId ?? '';
}

/** For a person: what was seen, and what to look at. */
export function wordsOf({ channel, kind, subject, taken, waiting, dlq }: Tested): string {
  const grew = dlq.after > dlq.before;
  if (grew)
    return `The dead-letter queue of alerts has grown from ${dlq.before} to ${dlq.after} since the TEST alert was sent: npx phidelity dlq list tells why.`;
  if (!taken)
    return `The TEST alert was put into the alert queue, which is not empty after ${looks} s (${waiting} ${waiting === 1 ? 'message' : 'messages'}): the bot is still trying, or it does not run. npx phidelity doctor looks.`;
  const instead = kind === 'sns' ? '' : ' If it is not there, look for it on SNS: what a channel does not take goes there instead.';
  return `The bot has emptied its alert queue, and the dead-letter queue has not grown. Whether ${channel} (${kind}) shows it, look there for "${subject}".${instead}`;
}

/** Nothing speaks against it. */
export const isWell = ({ taken, dlq }: Tested): boolean => taken && dlq.after <= dlq.before;
