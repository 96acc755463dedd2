/**
 * What Lambda's event source mappings do for the stream of a table: batches in order, again from the first failure.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html, invocation-eventfiltering.html
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type _Record, DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import { matchesPattern } from '../../engine/pattern.ts';
import { failedIds } from './batches.ts';
import { type Clients, configIn } from './clients.ts';
import type { Keys as Credentials, Emulator } from './emulator.ts';
import type { InvocationResult } from './invoke.ts';

export const differences: readonly string[] = [
  'DynamoDB: the event source mapping of a stream is not made in the emulator, which would run the function itself in a container; the stack reads the stream',
  'Lambda: what fails of a stream is tried again each second, whole, for ever: it is neither bisected nor given up',
];

export interface StreamMapping {
  readonly table: string;
  readonly functionName: string;
  readonly roleArn: string;
  readonly batchSize: number;
  readonly patterns: readonly unknown[];
}

export interface StreamsOptions {
  readonly clients: Clients;
  readonly emulator: Emulator;
  readonly region: string;
  readonly keysOf: (roleArn: string) => Promise<Credentials>;
  readonly invoke: (functionName: string, event: unknown) => Promise<InvocationResult>;
  readonly log: (line: string) => void;
}

export interface Streams {
  read(mappings: readonly StreamMapping[]): void;
  /** Hands on what is there now. False: there was nothing new, or it keeps failing. */
  settle(): Promise<boolean>;
  stop(): Promise<void>;
}

export function createStreams({ clients, emulator, region, keysOf, invoke, log }: StreamsOptions): Streams {
  let mappings: readonly StreamMapping[] = [];
  /** The last record dealt with, by stream. */
  const done = new Map<string, string>();
  const abort = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();

  /** With the rights of the function's role, as Lambda reads. */
  const nextOf = async ({ table, roleArn, batchSize }: StreamMapping): Promise<{ readonly arn: string; readonly records: readonly _Record[] }> => {
    const { Table } = await clients.dynamoDb.send(new DescribeTableCommand({ TableName: table }));
    const arn = Table!.LatestStreamArn!;
    const streams = new DynamoDBStreamsClient({ ...configIn(emulator, region), credentials: await keysOf(roleArn) });
    try {
      const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: arn }));
      const ShardId = StreamDescription!.Shards![0]!.ShardId;
      const last = done.get(arn);
      const from =
        last === undefined ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const) : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: last };
      const { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn: arn, ShardId, ...from }));
      const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator, Limit: batchSize }));
      return { arn, records: Records };
    } finally {
      streams.destroy();
    }
  };

  const step = async (mapping: StreamMapping): Promise<boolean> => {
    const { arn, records } = await nextOf(mapping);
    if (records.length === 0) return false;
    const numberOf = (record: _Record) => record.dynamodb!.SequenceNumber!;
    const wanted = records.filter((record) => mapping.patterns.length === 0 || mapping.patterns.some((pattern) => matchesPattern(pattern, record)));
    if (wanted.length > 0) {
      const result = await invoke(mapping.functionName, { Records: wanted.map((record) => toRecord(record, arn, region)) });
      if (!result.ok) log(`${mapping.functionName}: ${result.errorType}: ${result.errorMessage}`);
      const failed = failedIds(result, wanted.map(numberOf), true);
      const first = records.findIndex((record) => failed.has(numberOf(record)));
      if (first > 0) done.set(arn, numberOf(records[first - 1]!));
      if (first >= 0) return false;
    }
    done.set(arn, numberOf(records.at(-1)!));
    return true;
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
        if (!abort.signal.aborted) log(`a stream could not be read: ${error.message}`);
        return false;
      });
      if (!moved) await pause(1_000, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  })();

  return {
    read(next) {
      mappings = next;
    },
    settle,
    async stop() {
      abort.abort();
      await loop;
    },
  };
}

/** As in the event: times in seconds, bytes in base64. */
const toRecord = (record: _Record, arn: string, awsRegion: string): object =>
  JSON.parse(
    JSON.stringify({ ...record, eventSourceARN: arn, awsRegion }, function (this: Record<string, unknown>, name, value: unknown) {
      const given = this[name];
      if (given instanceof Date) return given.getTime() / 1_000;
      return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value;
    }),
  );
