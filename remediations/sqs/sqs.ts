/** Reads and writes that the controls of SQS queues share. */
import {
  GetQueueAttributesCommand,
  type ListQueuesCommandOutput,
  paginateListQueues,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SerializeMiddleware } from '@smithy/types';
import {
  type Aws,
  arnFrom,
  idsAt,
  type Listing,
  leafOf,
  orUndefined,
  type Place,
  pagesOf,
  type ResourceIds,
  type ResourceRef,
  refTo,
  required,
} from '../define.ts';

export const queueArn = 'arn:{partition}:sqs:{region}:{account}:{id}';
export const queueType = 'AWS::SQS::Queue';

const urlOrName = idsAt('requestParameters.queueUrl', 'responseElements.queueUrl', 'requestParameters.queueName');

/** `https://HOST/ACCOUNT/NAME`, whichever host; a bare name is of the account that called. */
const arnAt = (place: Place, url: string): string => {
  const [name = '', accountId = place.accountId] = url.split('/').reverse();
  return arnFrom(queueArn, { accountId, region: place.region }, name);
};

export const queueNamed: ResourceIds = (detail) =>
  [...urlOrName(detail)].map((id) => id && arnAt({ accountId: detail.recipientAccountId ?? '', region: detail.awsRegion }, id));

/**
 * Lets a command name its queue by the path of the URL, in one request. SQS wants a URL, and the SDK sends the request to that URL's
 * host; the URL is therefore built on the endpoint that the SDK has resolved, which is right in each partition and for an
 * endpoint of one's own. GetQueueUrl would be a second request for the same answer.
 */
const queueUrl =
  <Input extends { QueueUrl: string | undefined }, Output extends object>(): SerializeMiddleware<Input, Output> =>
  (next, context) =>
  (args) =>
    next({ ...args, input: { ...args.input, QueueUrl: new URL(args.input.QueueUrl ?? '', context.endpointV2?.url).href } });

const atQueue = { relation: 'before', toMiddleware: 'queueUrlMiddleware', name: 'phidelityQueueUrl', override: true } as const;

const pathOf = ({ id }: ResourceRef) => `/${id.split(':')[4]}/${leafOf({ id })}`;

export type QueueAttributes = Partial<Record<QueueAttributeName, string>>;

/** All of them, so that the controls of one queue share the read; undefined = there is no such queue. */
export async function queueAttributesOf(aws: Aws, resource: ResourceRef): Promise<QueueAttributes | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl: pathOf(resource), AttributeNames: ['All'] });
  command.middlewareStack.addRelativeTo(queueUrl(), atQueue);
  const answer = await orUndefined(aws.client(SQSClient).send(command), 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue');
  return answer && required(answer.Attributes, 'Attributes');
}

/** AWS shows the new value within 60 seconds. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
export async function setQueueAttributes(aws: Aws, resource: ResourceRef, Attributes: QueueAttributes): Promise<void> {
  const command = new SetQueueAttributesCommand({ QueueUrl: pathOf(resource), Attributes });
  command.middlewareStack.addRelativeTo(queueUrl(), atQueue);
  await aws.client(SQSClient).send(command);
}

/** Every queue of the place, by name. SQS gives a token for the next page only where MaxResults is set. */
export const queuesOf = (aws: Aws, { from }: Listing) =>
  pagesOf<ListQueuesCommandOutput, never>(
    paginateListQueues({ client: aws.client(SQSClient), startingToken: from }, { MaxResults: 100 }),
    ({ NextToken }) => NextToken,
    ({ QueueUrls = [] }) => QueueUrls.map((url) => [refTo({ resourceType: queueType, arn: queueArn }, aws, arnAt(aws, url))]),
  );
