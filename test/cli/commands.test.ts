import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { account, boring, delivered, openBucket, record, stopLogging } from './events.ts';
import { type Desk, ndjson, openDesk, type Result, type Run, runAll } from './run.ts';

const events = [delivered(stopLogging()), delivered(openBucket('records')), delivered(boring), delivered({ ...stopLogging('other'), awsRegion: 'eu-west-1' })];
const records = [record(stopLogging()), record(boring)];

const quiet = 'version: 1\nextends: hipaa\ncontrols:\n  "*": notify\n';
const files: Record<string, string | Buffer> = {
  'event.json': JSON.stringify(delivered(stopLogging()), null, 2),
  'events.json': JSON.stringify(events),
  'log.json': JSON.stringify({ Records: records }, null, 2),
  'log.json.gz': gzipSync(JSON.stringify({ Records: records })),
  'lines.ndjson': `\uFEFF${events.map((event) => JSON.stringify(event)).join('\r\n')}\r\n\r\n`,
  'none.json': '{"Records": []}',
  'mixed.json': JSON.stringify([...events, { hello: 'world' }, record({ ...openBucket('theirs'), recipientAccountId: '444455556666' })]),
  'quiet.yaml': quiet,
  'one-fix.yaml': `${quiet}  s3-bucket-tls-only: fix\n`,
  'asking.yaml': `${quiet}  s3-bucket-tls-only: approve\n`,
};

const offline = (file: string, stdin?: string): Run => ({ args: ['replay', file, '--offline', '--json'], stdin });
const runs: Record<string, Run> = {
  version: { args: ['--version'] },
  help: { args: ['--help'] },
  'help of replay': { args: ['replay', '--help'] },
  'help of sweep': { args: ['sweep', '--help'] },
  'help of findings': { args: ['findings', '--help'] },
  'help of plan': { args: ['plan', '--help'] },
  'help of controls': { args: ['controls', '--help'] },
  'help of policy check': { args: ['policy', 'check', '--help'] },
  controls: { args: ['controls', '--json'] },
  'controls for people': { args: ['controls'] },
  'controls in colour': { args: ['controls'], env: { NO_COLOR: '', FORCE_COLOR: '1' } },
  'controls in a CI without NO_COLOR': { args: ['controls'], env: { NO_COLOR: '', CI: 'true' } },
  check: { args: ['policy', 'check', 'one-fix.yaml', '--json'] },
  'check of what is deployed': { args: ['policy', 'check'] },
  'no findings': { args: ['findings', '--json', '--state', 'nowhere'] },
  plan: { args: ['plan', '--json'] },
  'plan of a policy that only tells': { args: ['plan', '--policy', 'quiet.yaml', '--json'] },
  'one fix more': { args: ['plan', '--policy', 'one-fix.yaml', '--against', 'quiet.yaml', '--json'] },
  'one fix less': { args: ['plan', '--policy', 'quiet.yaml', '--against', 'one-fix.yaml', '--json'] },
  'fix instead of approve': { args: ['plan', '--policy', 'one-fix.yaml', '--against', 'asking.yaml', '--json'] },
  'one fix more, for people': { args: ['plan', '--policy', 'one-fix.yaml', '--against', 'quiet.yaml'] },
  'an event': offline('event.json'),
  'an array': offline('events.json'),
  'a log file': offline('log.json'),
  'a zipped log file': offline('log.json.gz'),
  NDJSON: offline('lines.ndjson'),
  'standard input': offline('-', files['lines.ndjson'] as string),
  'an empty log file': offline('none.json'),
  'some of it wrong': offline('mixed.json'),
  'several files': { args: ['replay', 'event.json', 'log.json.gz', '--offline', '--json'] },
  'for people': { args: ['replay', 'events.json', '--offline'] },
};

let desk: Desk;
let results: Record<string, Result>;
beforeAll(async () => {
  desk = openDesk();
  for (const [name, content] of Object.entries(files)) writeFileSync(desk.path(name), content);
  results = await runAll(desk, runs);
}, 300_000);
afterAll(() => desk.clear());

const document = (name: string) => JSON.parse(results[name]!.out);

describe('every command', () => {
  test.each(Object.keys(runs).filter((name) => name !== 'some of it wrong'))(
    '%s: ends well, and says nothing on standard error that is not meant for people',
    (name) => {
      const { code, err } = results[name]!;
      expect(code).toBe(0);
      if (runs[name]!.args.includes('--json') && name !== 'no findings') expect(err).toBe('');
    },
  );

  test('the version is that of the package', () => expect(results.version!.out).toMatch(/^phidelity \d+\.\d+\.\d+\n$/));

  test.each(['replay', 'sweep', 'findings', 'plan', 'controls', 'policy check'])('%s explains each of its options', (name) => {
    const text = results[`help of ${name}`]!.out;
    const options = [...text.matchAll(/^ {2}(-[^ ]*.*)$/gm)].map(([, line]) => line!);
    expect(options.length).toBeGreaterThan(1);
    for (const option of options) expect(option).toMatch(/^\S.* {2,}\S/);
    if (name !== 'controls' && name !== 'policy check') expect(text).toMatch(/\nExamples?:/);
  });

  test('colour is for terminals, unless it is asked for', () => {
    expect(results['controls for people']!.out).not.toContain('\x1b[');
    expect(results['controls in a CI without NO_COLOR']!.out).not.toContain('\x1b[');
    expect(results['controls in colour']!.out).toContain('\x1b[');
  });
});

describe('controls --json', () => {
  test('has the shape of the contract', () => {
    const list = document('controls');
    expect(list.length).toBeGreaterThan(10);
    for (const control of list) {
      expect(control).toEqual({
        id: expect.stringMatching(/^[a-z0-9-]+$/),
        title: expect.any(String),
        service: expect.any(String),
        resourceType: expect.stringMatching(/^AWS::/),
        severity: expect.stringMatching(/^(INFORMATIONAL|LOW|MEDIUM|HIGH|CRITICAL)$/),
        hipaa: expect.any(Array),
        mode: expect.stringMatching(/^(off|notify|page|approve|fix)$/),
        fix: expect.stringMatching(/^(auto|approval|none)$/),
        undo: expect.any(Boolean),
        triggers: expect.any(Array),
        permissions: { inspect: expect.any(Array), remediate: expect.any(Array), undo: expect.any(Array) },
      });
      for (const section of control.hipaa) expect(section).toMatch(/^164\.\d{3}(\(\w+\))*$/);
    }
  });

  test('a fix that the baseline lets run is auto, one that it asks for is approval', () => {
    const fixOf = (id: string) => document('controls').find((control: { id: string }) => control.id === id).fix;
    expect([fixOf('cloudtrail-logging-on'), fixOf('s3-bucket-tls-only'), fixOf('cloudtrail-trail-exists')]).toEqual(['auto', 'approval', 'none']);
  });
});

describe('policy check', () => {
  test('tells the id of a right policy', () =>
    expect(document('check')).toEqual({ ok: true, id: expect.any(String), faults: [], warnings: expect.any(Array) }));
});

describe('findings', () => {
  test('are none where nothing was recorded, and no folder is made', async () => {
    expect(document('no findings')).toEqual([]);
    expect(results['no findings']!.err).toMatch(/^Nothing has been recorded in nowhere yet/);
  });
});

describe('plan', () => {
  interface Statement {
    readonly Sid: string;
    readonly Effect: string;
    readonly Action: readonly string[];
  }
  const controlOf = (id: string) => document('controls').find((control: { id: string }) => control.id === id);
  const sorted = (...actions: readonly string[][]) => [...new Set(actions.flat())].sort();

  test('has rules whose patterns EventBridge takes, and two roles', () => {
    const { rules, roles, ...rest } = document('plan');
    expect(rest).toEqual({});
    expect(rules.length).toBeGreaterThan(5);
    for (const { name, pattern } of rules) {
      expect(name).toMatch(/^[\w-]+$/);
      expect(pattern.source.length).toBeGreaterThan(0);
      expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(2_048);
    }
    for (const role of ['detect', 'remediate']) {
      expect(roles[role].length).toBeGreaterThan(3);
      for (const { Effect, Action } of roles[role] as Statement[]) {
        expect(['Allow', 'Deny']).toContain(Effect);
        expect(Action.length).toBeGreaterThan(0);
      }
    }
  });

  test('a policy that only tells lets the remediate role do nothing for a control', () => {
    const { roles } = document('plan of a policy that only tells');
    expect(roles.remediate.map(({ Sid }: Statement) => Sid)).not.toContain('ActOnControls');
  });

  test('one control set to fix adds exactly what that control asks for, and taking it back takes exactly that away', () => {
    const { inspect, remediate, undo } = controlOf('s3-bucket-tls-only').permissions;
    const change = { detect: [], remediate: sorted(inspect, remediate, undo) };
    const none = { detect: [], remediate: [] };
    expect(document('one fix more')).toMatchObject({ added: change, removed: none });
    expect(document('one fix less')).toMatchObject({ added: none, removed: change });
    expect(document('fix instead of approve')).toMatchObject({ added: none, removed: none });
  });

  test('people are told which actions write, and which control asks for them', () => {
    const { out } = results['one fix more, for people']!;
    const { remediate, undo } = controlOf('s3-bucket-tls-only').permissions;
    const written = [...out.matchAll(/^ {2}\+ write {2}(\S+) +s3-bucket-tls-only$/gm)].map(([, action]) => action!);
    expect(written).toEqual(sorted(remediate, undo).filter((action) => !/:(Get|List|Describe)/.test(action)));
    expect(out).toMatch(/for its own work, on its own stack:\n {4}KeepItsPlace: lambda:CheckpointDurableExecution/);
  });
});

describe('replay --offline', () => {
  const line = {
    eventId: expect.any(String),
    eventName: expect.any(String),
    control: expect.any(String),
    resource: { accountId: account, region: expect.any(String), type: expect.stringMatching(/^AWS::/), id: expect.any(String) },
    evaluation: null,
    decision: { action: 'none', reason: expect.any(String) },
    outcome: { status: 'DRY_RUN', reason: expect.any(String) },
    change: null,
    findingId: null,
    calls: { read: 0, write: 0 },
  };
  const cases: Record<string, { events: number; routed: number }> = {
    'an event': { events: 1, routed: 1 },
    'an array': { events: 4, routed: 3 },
    'a log file': { events: 2, routed: 1 },
    'a zipped log file': { events: 2, routed: 1 },
    NDJSON: { events: 4, routed: 3 },
    'standard input': { events: 4, routed: 3 },
    'an empty log file': { events: 0, routed: 0 },
    'several files': { events: 3, routed: 2 },
  };

  test.each(Object.entries(cases))('%s: each event is accounted for', (name, { events, routed }) => {
    const { lines, summary } = ndjson(results[name]!);
    for (const each of lines) expect(each).toEqual(line);
    const dropped = events - routed;
    expect(summary).toEqual({
      events,
      routed,
      dropped,
      droppedBy: dropped > 0 ? { 'no control': dropped } : {},
      workItems: lines.length,
      failed: 0,
      byStatus: lines.length > 0 ? { DRY_RUN: lines.length } : {},
      seconds: expect.any(Number),
    });
  });

  test('a call reaches its control and its resource', () => {
    const { lines } = ndjson(results['an array']!);
    const of = (control: string) => lines.filter((each) => each.control === control);
    expect(of('cloudtrail-logging-on').map(({ resource }) => resource.id)).toContain(`arn:aws:cloudtrail:us-east-1:${account}:trail/main`);
    expect(of('s3-bucket-public-access-block').map(({ resource, eventName }) => [resource.id, eventName])).toEqual([
      ['arn:aws:s3:::records', 'DeleteBucketPublicAccessBlock'],
    ]);
  });

  test('what is wrong is refused and counted, what is right is routed; other accounts are taken', () => {
    const { code, err } = results['some of it wrong']!;
    const { summary } = ndjson(results['some of it wrong']!);
    expect(code).toBe(1);
    expect(err).toBe('mixed.json, event 5: not an event\n');
    expect(summary).toMatchObject({ events: 6, routed: 4, dropped: 2, droppedBy: { 'no control': 1, 'not an event': 1 } });
  });

  test('people read one line a work item, and the sum', () => {
    const { out, err } = results['for people']!;
    expect(out).toMatch(/^DRY_RUN {12}cloudtrail-logging-on {2}main {2}StopLogging$/m);
    expect(err).toMatch(/^\n4 events: 3 routed, 1 dropped \(1 no control\); \d+ work items: \d+ DRY_RUN; [\d.]+ s\n$/);
  });
});
