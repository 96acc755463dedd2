/** EventBridge is told of API calls only where a trail logs them. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
import {
  type AdvancedEventSelector,
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import type { Aws } from '../../engine/ports.ts';
import { type Check, hint, look, ok, quoted, unseen, wrong } from './check.ts';
import type { Group } from './scene.ts';

const check = 'trail';

/** One good trail of all regions is enough; what is wrong with the others is not told then. */
export const trail: Group = ({ aws }) =>
  look(check, async () => {
    const { trailList = [] } = await aws.client(CloudTrailClient).send(new DescribeTrailsCommand({ includeShadowTrails: true }));
    if (trailList.length === 0) return wrong(check, 'no trail: no API call reaches EventBridge, in any region', createTrail(aws));
    const looked = await Promise.all(trailList.map((one) => judged(one, aws).catch((error: unknown): Check => unseen(check, error, `${one.Name}: `))));
    const good = looked.find(({ status }) => status === 'ok') ?? looked.find(({ status }) => status === 'hint');
    return good ?? looked;
  });

async function judged({ Name = '', TrailARN = Name, HomeRegion, IsMultiRegionTrail }: Trail, aws: Aws): Promise<Check> {
  const region = HomeRegion ?? aws.region;
  const client = aws.in(region).client(CloudTrailClient);
  if (!IsMultiRegionTrail) {
    return wrong(
      check,
      `${Name} logs ${region} only: calls in other regions do not reach EventBridge`,
      `aws cloudtrail update-trail --name ${Name} --is-multi-region-trail --region ${region}`,
    );
  }
  const { IsLogging } = await client.send(new GetTrailStatusCommand({ Name: TrailARN }));
  if (!IsLogging) return wrong(check, `${Name} does not log`, `aws cloudtrail start-logging --name ${Name} --region ${region}`);
  const selectors = await client.send(new GetEventSelectorsCommand({ TrailName: TrailARN }));
  if (!logsWrites(selectors)) {
    return wrong(
      check,
      `${Name} does not log management events that write`,
      `aws cloudtrail put-event-selectors --trail-name ${Name} --region ${region} ${withWrites(selectors)}`,
    );
  }
  const left = leftOut(selectors);
  if (left.length > 0) return hint(check, `${Name} logs all regions, but leaves out ${left.join(', ')}: controls of these are judged by the daily sweep only`);
  return ok(check, `${Name} logs the management events of all regions`);
}

const fieldOf = ({ FieldSelectors = [] }: AdvancedEventSelector, name: string) => FieldSelectors.find(({ Field }) => Field === name);
const isManagement = (selector: AdvancedEventSelector): boolean => fieldOf(selector, 'eventCategory')?.Equals?.includes('Management') ?? false;
const isReadOnly = (selector: AdvancedEventSelector): boolean => fieldOf(selector, 'readOnly')?.Equals?.includes('true') ?? false;

/** A trail without selectors logs all management events. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
const logsWrites = ({ EventSelectors = [], AdvancedEventSelectors = [] }: GetEventSelectorsCommandOutput): boolean =>
  EventSelectors.length + AdvancedEventSelectors.length === 0 ||
  EventSelectors.some(({ IncludeManagementEvents, ReadWriteType }) => IncludeManagementEvents !== false && ReadWriteType !== 'ReadOnly') ||
  AdvancedEventSelectors.some((selector) => isManagement(selector) && !isReadOnly(selector));

const leftOut = ({ EventSelectors = [], AdvancedEventSelectors = [] }: GetEventSelectorsCommandOutput): string[] => [
  ...EventSelectors.flatMap(({ ExcludeManagementEventSources = [] }) => ExcludeManagementEventSources),
  ...AdvancedEventSelectors.filter((selector) => isManagement(selector) && !isReadOnly(selector)).flatMap(
    (selector) => fieldOf(selector, 'eventSource')?.NotEquals ?? [],
  ),
];

/** The selectors that are there replace themselves: the command takes them all. */
function withWrites({ EventSelectors = [], AdvancedEventSelectors = [] }: GetEventSelectorsCommandOutput): string {
  if (AdvancedEventSelectors.length > 0) {
    const management: AdvancedEventSelector = { Name: 'Management events', FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] };
    return `--advanced-event-selectors ${quoted([...AdvancedEventSelectors.filter((selector) => !isManagement(selector)), management])}`;
  }
  const [first = {}, ...others] = EventSelectors;
  return `--event-selectors ${quoted([{ ...first, ReadWriteType: 'All', IncludeManagementEvents: true }, ...others])}`;
}

/** A trail needs a bucket that lets CloudTrail in. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html */
function createTrail({ accountId, region, partition }: Aws): string {
  const bucket = `cloudtrail-${accountId}-${region}`;
  const name = 'management-events';
  const statement = (Sid: string, Action: string, Resource: string, more: object = {}) => ({
    Sid,
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action,
    Resource,
    Condition: { StringEquals: { 'aws:SourceArn': `arn:${partition}:cloudtrail:${region}:${accountId}:trail/${name}`, ...more } },
  });
  const arn = `arn:${partition}:s3:::${bucket}`;
  const policy = {
    Version: '2012-10-17',
    Statement: [
      statement('Acl', 's3:GetBucketAcl', arn),
      statement('Write', 's3:PutObject', `${arn}/AWSLogs/${accountId}/*`, { 's3:x-amz-acl': 'bucket-owner-full-control' }),
    ],
  };
  const place = region === 'us-east-1' ? '' : ` --create-bucket-configuration LocationConstraint=${region}`;
  return [
    `aws s3api create-bucket --bucket ${bucket} --region ${region}${place}`,
    `aws s3api put-bucket-policy --bucket ${bucket} --region ${region} --policy ${quoted(policy)}`,
    `aws cloudtrail create-trail --name ${name} --s3-bucket-name ${bucket} --is-multi-region-trail --enable-log-file-validation --region ${region}`,
    `aws cloudtrail start-logging --name ${name} --region ${region}`,
  ].join(' && ');
}
