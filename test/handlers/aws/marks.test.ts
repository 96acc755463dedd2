import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { tableDefinition } from '../../../handlers/aws/ledger.ts';
import { marksIn } from '../../../handlers/aws/marks.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';

describeOnMoto('marks of unsigned evidence, on DynamoDB', () => {
  let moto: Moto;
  let client: DynamoDBClient;
  let made = 0;
  let marks: ReturnType<typeof marksIn>;
  beforeAll(async () => {
    moto = await startMoto();
    client = new DynamoDBClient({ endpoint: moto.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  });
  afterAll(async () => {
    client.destroy();
    await moto.stop();
  });
  beforeEach(async () => {
    made += 1;
    const { TimeToLiveSpecification: _, ...definition } = tableDefinition;
    await client.send(new CreateTableCommand({ TableName: `ledger-${made}`, ...definition }));
    marks = marksIn(client, `ledger-${made}`);
  });

  const mark = (length: number, more: object = {}) => ({
    id: 'f-1',
    length,
    hash: `hash ${length}`,
    after: length - 1,
    oldest: `2026-11-01T0${length}:00:00.000Z`,
    ...more,
  });
  const pending = () => Array.fromAsync(marks.pending());

  test('go forward, never back; where they began stays', async () => {
    expect(await pending()).toEqual([]);
    await marks.note(mark(2, { after: 0 }));
    await marks.note(mark(5));
    await marks.note(mark(3));
    await marks.note({ ...mark(1), id: 'f-2' });
    expect(await pending()).toEqual([mark(5, { after: 0, oldest: mark(2).oldest }), { ...mark(1), id: 'f-2' }]);
  });

  test('are gone once all of it is signed', async () => {
    await marks.note(mark(5, { after: 2 }));
    await marks.signed(mark(5));
    await marks.signed(mark(5));
    expect(await pending()).toEqual([]);
    await marks.note(mark(6));
    expect(await pending()).toEqual([mark(6)]);
  });

  test('begin later once a part of it is signed, and a signature that comes late takes nothing back', async () => {
    await marks.note(mark(5, { after: 0 }));
    await marks.signed(mark(3));
    await marks.signed(mark(2));
    expect(await pending()).toEqual([mark(5, { after: 3 })]);
  });
});
