import { CreateQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect } from '@jest/globals';
import type { Aws } from '../../../engine/ports.ts';
import control from '../../../remediations/sqs/sqs-queue-tls-only.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const arn = 'arn:aws:sqs:us-east-1:123456789012:results';
const url = 'https://sqs.us-east-1.amazonaws.com/123456789012/results';

const tlsOnly = {
  Sid: 'PhidelityTlsOnly',
  Effect: 'Deny',
  Principal: '*',
  Action: 'sqs:*',
  Resource: [arn],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};
const topic = {
  Sid: 'Topic',
  Effect: 'Allow',
  Principal: { Service: 'sns.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: arn,
  Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:us-east-1:123456789012:results' } },
};
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const many = (count: number, sid: string) => Array.from({ length: count }, (_, index) => ({ ...topic, Sid: `${sid}${index}` }));

const queue =
  (document?: object): Arrange =>
  async (admin) => {
    const Attributes = document && { Policy: JSON.stringify(document) };
    await admin.client(SQSClient).send(new CreateQueueCommand({ QueueName: 'results', Attributes }));
    return 'results';
  };

const policyOf = async (admin: Aws) => {
  const sqs = admin.client(SQSClient);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'results' }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy'] }));
  return JSON.parse(Attributes!.Policy!);
};

const call = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'sqs.amazonaws.com', requestParameters, responseElements });

testControl(control, {
  compliant: {
    'the statement is there': queue(policy(topic, tlsOnly)),
    'in other words': queue(policy({ ...tlsOnly, Sid: 'Own', Principal: { AWS: '*' }, Action: 'SQS:*', Resource: arn })),
  },
  remediated: {
    'no policy': {
      given: queue(),
      annotation: 'plain HTTP',
      change: { before: [], after: [tlsOnly] },
      async then(admin) {
        expect(await policyOf(admin)).toEqual(policy(tlsOnly));
      },
    },
    'a policy of its own stays': {
      given: queue({ Version: '2008-10-17', Id: 'own', Statement: topic }),
      change: { before: [], after: [tlsOnly] },
      async then(admin) {
        expect(await policyOf(admin)).toEqual({ Version: '2008-10-17', Id: 'own', Statement: [topic, tlsOnly] });
      },
    },
    'sending only': { given: queue(policy({ ...tlsOnly, Sid: 'Own', Action: 'sqs:SendMessage' })), change: { after: [tlsOnly] } },
    'of another queue': { given: queue(policy({ ...tlsOnly, Sid: 'Own', Resource: `${arn}-old` })), change: { after: [tlsOnly] } },
    'nineteen statements': { given: queue(policy(...many(19, 'Topic'))), change: { after: [tlsOnly] } },
  },
  blocked: {
    'the name is taken': { given: queue(policy({ ...tlsOnly, Action: 'sqs:SendMessage' })), reason: 'named PhidelityTlsOnly' },
    'twenty statements': { given: queue(policy(...many(20, 'Topic'))), reason: '20 statements' },
    'a policy near the limit of SQS': { given: queue(policy(...many(19, 'Topic'.padEnd(200, 'x')))), reason: '8 KB' },
  },
  gone: 'no-such-queue',
  events: {
    CreateQueue: { detail: call({ queueName: 'results' }, { queueUrl: url }), ids: [arn] },
    DeleteQueue: { detail: call({ queueUrl: url }), ids: [arn] },
    SetQueueAttributes: { detail: call({ queueUrl: url, attributes: { Policy: '' } }), ids: [arn] },
    AddPermission: { detail: call({ queueUrl: url, label: 'send', actions: ['SendMessage'], aWSAccountIds: ['111122223333'] }), ids: [arn] },
    RemovePermission: { detail: call({ queueUrl: url, label: 'send' }), ids: [arn] },
    'RemovePermission with null request parameters': { detail: call(null), sweep: true },
  },
});
