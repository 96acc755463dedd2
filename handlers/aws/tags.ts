import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { codeOf } from '../../engine/errors.ts';
import type { ResourceRef } from '../../engine/model.ts';
import type { AwsAccess } from '../../engine/ports.ts';

/** The tags of one resource by its ARN; undefined for one that the API refuses, as it does not know the type or there is no ARN. */
export async function tagsOf(resource: ResourceRef, access: AwsAccess): Promise<Record<string, string> | undefined> {
  const client = access(resource, { share: false }).client(ResourceGroupsTaggingAPIClient);
  try {
    const { ResourceTagMappingList = [] } = await client.send(new GetResourcesCommand({ ResourceARNList: [resource.id] }));
    const tags = ResourceTagMappingList.find(({ ResourceARN }) => ResourceARN === resource.id)?.Tags ?? [];
    return Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
  } catch (error) {
    // https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html#API_GetResources_Errors
    if (codeOf(error) === 'InvalidParameterException') return undefined;
    throw error;
  }
}
