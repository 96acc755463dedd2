/** Reads that the controls of KMS keys share. */
import { DescribeKeyCommand, type KeyMetadata, KMSClient, paginateListKeys } from '@aws-sdk/client-kms';
import { type Aws, idsAt, type Listing, orUndefined, type Page, pagesOf, type ResourceIds, type ResourceRef, refTo, required } from '../define.ts';

export const keys = { resourceType: 'AWS::KMS::Key', arn: 'arn:{partition}:kms:{region}:{account}:key/{id}' };

const named = idsAt('resources[].ARN', 'responseElements.keyMetadata.arn', 'responseElements.keyId', 'requestParameters.keyId');

/** Callers name a key by ARN, id or alias; an alias does not tell which key it stands for. */
export const keyNamed: ResourceIds = (detail) => [...named(detail)].filter((id) => !id?.startsWith('alias/'));

/** Undefined: there is no such key. */
export async function keyOf(aws: Aws, { id }: ResourceRef): Promise<KeyMetadata | undefined> {
  const answer = await orUndefined(aws.client(KMSClient).send(new DescribeKeyCommand({ KeyId: id })), 'NotFoundException');
  return answer && required(answer.KeyMetadata, 'KeyMetadata');
}

/** Every key of the place, by name. */
export const keysOf = (aws: Aws, { from: startingToken }: Pick<Listing, 'from'>): AsyncGenerator<Page<never>> =>
  pagesOf(
    paginateListKeys({ client: aws.client(KMSClient), startingToken }, { Limit: 100 }),
    ({ NextMarker }) => NextMarker,
    ({ Keys }) => required(Keys, 'Keys').map(({ KeyArn }) => [refTo(keys, aws, KeyArn)]),
  );
