/** The stream of a table, as far as the local stack goes: in order, again from the first failure. No emulator is asked. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { InvocationResult } from '../../../cli/local-stack/invoke.ts';
import { createStreams, type Streams } from '../../../cli/local-stack/streams.ts';

let streams: Streams;
/** Sort keys as the function was given them. */
let given: string[][];
let answer: (event: DynamoDBStreamEvent) => InvocationResult;
const fine = (): InvocationResult => ({ ok: true, payload: '{"batchItemFailures":[]}' });

beforeEach(() => {
  given = [];
  answer = fine;
  streams = createStreams({
    region: 'us-east-1',
    async invoke(_, event) {
      const { Records } = event as DynamoDBStreamEvent;
      given.push(Records.map(({ dynamodb }) => dynamodb!.Keys!.sk!.S!));
      return answer({ Records });
    },
    log: () => undefined,
  });
  const patterns = [{ eventName: ['INSERT'], dynamodb: { Keys: { sk: { S: [{ prefix: 'entry#' }] } } } }];
  streams.read([{ table: 'ledger', functionName: 'evidence', batchSize: 3, patterns }]);
});
afterEach(() => streams.stop());

const putOf = (sk: string, more: object = {}) => ({
  TableName: 'ledger',
  Item: { pk: { S: 'finding#1' }, sk: { S: sk }, gzip: { B: 'eA==' } },
  ConditionExpression: 'attribute_not_exists(pk)',
  ...more,
});
const put = (sk: string, more: object = {}, status = 200) =>
  streams.observe({ target: 'DynamoDB_20120810.PutItem', body: Buffer.from(JSON.stringify(putOf(sk, more))) }, { status });
const settle = async () => {
  while (await streams.settle());
};

test('new items that the filter takes, in their order, once, in batches', async () => {
  for (const sk of ['entry#1', 'finding', 'entry#2', 'entry#3', 'entry#4']) put(sk);
  await settle();
  await settle();
  expect(given).toEqual([
    ['entry#1', 'entry#2'],
    ['entry#3', 'entry#4'],
  ]);
});

test('all puts of a transaction', async () => {
  const TransactItems = [{ Put: putOf('entry#1') }, { Update: {} }, { Put: putOf('entry#2') }];
  streams.observe({ target: 'DynamoDB_20120810.TransactWriteItems', body: Buffer.from(JSON.stringify({ TransactItems })) }, { status: 200 });
  await settle();
  expect(given).toEqual([['entry#1', 'entry#2']]);
});

test('not what was refused, overwritten, or put into another table', async () => {
  put('entry#1', {}, 400);
  put('entry#2', { ConditionExpression: undefined });
  put('entry#3', { TableName: 'patients' });
  await settle();
  expect(given).toEqual([]);
});

test('from the first failure on they come again', async () => {
  answer = ({ Records }) => ({
    ok: true,
    payload: JSON.stringify({ batchItemFailures: Records.slice(1, 2).map(({ dynamodb }) => ({ itemIdentifier: dynamodb!.SequenceNumber })) }),
  });
  for (const number of [1, 2, 3]) put(`entry#${number}`);
  await streams.settle();
  answer = fine;
  await settle();
  expect(given.at(-1)).toEqual(['entry#2', 'entry#3']);
});

test('a function that fails is given the same again', async () => {
  answer = () => ({ ok: false, errorType: 'Error', errorMessage: 'no' });
  put('entry#1');
  expect(await streams.settle()).toBe(false);
  answer = fine;
  await settle();
  expect(given.slice(0, 1).concat(given.slice(-1))).toEqual([['entry#1'], ['entry#1']]);
});
