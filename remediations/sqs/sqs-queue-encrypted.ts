import * as z from 'zod';
import { type Aws, blocked, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef } from '../define.ts';
import { isAwsManagedKey, regionOfKey } from '../kms-key.ts';
import { type QueueAttributes, queueArn, queueAttributesOf, queueNamed, queuesOf, queueType, setQueueAttributes } from './sqs.ts';

/** SSE-KMS and SSE-SQS exclude each other. */
type Encryption = { readonly by: 'none' | 'sqs' } | { readonly by: 'kms'; readonly keyId: string };

interface State {
  readonly encryption: Encryption;
  readonly region: string;
}

const encryptionOf = ({ KmsMasterKeyId, SqsManagedSseEnabled }: QueueAttributes): Encryption =>
  KmsMasterKeyId ? { by: 'kms', keyId: KmsMasterKeyId } : { by: SqsManagedSseEnabled === 'true' ? 'sqs' : 'none' };

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const attributes = await queueAttributesOf(aws, resource);
  return attributes && { encryption: encryptionOf(attributes), region: resource.region };
}

// One attribute each, as SQS refuses to be told of both kinds at once.
const on = (encryption: Encryption): QueueAttributes =>
  encryption.by === 'kms' ? { KmsMasterKeyId: encryption.keyId } : { SqsManagedSseEnabled: String(encryption.by === 'sqs') };
const off = (encryption: Encryption): QueueAttributes => (encryption.by === 'kms' ? { KmsMasterKeyId: '' } : { SqsManagedSseEnabled: 'false' });

export default defineControl({
  id: 'sqs-queue-encrypted',
  title: 'SQS queues are encrypted at rest',
  rationale: 'A message that waits in a queue may hold ePHI; without encryption SQS keeps it in clear.',
  severity: 'HIGH',
  resourceType: queueType,
  arn: queueArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI at rest.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI while it waits to be passed on.' },
  ],
  related: { securityHub: ['SQS.1'], prowler: ['sqs_queues_server_side_encryption_enabled'] },
  triggers: [onCalls('sqs.amazonaws.com', ['CreateQueue', 'SetQueueAttributes', 'DeleteQueue'], queueNamed), { source: 'config', resourceType: queueType }],
  params: z.strictObject({
    kmsKeyId: z
      .string()
      .min(1)
      .optional()
      .describe('Id, ARN or alias of a customer managed KMS key whose policy lets in every sender, AWS services too; keys that SQS owns (SSE-SQS) without it'),
  }),
  reads: 1,
  writes: ['sqs:encryption'],
  permissions: {
    inspect: ['sqs:GetQueueAttributes', 'sqs:ListQueues'],
    remediate: ['sqs:SetQueueAttributes'],
    undo: ['sqs:SetQueueAttributes'],
  },
  impact:
    'Requests by plain HTTP or without a signature are refused once the queue is encrypted. With a KMS key senders need kms:GenerateDataKey and receivers kms:Decrypt on it; AWS services must be named in its policy.',
  defaultMode: 'approve',

  list: queuesOf,
  inspect,

  evaluate({ encryption: { by } }) {
    if (by === 'none') return nonCompliant('The queue is not encrypted at rest.');
    return compliant(by === 'kms' ? 'The queue has a KMS key.' : 'The queue is encrypted with keys that SQS owns.');
  },

  plan({ encryption: before, region }, { kmsKeyId }) {
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#compatibility-with-aws-services
    if (kmsKeyId && isAwsManagedKey(kmsKeyId)) {
      return blocked(
        'The parameter kmsKeyId must be a customer managed key: the AWS managed alias/aws/sqs would silence S3, SNS and EventBridge, which cannot use it to send.',
      );
    }
    const keyRegion = (kmsKeyId && regionOfKey(kmsKeyId)) || region;
    if (keyRegion !== region) return blocked(`The key is in ${keyRegion}, the queue in ${region}: a queue takes a key of its own region only.`);
    return change<Encryption>({
      action: 'sqs:SetQueueAttributes',
      summary: kmsKeyId ? `Encrypt the queue with ${kmsKeyId}` : 'Encrypt the queue with keys that SQS owns',
      before,
      after: kmsKeyId ? { by: 'kms', keyId: kmsKeyId } : { by: 'sqs' },
    });
  },

  setting: ({ encryption }) => encryption,
  remediate: (resource, { after }, aws) => setQueueAttributes(aws, resource, on(after)),
  // The fix starts from a queue without encryption, so taking its own away is what was before.
  undo: (resource, { after }, aws) => setQueueAttributes(aws, resource, off(after)),
});
