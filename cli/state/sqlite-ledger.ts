/** The ledger in an embedded file database, DIRECTORY/state.sqlite. Several processes may use it at once. */
import { ConflictError } from '../../engine/errors.ts';
import { findingKey, isUndoing } from '../../engine/finding.ts';
import { answerSeconds, doneSeconds, expiredAt, expiresAfter, inOrder, recentSeconds, recentWindow, slotKept } from '../../engine/ledger.ts';
import type { Answer, Entry, Finding } from '../../engine/model.ts';
import type { Brake, Clock, Lease, Ledger, MemoKey, SaveOptions } from '../../engine/ports.ts';
import { openState, transaction } from './database.ts';

export interface SqliteLedgerOptions {
  /** Undefined: in memory, for one run. */
  readonly directory: string | undefined;
  readonly clock: Pick<Clock, 'now'>;
  /** Findings read at a time. */
  readonly pageSize?: number;
}

/** @throws TerminalError when the directory or the file in it cannot be used; the message names the path and the way out. */
export const sqliteLedger = ({ directory, clock, pageSize = 200 }: SqliteLedgerOptions): Ledger & { close(): void } => {
  const expired = () => expiredAt(clock.now());
  const expires = (seconds: number) => expiresAfter(clock.now(), seconds);
  const db = openState(directory, expired());
  const sql = db.createTagStore();

  const markDone = (eventId: string, key: string) =>
    sql.run`INSERT OR REPLACE INTO done (key, event, expires) VALUES (${key}, ${eventId}, ${expires(doneSeconds)})`;

  const demand = ({ key, owner, fence }: Lease, what: string) => {
    if (!sql.get`SELECT 1 FROM leases WHERE key = ${key} AND owner = ${owner} AND fence = ${fence}`)
      throw new ConflictError(`cannot ${what}: the lease of ${owner} has passed to another`);
  };

  const alongside = (finding: Finding, entry: Entry, { doneEventId, lease }: SaveOptions) => {
    if (lease) demand(lease, `save finding ${finding.id}`);
    sql.run`INSERT INTO entries (finding, seq, body) VALUES (${finding.id}, ${entry.seq}, ${JSON.stringify(entry)})`;
    if (doneEventId !== undefined) markDone(doneEventId, findingKey(finding));
  };

  return {
    close: () => db.close(),

    async lookup(keys) {
      return keys.map((key) => {
        const text = findingKey(key);
        const last = parsed(sql.get`SELECT body FROM findings WHERE key = ${text} ORDER BY episode DESC LIMIT 1`);
        const done = sql.get`SELECT 1 FROM done WHERE key = ${text} AND event = ${key.eventId} AND expires > ${expired()}`;
        return { done: done !== undefined, ...(last && { last }) };
      });
    },

    async get(findingId) {
      return parsed(sql.get`SELECT body FROM findings WHERE id = ${findingId}`);
    },

    async open(finding, entry, options = {}) {
      transaction(db, () => {
        const key = findingKey(finding);
        const { id, episode, version, state, openedAt } = finding;
        if (sql.get`SELECT 1 FROM findings WHERE id = ${id} OR (key = ${key} AND (state = 'open' OR episode >= ${episode}))`)
          throw new ConflictError(`cannot open finding ${id}: another episode is open, or episode ${episode} is taken`);
        sql.run`INSERT INTO findings (id, key, episode, version, state, openedAt, body)
                VALUES (${id}, ${key}, ${episode}, ${version}, ${state}, ${openedAt}, ${JSON.stringify(finding)})`;
        alongside(finding, entry, options);
      });
    },

    async save(finding, entry, options = {}) {
      transaction(db, () => {
        const { id, version, state } = finding;
        // A finding ends resolved: the next drift is an episode of its own.
        const { changes } = sql.run`UPDATE findings SET version = ${version}, state = ${state}, body = ${JSON.stringify(finding)}
                                    WHERE id = ${id} AND version = ${version - 1} AND (state = 'open' OR ${state} = 'resolved')`;
        if (changes !== 1) throw new ConflictError(`cannot save finding ${id}: version ${version} does not follow the stored one, or the finding is resolved`);
        alongside(finding, entry, options);
      });
    },

    async markDone(eventId, key) {
      markDone(eventId, findingKey(key));
    },

    async *findings({ open = false, undoing = false, control }) {
      // By page and position: no statement stays open while the caller writes.
      let after = { openedAt: '', id: '' };
      for (;;) {
        const page = sql.all`SELECT openedAt, id, body FROM findings
                             WHERE (openedAt, id) > (${after.openedAt}, ${after.id}) AND (state = 'open' OR ${open ? 0 : 1})
                             ORDER BY openedAt, id LIMIT ${pageSize}`;
        for (const row of page) {
          const finding = JSON.parse(row.body as string) as Finding;
          if ((control === undefined || finding.control === control) && (!undoing || (finding.state === 'resolved' && isUndoing(finding)))) yield finding;
        }
        if (page.length < pageSize) return;
        after = page.at(-1) as typeof after;
      }
    },

    async entries(findingId) {
      return sql.all`SELECT body FROM entries WHERE finding = ${findingId} ORDER BY seq`.map(({ body }) => JSON.parse(body as string) as Entry);
    },

    async lease(key, owner, seconds) {
      const now = clock.now().getTime();
      const taken = sql.get`INSERT INTO leases (key, owner, until, fence) VALUES (${key}, ${owner}, ${now + seconds * 1000}, 1)
                            ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until, fence = fence + (until <= ${now})
                            WHERE until <= ${now} OR owner = excluded.owner
                            RETURNING fence`;
      return taken && { key, owner, fence: taken.fence as number };
    },

    async release({ key, owner, fence }) {
      sql.run`UPDATE leases SET until = 0 WHERE key = ${key} AND owner = ${owner} AND fence = ${fence}`;
    },

    async recent(control, fold, eventId, time) {
      const at = Date.parse(time);
      const key = JSON.stringify([control, fold]);
      sql.run`INSERT OR REPLACE INTO recent (key, event, time, expires) VALUES (${key}, ${eventId}, ${at}, ${expires(recentSeconds)})`;
      const counted = sql.get`SELECT count(*) AS others FROM recent
                              WHERE key = ${key} AND event <> ${eventId} AND expires > ${expired()}
                                AND time > ${at - recentWindow} AND time < ${at + recentWindow}`;
      return counted?.others as number;
    },

    async takeSlots(holder, brakes) {
      return transaction(db, () => {
        const now = clock.now().getTime();
        const live = (brake: Brake) => sql.all`SELECT holder FROM slots WHERE scope = ${brake.scope} AND taken > ${now - brake.seconds * 1000}`;
        const missing = brakes.map((brake) => ({ brake, taken: live(brake) })).filter(({ taken }) => !taken.some((slot) => slot.holder === holder));
        const full = missing.find(({ brake, taken }) => taken.length >= brake.limit);
        if (full) return { full: full.brake };
        for (const { brake } of missing)
          sql.run`INSERT OR REPLACE INTO slots (scope, holder, taken, expires) VALUES (${brake.scope}, ${holder}, ${now}, ${expires(brake.seconds + slotKept)})`;
        return {};
      });
    },

    async recall<Document>(key: MemoKey) {
      const row = sql.get`SELECT body FROM memos WHERE key = ${key}`;
      return row && (JSON.parse(row.body as string) as Document);
    },

    async remember(key, document, lease) {
      transaction(db, () => {
        if (lease) demand(lease, `remember ${key}`);
        sql.run`INSERT OR REPLACE INTO memos (key, body) VALUES (${key}, ${JSON.stringify(document)})`;
      });
    },

    async answer(answer) {
      transaction(db, () => {
        if (sql.get`SELECT 1 FROM answers WHERE id = ${answer.id}`) throw new ConflictError(`cannot keep the answer ${answer.id}: it is there already`);
        sql.run`INSERT INTO answers (id, finding, body, expires) VALUES (${answer.id}, ${answer.findingId}, ${JSON.stringify(answer)}, ${expires(answerSeconds)})`;
      });
    },

    async answers(findingId) {
      return inOrder(sql.all`SELECT body FROM answers WHERE finding = ${findingId}`.map(({ body }) => JSON.parse(body as string) as Answer));
    },

    async policy() {
      const row = sql.get`SELECT body FROM policy`;
      return row && JSON.parse(row.body as string);
    },

    async storePolicy(policy) {
      sql.run`INSERT OR REPLACE INTO policy (id, body) VALUES (1, ${JSON.stringify(policy)})`;
    },
  };
};

const parsed = (row: Record<string, unknown> | undefined): Finding | undefined => row && (JSON.parse(row.body as string) as Finding);
