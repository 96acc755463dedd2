/** Trails with what moto leaves out: event selectors that show in DescribeTrails, and an organization's trail. Answers have the SDK's shapes. */
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsResponse,
  GetTrailStatusCommand,
  type Trail,
  TrailNotFoundException,
} from '@aws-sdk/client-cloudtrail';
import { mockClient } from 'aws-sdk-client-mock';

export interface FakeTrails {
  /** Selectors of one's own make the trail a custom one. */
  add(name: string, trail?: Partial<Trail> & { readonly logging?: boolean | 'gone' }, selectors?: Omit<GetEventSelectorsResponse, 'TrailARN'>): void;
  restore(): void;
}

export function fakeTrails(accountId: string): FakeTrails {
  const trails: { readonly trail: Trail; readonly logging: boolean | 'gone'; readonly selectors: GetEventSelectorsResponse }[] = [];
  const mock = mockClient(CloudTrailClient);
  const found = (arn: string | undefined) => {
    const known = trails.find(({ trail, logging }) => trail.TrailARN === arn && logging !== 'gone');
    if (!known) throw new TrailNotFoundException({ message: `Unknown trail: ${arn}`, $metadata: { httpStatusCode: 404 } });
    return known;
  };
  mock.on(DescribeTrailsCommand).callsFake(async () => ({ trailList: trails.map(({ trail }) => trail) }));
  mock.on(GetTrailStatusCommand).callsFake(async ({ Name }) => ({ IsLogging: found(Name).logging }));
  mock.on(GetEventSelectorsCommand).callsFake(async ({ TrailName }) => {
    const { trail, selectors } = found(TrailName);
    // Members of an organization do not see its selectors.
    if (trail.TrailARN?.split(':')[4] !== accountId) throw new TrailNotFoundException({ message: 'Unknown trail', $metadata: { httpStatusCode: 404 } });
    return selectors;
  });
  return {
    add(Name, { logging = true, ...more } = {}, selectors) {
      const trail: Trail = {
        Name,
        TrailARN: `arn:aws:cloudtrail:us-west-2:${accountId}:trail/${Name}`,
        HomeRegion: 'us-west-2',
        IsMultiRegionTrail: true,
        IncludeGlobalServiceEvents: true,
        IsOrganizationTrail: false,
        HasCustomEventSelectors: selectors !== undefined,
        ...more,
      };
      trails.push({ trail, logging, selectors: { TrailARN: trail.TrailARN, ...selectors } });
    },
    restore: () => mock.restore(),
  };
}
