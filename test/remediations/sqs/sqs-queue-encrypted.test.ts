import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import control from '../../../remediations/sqs/sqs-queue-encrypted.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const arn = 'arn:aws:sqs:us-east-1:123456789012:results.fifo';
const key = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const queue =
  (Attributes?: Record<string, string>): Arrange =>
  async (admin) => {
    await admin.client(SQSClient).send(new CreateQueueCommand({ QueueName: 'results.fifo', Attributes: { FifoQueue: 'true', ...Attributes } }));
    return 'results.fifo';
  };
const inClear = queue({ SqsManagedSseEnabled: 'false' });

const call = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'sqs.amazonaws.com', requestParameters, responseElements });
const url = 'https://sqs.us-east-1.amazonaws.com/123456789012/results.fifo';

testControl(control, {
  compliant: {
    'a new queue, which SQS encrypts': queue(),
    'a KMS key': queue({ SqsManagedSseEnabled: 'false', KmsMasterKeyId: key }),
    'the AWS managed key': queue({ SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'alias/aws/sqs' }),
  },
  remediated: {
    'switched off': { given: inClear, annotation: 'not encrypted', change: { before: { by: 'none' }, after: { by: 'sqs' } } },
    'with a key of its own': { given: inClear, params: { kmsKeyId: key }, change: { before: { by: 'none' }, after: { by: 'kms', keyId: key } } },
    'with an alias, which names no region': {
      given: inClear,
      params: { kmsKeyId: 'alias/messages' },
      change: { after: { by: 'kms', keyId: 'alias/messages' } },
    },
  },
  blocked: {
    'a key of another region': {
      given: inClear,
      params: { kmsKeyId: key.replace('us-east-1', 'eu-west-1') },
      reason: 'The key is in eu-west-1, the queue in us-east-1',
    },
    'the AWS managed key is named': { given: inClear, params: { kmsKeyId: 'alias/aws/sqs' }, reason: /customer managed key.*silence S3, SNS and EventBridge/ },
  },
  gone: 'no-such-queue',
  events: {
    CreateQueue: { detail: call({ queueName: 'results.fifo', attribute: { SqsManagedSseEnabled: 'false' } }, { queueUrl: url }), ids: [arn] },
    'CreateQueue without an answer': { detail: call({ queueName: 'results.fifo' }), ids: [arn] },
    DeleteQueue: { detail: call({ queueUrl: url }), ids: [arn] },
    SetQueueAttributes: { detail: call({ queueUrl: url, attributes: { SqsManagedSseEnabled: 'false' } }), ids: [arn] },
    'SetQueueAttributes at an old address': { detail: call({ queueUrl: 'https://queue.amazonaws.com/123456789012/results.fifo' }), ids: [arn] },
    'SetQueueAttributes of a queue of another account': { detail: call({ queueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/theirs' }), ids: [] },
    'SetQueueAttributes with null request parameters': { detail: call(null), sweep: true },
  },
});
