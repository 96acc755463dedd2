/** Pages of buckets, on a stand-in for ListBuckets: moto cuts a list at MaxBuckets and gives no token to go on with. */
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { bucketsOf } from '../../../remediations/s3/s3.ts';

const s3 = mockClient(S3Client);
beforeEach(() => void s3.reset());
afterAll(() => s3.restore());

const place = { accountId: '123456789012', region: 'us-east-1' };
const numbered = (from: number, count: number) => Array.from({ length: count }, (_, at) => `records-${String(from + at).padStart(5, '0')}`);

/** S3 hands out so many names an answer; the token is how many it has given, in its own form. */
function account(names: readonly string[], answerSize: number) {
  s3.on(ListBucketsCommand).callsFake(({ ContinuationToken, BucketRegion, MaxBuckets }) => {
    expect({ BucketRegion, MaxBuckets }).toEqual({ BucketRegion: 'us-east-1', MaxBuckets: 10_000 });
    const start = ContinuationToken ? Number(ContinuationToken.slice('token-'.length)) : 0;
    const end = start + answerSize;
    return { Buckets: names.slice(start, end).map((Name) => ({ Name })), ...(end < names.length && { ContinuationToken: `token-${end}` }) };
  });
}

const aws = () => awsAccess({ maxAttempts: 1 })(place, { share: false });

const pages = async (from?: string) => {
  const found = await Array.fromAsync(bucketsOf(aws(), { from, params: {} }));
  return found.map(({ resources, next }) => ({ names: resources.map(([{ id }]) => id.slice('arn:aws:s3:::'.length)), next }));
};

test.each([
  ['no bucket', [], 10_000, []],
  ['a page that is just full', numbered(0, 100), 10_000, [100]],
  ['one answer that makes three pages', numbered(0, 250), 10_000, [100, 100, 50]],
  ['answers that end within a page', numbered(0, 330), 150, [100, 50, 100, 50, 30]],
])('%s: every bucket once, whichever page a sweep goes on from', async (_, names, answerSize, sizes) => {
  account([...names].reverse(), answerSize);
  const all = await pages();
  expect(all.map((page) => page.names.length)).toEqual(sizes);
  expect(all.flatMap((page) => page.names).sort()).toEqual(names);
  expect(all.at(-1)?.next).toBeUndefined();
  for (const [at, { next }] of all.slice(0, -1).entries()) expect(await pages(next)).toEqual(all.slice(at + 1));
});

test('a bucket deleted between two pages hides no other', async () => {
  const names = numbered(0, 250);
  account(names, 10_000);
  const [first] = await pages();
  account(
    names.filter((name) => !first!.names.includes(name)),
    10_000,
  );
  expect((await pages(first!.next)).flatMap((page) => page.names)).toEqual(names.slice(100));
});
