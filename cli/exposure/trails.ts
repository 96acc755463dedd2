/** Log files of trails that record who reads a resource, with the caller's own credentials. */
import { CloudTrailClient, DescribeTrailsCommand, GetEventSelectorsCommand, GetTrailStatusCommand, type Trail } from '@aws-sdk/client-cloudtrail';
import { GetObjectCommand, ListObjectsV2Command, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { ResourceRef } from '../../engine/model.ts';
import type { Aws } from '../../engine/ports.ts';
import { explain, UsageError } from '../errors.ts';
import { recordsOf } from '../input.ts';
import type { Readers } from './readers.ts';
import type { Window } from './readings.ts';
import { type Taken, takes, takesManagement } from './selectors.ts';

export interface Source {
  readonly trail: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly home: string;
  readonly organization: boolean;
  /** Data events of the resource's reads. */
  readonly data: Taken;
  readonly management: boolean;
  /** Why it may not have recorded the whole window. */
  readonly gap?: string;
}

export interface Found {
  readonly sources: readonly Source[];
  /** What could not be asked. */
  readonly unread: readonly string[];
}

/** The trails that record reads of the resource, as they are set now. */
export async function trailsFor(aws: Aws, resource: ResourceRef, wanted: Readers, { from }: Window): Promise<Found> {
  const { trailList = [] } = await aws.client(CloudTrailClient).send(new DescribeTrailsCommand({ includeShadowTrails: true }));
  const unread: string[] = [];
  const sources: Source[] = [];
  for (const trail of trailList.filter(({ IsMultiRegionTrail, HomeRegion }) => IsMultiRegionTrail || HomeRegion === resource.region)) {
    try {
      sources.push(await sourceOf(aws, trail, resource, wanted, from));
    } catch (error) {
      // A member may not ask for the selectors of its organization's trail.
      unread.push(`what the trail ${trail.TrailARN} selects cannot be read: ${explain(error).message}`);
    }
  }
  return { sources: sources.filter(({ data, management }) => data !== 'none' || (wanted.management && management)), unread };
}

async function sourceOf(aws: Aws, trail: Trail, resource: ResourceRef, wanted: Readers, from: string): Promise<Source> {
  const { TrailARN: arn = '', S3BucketName: bucket = '', S3KeyPrefix, HomeRegion: home = aws.region, IsOrganizationTrail } = trail;
  const client = aws.in(home).client(CloudTrailClient);
  const selectors = await client.send(new GetEventSelectorsCommand({ TrailName: arn }));
  const data = wanted.data ? takes(selectors, { type: wanted.data.type, arn: wanted.data.arn(resource) }) : 'none';
  const { IsLogging, StartLoggingTime } = await client.send(new GetTrailStatusCommand({ Name: arn }));
  const gap =
    data === 'part'
      ? 'it records only some of the reads'
      : !IsLogging
        ? 'it is not logging now'
        : StartLoggingTime && StartLoggingTime.toISOString() > from
          ? `it was last started at ${StartLoggingTime.toISOString()}, after the window began`
          : undefined;
  const management = takesManagement(selectors);
  const prefix = S3KeyPrefix ? `${S3KeyPrefix}/` : '';
  return { trail: arn, bucket, prefix, home, organization: IsOrganizationTrail === true, data, management, ...(gap && { gap }) };
}

/** A file is delivered within about 15 minutes of the call; twice that is allowed for. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html */
export const deliveryMs = 15 * 60_000;
/** Of clocks that differ. */
const slackMs = 5 * 60_000;

/** Days (UTC) whose folders can hold files with events of the window. */
export function daysOf({ from, to }: Window): string[] {
  const days: string[] = [];
  const last = new Date(Date.parse(to) + 2 * deliveryMs).toISOString().slice(0, 10);
  for (let day = new Date(from).toISOString().slice(0, 10); day <= last; day = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10))
    days.push(day);
  return days;
}

/** Whether a file can hold events of the window: its name tells when it was made (`…_20260301T1205Z_…`). One that tells nothing can. */
export function canHold(key: string, { from, to }: Window): boolean {
  const [, year, month, day, hour, minute] = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_[^/]*$/.exec(key) ?? [];
  if (year === undefined) return true;
  const made = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  return made >= Date.parse(from) - slackMs && made <= Date.parse(to) + 2 * deliveryMs;
}

/** Keys of the files of one account and region. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html */
export async function filesOf(aws: Aws, source: Source, { accountId, region }: ResourceRef, window: Window): Promise<string[]> {
  const client = aws.in(source.home).client(S3Client);
  const roots = source.organization ? await organizationsIn(client, source) : [`${source.prefix}AWSLogs/`];
  const keys: string[] = [];
  for (const root of roots) {
    for (const day of daysOf(window)) {
      const Prefix = `${root}${accountId}/CloudTrail/${region}/${day.replaceAll('-', '/')}/`;
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: source.bucket, Prefix }))
        keys.push(...Contents.flatMap(({ Key }) => (Key && canHold(Key, window) ? [Key] : [])));
    }
  }
  return keys;
}

/** The files of an organization's trail lie under its id, which only the bucket tells everybody who may list it. */
async function organizationsIn(client: S3Client, { bucket, prefix }: Source): Promise<string[]> {
  const { CommonPrefixes = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}AWSLogs/o-`, Delimiter: '/' }));
  return [`${prefix}AWSLogs/`, ...CommonPrefixes.flatMap(({ Prefix }) => Prefix ?? [])];
}

/** Files read at a time. */
const parallel = 6;

/** Gives every record of every file to `take`; one file that cannot be read fails it all, as its records are not known. */
export async function readFiles(aws: Aws, { bucket, home }: Source, keys: readonly string[], take: (record: unknown) => void): Promise<void> {
  const client = aws.in(home).client(S3Client);
  const waiting = [...keys];
  const worker = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (!Body) throw new UsageError(`s3://${bucket}/${key}: came without a body`, 2);
      for (const { event } of await recordsOf(`s3://${bucket}/${key}`, Buffer.from(await Body.transformToByteArray()))) take(event);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, keys.length) }, worker));
}
