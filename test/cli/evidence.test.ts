/** `evidence` on the embedded database and on files: what it proves, and how it refuses what it cannot. */
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { headLine, keyLine, lineOf } from '../../cli/evidence/file.ts';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { canonical } from '../../engine/canonical.ts';
import { publicOf } from '../../engine/evidence/form.ts';
import { opened, step } from '../../engine/finding.ts';
import type { Entry } from '../../engine/model.ts';
import { after, chainOf, digestsOf, headOf, keyArn, publicKey } from '../support/chains.ts';
import { testClock } from '../support/ledger-model.ts';
import { keyOf } from '../support/ledger-samples.ts';
import { type Desk, openDesk } from './run.ts';

let desk: Desk;
beforeAll(() => {
  desk = openDesk();
});
afterAll(() => desk.clear());

const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const verify = async (...args: string[]) => desk.run({ args: ['evidence', 'verify', ...args] });

describe('of the embedded database', () => {
  let state: string;
  let made = 0;
  let id: string;
  beforeEach(async () => {
    made += 1;
    state = desk.path(`state-${made}`);
    const ledger = sqliteLedger({ directory: state, clock: testClock() });
    const trigger = { accountId: '123456789012', region: 'us-east-1', source: 'tick', eventId: 'e', time: after(0) } as const;
    const verdict = {
      actor: undefined,
      evaluation: { complianceType: 'NON_COMPLIANT', annotation: 'Open for 078-05-1120.' },
      decision: { action: 'notify', reason: 'r' },
    } as const;
    const first = opened(keyOf(), { severity: 'HIGH' }, verdict, trigger, undefined, after(0));
    const second = step(first.finding, { seen: 2 }, { kind: 'SEEN', by: 'detect', at: after(60), note: 'Seen.' });
    await ledger.open(first.finding, first.entry);
    await ledger.save(second.finding, second.entry);
    id = first.finding.id;
    ledger.close();
  });

  const change = (sql: string) => {
    const db = new DatabaseSync(`${state}/state.sqlite`);
    db.exec(sql);
    db.close();
  };

  test('chains are whole, and that nothing is signed is said', async () => {
    expect(await verify('--state', state)).toMatchObject({
      code: 0,
      out: 'Sound: 2 entries of 1 finding\nNothing is signed: the chains hold by themselves alone, and who can write all of them can make them anew.\n',
    });
  });

  test('an export of it holds no identifier of a person, and is verified too', async () => {
    const file = desk.path('state.ndjson');
    const { code } = await desk.run({ args: ['evidence', 'export', '--from', '2026-11-01', '--to', '2026-11-01', '--out', file, '--state', state] });
    expect([code, readFileSync(file, 'utf8')]).toEqual([0, expect.not.stringMatching(/078-05-1120|salt/)]);
    expect(await verify(file)).toMatchObject({ code: 0, out: expect.stringContaining('Nothing is signed') });
  });

  const tampered: Record<string, readonly [sql: string, found: object]> = {
    'an entry changed': [`UPDATE entries SET body = replace(body, '"by":"detect"', '"by":"operator"') WHERE seq = 2`, { kind: 'changed', seq: 2 }],
    'its raw part changed': [`UPDATE entries SET body = replace(body, 'Open for 078-05-1120', 'Open for 078-05-1121')`, { kind: 'raw-changed', seq: 1 }],
    'an entry deleted': ['DELETE FROM entries WHERE seq = 1', { kind: 'dropped', seq: 1 }],
    'the last one deleted': ['DELETE FROM entries WHERE seq = 2', { kind: 'cut', seq: 2 }],
    'its finding made to end otherwise': [`UPDATE findings SET body = replace(body, '"chain":"', '"chain":"0')`, { kind: 'table', seq: 2 }],
  };
  test.each(Object.entries(tampered))('%s', async (_, [sql, found]) => {
    change(sql);
    const { code, out } = await verify('--state', state, '--json');
    expect([code, JSON.parse(out).faults]).toEqual([1, [expect.objectContaining({ finding: id, ...found })]]);
  });
});

describe('of a file', () => {
  const one = chainOf('records', 4);
  const digests = digestsOf([[headOf(one.slice(0, 2))], [headOf(one, 2)]]);
  const linesOf = (entries: readonly Entry[] = one) => [
    headLine({ version: 1, from: after(0), to: after(7_200), at: after(7_200), digests: [1, 2] }),
    keyLine({ arn: keyArn, pem }),
    ...digests.map((digest) => lineOf('digest', canonical(digest))),
    ...entries.map((entry) => lineOf('entry', canonical(publicOf(entry)))),
  ];
  const file = (lines: readonly string[]) => {
    const path = desk.path('export.ndjson');
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };

  test('whole: sound, with the key’s fingerprint and where it came from', async () => {
    const { code, out } = await verify(file(linesOf()), '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({
        sound: true,
        entries: 4,
        digests: expect.objectContaining({ first: 1, last: 2 }),
        key: { arn: keyArn, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), from: 'the export itself' },
      }),
    ]);
  });

  test.each<[string, (lines: string[]) => string[], object]>([
    ['its last line cut off', (lines) => lines.slice(0, -1), { kind: 'cut', seq: 4 }],
    ['its last digest left out', (lines) => lines.filter((_, index) => index !== 3), { kind: 'digest-missing', digest: 2 }],
    ['two lines in the other order', ([head, key, a, b, c, d, ...rest]) => [head!, key!, a!, b!, d!, c!, ...rest], { kind: 'reordered', seq: 1 }],
  ])('%s', async (_, spoil, found) => {
    const { code, out } = await verify(file(spoil(linesOf())), '--json');
    expect([code, JSON.parse(out).faults]).toEqual([1, [expect.objectContaining(found)]]);
  });

  test('without any digest: sound and unsigned, but not to who names a key', async () => {
    const [, key, , , ...entries] = linesOf();
    const unsigned = file([headLine({ version: 1, from: after(0), to: after(7_200), at: after(7_200), digests: null }), key!, ...entries]);
    expect(await verify(unsigned)).toMatchObject({ code: 0, out: expect.stringContaining('Nothing is signed') });
    const pinned = desk.path('key.pem');
    writeFileSync(pinned, pem);
    expect(await verify(unsigned, '--public-key', pinned)).toMatchObject({ code: 1, out: expect.stringMatching(/^digest-missing +: there is no digest that/) });
  });

  test.each<[string, () => string[], number, RegExp]>([
    ['no such file', () => [desk.path('none.ndjson')], 2, /none\.ndjson: no such file/],
    ['no export', () => [file(['{"patient":1}'])], 2, /export\.ndjson:1 is not the head of an export/],
    ['a line that is none', () => [file([...linesOf(), 'so be it'])], 1, /export\.ndjson:9 is no line that an export has/],
    ['a key that is none', () => [file(linesOf()), '--public-key', file(linesOf())], 2, /not a public key in PEM form/],
    ['a file and a stack', () => [file(linesOf()), '--stack', 'phidelity-dev'], 2, /name an export or --stack/],
    ['--deep without a stack', () => ['--deep'], 2, /name it with --stack/],
    ['nothing recorded', () => ['--state', desk.path('nowhere')], 2, /nothing has been recorded/],
  ])('%s', async (_, args, code, message) => {
    const result = await verify(...args());
    expect([result.code, result.err]).toEqual([code, expect.stringMatching(message)]);
    expect(result.err.trim().split('\n')).toHaveLength(1);
  });

  test.each<[string, string[], RegExp]>([
    ['a day that is none', ['--from', 'yesterday', '--to', '2026-01-01'], /a day such as/],
    ['a range that ends before it begins', ['--from', '2026-02-01', '--to', '2026-01-01'], /--from is after --to/],
    ['a form that there is not', ['--from', '2026-01-01', '--to', '2026-01-01', '--format', 'pdf'], /ndjson, ocsf/],
  ])('an export of %s is refused', async (_, args, message) => {
    const { code, err } = await desk.run({ args: ['evidence', 'export', ...args] });
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});
