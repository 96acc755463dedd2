/** The ledger in one DynamoDB table. What must be atomic is one transaction; reads are consistent, but for the list of open findings. */
import { type DynamoDBClient, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { isUndoing, findingKey as keyText } from '../../engine/finding.ts';
import { answerSeconds, doneSeconds, expiredAt, expiresAfter, inOrder, recentSeconds, recentWindow } from '../../engine/ledger.ts';
import type { Answer, Entry, Finding } from '../../engine/model.ts';
import type { Clock, FindingKey, Lease, Ledger, MemoKey, SaveOptions } from '../../engine/ports.ts';
import { held, leases } from './leases.ts';
import { nameOf, names, type Step, tableRequests } from './requests.ts';
import { slots } from './slots.ts';
import {
  answerIn,
  answerKey,
  doneKey,
  entryKey,
  findingKey,
  headKey,
  type Item,
  known,
  memoKey,
  number,
  openIndex,
  pack,
  policyKey,
  recentKey,
  text,
  unpack,
} from './table.ts';

export { tableDefinition } from './table.ts';

export interface DynamoLedgerOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Items a page of a query or scan; as many as 1 MB holds when left out. */
  readonly pageSize?: number;
}

/** Under what a finding stands on the index; undefined: nothing of it goes on. */
const standing = (finding: Finding): 'open' | 'undoing' | undefined => (finding.state === 'open' ? 'open' : isUndoing(finding) ? 'undoing' : undefined);

/** Needs dynamodb:GetItem, BatchGetItem, PutItem, UpdateItem, ConditionCheckItem, Query and Scan on the table, Query on its index `open`. */
export const dynamoLedger = ({ client, table, clock, pageSize }: DynamoLedgerOptions): Ledger => {
  const requests = tableRequests(client, table);
  const paging = { client, pageSize };
  const now = () => number(expiredAt(clock.now()));
  const expires = (seconds: number) => number(expiresAfter(clock.now(), seconds));
  // DynamoDB deletes what has expired within days, not at once.
  const live = (item: Item | undefined) => item !== undefined && Number(known(item).expires?.N) > expiredAt(clock.now());

  const findingItem = (finding: Finding) => {
    const openKey = standing(finding);
    return requests.item(findingKey(finding.id), {
      version: number(finding.version),
      ...(openKey && { openKey: text(openKey), openedAt: text(finding.openedAt) }),
      ...pack(finding),
    });
  };
  const doneItem = (eventId: string, key: FindingKey) => requests.item(doneKey(keyText(key), eventId), { expires: expires(doneSeconds) });

  /** The steps that go with every version of a finding. */
  const alongside = (finding: Finding, entry: Entry, { doneEventId, lease }: SaveOptions): Step[] => [
    {
      refused: `entry ${entry.seq} is there already`,
      write: { Put: { ...requests.item(entryKey(finding.id, entry.seq), pack(entry)), ConditionExpression: 'attribute_not_exists(pk)' } },
    },
    ...(doneEventId === undefined ? [] : [{ write: { Put: doneItem(doneEventId, finding) } }]),
    ...(lease ? stillHeld(lease) : []),
  ];
  const stillHeld = (lease: Lease): Step[] => [{ refused: `the lease of ${lease.owner} has passed to another`, write: { ConditionCheck: held(table, lease) } }];

  return {
    ...leases(requests, table, clock),
    ...slots(requests, paging, table, clock),

    async lookup(keys) {
      const places = keys.map((key) => ({ head: headKey(keyText(key)), done: doneKey(keyText(key), key.eventId) }));
      const marks = await requests.batch(places.flatMap(({ head, done }) => [head, done]));
      const idAt = (head: Item) => {
        const found = marks.get(nameOf(head));
        return found && known(found).finding?.S;
      };
      const findings = await requests.batch(places.flatMap(({ head }) => idAt(head) ?? []).map(findingKey));
      return places.map(({ head, done }) => {
        const id = idAt(head);
        const last = id && findings.get(nameOf(findingKey(id)));
        if (id && !last) throw new Error(`finding ${id} is missing from ${table}`);
        return { done: live(marks.get(nameOf(done))), ...(last && { last: unpack<Finding>('finding', last) }) };
      });
    },

    async get(findingId) {
      const found = await requests.get(findingKey(findingId));
      return found && unpack<Finding>('finding', found);
    },

    open(finding, entry, options = {}) {
      const head = requests.item(headKey(keyText(finding)), {
        finding: text(finding.id),
        episode: number(finding.episode),
        ...(finding.state === 'open' && { open: { SS: [finding.id] } }),
      });
      return requests.transact(`open finding ${finding.id}`, [
        { refused: 'it exists', write: { Put: { ...findingItem(finding), ConditionExpression: 'attribute_not_exists(pk)' } } },
        {
          refused: `another episode is open, or episode ${finding.episode} is taken`,
          write: {
            Put: {
              ...head,
              ConditionExpression: 'attribute_not_exists(pk) OR (attribute_not_exists(#open) AND #episode < :episode)',
              ExpressionAttributeNames: names('open', 'episode'),
              ExpressionAttributeValues: { ':episode': number(finding.episode) },
            },
          },
        },
        ...alongside(finding, entry, options),
      ]);
    },

    save(finding, entry, options = {}) {
      const resolved = finding.state === 'resolved';
      const follows: Step = {
        refused: `version ${finding.version} does not follow the stored one, or the finding is resolved`,
        write: {
          Put: {
            ...findingItem(finding),
            // A finding ends resolved: the next drift is an episode of its own.
            ConditionExpression: resolved ? '#version = :version' : '#version = :version AND #openKey = :open',
            ExpressionAttributeNames: resolved ? names('version') : names('version', 'openKey'),
            ExpressionAttributeValues: { ':version': number(finding.version - 1), ...(!resolved && { ':open': text('open') }) },
          },
        },
      };
      // Taking an id out of a set does nothing where a later episode is the open one.
      const close: Step = {
        write: {
          Update: {
            TableName: table,
            Key: headKey(keyText(finding)),
            UpdateExpression: 'DELETE #open :ids',
            ExpressionAttributeNames: names('open'),
            ExpressionAttributeValues: { ':ids': { SS: [finding.id] } },
          },
        },
      };
      return requests.transact(`save finding ${finding.id}`, [follows, ...(resolved ? [close] : []), ...alongside(finding, entry, options)]);
    },

    markDone: (eventId, key) => requests.put(`mark ${eventId} done`, doneItem(eventId, key)),

    async *findings({ open, undoing, control }) {
      const ofIndex = {
        TableName: table,
        IndexName: openIndex,
        KeyConditionExpression: '#openKey = :open',
        ExpressionAttributeNames: names('openKey'),
        ExpressionAttributeValues: { ':open': text(undoing ? 'undoing' : 'open') },
      };
      const ofTable = {
        TableName: table,
        ConsistentRead: true,
        FilterExpression: '#sk = :finding',
        ExpressionAttributeNames: names('sk'),
        ExpressionAttributeValues: { ':finding': text('finding') },
      };
      for await (const { Items = [] } of open || undoing ? paginateQuery(paging, ofIndex) : paginateScan(paging, ofTable))
        for (const item of Items) {
          const finding = unpack<Finding>('finding', item);
          if (control === undefined || finding.control === control) yield finding;
        }
    },

    async entries(findingId) {
      const entries: Entry[] = [];
      const pages = paginateQuery(paging, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :entry)',
        ExpressionAttributeNames: names('pk', 'sk'),
        ExpressionAttributeValues: { ':pk': findingKey(findingId).pk!, ':entry': text('entry#') },
      });
      for await (const { Items = [] } of pages) for (const item of Items) entries.push(unpack<Entry>('entry', item));
      return entries;
    },

    async recent(control, fold, eventId, time) {
      const at = Date.parse(time);
      const key = recentKey(control, fold, eventId);
      await requests.put(`count ${eventId}`, requests.item(key, { event: text(eventId), time: number(at), expires: expires(recentSeconds) }));
      const pages = paginateQuery(paging, {
        TableName: table,
        ConsistentRead: true,
        Select: 'COUNT',
        KeyConditionExpression: '#pk = :pk',
        FilterExpression: '#event <> :event AND #time > :from AND #time < :to AND #expires > :now',
        ExpressionAttributeNames: names('pk', 'event', 'time', 'expires'),
        ExpressionAttributeValues: {
          ':pk': key.pk!,
          ':event': text(eventId),
          ':from': number(at - recentWindow),
          ':to': number(at + recentWindow),
          ':now': now(),
        },
      });
      let others = 0;
      for await (const { Count = 0 } of pages) others += Count;
      return others;
    },

    async recall<Document>(key: MemoKey) {
      const found = await requests.get(memoKey(key));
      return found && unpack<Document>('memo', found);
    },

    remember(key, document, lease) {
      const item = requests.item(memoKey(key), pack(document));
      if (!lease) return requests.put(`remember ${key}`, item);
      return requests.transact(`remember ${key}`, [{ write: { Put: item } }, ...stillHeld(lease)]);
    },

    answer: (answer) =>
      requests.put(`keep the answer ${answer.id}`, {
        ...requests.item(answerKey(answer.findingId, answer.id), { expires: expires(answerSeconds), ...pack(answer) }),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),

    async answers(findingId) {
      const answers: Answer[] = [];
      const pages = paginateQuery(paging, {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#pk = :pk',
        ExpressionAttributeNames: names('pk'),
        ExpressionAttributeValues: { ':pk': answerKey(findingId, '').pk! },
      });
      for await (const { Items = [] } of pages) for (const item of Items) answers.push(...answerIn(item, findingId));
      return inOrder(answers);
    },

    async policy() {
      const found = await requests.get(policyKey);
      return found && unpack('policy', found);
    },

    storePolicy: (policy) => requests.put('store the policy', requests.item(policyKey, pack(policy))),
  };
};
