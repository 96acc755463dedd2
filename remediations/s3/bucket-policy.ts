/** A bucket's policy. S3 has no conditional write of it: what is written is built on a read just made. */
import { DeleteBucketPolicyCommand, GetBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { type Aws, type CloudTrailDetail, orUndefined, type ResourceRef, valuesAt } from '../define.ts';
import { exchanged, type Policy, parsePolicy, printPolicy, type Statement } from '../resource-policy.ts';
import { bucketOf, orNone } from './s3.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html */
export const policyLimit = 20 * 1024;

/** `null` = the bucket has no policy; undefined = there is no such bucket. */
export async function bucketPolicyOf(aws: Aws, resource: ResourceRef): Promise<Policy | null | undefined> {
  const answer = aws.client(S3Client).send(new GetBucketPolicyCommand(bucketOf(aws, resource)));
  return orUndefined(
    orNone(
      answer.then(({ Policy = '' }) => parsePolicy(Policy)),
      'NoSuchBucketPolicy',
    ),
    'NoSuchBucket',
  );
}

/** The statements of the policy that a call sets; undefined when it sets none, or the event does not show it. */
export function policyIn(detail: CloudTrailDetail): readonly Statement[] | undefined {
  const [found] = valuesAt(detail, 'requestParameters.bucketPolicy');
  return found === undefined ? undefined : parsePolicy(typeof found === 'string' ? found : JSON.stringify(found)).Statement;
}

/** Takes `out` out of the live policy and puts `into` in; a policy without statements is deleted. A bucket that is gone stays so. */
export async function exchangeStatements(
  aws: Aws,
  resource: ResourceRef,
  out: readonly Statement[],
  into: readonly Statement[],
  envelope?: Policy,
): Promise<void> {
  const live = await bucketPolicyOf(aws, resource);
  if (live === undefined) return;
  const policy = exchanged(live, out, into, envelope);
  const client = aws.client(S3Client);
  if (policy) await client.send(new PutBucketPolicyCommand({ ...bucketOf(aws, resource), Policy: printPolicy(policy) }));
  else if (live) await client.send(new DeleteBucketPolicyCommand(bucketOf(aws, resource)));
}
