import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import {
  type BatchGetItemCommandOutput,
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  TransactionCanceledException,
  TransactionConflictException,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ConflictError, TerminalError } from '../../../engine/errors.ts';
import type { Answer } from '../../../engine/model.ts';
import { dynamoLedger, tableDefinition } from '../../../handlers/aws/ledger.ts';
import type { Item } from '../../../handlers/aws/table.ts';
import { ledgerContract } from '../../support/ledger-contract.ts';
import { testClock } from '../../support/ledger-model.ts';
import { entryOf, findingOf, keyOf, policyOf } from '../../support/ledger-samples.ts';
import { schemaOneReads } from '../../support/ledger-schema-1.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';

describeOnMoto('on DynamoDB', () => {
  let moto: Moto;
  let client: DynamoDBClient;
  /** Operation names in the order they were sent. */
  let sent: string[] = [];
  let made = 0;

  const connect = () => {
    const one = new DynamoDBClient({
      endpoint: moto.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      // moto's transactions are not safe from each other; over one connection they come one by one, as DynamoDB orders them.
      requestHandler: { httpAgent: { maxSockets: 1, keepAlive: true } },
    });
    one.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          sent.push(commandName.replace(/Command$/, ''));
          return next(args);
        },
      { step: 'initialize' },
    );
    return one;
  };

  const makeTable = async () => {
    made += 1;
    const { TimeToLiveSpecification, ...definition } = tableDefinition;
    const TableName = `ledger-${made}`;
    await client.send(new CreateTableCommand({ TableName, ...definition }));
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    return TableName;
  };

  beforeAll(async () => {
    moto = await startMoto();
    client = connect();
  });
  afterAll(async () => {
    client.destroy();
    await moto.stop();
  });

  ledgerContract(async (clock, pageSize) => ({ ledger: dynamoLedger({ client, table: await makeTable(), clock, pageSize }), close() {} }), 10);

  let table: string;
  const clock = testClock();
  const finding = findingOf();
  const ledger = (own = client) => dynamoLedger({ client: own, table, clock });
  beforeEach(async () => {
    table = await makeTable();
    sent = [];
  });

  test('the table deletes what has expired', async () => {
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
  });

  test('what one operation costs', async () => {
    const cost: Record<string, string[]> = {};
    const measure = async (name: string, work: Promise<unknown>) => {
      await work;
      cost[name] = sent.splice(0);
    };
    const key = { ...keyOf(), eventId: 'event-1' };
    const healthy = Array.from({ length: 50 }, (_, index) => ({ ...keyOf({ id: `bucket-${index}` }), eventId: `event-${index}` }));
    await measure('nothing looked up', ledger().lookup([]));
    await measure('a healthy resource', ledger().lookup([key]));
    await measure('fifty healthy resources', ledger().lookup(healthy));
    await measure('the same resource fifty times', ledger().lookup(healthy.map(() => key)));
    await measure('sixty healthy resources', ledger().lookup([...healthy, ...healthy.slice(0, 10).map((one) => ({ ...one, control: 'another' }))]));
    await measure('open', ledger().open(finding, entryOf(finding), { doneEventId: 'event-1' }));
    await measure('a failing resource among healthy ones', ledger().lookup([...healthy.slice(1), key]));
    await measure('a lease', ledger().lease('setting', 'one', 60));
    const brakes = ['all', 'control', 'resource'].map((scope) => ({ scope, limit: 1, seconds: 60 }));
    await measure('slots of three brakes', ledger().takeSlots('one', brakes));
    await measure('the same slots again', ledger().takeSlots('one', brakes));
    await measure('full brakes', ledger().takeSlots('two', brakes));
    expect(cost).toEqual({
      'nothing looked up': [],
      'a healthy resource': ['BatchGetItem'],
      'fifty healthy resources': ['BatchGetItem'],
      'the same resource fifty times': ['BatchGetItem'],
      'sixty healthy resources': ['BatchGetItem', 'BatchGetItem'],
      open: ['TransactWriteItems'],
      'a failing resource among healthy ones': ['BatchGetItem', 'BatchGetItem'],
      'a lease': ['UpdateItem'],
      'slots of three brakes': ['Query', 'Query', 'Query', 'TransactWriteItems'],
      'the same slots again': ['Query', 'Query', 'Query'],
      'full brakes': ['Query', 'Query', 'Query'],
    });
  });

  /** A client that answers the first sends in its own way. */
  const faulty = (...answers: ((send: () => Promise<object>) => Promise<object>)[]) => {
    const one = connect();
    const send = one.send.bind(one) as (command: object) => Promise<object>;
    return Object.assign(one, { send: (command: object) => (answers.shift() ?? ((plain) => plain()))(() => send(command)) }) as DynamoDBClient;
  };

  test('keys that DynamoDB left unread are asked for again', async () => {
    await ledger().open(finding, entryOf(finding), { doneEventId: 'event-1' });
    const leaving = faulty(async (plain) => {
      const { Responses = {} } = (await plain()) as BatchGetItemCommandOutput;
      const [kept, left] = Responses[table]!;
      return { Responses: { [table]: [kept] }, UnprocessedKeys: { [table]: { Keys: [{ pk: left!.pk, sk: left!.sk }], ConsistentRead: true } } };
    });
    expect(await ledger(leaving).lookup([{ ...keyOf(), eventId: 'event-1' }])).toEqual([{ done: true, last: finding }]);
    leaving.destroy();
  });

  const canceled = (...codes: string[]) =>
    new TransactionCanceledException({ message: 'canceled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });
  test.each(
    Object.entries({
      'a condition refused': { error: canceled('None', 'ConditionalCheckFailed', 'None'), conflict: true },
      'a transaction of another': { error: canceled('None', 'None', 'TransactionConflict'), conflict: true },
      'an item in a transaction of another': { error: new TransactionConflictException({ message: 'conflict', $metadata: {} }), conflict: true },
      throttling: { error: canceled('ThrottlingError', 'None', 'None'), conflict: false },
      'a network error': { error: new Error('socket hang up'), conflict: false },
    }),
  )('%s: a conflict keeps its cause, other errors stay what they are', async (_, { error, conflict }) => {
    const failing = faulty(() => Promise.reject(error));
    const caught = await ledger(failing)
      .open(finding, entryOf(finding))
      .catch((thrown: unknown) => thrown);
    if (conflict) expect(caught).toMatchObject({ name: 'ConflictError', cause: error });
    else expect(caught).toBe(error);
    failing.destroy();
  });

  test('a conflict says what stood in the way', async () => {
    await ledger().open(finding, entryOf(finding));
    const second = findingOf({ episode: 2 });
    const attempt = ledger().open(second, entryOf(second));
    await expect(attempt).rejects.toThrow(ConflictError);
    await expect(attempt).rejects.toThrow(`cannot open finding ${second.id}: another episode is open, or episode 2 is taken`);
  });

  test('a lease is still had when the first answer was lost and the request sent again', async () => {
    const twice = connect();
    twice.middlewareStack.add((next) => (args) => next(args).then(() => next(args)), { step: 'build' });
    expect(await ledger(twice).lease('setting', 'one', 60)).toEqual({ key: 'setting', owner: 'one', fence: 1 });
    expect(await ledger(twice).lease('setting', 'two', 60)).toBeUndefined();
    twice.destroy();
  });

  test('a slot is had once when the first answer was lost and the request sent again', async () => {
    const twice = connect();
    twice.middlewareStack.add((next) => (args) => next(args).then(() => next(args)), { step: 'build' });
    const brakes = [{ scope: 'all', limit: 2, seconds: 60 }];
    expect(await ledger(twice).takeSlots('one', brakes)).toEqual({});
    twice.destroy();
    expect(await ledger().takeSlots('two', brakes)).toEqual({});
    expect(await ledger().takeSlots('three', brakes)).toEqual({ full: brakes[0] });
  });

  test('every item carries the schema; expiring ones the TTL, findings, entries and leases none', async () => {
    await ledger().open(finding, entryOf(finding), { doneEventId: 'event-1' });
    await ledger().recent(finding.control, 'alice', 'event-1', '2026-03-01T12:00:00Z');
    await ledger().lease('setting', 'one', 60);
    await ledger().takeSlots('one', [{ scope: 'all', limit: 2, seconds: 60 }]);
    await ledger().remember('tick', {});
    await ledger().storePolicy(policyOf());
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    expect(Items.map(({ schema }) => schema?.N)).toEqual(Array(9).fill('4'));
    const start = Date.parse('2026-03-01T12:00:00Z') / 1000;
    const expiring = Items.map(
      ({ pk, sk, expires }) => `${pk?.S?.replace(/#.*/, '')} ${sk?.S?.replace(/#.*/, '')} ${expires ? Number(expires.N) - start : 'stays'}`,
    );
    expect(expiring.sort()).toEqual([
      'finding entry stays',
      'finding finding stays',
      'key done 1814400',
      'key head stays',
      'lease lease stays',
      'memo memo stays',
      'policy current stays',
      'recent event 90000',
      'slot slot 86460',
    ]);
  });

  test('what a phidelity of schema 1 wrote is read as of today, and written so when it is saved', async () => {
    const items: Item[] = JSON.parse(readFileSync('test/support/schema-1/items.json', 'utf8'));
    for (const Item of items) await client.send(new PutItemCommand({ TableName: table, Item }));
    await schemaOneReads(ledger());
    const policy = (await ledger().policy())!;
    await ledger().storePolicy(policy);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    const schemas = Items.map(({ pk, sk, schema }) => `${pk?.S?.replace(/#.*/, '')} ${sk?.S?.replace(/#.*/, '')} ${schema?.N}`);
    // What was written since: a version of the finding with its entry, a counted event, and the policy.
    expect(schemas.filter((one) => one.endsWith(' 4')).sort()).toEqual(['finding entry 4', 'finding finding 4', 'policy current 4', 'recent event 4']);
    expect(await ledger().policy()).toEqual(policy);
  });

  test('what a newer phidelity wrote is not read', async () => {
    await ledger().open(finding, entryOf(finding), { doneEventId: 'event-1' });
    await ledger().lease('setting', 'one', 60);
    await ledger().takeSlots('one', [{ scope: 'all', limit: 1, seconds: 60 }]);
    await ledger().remember('tick', {});
    await ledger().storePolicy(policyOf());
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    for (const { pk, sk } of Items)
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { pk: pk!, sk: sk! },
          UpdateExpression: 'SET #schema = :newer',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: { ':newer': { N: '5' } },
        }),
      );
    const reads = {
      lookup: () => ledger().lookup([{ ...keyOf(), eventId: 'event-1' }]),
      get: () => ledger().get(finding.id),
      open: () => Array.fromAsync(ledger().findings({ open: true })),
      all: () => Array.fromAsync(ledger().findings({})),
      entries: () => ledger().entries(finding.id),
      lease: () => ledger().lease('setting', 'two', 60),
      slots: () => ledger().takeSlots('two', [{ scope: 'all', limit: 1, seconds: 60 }]),
      memo: () => ledger().recall('tick'),
      policy: () => ledger().policy(),
    };
    for (const read of Object.values(reads)) {
      const attempt = read();
      await expect(attempt).rejects.toThrow(TerminalError);
      await expect(attempt).rejects.toThrow(/schema 5, this phidelity reads 4/);
    }
  });

  test('an item without a schema is not read either', async () => {
    await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'policy' }, sk: { S: 'current' }, json: { S: '{}' } } }));
    await expect(ledger().policy()).rejects.toThrow(TerminalError);
  });

  test('rows that are no answers do not keep those that are from being heard', async () => {
    const answer: Answer = { id: 'a', findingId: 'f-1', decision: 'approve', question: 'q', planHash: 'h', at: '2026-03-01T12:00:00Z' };
    await ledger().answer(answer);
    const put = (sk: string, attributes: Item) =>
      client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'answer#f-1' }, sk: { S: sk }, ...attributes } }));
    const schema = { N: '4' };
    const json = (document: object) => ({ schema, json: { S: JSON.stringify(document) } });
    await put('answer#text', { schema, json: { S: 'no JSON' } });
    await put('answer#null', { schema, json: { S: 'null' } });
    await put('answer#empty', {});
    await put('answer#newer', { ...json({ ...answer, id: 'newer' }), schema: { N: '999' } });
    await put('answer#packed', { schema, gzip: { B: gzipSync(Buffer.alloc(50_000_000)) } });
    await put('answer#id-of-another', json({ ...answer, at: '2026-03-01T11:00:00Z' }));
    await put('answer#to-another', json({ ...answer, id: 'to-another', findingId: 'f-2' }));
    await put('answer#proof', json({ ...answer, id: 'proof', proof: { kind: 'sts' } }));
    expect(await ledger().answers('f-1')).toEqual([answer]);
  });
});
