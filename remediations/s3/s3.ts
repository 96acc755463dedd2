/** Reads and documents that the controls of S3 buckets share. */
import {
  DeletePublicAccessBlockCommand,
  GetPublicAccessBlockCommand,
  type PublicAccessBlockConfiguration,
  PutPublicAccessBlockCommand,
  paginateListBuckets,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  type Aws,
  type CloudTrailDetail,
  idsAt,
  type Listing,
  leafOf,
  onCalls,
  orUndefined,
  type Page,
  type ResourceRef,
  refTo,
  required,
  unnamed,
  valuesAt,
  wordAt,
} from '../define.ts';

export const bucketArn = 'arn:{partition}:s3:::{id}';
export const bucketType = 'AWS::S3::Bucket';

const eventSource = 's3.amazonaws.com';

/** Calls on a bucket's settings, and those by which it comes and goes. `breaks` as in a trigger. */
export const onBucketCalls = <Name extends string>(eventNames: readonly Name[], breaks: readonly NoInfer<Name>[] = []) =>
  onCalls(eventSource, ['CreateBucket', ...eventNames, 'DeleteBucket'], idsAt('requestParameters.bucketName'), { breaks });

/** What they block, they block in every bucket. */
export const onAccountBlock = onCalls(eventSource, ['PutAccountPublicAccessBlock', 'DeleteAccountPublicAccessBlock'], unnamed);

/** The bucket in a request; S3 refuses it where another account has taken the name since. */
export const bucketOf = (aws: Aws, { id }: Pick<ResourceRef, 'id'>) => ({ Bucket: leafOf({ id }), ExpectedBucketOwner: aws.accountId });

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html; all false when there is none. */
export type AccessBlock = Required<PublicAccessBlockConfiguration>;

export const everythingBlocked: AccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

/** What GetPublicAccessBlock answers, of a bucket or of the account. */
export const blockFrom = ({
  PublicAccessBlockConfiguration: found = {},
}: {
  PublicAccessBlockConfiguration?: PublicAccessBlockConfiguration;
}): AccessBlock => ({
  BlockPublicAcls: found.BlockPublicAcls ?? false,
  IgnorePublicAcls: found.IgnorePublicAcls ?? false,
  BlockPublicPolicy: found.BlockPublicPolicy ?? false,
  RestrictPublicBuckets: found.RestrictPublicBuckets ?? false,
});

/** The block that a call sets, of a bucket or of the account; undefined when it sets none, or the event does not show it. */
export function blockIn(detail: CloudTrailDetail): AccessBlock | undefined {
  if (/^Delete(Bucket|Account)PublicAccessBlock$/.test(detail.eventName)) return blockFrom({});
  const path = 'requestParameters.PublicAccessBlockConfiguration';
  const [found] = valuesAt(detail, path);
  if (typeof found !== 'object') return undefined;
  const on = (name: keyof AccessBlock) => wordAt(detail, `${path}.${name}`) === 'true';
  return {
    BlockPublicAcls: on('BlockPublicAcls'),
    IgnorePublicAcls: on('IgnorePublicAcls'),
    BlockPublicPolicy: on('BlockPublicPolicy'),
    RestrictPublicBuckets: on('RestrictPublicBuckets'),
  };
}

/** Whether a call sets a block with holes, and whether it closes them all. */
export const onBlockCalls = {
  opens: (detail: CloudTrailDetail): boolean => missing(blockIn(detail) ?? everythingBlocked).length > 0,
  closes: (detail: CloudTrailDetail): boolean => detail.eventName === 'DeleteBucket' || missing(blockIn(detail) ?? null).length === 0,
};

/** The settings that are off, in words for a summary. */
export const missing = (block: AccessBlock | null): readonly (keyof AccessBlock)[] =>
  (Object.keys(everythingBlocked) as (keyof AccessBlock)[]).filter((name) => !block?.[name]);

/** `null` = the bucket has no configuration; undefined = there is no such bucket. */
export async function accessBlockOf(aws: Aws, resource: ResourceRef): Promise<AccessBlock | null | undefined> {
  return orUndefined(
    orNone(
      aws
        .client(S3Client)
        .send(new GetPublicAccessBlockCommand(bucketOf(aws, resource)))
        .then(blockFrom),
      'NoSuchPublicAccessBlockConfiguration',
    ),
    'NoSuchBucket',
  );
}

export async function setAccessBlock(aws: Aws, resource: ResourceRef, setting: AccessBlock | null): Promise<void> {
  const bucket = bucketOf(aws, resource);
  const client = aws.client(S3Client);
  if (setting === null) await client.send(new DeletePublicAccessBlockCommand(bucket));
  else await client.send(new PutPublicAccessBlockCommand({ ...bucket, PublicAccessBlockConfiguration: setting }));
}

/** `null` for the code that says "the bucket is there, the setting is not". */
export const orNone = async <Value>(answer: Promise<Value>, code: string): Promise<Value | null> => (await orUndefined(answer, code)) ?? null;

/** How many buckets a sweep inspects in one go. S3 names up to 10,000 in one answer. */
const pageSize = 100;

/**
 * Every bucket of the place, by name. A token is S3's own, then the name that the page ended with, as one answer of S3 makes many pages.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 */
export async function* bucketsOf(aws: Aws, { from = '' }: Listing): AsyncGenerator<Page<never>> {
  let [token = '', last = ''] = from.split(' ');
  const answers = paginateListBuckets({ client: aws.client(S3Client), startingToken: token || undefined }, { BucketRegion: aws.region, MaxBuckets: 10_000 });
  for await (const { Buckets = [], ContinuationToken = '' } of answers) {
    const done = last;
    const names = Buckets.map(({ Name }) => required(Name, 'Name'))
      .filter((name) => name > done)
      .sort();
    for (let at = 0; at < names.length; at += pageSize) {
      const page = names.slice(at, at + pageSize);
      const next = at + pageSize < names.length ? `${token} ${page.at(-1)}` : ContinuationToken;
      yield {
        resources: page.map((name) => [refTo({ resourceType: bucketType, arn: bucketArn }, aws, name)]),
        ...(next && { next }),
      };
    }
    token = ContinuationToken;
    last = '';
  }
}
