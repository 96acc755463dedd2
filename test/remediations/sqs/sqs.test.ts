/** Where a queue is asked, by partition and endpoint: the request's host and the QueueUrl it carries. */
import { afterEach, expect, test } from '@jest/globals';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { queueAttributesOf, queueNamed } from '../../../remediations/sqs/sqs.ts';

const accountId = '123456789012';
const before = process.env.AWS_ENDPOINT_URL;
afterEach(() => {
  if (before === undefined) delete process.env.AWS_ENDPOINT_URL;
  else process.env.AWS_ENDPOINT_URL = before;
});

interface Asked {
  readonly url: string;
  readonly queueUrl: string;
}

/** A queue read whose request is caught before it leaves. */
async function asked(region: string, partition: string, settings: object = {}): Promise<Asked[]> {
  const requests: Asked[] = [];
  const requestHandler = {
    async handle({ protocol, hostname, port, body }: { protocol: string; hostname: string; port?: number; body: Uint8Array }) {
      requests.push({ url: `${protocol}//${hostname}${port ? `:${port}` : ''}`, queueUrl: JSON.parse(new TextDecoder().decode(body)).QueueUrl });
      throw new Error('caught');
    },
  };
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };
  const aws = awsAccess({ credentials, maxAttempts: 1, requestHandler, ...settings })({ accountId, region }, { share: true });
  const resource = { accountId, region, type: 'AWS::SQS::Queue', id: `arn:${partition}:sqs:${region}:${accountId}:results.fifo` };
  await expect(queueAttributesOf(aws, resource)).rejects.toThrow('caught');
  return requests;
}

test.each([
  ['us-east-1', 'aws', 'https://sqs.us-east-1.amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'https://sqs.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', 'aws-us-gov', 'https://sqs.us-gov-west-1.amazonaws.com'],
  ['us-iso-east-1', 'aws-iso', 'https://sqs.us-iso-east-1.c2s.ic.gov'],
])('in %s', async (region, partition, host) => {
  expect(await asked(region, partition)).toEqual([{ url: host, queueUrl: `${host}/${accountId}/results.fifo` }]);
});

test('at an endpoint of its own, never on AWS', async () => {
  const host = 'http://127.0.0.1:5001';
  expect(await asked('us-east-1', 'aws', { endpoint: host })).toEqual([{ url: host, queueUrl: `${host}/${accountId}/results.fifo` }]);
  process.env.AWS_ENDPOINT_URL = host;
  expect(await asked('us-east-1', 'aws')).toEqual([{ url: host, queueUrl: `${host}/${accountId}/results.fifo` }]);
});

test('an event of another partition names a queue there', () => {
  const detail = {
    eventSource: 'sqs.amazonaws.com',
    eventName: 'SetQueueAttributes',
    awsRegion: 'cn-north-1',
    requestParameters: { queueUrl: `https://sqs.cn-north-1.amazonaws.com.cn/${accountId}/results` },
  };
  expect([...queueNamed(detail)]).toEqual([`arn:aws-cn:sqs:cn-north-1:${accountId}:results`]);
});
