/** Names and places that the controls of CloudTrail trails share. */
import { CloudTrailClient, DescribeTrailsCommand, type Trail } from '@aws-sdk/client-cloudtrail';
import { type Aws, idsAt, leafOf, type ResourceRef, refTo, required } from '../define.ts';

export const trails = { resourceType: 'AWS::CloudTrail::Trail', arn: 'arn:{partition}:cloudtrail:{region}:{account}:trail/{id}' };

/** Callers name a trail by name or ARN. An ARN of another account is an organization's trail: only its owner can change it. */
export const trailNamed = idsAt('responseElements.trailARN', 'requestParameters.name');

/**
 * The trail's home region, where alone it can be changed, and its name, which every call takes there.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
 */
export const homeOf = (aws: Aws, resource: ResourceRef): { readonly client: CloudTrailClient; readonly name: string } => ({
  client: aws.in(resource.id.split(':')[3]!).client(CloudTrailClient),
  name: leafOf(resource),
});

/** The trails whose home is the place of `aws`: a multi-Region trail shows in every region, and is one trail. */
export async function trailsAt(aws: Aws): Promise<readonly (readonly [ResourceRef, Trail])[]> {
  const { trailList } = await aws.client(CloudTrailClient).send(new DescribeTrailsCommand({ includeShadowTrails: false }));
  return required(trailList, 'trailList').map((trail) => [refTo(trails, aws, trail.TrailARN), trail]);
}
