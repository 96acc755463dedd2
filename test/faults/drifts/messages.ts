import { CreateTopicCommand, GetTopicAttributesCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { letsAllIn, plain, refusesHttp, type Scenario, statementsOf } from './model.ts';

const queue = (name: string, control: string, wrong: Record<string, string>, right: (attributes: Record<string, string>) => boolean): Scenario => ({
  name,
  controls: [control],
  fixes: true,
  async make(admin, QueueName) {
    const sqs = admin.client(SQSClient);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: wrong }));
    return {
      broken: [
        {
          control,
          id: `arn:aws:sqs:${admin.region}:${admin.accountId}:${QueueName}`,
          region: admin.region,
          right: (live) => right(live as Record<string, string>),
        },
      ],
      told: {
        source: 'sqs',
        eventName: 'SetQueueAttributes',
        detail: { requestParameters: { queueUrl: `https://sqs.${admin.region}.amazonaws.com/${admin.accountId}/${QueueName}`, attributes: wrong } },
      },
      marks: [QueueName],
      again: async () => void (await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { ...wrong, Policy: wrong.Policy ?? '' } }))),
      read: async () => (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {},
    };
  },
});

export const queueInClear = queue(
  'queue in clear',
  'sqs-queue-encrypted',
  { SqsManagedSseEnabled: 'false' },
  ({ SqsManagedSseEnabled }) => SqsManagedSseEnabled === 'true',
);
export const queueByHttp = queue('queue by plain HTTP', 'sqs-queue-tls-only', {}, ({ Policy }) =>
  Policy ? statementsOf(JSON.parse(Policy)).some(refusesHttp) : false,
);

export const topicInClear: Scenario = {
  name: 'topic in clear',
  controls: ['sns-topic-encrypted'],
  fixes: true,
  async make(admin, Name) {
    const sns = admin.client(SNSClient);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name }));
    return {
      broken: [{ control: 'sns-topic-encrypted', id: TopicArn!, region: admin.region, right: (live) => live === 'alias/messages' }],
      told: {
        source: 'sns',
        eventName: 'SetTopicAttributes',
        detail: { requestParameters: { topicArn: TopicArn, attributeName: 'KmsMasterKeyId', attributeValue: '' } },
      },
      marks: [Name],
      again: async () => void (await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue: '' }))),
      read: async () => (await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes?.KmsMasterKeyId || null,
    };
  },
};

export const publicTopic: Scenario = {
  name: 'public topic',
  controls: ['sns-topic-not-public'],
  fixes: true,
  async make(admin, Name) {
    const sns = admin.client(SNSClient);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name }));
    const AttributeValue = plain({
      Version: '2008-10-17',
      Statement: [
        { Sid: 'Anyone', Effect: 'Allow', Principal: '*', Action: ['SNS:Subscribe'], Resource: TopicArn },
        { Sid: 'Events', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'SNS:Publish', Resource: TopicArn },
      ],
    });
    const again = async () => void (await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue })));
    await again();
    return {
      broken: [{ control: 'sns-topic-not-public', id: TopicArn!, region: admin.region, right: (live) => !statementsOf(live).some(letsAllIn) }],
      told: { source: 'sns', eventName: 'SetTopicAttributes', detail: { requestParameters: { topicArn: TopicArn, attributeName: 'Policy' } } },
      marks: [Name],
      again,
      read: async () => JSON.parse((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes!.Policy!),
    };
  },
};
