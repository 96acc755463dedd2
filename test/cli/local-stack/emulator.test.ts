/** The emulator as the stack starts it: what its mends change of moto's memory, and nothing of what it answers (on moto). */
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../cli/local-stack/emulator.ts';
import { describeOnMoto } from '../../support/moto.ts';

const TableName = 'things';
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
const thing = (pk: string, size: number) => ({ ...key(pk), size: { N: String(size) } });
const put = (pk: string, size: number, ConditionExpression?: string) => ({ Put: { TableName, Item: thing(pk, size), ConditionExpression } });
const grow = (pk: string) => ({
  Update: {
    TableName,
    Key: key(pk),
    UpdateExpression: 'SET #size = #size + :one',
    ExpressionAttributeNames: { '#size': 'size' },
    ExpressionAttributeValues: { ':one': { N: '1' } },
  },
});
const remove = (pk: string) => ({ Delete: { TableName, Key: key(pk) } });
const isThere = (pk: string) => ({ ConditionCheck: { TableName, Key: key(pk), ConditionExpression: 'attribute_exists(pk)' } });

describeOnMoto('a table of the emulator (on moto)', () => {
  let emulator: Emulator;
  let client: DynamoDBClient;
  beforeAll(async () => {
    emulator = await startEmulator();
    client = new DynamoDBClient({ region: 'us-east-1', endpoint: emulator.endpoint, credentials: emulator.adminCredentials() });
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
  }, 90_000);
  afterAll(async () => {
    client?.destroy();
    await emulator?.stop();
  });

  const write = (...TransactItems: (ReturnType<typeof put> | ReturnType<typeof grow> | ReturnType<typeof remove> | ReturnType<typeof isThere>)[]) =>
    client.send(new TransactWriteItemsCommand({ TransactItems }));
  const sizes = async () => {
    const { Items = [] } = await client.send(new ScanCommand({ TableName }));
    return Object.fromEntries(Items.map(({ pk, size }) => [pk!.S, Number(size!.N)]));
  };
  beforeEach(async () => {
    for (const pk of Object.keys(await sizes())) await write(remove(pk));
    await write(put('one', 1), put('two', 2));
  });

  test('a transaction writes everything', async () => {
    await write(put('three', 3), grow('one'), remove('two'));
    expect(await sizes()).toEqual({ one: 2, three: 3 });
  });

  test.each([
    ['at its first write', [put('one', 9, 'attribute_not_exists(pk)'), grow('two'), put('new', 1)], 'Transaction cancelled'],
    ['at its last', [put('new', 1), grow('one'), remove('two'), isThere('nothing')], 'Transaction cancelled'],
    ['and deletes what is not there', [grow('one'), put('two', 7), remove('gone'), isThere('nothing')], 'Transaction cancelled'],
    ['because it writes an item twice', [put('two', 7), grow('one'), remove('one')], 'multiple operations on one item'],
  ])('one that fails %s writes nothing', async (_, items, words) => {
    await expect(write(...items)).rejects.toThrow(words);
    expect(await sizes()).toEqual({ one: 1, two: 2 });
    await write(grow('one'), grow('two'));
    expect(await sizes()).toEqual({ one: 2, two: 3 });
  });

  test('fifty that fail take nothing from the fifty writes beside them', async () => {
    const beside = Array.from({ length: 50 }, (_, index) => `beside-${index}`);
    await Promise.all(
      beside.flatMap((pk, index) => [
        client.send(new PutItemCommand({ TableName, Item: thing(pk, index) })),
        expect(write(grow('one'), isThere(`nothing-${index}`))).rejects.toThrow('Transaction cancelled'),
      ]),
    );
    expect(Object.keys(await sizes())).toHaveLength(52);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: key('one') }));
    expect(Item!.size).toEqual({ N: '1' });
  });

  test('moto keeps none of the objects that are gone', async () => {
    for (let round = 0; round < 20; round += 1) await write(grow('one'), grow('two'));
    const kept = (await (await fetch(`${emulator.endpoint}/moto-api/data.json`)).json()) as Record<string, Record<string, unknown[]>>;
    expect(Object.values(kept).flatMap((models) => Object.values(models).flat())).toEqual([]);
  });
});
