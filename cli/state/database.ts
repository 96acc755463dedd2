/** Opens the command line's file database, makes its tables or brings up those of an older version, and says in one sentence what is wrong with a file that cannot be used. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TerminalError } from '../../engine/errors.ts';
import { type DocumentKind, isOlder, schema, upgraded } from '../../engine/schema.ts';

/** Tables, from each schema of the file to the next; 0 is an empty file. */
const steps: Readonly<Record<number, string>> = {
  0: `
    CREATE TABLE findings (
      id TEXT PRIMARY KEY, key TEXT NOT NULL, episode INTEGER NOT NULL, version INTEGER NOT NULL,
      state TEXT NOT NULL, openedAt TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (key, episode)
    ) STRICT;
    CREATE UNIQUE INDEX one_open_episode ON findings (key) WHERE state = 'open';
    CREATE INDEX findings_in_order ON findings (openedAt, id);
    CREATE TABLE entries (finding TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (finding, seq)) STRICT;
    CREATE TABLE done (key TEXT NOT NULL, event TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (key, event)) STRICT, WITHOUT ROWID;
    CREATE TABLE recent (key TEXT NOT NULL, event TEXT NOT NULL, time INTEGER NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (key, event)) STRICT, WITHOUT ROWID;
    CREATE TABLE leases (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL, fence INTEGER NOT NULL) STRICT;
    CREATE TABLE policy (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  `,
  1: `
    CREATE TABLE slots (
      scope TEXT NOT NULL, holder TEXT NOT NULL, taken INTEGER NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (scope, holder)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE memos (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  `,
  2: `
    CREATE TABLE answers (id TEXT PRIMARY KEY, finding TEXT NOT NULL, body TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
    CREATE INDEX answers_of_findings ON answers (finding);
  `,
};

/** Tables with a document in each row. */
const documents: readonly (readonly [string, DocumentKind])[] = [
  ['findings', 'finding'],
  ['entries', 'entry'],
  ['answers', 'answer'],
  ['memos', 'memo'],
  ['policy', 'policy'],
];

/** Milliseconds that a writer waits for another process. */
const patience = 10_000;

/**
 * The database in `directory`, which is made if need be, readable by its owner only: before and after may hold PHI.
 * Without a directory it is in memory.
 * Rows that expired at or before `expired` (epoch seconds) are deleted.
 * @throws TerminalError with the path and the way out.
 */
export const openState = (directory: string | undefined, expired: number): DatabaseSync => {
  if (directory === undefined) {
    const memory = new DatabaseSync(':memory:');
    prepare(memory, 'memory', expired);
    return memory;
  }
  const file = join(directory, 'state.sqlite');
  let db: DatabaseSync | undefined;
  try {
    makeFolder(directory);
    db = new DatabaseSync(file, { timeout: patience });
    chmodSync(file, 0o600);
    transaction(db, (held) => prepare(held, file, expired));
    db.exec('PRAGMA journal_mode = WAL');
    return db;
  } catch (error) {
    db?.close();
    throw sentence(error, directory, file);
  }
};

/** Not mkdir's `recursive`: where a parent takes no folders, as in /proc, it tries for ever. */
const makeFolder = (directory: string, parents = true): void => {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return;
    if (!parents || code !== 'ENOENT' || dirname(directory) === directory) throw error;
    makeFolder(dirname(directory));
    makeFolder(directory, false);
  }
};

const prepare = (db: DatabaseSync, file: string, expired: number) => {
  const version = db.prepare('PRAGMA user_version').get()?.user_version as number;
  if (version > schema) throw new TerminalError(`${file} has schema ${version}, this phidelity reads ${schema}: use the newer version, or another --state`);
  if (version === 0) {
    const strangers = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables as number;
    if (strangers > 0) throw new TerminalError(`${file} is another program's database: move it away, or name another folder with --state`);
  }
  bringUp(db, version);
  for (const table of ['done', 'recent', 'slots', 'answers']) db.prepare(`DELETE FROM ${table} WHERE expires <= ?`).run(expired);
};

const bringUp = (db: DatabaseSync, from: number) => {
  for (let step = from; step < schema; step += 1) db.exec(steps[step] ?? '');
  for (const [table, kind] of documents.filter((row) => isOlder(row[1], from))) {
    const write = db.prepare(`UPDATE ${table} SET body = ? WHERE rowid = ?`);
    for (const { row, body } of db.prepare(`SELECT rowid AS row, body FROM ${table}`).all())
      write.run(JSON.stringify(upgraded(kind, from, JSON.parse(body as string))), row as number);
  }
  db.exec(`PRAGMA user_version = ${schema}`);
};

/** All or none; no other process writes meanwhile. */
export const transaction = <Result>(db: DatabaseSync, work: (db: DatabaseSync) => Result): Result => {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work(db);
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
};

// https://www.sqlite.org/rescode.html
const busy = new Set([5, 6]);
const spoilt = new Set([11, 26]);

const sentence = (error: unknown, directory: string, file: string): unknown => {
  if (error instanceof TerminalError) return error;
  // Extended codes keep the primary one in the low byte.
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (busy.has(code)) return error;
  const message = spoilt.has(code)
    ? `${file} is not a database, or is damaged: move it away, or name another folder with --state`
    : `cannot keep state in ${directory} (${(error as Error).message}): make it a folder you may write to, or name another with --state`;
  return new TerminalError(message, { cause: error });
};
