/** Policies of buckets. */
import { CreateBucketCommand, GetBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import type { Statement } from '../../../remediations/resource-policy.ts';
import { orNone } from '../../../remediations/s3/s3.ts';
import { envelopes, foreign, mentions, open, parted, type Written, withLatecomer, written } from '../../support/arbitraries.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

interface Prior extends Written {
  readonly minTlsVersion?: '1.2' | '1.3';
}

const arnOf = (bucket: string) => `arn:aws:s3:::${bucket}`;
const within = ['', '/*', '/reports/*'];
const others = foreign(['s3:ListBucket', 's3:GetBucketLocation'], within);

const policyOf = async (aws: Aws, Bucket: string) => {
  const answer = aws.client(S3Client).send(new GetBucketPolicyCommand({ Bucket }));
  return (await orNone(answer, 'NoSuchBucketPolicy'))?.Policy;
};

const write = (aws: Aws, Bucket: string, Policy: string) => aws.client(S3Client).send(new PutBucketPolicyCommand({ Bucket, Policy }));

const bucketPolicies = (prior: fc.Arbitrary<Prior>, owned: (statement: Statement) => boolean): RoundTrip<Prior> => ({
  prior,
  params: ({ minTlsVersion }) => ({ ...(minTlsVersion && { minTlsVersion }) }),
  async arrange(aws, prior, Bucket) {
    await aws.client(S3Client).send(new CreateBucketCommand({ Bucket }));
    const policy = written(prior, arnOf(Bucket));
    if (policy) await write(aws, Bucket, policy);
    return Bucket;
  },
  async told(aws, Bucket) {
    const { mine, others, envelope } = parted(await policyOf(aws, Bucket), owned);
    return { own: { mine, envelope: mine.length > 0 ? envelope : undefined }, other: others };
  },
  async meanwhile(aws, Bucket, { envelope }) {
    await write(aws, Bucket, withLatecomer(await policyOf(aws, Bucket), envelope, 's3:ListBucket', arnOf(Bucket)));
  },
});

/** Refusals of plain HTTP that leave something out. */
const halfRefusals = fc.subarray([
  {
    Sid: 'OneCaller',
    Effect: 'Deny',
    Principal: { AWS: 'arn:aws:iam::111122223333:root' },
    Action: 's3:*',
    Resource: ['THE-ARN', 'THE-ARN/*'],
    ...plainHttp(),
  },
  { Sid: 'OneAction', Effect: 'Deny', Principal: '*', Action: ['s3:GetObject'], Resource: ['THE-ARN', 'THE-ARN/*'], ...plainHttp() },
  { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:*', Resource: 'THE-ARN/*', ...plainHttp() },
]);

function plainHttp() {
  return { Condition: { Bool: { 'aws:SecureTransport': ['false'] } } };
}

const wholeRefusal = { Sid: 'OwnersTls', Effect: 'Deny', Principal: '*', Action: ['s3:*'], Resource: ['THE-ARN/*', 'THE-ARN'], ...plainHttp() };

export const s3Policies = {
  's3-bucket-policy-not-public': bucketPolicies(
    fc.record({ envelope: envelopes, mine: open(['s3:GetObject', 's3:PutObject'], within), foreign: others }),
    mentions('s3:GetObject', 's3:PutObject'),
  ),
  's3-bucket-tls-only': bucketPolicies(
    fc
      .record({
        envelope: envelopes,
        beside: others,
        half: halfRefusals,
        minTlsVersion: fc.constantFrom<'1.2' | '1.3' | undefined>(undefined, '1.2', '1.3'),
        refuses: fc.boolean(),
      })
      .map(({ envelope, beside, half, minTlsVersion, refuses }) => ({
        envelope,
        mine: [],
        // Only the oldest version is then left to refuse.
        foreign: [...beside, ...half, ...(refuses && minTlsVersion ? [wholeRefusal] : [])],
        ...(minTlsVersion && { minTlsVersion }),
      })),
    mentions('Phidelity'),
  ),
};
