/** Reads and writes that the controls of SNS topics share. */
import { GetTopicAttributesCommand, paginateListTopics, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { type Aws, idsAt, orUndefined, type ResourceRef } from '../define.ts';

export const topicArn = 'arn:{partition}:sns:{region}:{account}:{id}';
export const topicType = 'AWS::SNS::Topic';

export const topicNamed = idsAt('requestParameters.topicArn', 'responseElements.topicArn', 'requestParameters.name');

/** https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html; undefined = there is no such topic. */
export async function topicAttributesOf(aws: Aws, { id }: ResourceRef): Promise<Readonly<Record<string, string>> | undefined> {
  const answer = await orUndefined(aws.client(SNSClient).send(new GetTopicAttributesCommand({ TopicArn: id })), 'NotFound', 'NotFoundException');
  return answer && (answer.Attributes ?? {});
}

export async function setTopicAttribute(aws: Aws, { id }: ResourceRef, name: 'KmsMasterKeyId' | 'Policy', value: string): Promise<void> {
  await aws.client(SNSClient).send(new SetTopicAttributesCommand({ TopicArn: id, AttributeName: name, AttributeValue: value }));
}

/** Every topic of the place with the state that `inspect` reads; a topic deleted meanwhile is left out. */
export async function* topicsOf<State>(
  aws: Aws,
  inspect: (resource: ResourceRef, aws: Aws) => Promise<State | undefined>,
): AsyncGenerator<readonly [ResourceRef, State]> {
  for await (const { Topics = [] } of paginateListTopics({ client: aws.client(SNSClient) }, {})) {
    for (const { TopicArn } of Topics) {
      if (!TopicArn) continue;
      const resource = { accountId: aws.accountId, region: aws.region, type: topicType, id: TopicArn };
      const state = await inspect(resource, aws);
      if (state !== undefined) yield [resource, state];
    }
  }
}
