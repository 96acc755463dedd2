import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../../engine/model.ts';
import type { Aws, Clock } from '../../engine/ports.ts';

/** Asks for a sweep by a message of the bot's own in the intake queue; `normalise` reads it. */
export async function requestSweepThrough(queueUrl: string, control: string, place: Place, delaySeconds: number, aws: Aws, clock: Clock): Promise<void> {
  const message = {
    source: 'phidelity',
    'detail-type': 'Sweep',
    id: randomUUID(),
    account: place.accountId,
    region: place.region,
    time: clock.now().toISOString(),
    detail: { control },
  };
  await aws.client(SQSClient).send(new SendMessageCommand({ QueueUrl: queueUrl, DelaySeconds: delaySeconds, MessageBody: JSON.stringify(message) }));
}
