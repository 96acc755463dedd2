/** The marks of unsigned evidence, in the ledger's table. */
import { DeleteItemCommand, type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import type { Mark, Marks } from '../../engine/evidence/store.ts';
import { conflict, isRefused, names, tableRequests } from './requests.ts';
import { known, number, pendingKey, schemaNumber, text } from './table.ts';

/** Needs dynamodb:UpdateItem, DeleteItem and Query on the table. */
export const marksIn = (client: DynamoDBClient, table: string): Marks => {
  const { update } = tableRequests(client, table);
  const unlessRefused = (error: unknown) => {
    if (!isRefused(error)) throw error;
    return false;
  };
  return {
    async note({ id, length, hash, after, oldest }) {
      await update(`mark ${id}`, {
        TableName: table,
        Key: pendingKey(id),
        UpdateExpression:
          'SET #schema = :schema, #length = :length, #hash = :hash, #after = if_not_exists(#after, :after), #oldest = if_not_exists(#oldest, :oldest)',
        ConditionExpression: 'attribute_not_exists(pk) OR #length < :length',
        ExpressionAttributeNames: names('schema', 'length', 'hash', 'after', 'oldest'),
        ExpressionAttributeValues: {
          ':schema': schemaNumber,
          ':length': number(length),
          ':hash': text(hash),
          ':after': number(after),
          ':oldest': text(oldest),
        },
      }).catch(unlessRefused);
    },

    async *pending() {
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: '#pk = :pk',
          ExpressionAttributeNames: names('pk'),
          ExpressionAttributeValues: { ':pk': pendingKey('').pk! },
        },
      );
      for await (const { Items = [] } of pages)
        for (const item of Items) {
          const { sk, length, hash, after, oldest } = known(item);
          yield { id: sk!.S!, length: Number(length?.N), hash: hash!.S!, after: Number(after?.N), oldest: oldest!.S! } satisfies Mark;
        }
    },

    async signed({ id, length }) {
      const key = { TableName: table, Key: pendingKey(id), ExpressionAttributeNames: names('length') };
      const values = { ':length': number(length) };
      const gone = await client
        .send(new DeleteItemCommand({ ...key, ConditionExpression: '#length <= :length', ExpressionAttributeValues: values }))
        .then(() => true, conflict(`forget the mark of ${id}`))
        .catch(unlessRefused);
      if (gone) return;
      await update(`mark ${id} as signed`, {
        ...key,
        UpdateExpression: 'SET #after = :length',
        ConditionExpression: '#length > :length AND #after < :length',
        ExpressionAttributeNames: names('length', 'after'),
        ExpressionAttributeValues: values,
      }).catch(unlessRefused);
    },
  };
};
