import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../../cli/state/sqlite-ledger.ts';
import { TerminalError } from '../../../engine/errors.ts';
import { ledgerContract } from '../../support/ledger-contract.ts';
import { testClock } from '../../support/ledger-model.ts';
import { control, entryOf, findingOf, keyOf } from '../../support/ledger-samples.ts';
import { schemaOneReads } from '../../support/ledger-schema-1.ts';

let folder: string;
let made = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phidelity-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

ledgerContract(async (clock, pageSize) => {
  made += 1;
  const ledger = sqliteLedger({ directory: join(folder, String(made)), clock, pageSize });
  return { ledger, close: () => ledger.close() };
}, 60);

describe('the file', () => {
  const clock = testClock();
  const state = () => join(folder, 'state.sqlite');
  const write = (sql: string) => {
    const db = new DatabaseSync(state());
    db.exec(sql);
    db.close();
  };

  test('is made with its folder, for its owner only', () => {
    const directory = join(folder, 'a', 'b');
    sqliteLedger({ directory, clock }).close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'state.sqlite')).mode & 0o777).toBe(0o600);
  });

  test('keeps everything for the next process, in write-ahead mode', async () => {
    const before = sqliteLedger({ directory: folder, clock });
    const finding = findingOf();
    await before.open(finding, entryOf(finding), { doneEventId: 'event-1' });
    const lease = await before.lease('setting', 'one', 60);
    before.close();
    const after = sqliteLedger({ directory: folder, clock });
    expect(await after.lookup([{ ...keyOf(), eventId: 'event-1' }])).toEqual([{ done: true, last: finding }]);
    expect(await after.lease('setting', 'one', 60)).toEqual(lease);
    expect(await after.lease('setting', 'two', 60)).toBeUndefined();
    after.close();
    const db = new DatabaseSync(state());
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    db.close();
  });

  test('loses what has expired when it is opened', async () => {
    const later = testClock();
    const first = sqliteLedger({ directory: folder, clock: later });
    await first.markDone('event-1', keyOf());
    await first.recent(control, 'alice', 'event-1', '2026-03-01T12:00:00Z');
    first.close();
    later.pass(21 * 86_400);
    sqliteLedger({ directory: folder, clock: later }).close();
    const db = new DatabaseSync(state());
    expect(db.prepare('SELECT (SELECT count(*) FROM done) + (SELECT count(*) FROM recent) AS rows').get()).toEqual({ rows: 0 });
    db.close();
  });

  test('loses the slots that nothing counts any more, and keeps the others', async () => {
    const later = testClock();
    const brakes = [60, 2 * 86_400].map((seconds) => ({ scope: `${seconds} s`, limit: 1, seconds }));
    const first = sqliteLedger({ directory: folder, clock: later });
    await first.takeSlots('one', brakes);
    first.close();
    later.pass(86_400 + 60);
    sqliteLedger({ directory: folder, clock: later }).close();
    const db = new DatabaseSync(state());
    expect(db.prepare('SELECT scope FROM slots').all()).toEqual([{ scope: '172800 s' }]);
    db.close();
  });

  describe('of schema 1', () => {
    beforeEach(() => write(readFileSync('test/support/schema-1/state.sql', 'utf8')));
    const version = () => {
      const db = new DatabaseSync(state());
      const { user_version } = db.prepare('PRAGMA user_version').get()!;
      db.close();
      return user_version;
    };

    test('is brought up when it is opened, and holds all it held', async () => {
      expect(version()).toBe(1);
      const ledger = sqliteLedger({ directory: folder, clock });
      expect(version()).toBe(4);
      await schemaOneReads(ledger);
      expect(await ledger.takeSlots('one', [{ scope: 'all', limit: 1, seconds: 60 }])).toEqual({});
      await ledger.remember('tick', { at: 'now' });
      ledger.close();
      const again = sqliteLedger({ directory: folder, clock });
      expect(await again.recall('tick')).toEqual({ at: 'now' });
      expect((await again.policy())?.guards.fixesPerHour).toBe(50);
      again.close();
    });

    test('stays as it was when it cannot be brought up', () => {
      write("UPDATE policy SET body = 'torn'");
      expect(() => sqliteLedger({ directory: folder, clock })).toThrow(/cannot keep state in .*--state/);
      expect(version()).toBe(1);
      const db = new DatabaseSync(state());
      expect(db.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name IN ('slots', 'memos')").get()).toEqual({ tables: 0 });
      db.close();
    });
  });

  const unusable: Record<string, { given: () => string | void; message: RegExp }> = {
    'no database': { given: () => void writeFileSync(state(), 'notes '.repeat(500)), message: /state\.sqlite is not a database.*--state/ },
    'a damaged database': {
      given: () => {
        sqliteLedger({ directory: folder, clock }).close();
        const bytes = readFileSync(state());
        writeFileSync(state(), bytes.fill(0xff, 100, 3_000));
      },
      message: /state\.sqlite is not a database, or is damaged.*--state/,
    },
    'another program’s database': { given: () => void write('CREATE TABLE songs (title)'), message: /state\.sqlite is another program's database.*--state/ },
    'a newer schema': { given: () => void write('PRAGMA user_version = 5'), message: /state\.sqlite has schema 5, this phidelity reads 4.*newer version/ },
    'a folder that is a file': {
      given: () => {
        writeFileSync(join(folder, 'file'), '');
        return join(folder, 'file');
      },
      message: /cannot keep state in .*file.*--state/,
    },
    'a folder under a file': {
      given: () => {
        writeFileSync(join(folder, 'file'), '');
        return join(folder, 'file', 'state');
      },
      message: /cannot keep state in .*file\/state.*--state/,
    },
    'a state.sqlite that is a folder': { given: () => void mkdirSync(state()), message: /cannot keep state in .*--state/ },
    ...(process.getuid?.() !== 0 && {
      'a folder without the right to write': {
        given: () => {
          mkdirSync(join(folder, 'closed'));
          chmodSync(join(folder, 'closed'), 0o500);
          return join(folder, 'closed');
        },
        message: /cannot keep state in .*closed.*--state/,
      },
    }),
  };

  test.each(Object.entries(unusable))('%s is refused in one sentence', (_, { given, message }) => {
    const directory = given() ?? folder;
    const attempt = () => sqliteLedger({ directory, clock });
    expect(attempt).toThrow(TerminalError);
    expect(attempt).toThrow(message);
  });

  test('serves several processes at once: each finding is opened by one of them', async () => {
    const root = new URL('../../../', import.meta.url);
    const script = `
      const { sqliteLedger } = await import('${root}cli/state/sqlite-ledger.ts');
      const { entryOf, findingOf, keyOf } = await import('${root}test/support/ledger-samples.ts');
      const ledger = sqliteLedger({ directory: ${JSON.stringify(join(folder, 'shared'))}, clock: { now: () => new Date() } });
      let won = 0, lost = 0;
      for (let index = 0; index < 30; index += 1) {
        const finding = findingOf(keyOf({ id: 'bucket-' + index }));
        await ledger.open(finding, entryOf(finding)).then(() => won += 1, (error) => { if (error.name !== 'ConflictError') throw error; lost += 1; });
      }
      console.log(JSON.stringify({ won, lost }));`;
    const run = async () => JSON.parse((await promisify(execFile)(process.execPath, ['--no-warnings', '--input-type=module', '-e', script])).stdout);
    const results: { won: number; lost: number }[] = await Promise.all(Array.from({ length: 4 }, run));
    expect(results.reduce((sum, { won }) => sum + won, 0)).toBe(30);
    expect(results.reduce((sum, { lost }) => sum + lost, 0)).toBe(90);
  });
});
