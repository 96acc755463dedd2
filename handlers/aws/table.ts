/**
 * The ledger's table: its definition and the shape of its items. Documents are one JSON attribute beside the few that
 * keys and conditions need, so that no marshalling library is loaded.
 *
 * | pk               | sk             | holds                                                        |
 * | ---------------- | -------------- | ------------------------------------------------------------ |
 * | `key#HASH`       | `head`         | latest episode of a finding key, set of open finding ids     |
 * | `key#HASH`       | `done#HASH`    | an event is done for this key; expires                       |
 * | `finding#ID`     | `finding`      | the finding; on the index `open` while open or being undone  |
 * | `finding#ID`     | `entry#SEQ`    | one line of evidence                                         |
 * | `lease#HASH`     | `lease`        | owner, fence, until (epoch milliseconds)                     |
 * | `lease#alerts#HASH` | `lease`   | the same, of what is told                                    |
 * | `recent#HASH`    | `event#HASH`   | time (epoch milliseconds) of a counted event; expires        |
 * | `slot#HASH`      | `slot#NUMBER`  | holder, taken (epoch milliseconds) of a brake's slot; expires |
 * | `memo#KEY`       | `memo`         | a document of the bot's own book-keeping                     |
 * | `digest#pending` | finding id     | entries in the bucket that no digest has signed yet          |
 * | `answer#ID`      | `answer#ID`    | what somebody answered about a finding; expires              |
 * | `policy`         | `current`      | the compiled policy                                          |
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AttributeValue, CreateTableCommandInput, UpdateTimeToLiveCommandInput } from '@aws-sdk/client-dynamodb';
import { isAnswerTo } from '../../engine/answers/form.ts';
import { TerminalError } from '../../engine/errors.ts';
import { digestLease } from '../../engine/evidence/store.ts';
import type { Answer } from '../../engine/model.ts';
import { glob } from '../../engine/policy/match.ts';
import { type DocumentKind, schema, upgraded } from '../../engine/schema.ts';

export type Item = Record<string, AttributeValue>;

export const openIndex = 'open';

/** Properties of AWS::DynamoDB::Table; all but the TTL are CreateTable's input too. `openKey` is there while a finding is open, or its undo goes on. */
export const tableDefinition = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'openKey', AttributeType: 'S' },
    { AttributeName: 'openedAt', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: openIndex,
      KeySchema: [
        { AttributeName: 'openKey', KeyType: 'HASH' },
        { AttributeName: 'openedAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
} satisfies Omit<CreateTableCommandInput, 'TableName'> & Omit<UpdateTimeToLiveCommandInput, 'TableName'>;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const schemaNumber = number(schema);

// Keys are at most 2,048 bytes, sort keys 1,024; resource ids, lease keys and event ids may be longer.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
export const hashed = (value: string): Buffer => createHash('sha256').update(value).digest();
const hash = (value: string): string => hashed(value).toString('base64url');

const key = (pk: string, sk: string): Item => ({ pk: text(pk), sk: text(sk) });
export const headKey = (findingKey: string): Item => key(`key#${hash(findingKey)}`, 'head');
export const doneKey = (findingKey: string, eventId: string): Item => key(`key#${hash(findingKey)}`, `done#${hash(eventId)}`);
export const findingKey = (id: string): Item => key(`finding#${id}`, 'finding');
export const entryKey = (id: string, seq: number): Item => key(`finding#${id}`, `entry#${String(seq).padStart(9, '0')}`);
/** Names, with wildcards, of what the function deliver remembers; it takes leases of these names only. */
const deliverNames = ['attended', 'held|*', 'outage|*', 'reminded|*', 'told|*'];
/** Deliver's are apart: it may hold up nobody else. */
export const leaseKey = (name: string): Item => key(`lease#${deliverNames.some((pattern) => glob(pattern, name)) ? 'alerts#' : ''}${hash(name)}`, 'lease');
export const recentKey = (control: string, fold: string, eventId: string): Item =>
  key(`recent#${hash(JSON.stringify([control, fold]))}`, `event#${hash(eventId)}`);
export const slotKey = (scope: string, slot: number): Item => key(`slot#${hash(scope)}`, `slot#${String(slot).padStart(9, '0')}`);
export const answerKey = (findingId: string, id: string): Item => key(`answer#${findingId}`, `answer#${id}`);
export const memoKey = (name: string): Item => key(`memo#${name}`, 'memo');
export const policyKey = key('policy', 'current');
/** Partition keys of what a deploy stores and the functions only read. */
export const deployedKeys: readonly string[] = [policyKey, memoKey('deployment')].map(({ pk }) => pk!.S!);

/** Where the marks of a finding's unsigned entries are; the sort key is its id. */
export const pendingKey = (findingId: string): Item => key('digest#pending', findingId);
/** Partition keys of what the function evidence writes. */
export const evidenceKeys: readonly string[] = [pendingKey(''), leaseKey(digestLease), memoKey('evidence')].map(({ pk }) => pk!.S!);

/** Partition keys, with wildcards, of what the function deliver writes: what it has told, and the leases it tells under. */
export const deliverKeys: readonly string[] = [...deliverNames.map((name) => `memo#${name}`), 'lease#alerts#*'];

/** Items are at most 400 KB. */
const longText = 100 * 1024;

/** The document as attributes of an item. */
export const pack = (document: unknown): Item => {
  const json = JSON.stringify(document);
  return Buffer.byteLength(json) > longText ? { gzip: { B: gzipSync(json) } } : { json: text(json) };
};

/** The document of an item, in the form of today. */
export const unpack = <Document>(kind: DocumentKind, item: Item): Document => {
  const { json, gzip, schema: from } = known(item);
  return upgraded(kind, Number(from?.N), JSON.parse(gzip?.B ? gunzipSync(gzip.B).toString() : (json?.S ?? ''))) as Document;
};

/** None where the item is no answer, or bears the id of another one. */
export const answerIn = (item: Item, findingId: string): Answer[] => {
  try {
    // An answer is never so long that it is packed.
    const answer = item.gzip ? undefined : unpack<unknown>('answer', item);
    return isAnswerTo(findingId, answer) && nameIn(answerKey(findingId, answer.id)) === nameIn(item) ? [answer] : [];
  } catch {
    return [];
  }
};
const nameIn = ({ sk }: Item): string | undefined => sk?.S;

/** @throws TerminalError when a newer phidelity wrote the item. */
export const known = (item: Item): Item => {
  const found = Number(item.schema?.N);
  if (found <= schema) return item;
  throw new TerminalError(`${item.pk?.S} ${item.sk?.S} in the ledger has schema ${found}, this phidelity reads ${schema}: deploy the newer version again`);
};
