import { randomUUID } from 'node:crypto';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Aws, Clock, SweepRequest } from '../../engine/ports.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const most = 10;

/** Asks for sweeps by messages of the bot's own in the sweep queue; `normalise` reads them. @throws when one of them was not taken: ask again for all. */
export async function requestSweepsThrough(queueUrl: string, sweeps: readonly SweepRequest[], aws: Aws, clock: Clock): Promise<void> {
  const client = aws.client(SQSClient);
  for (let at = 0; at < sweeps.length; at += most) {
    const Entries = sweeps.slice(at, at + most).map(({ accountId, region, delay, ...detail }, index) => ({
      Id: String(index),
      DelaySeconds: delay,
      MessageBody: JSON.stringify({
        source: 'phidelity',
        'detail-type': 'Sweep',
        id: randomUUID(),
        account: accountId,
        region,
        time: clock.now().toISOString(),
        detail,
      }),
    }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (Failed.length > 0) throw new Error(`${Failed.length} sweeps could not be asked for: ${Failed[0]!.Code}`);
  }
}
