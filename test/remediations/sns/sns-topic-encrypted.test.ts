import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import control from '../../../remediations/sns/sns-topic-encrypted.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const arn = 'arn:aws:sns:us-east-1:123456789012:results';
const key = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const topic =
  (Attributes?: Record<string, string>): Arrange =>
  async (admin) => {
    await admin.client(SNSClient).send(new CreateTopicCommand({ Name: 'results', Attributes }));
    return 'results';
  };

const call = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'sns.amazonaws.com', requestParameters, responseElements });

testControl(control, {
  compliant: { 'a customer managed key': topic({ KmsMasterKeyId: key }), 'the AWS managed key': topic({ KmsMasterKeyId: 'alias/aws/sns' }) },
  remediated: {
    'no key': { given: topic(), params: { kmsKeyId: key }, annotation: 'no KMS key', change: { before: null, after: key } },
    'an alias': { given: topic(), params: { kmsKeyId: 'alias/messages' }, change: { before: null, after: 'alias/messages' } },
  },
  blocked: {
    'no key is named': { given: topic(), reason: /kmsKeyId.*alias\/aws\/sns would silence CloudWatch alarms, S3 and EventBridge/ },
    'the AWS managed key is named': { given: topic(), params: { kmsKeyId: 'alias/aws/sns' }, reason: /must be a customer managed key.*silence/ },
    'a key of another region': {
      given: topic(),
      params: { kmsKeyId: key.replace('us-east-1', 'eu-west-1') },
      reason: 'The key is in eu-west-1, the topic in us-east-1',
    },
    'an alias of another region': { given: topic(), params: { kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:alias/messages' }, reason: 'in eu-west-1' },
    'by its ARN': { given: topic(), params: { kmsKeyId: 'arn:aws:kms:us-east-1:123456789012:alias/aws/sns' }, reason: 'must be a customer managed key' },
  },
  gone: 'no-such-topic',
  events: {
    CreateTopic: { detail: call({ name: 'results' }, { topicArn: arn }), ids: [arn] },
    'CreateTopic without an answer': { detail: call({ name: 'results' }), ids: [arn] },
    DeleteTopic: { detail: call({ topicArn: arn }), ids: [arn] },
    SetTopicAttributes: { detail: call({ topicArn: arn, attributeName: 'KmsMasterKeyId', attributeValue: '' }), ids: [arn] },
    'SetTopicAttributes with null request parameters': { detail: call(null), sweep: true },
  },
});
