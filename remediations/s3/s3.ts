/** Reads and documents that the controls of S3 buckets share. */
import {
  DeletePublicAccessBlockCommand,
  GetPublicAccessBlockCommand,
  type PublicAccessBlockConfiguration,
  PutPublicAccessBlockCommand,
  paginateListBuckets,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Aws, idsAt, leafOf, orUndefined, type ResourceRef } from '../define.ts';

export const bucketArn = 'arn:{partition}:s3:::{id}';
export const bucketType = 'AWS::S3::Bucket';

export const bucketNamed = idsAt('requestParameters.bucketName');

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

/** The settings that are off, in words for a summary. */
export const missing = (block: AccessBlock | null): readonly (keyof AccessBlock)[] =>
  (Object.keys(everythingBlocked) as (keyof AccessBlock)[]).filter((name) => !block?.[name]);

/** `null` = the bucket has no configuration; undefined = there is no such bucket. */
export async function accessBlockOf(aws: Aws, { id }: ResourceRef): Promise<AccessBlock | null | undefined> {
  return orUndefined(
    orNone(
      aws
        .client(S3Client)
        .send(new GetPublicAccessBlockCommand({ Bucket: leafOf({ id }), ExpectedBucketOwner: aws.accountId }))
        .then(blockFrom),
      'NoSuchPublicAccessBlockConfiguration',
    ),
    'NoSuchBucket',
  );
}

export async function setAccessBlock(aws: Aws, { id }: ResourceRef, setting: AccessBlock | null): Promise<void> {
  const bucket = { Bucket: leafOf({ id }), ExpectedBucketOwner: aws.accountId };
  const client = aws.client(S3Client);
  if (setting === null) await client.send(new DeletePublicAccessBlockCommand(bucket));
  else await client.send(new PutPublicAccessBlockCommand({ ...bucket, PublicAccessBlockConfiguration: setting }));
}

/** `null` for the code that says "the bucket is there, the setting is not". */
export const orNone = async <Value>(answer: Promise<Value>, code: string): Promise<Value | null> => (await orUndefined(answer, code)) ?? null;

/** Every bucket of the place with the state that `inspect` reads; a bucket deleted meanwhile is left out. */
export async function* bucketsOf<State>(
  aws: Aws,
  inspect: (resource: ResourceRef, aws: Aws) => Promise<State | undefined>,
): AsyncGenerator<readonly [ResourceRef, State]> {
  for await (const { Buckets = [] } of paginateListBuckets({ client: aws.client(S3Client) }, { BucketRegion: aws.region, MaxBuckets: 1_000 })) {
    for (const { Name } of Buckets) {
      const resource = { accountId: aws.accountId, region: aws.region, type: bucketType, id: `arn:${aws.partition}:s3:::${Name}` };
      const state = await inspect(resource, aws);
      if (state !== undefined) yield [resource, state];
    }
  }
}
