/** The state of KMS keys. The emulator encrypts nothing: on AWS a queue or a function whose key is disabled is out of use. */
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { Clients } from './clients.ts';
import { RefusedError } from './refusals.ts';

export const differences: readonly string[] = [
  'KMS: a disabled key keeps messages from being put into its queues by rules and schedules and from being taken out by Lambda, and its functions from running; other calls work on',
];

export interface Keys {
  /** False for a key that is disabled or waits for its deletion; no key of one's own is always usable. */
  usable(region: string, keyId: string | undefined): Promise<boolean>;
  /** The queue's own key; undefined when SQS brings its own. */
  ofQueue(region: string, queueUrl: string): Promise<string | undefined>;
  /** @throws RefusedError as SQS does. */
  demandForQueue(region: string, queueUrl: string): Promise<void>;
}

export function keys(clients: Clients): Keys {
  const usable: Keys['usable'] = async (region, KeyId) => {
    if (KeyId === undefined) return true;
    const { KeyMetadata } = await clients.in(region).kms.send(new DescribeKeyCommand({ KeyId }));
    return KeyMetadata?.KeyState === 'Enabled';
  };
  const ofQueue: Keys['ofQueue'] = async (region, QueueUrl) => {
    const { Attributes } = await clients.in(region).sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['KmsMasterKeyId'] }));
    return Attributes?.KmsMasterKeyId || undefined;
  };
  return {
    usable,
    ofQueue,
    async demandForQueue(region, queueUrl) {
      if (!(await usable(region, await ofQueue(region, queueUrl)))) throw new RefusedError(400, 'KmsDisabled', `the key of ${queueUrl} is not enabled`);
    },
  };
}
