/** Reads that the controls of KMS keys share. */
import { DescribeKeyCommand, type KeyMetadata, KMSClient, paginateListKeys } from '@aws-sdk/client-kms';
import { type Aws, idsAt, orUndefined, type ResourceIds, type ResourceRef } from '../define.ts';

export const keyArn = 'arn:{partition}:kms:{region}:{account}:key/{id}';
export const keyType = 'AWS::KMS::Key';

const named = idsAt('resources[].ARN', 'responseElements.keyMetadata.arn', 'responseElements.keyId', 'requestParameters.keyId');

/** Callers name a key by ARN, id or alias; an alias does not tell which key it stands for. */
export const keyNamed: ResourceIds = (detail) => [...named(detail)].filter((id) => !id?.startsWith('alias/'));

/** Undefined: there is no such key. */
export async function keyOf(aws: Aws, { id }: ResourceRef): Promise<KeyMetadata | undefined> {
  return (await orUndefined(aws.client(KMSClient).send(new DescribeKeyCommand({ KeyId: id })), 'NotFoundException'))?.KeyMetadata;
}

/** Every key of the place with the state that `inspect` reads. */
export async function* keysOf<State>(
  aws: Aws,
  inspect: (resource: ResourceRef, aws: Aws) => Promise<State | undefined>,
): AsyncGenerator<readonly [ResourceRef, State]> {
  for await (const { Keys = [] } of paginateListKeys({ client: aws.client(KMSClient) }, { Limit: 1_000 })) {
    for (const { KeyArn } of Keys) {
      const resource = { accountId: aws.accountId, region: aws.region, type: keyType, id: KeyArn! };
      const state = await inspect(resource, aws);
      if (state !== undefined) yield [resource, state];
    }
  }
}
