/**
 * What Lambda's event source mappings do for the stream of a table: batches in order, again from the first failure.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html, invocation-eventfiltering.html
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBRecord } from 'aws-lambda';
import { matchesPattern } from '../../engine/pattern.ts';
import { failedIds } from './batches.ts';
import type { Seen } from './gateway.ts';
import type { InvocationResult } from './invoke.ts';
import { type Answer, parse } from './wire.ts';

export const differences: readonly string[] = [
  'DynamoDB: a stream holds what is put into its table through the endpoint of the stack, whole items only (moto copies all of a stream at each transaction, and runs the functions that it feeds itself, in a container); a put that demands that there be no such item is an INSERT, any other a MODIFY',
  'Lambda: what fails of a stream is tried again each second, whole, for ever: it is neither bisected nor given up; whether the role may read the stream is not asked',
];

export interface StreamMapping {
  readonly table: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly patterns: readonly unknown[];
}

export interface StreamsOptions {
  readonly region: string;
  readonly invoke: (functionName: string, event: unknown) => Promise<InvocationResult>;
  readonly log: (line: string) => void;
}

export interface Streams {
  read(mappings: readonly StreamMapping[]): void;
  /** Told of each call and what it was answered. */
  observe(call: Pick<Seen, 'target' | 'body'>, answer: Answer): void;
  /** Hands on what is there now. False: there was nothing new, or it keeps failing. */
  settle(): Promise<boolean>;
  stop(): Promise<void>;
}

type Item = Readonly<Record<string, object>>;
interface Put {
  readonly TableName: string;
  readonly Item: Item;
  readonly ConditionExpression?: string;
}

function putsOf({ target, body }: Pick<Seen, 'target' | 'body'>): readonly Put[] {
  if (target.endsWith('.PutItem')) return [parse<Put>(body)];
  if (!target.endsWith('.TransactWriteItems')) return [];
  return parse<{ readonly TransactItems: readonly { readonly Put?: Put }[] }>(body).TransactItems.flatMap((one) => one.Put ?? []);
}

export function createStreams({ region, invoke, log }: StreamsOptions): Streams {
  let mappings: readonly StreamMapping[] = [];
  const records = new Map<string, DynamoDBRecord[]>();
  let count = 0;
  const abort = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();

  const step = async ({ table, functionName, batchSize, patterns }: StreamMapping): Promise<boolean> => {
    const waiting = records.get(table) ?? [];
    const batch = waiting.slice(0, batchSize);
    if (batch.length === 0) return false;
    const numberOf = ({ dynamodb }: DynamoDBRecord) => dynamodb!.SequenceNumber!;
    const wanted = batch.filter((record) => patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, record)));
    let done = batch.length;
    if (wanted.length > 0) {
      const result = await invoke(functionName, { Records: wanted });
      if (!result.ok) log(`${functionName}: ${result.errorType}: ${result.errorMessage}`);
      const failed = failedIds(result, wanted.map(numberOf), true);
      const first = batch.findIndex((record) => failed.has(numberOf(record)));
      if (first >= 0) done = first;
    }
    waiting.splice(0, done);
    return done === batch.length;
  };

  const pass = async (): Promise<boolean> => {
    let moved = false;
    for (const mapping of mappings) moved = (await step(mapping)) || moved;
    return moved;
  };
  /** One after the other: a shard has one reader. */
  const settle = (): Promise<boolean> => {
    const next = turn.then(pass);
    turn = next.catch(() => undefined);
    return next;
  };

  const loop = (async () => {
    while (!abort.signal.aborted) {
      const moved = await settle().catch((error: Error) => {
        if (!abort.signal.aborted) log(`a stream could not be handed on: ${error.message}`);
        return false;
      });
      if (!moved) await pause(1_000, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  })();

  return {
    read(next) {
      mappings = next;
    },
    observe(call, { status }) {
      if (status !== 200) return;
      for (const { TableName, Item, ConditionExpression = '' } of putsOf(call)) {
        const { pk, sk } = Item;
        if (!mappings.some(({ table }) => table === TableName) || !pk || !sk) continue;
        count += 1;
        const record = {
          eventName: ConditionExpression === 'attribute_not_exists(pk)' ? 'INSERT' : 'MODIFY',
          eventSource: 'aws:dynamodb',
          awsRegion: region,
          // On the wire as in the event: bytes are base64.
          dynamodb: { Keys: { pk, sk }, NewImage: Item, SequenceNumber: String(count).padStart(21, '0'), StreamViewType: 'NEW_IMAGE' },
        } as DynamoDBRecord;
        const waiting = records.get(TableName) ?? [];
        waiting.push(record);
        records.set(TableName, waiting);
      }
    },
    settle,
    async stop() {
      abort.abort();
      await loop;
    },
  };
}
