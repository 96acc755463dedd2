/** Reads and writes that the controls of SNS topics share. */
import { GetTopicAttributesCommand, type ListTopicsCommandOutput, paginateListTopics, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { type Aws, idsAt, type Listing, orUndefined, pagesOf, type ResourceRef, refTo, required } from '../define.ts';

export const topicArn = 'arn:{partition}:sns:{region}:{account}:{id}';
export const topicType = 'AWS::SNS::Topic';

export const topicNamed = idsAt('requestParameters.topicArn', 'responseElements.topicArn', 'requestParameters.name');

/** https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html; undefined = there is no such topic. */
export async function topicAttributesOf(aws: Aws, { id }: ResourceRef): Promise<Readonly<Record<string, string>> | undefined> {
  const answer = await orUndefined(aws.client(SNSClient).send(new GetTopicAttributesCommand({ TopicArn: id })), 'NotFound', 'NotFoundException');
  return answer && required(answer.Attributes, 'Attributes');
}

export async function setTopicAttribute(aws: Aws, { id }: ResourceRef, name: 'KmsMasterKeyId' | 'Policy', value: string): Promise<void> {
  await aws.client(SNSClient).send(new SetTopicAttributesCommand({ TopicArn: id, AttributeName: name, AttributeValue: value }));
}

/** Every topic of the place, by name, 100 a page. */
export const topicsOf = (aws: Aws, { from }: Listing) =>
  pagesOf<ListTopicsCommandOutput, never>(
    paginateListTopics({ client: aws.client(SNSClient), startingToken: from }, {}),
    ({ NextToken }) => NextToken,
    ({ Topics = [] }) => Topics.map(({ TopicArn }) => [refTo({ resourceType: topicType, arn: topicArn }, aws, required(TopicArn, 'TopicArn'))]),
  );
