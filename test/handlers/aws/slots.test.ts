/** Slots under every order of requests. The table is a fake that answers what DynamoDB documents for the two requests that slots send. */
import { type AttributeValue, DynamoDBClient, QueryCommand, TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import fc from 'fast-check';
import type { Brake } from '../../../engine/ports.ts';
import { tableRequests } from '../../../handlers/aws/requests.ts';
import { slots } from '../../../handlers/aws/slots.ts';
import { testClock } from '../../support/ledger-model.ts';

type Item = Record<string, AttributeValue>;

interface Taken {
  readonly scope: string;
  readonly holder: string;
  readonly at: number;
}

/** Each request is answered, page by page, when the scheduler lets it. */
function fakeTable(scheduler: Pick<fc.Scheduler, 'schedule'>) {
  const items = new Map<string, Item>();
  /** Every slot that was ever taken. */
  const history: Taken[] = [];
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const nameOf = ({ pk, sk }: Item) => `${pk?.S} ${sk?.S}`;
  const byName = ([a]: [string, Item], [b]: [string, Item]) => (a < b ? -1 : 1);

  mock.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues, ExclusiveStartKey, Limit, ConsistentRead }) => {
    await scheduler.schedule(Promise.resolve(), 'read');
    if (!ConsistentRead) return { Items: [] };
    const after = ExclusiveStartKey ? nameOf(ExclusiveStartKey) : '';
    const found = [...items].filter(([name, { pk }]) => pk?.S === ExpressionAttributeValues[':pk'].S && name > after).sort(byName);
    const page = found.slice(0, Limit).map(([, item]) => item);
    return { Items: page, ...(found.length > page.length && { LastEvaluatedKey: page.at(-1) }) };
  });
  mock.on(TransactWriteItemsCommand).callsFake(async ({ TransactItems }) => {
    await scheduler.schedule(Promise.resolve(), 'write');
    const puts: { Item: Item; ConditionExpression: string; ExpressionAttributeValues: Item }[] = TransactItems.map(({ Put }: { Put: unknown }) => Put);
    const codes = puts.map(({ Item, ConditionExpression, ExpressionAttributeValues }) => {
      if (ConditionExpression !== 'attribute_not_exists(pk) OR #taken <= :cut') throw new Error(`the fake does not know ${ConditionExpression}`);
      const stored = items.get(nameOf(Item));
      return stored === undefined || Number(stored.taken?.N) <= Number(ExpressionAttributeValues[':cut']?.N) ? 'None' : 'ConditionalCheckFailed';
    });
    if (codes.some((code) => code !== 'None'))
      throw new TransactionCanceledException({ message: 'canceled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });
    for (const { Item } of puts) {
      items.set(nameOf(Item), Item);
      history.push({ scope: Item.pk?.S as string, holder: Item.holder?.S as string, at: Number(Item.taken?.N) });
    }
    return {};
  });
  return { client, history };
}

const seconds = 60;

/** Holders that took a slot of a scope in the span that ends with this moment. */
const holdersUntil = (history: readonly Taken[], scope: string, end: number): number =>
  new Set(history.filter((one) => one.scope === scope && one.at <= end && one.at > end - seconds * 1000).map(({ holder }) => holder)).size;

const holder = fc.integer({ min: 0, max: 9 }).map((index) => `holder-${index}`);
const takers = fc.array(fc.record({ holder, scopes: fc.subarray(['one', 'two'], { minLength: 1 }) }), { minLength: 1, maxLength: 8 });
const few = fc.array(fc.record({ holder: fc.constantFrom('early', 'earlier', 'earliest'), scopes: fc.constant(['one', 'two']) }), {
  minLength: 1,
  maxLength: 3,
});
// Clocks of two machines differ; one may also be set back.
const moves = fc.array(fc.constantFrom(1, 20, 30, 59, 60, 61, -5), { maxLength: 6 });

describe('slots in any order of requests and clock', () => {
  const settle = async (scheduler: fc.Scheduler, clock: ReturnType<typeof testClock>, work: readonly (() => Promise<unknown>)[], jumps: readonly number[]) => {
    const passing = jumps.map((jump) => scheduler.schedule(Promise.resolve(), `pass ${jump}`).then(() => clock.pass(jump)));
    return (await scheduler.waitFor(Promise.all([...work.map((one) => one()), ...passing]))).slice(0, work.length);
  };
  const opened = (scheduler: fc.Scheduler) => {
    const clock = testClock();
    const { client, history } = fakeTable(scheduler);
    const { takeSlots } = slots(tableRequests(client, 'table'), { client, pageSize: 1 }, 'table', clock);
    return { clock, history, takeSlots };
  };
  const brakes = (scopes: readonly string[], limit: number): Brake[] => scopes.map((scope) => ({ scope, limit, seconds }));

  test('never more than the limit in any sliding span', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), takers, moves, fc.integer({ min: 1, max: 3 }), async (scheduler, asking, jumps, limit) => {
        const { clock, history, takeSlots } = opened(scheduler);
        await settle(
          scheduler,
          clock,
          asking.map((one) => () => takeSlots(one.holder, brakes(one.scopes, limit))),
          jumps,
        );
        for (const { scope, at } of history) expect(holdersUntil(history, scope, at)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 100 },
    );
  });

  test('not after a limit was lowered either: what was taken before counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), few, takers, moves, fc.integer({ min: 2, max: 3 }), async (scheduler, before, after, jumps, limit) => {
        const { clock, history, takeSlots } = opened(scheduler);
        for (const one of before) {
          await scheduler.waitFor(takeSlots(one.holder, brakes(one.scopes, 20)));
          clock.pass(7);
        }
        const earlier = history.length;
        await settle(
          scheduler,
          clock,
          after.map((one) => () => takeSlots(one.holder, brakes(one.scopes, limit))),
          jumps,
        );
        for (const { scope, at } of history.slice(earlier)) expect(holdersUntil(history, scope, at)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 100 },
    );
  });

  test('as long as the clock stands, each holder has one slot of each scope, all or none, and no place is left empty', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), takers, fc.integer({ min: 1, max: 3 }), async (scheduler, asking, limit) => {
        const { clock, history, takeSlots } = opened(scheduler);
        const answers = await settle(
          scheduler,
          clock,
          asking.map((one) => () => takeSlots(one.holder, brakes(one.scopes, limit))),
          [],
        );
        const names = history.map(({ scope, holder: who }) => `${scope} ${who}`);
        expect(new Set(names).size).toBe(names.length);
        for (const [index, { holder: who, scopes }] of asking.entries()) {
          const { full } = answers[index] as { full?: Brake };
          const had = history.filter((one) => one.holder === who);
          if (full) expect(scopes).toContain(full.scope);
          else expect(had.length).toBeGreaterThanOrEqual(scopes.length);
        }
        const single = asking.every(({ scopes }) => scopes.length === 1 && scopes[0] === 'one');
        if (single) expect(history).toHaveLength(Math.min(limit, new Set(asking.map((one) => one.holder)).size));
      }),
      { numRuns: 100 },
    );
  });
});

test('what is no lost race is not tried again', async () => {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  mock.on(QueryCommand).resolves({ Items: [] });
  mock.on(TransactWriteItemsCommand).rejects(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));
  const { takeSlots } = slots(tableRequests(client, 'table'), { client }, 'table', testClock());
  await expect(takeSlots('one', [{ scope: 'one', limit: 1, seconds }])).rejects.toThrow('slow down');
  expect(mock.commandCalls(TransactWriteItemsCommand)).toHaveLength(1);
});
