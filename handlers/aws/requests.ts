/** Requests to the ledger's table: reads that are consistent, writes whose refusal is a ConflictError. */
import { setTimeout } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { ConflictError } from '../../engine/errors.ts';
import { type Item, schemaNumber } from './table.ts';

/** One write of a transaction, and what it means when DynamoDB refuses its condition. */
export interface Step {
  readonly write: TransactWriteItem;
  readonly refused?: string;
}

export interface TableRequests {
  /** An item to put. */
  item(key: Item, attributes: Item): { TableName: string; Item: Item };
  get(key: Item): Promise<Item | undefined>;
  /** The items that exist, by `nameOf` their key; one request for each 100 keys. */
  batch(keys: readonly Item[]): Promise<Map<string, Item>>;
  put(what: string, input: PutItemCommandInput): Promise<void>;
  /** The item as it is afterwards. */
  update(what: string, input: UpdateItemCommandInput): Promise<Item>;
  /** All or none. */
  transact(what: string, steps: readonly Step[]): Promise<void>;
}

export const nameOf = ({ pk, sk }: Item): string => `${pk?.S} ${sk?.S}`;

/** ExpressionAttributeNames: many plain words are reserved. */
export const names = (...words: readonly string[]): Record<string, string> => Object.fromEntries(words.map((word) => [`#${word}`, word]));

export const tableRequests = (client: DynamoDBClient, table: string): TableRequests => {
  const batchOf = async (Keys: Item[], found: Map<string, Item>) => {
    let request: BatchGetItemCommandInput['RequestItems'] = { [table]: { Keys, ConsistentRead: true } };
    for (let attempt = 0; attempt < 8; attempt += 1) {
      if (attempt > 0) await setTimeout(Math.random() * 25 * 2 ** attempt);
      const { Responses = {}, UnprocessedKeys = {} }: BatchGetItemCommandOutput = await client.send(new BatchGetItemCommand({ RequestItems: request }));
      for (const item of Object.values(Responses).flat()) found.set(nameOf(item), item);
      if (Object.keys(UnprocessedKeys).length === 0) return;
      request = UnprocessedKeys;
    }
    throw new Error(`DynamoDB keeps leaving keys of a batch unread in ${table}`);
  };

  return {
    item: (key, attributes) => ({ TableName: table, Item: { ...key, schema: schemaNumber, ...attributes } }),

    async get(key) {
      return (await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item;
    },

    async batch(keys) {
      const found = new Map<string, Item>();
      // A key named twice is refused by DynamoDB.
      const wanted = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
      const chunks = Array.from({ length: Math.ceil(wanted.length / 100) }, (_, index) => wanted.slice(index * 100, (index + 1) * 100));
      await Promise.all(chunks.map((chunk) => batchOf(chunk, found)));
      return found;
    },

    async put(what, input) {
      await client.send(new PutItemCommand(input)).catch(conflict(what));
    },

    async update(what, input) {
      const { Attributes = {} } = await client.send(new UpdateItemCommand({ ...input, ReturnValues: 'ALL_NEW' })).catch(conflict(what));
      return Attributes;
    },

    async transact(what, steps) {
      await client.send(new TransactWriteItemsCommand({ TransactItems: steps.map(({ write }) => write) })).catch(conflict(what, steps));
    },
  };
};

const refusal = (error: unknown): ConditionalCheckFailedException | undefined =>
  error instanceof ConflictError && error.cause instanceof ConditionalCheckFailedException ? error.cause : undefined;

/** The condition of an update did not hold. */
export const isRefused = (error: unknown): boolean => refusal(error) !== undefined;

/** The item that a refused update met; asked for with `ReturnValuesOnConditionCheckFailure`. */
export const metBy = (error: unknown): Item | undefined => refusal(error)?.Item;

export const conflict =
  (what: string, steps: readonly Step[] = []) =>
  (error: unknown): never => {
    const reason = conflictReason(error, steps);
    throw reason === undefined ? error : new ConflictError(`cannot ${what}: ${reason}`, { cause: error });
  };

const conflictReason = (error: unknown, steps: readonly Step[]): string | undefined => {
  if (error instanceof ConditionalCheckFailedException) return 'it is another one by now';
  if (error instanceof TransactionConflictException) return 'somebody else is writing it';
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const codes = error.CancellationReasons?.map(({ Code }) => Code) ?? [];
  const refused = steps.flatMap((step, index) => (codes[index] === 'ConditionalCheckFailed' && step.refused ? [step.refused] : []));
  if (refused.length > 0) return refused.join('; ');
  return codes.includes('TransactionConflict') ? 'somebody else is writing it' : undefined;
};
