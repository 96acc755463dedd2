/** A region that a person names, refused before a call to a host that does not exist. */
import { UsageError } from './errors.ts';
import { nearest } from './nearest.ts';

const form = /^[a-z]{2,}(-[a-z]+)+-\d+$/;

/**
 * For the suggestion only: AWS opens regions more often than this list is mended.
 * https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
 */
export const knownRegions: readonly string[] = [
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-south-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-central-1',
  'ca-west-1',
  'cn-north-1',
  'cn-northwest-1',
  'eu-central-1',
  'eu-central-2',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-gov-east-1',
  'us-gov-west-1',
  'us-west-1',
  'us-west-2',
];

/** A doubt, not a refusal: it may be newer than the list. Undefined when the region is known. */
export function doubtOf(region: string): string | undefined {
  if (knownRegions.includes(region)) return undefined;
  const near = nearest(region, knownRegions);
  return `${region} is no region that this version knows${near ? `; did you mean ${near}?` : ''}`;
}

/** @throws UsageError when no region of AWS is written like that. */
export function checkRegion(region: string): void {
  if (form.test(region)) return;
  const near = nearest(region.toLowerCase(), knownRegions);
  throw new UsageError(
    `there is no AWS region ${JSON.stringify(region)}${near ? `; did you mean ${near}?` : ': a region is written like us-east-1.'} Known are ${knownRegions.join(', ')}.`,
    2,
  );
}
