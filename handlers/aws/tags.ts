import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import type { ResourceRef } from '../../engine/model.ts';
import type { AwsAccess } from '../../engine/ports.ts';

/** The tags of one resource by its ARN; none for a type that the API does not know. */
export async function tagsOf(resource: ResourceRef, access: AwsAccess): Promise<Record<string, string>> {
  const client = access(resource, { share: false }).client(ResourceGroupsTaggingAPIClient);
  const { ResourceTagMappingList = [] } = await client.send(new GetResourcesCommand({ ResourceARNList: [resource.id] }));
  const tags = ResourceTagMappingList.find(({ ResourceARN }) => ResourceARN === resource.id)?.Tags ?? [];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}
