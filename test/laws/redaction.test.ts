/** No identifier of a person reaches an alert, a log line or the terminal, wherever in a finding it stands. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { backlogAlertOf } from '../../engine/alerts/backlog.ts';
import { digestOf } from '../../engine/alerts/digest.ts';
import { factsOf } from '../../engine/alerts/digest-facts.ts';
import { alertOf } from '../../engine/alerts/finding.ts';
import { admit, release } from '../../engine/alerts/fold.ts';
import { textOf } from '../../engine/alerts/lines.ts';
import { reminders } from '../../engine/alerts/remind.ts';
import type { Line } from '../../engine/detect.ts';
import { except } from '../../engine/exceptions.ts';
import { opened, step } from '../../engine/finding.ts';
import { change, type Finding, nonCompliant } from '../../engine/model.ts';
import { lambdaLog } from '../../handlers/aws/log.ts';
import { delivered, openBucket } from '../cli/events.ts';
import { type Desk, openDesk, type Result } from '../cli/run.ts';
import { channels } from '../support/alert-channels.ts';
import { entryOf, findingOf, keyOf } from '../support/ledger-samples.ts';
import { by, call, House, lampOff, policyOf, World } from '../support/world.ts';
import { writtenOut } from '../support/written-out.ts';

/** As they stand in the name of a resource, and what of it must be gone. */
const planted = {
  ssn: ['claims-123-45-6789', '123-45-6789'],
  'ssn by label': ['ssn-567456783', '567456783'],
  mrn: ['mrn-00123456', '00123456'],
  'mrn of a patient': ['patient-4711234', '4711234'],
  email: ['lab-john.doe@example.com', 'john.doe'],
  phone: ['call-212-555-0123', '555-0123'],
  'date of birth': ['dob-19800131', '19800131'],
  card: ['pay-4111111111111111', '4111111111111111'],
  digits: ['scan-9876543210', '9876543210'],
} as const;
const secrets = Object.values(planted).map(([, secret]) => secret);
const names = Object.values(planted).map(([name]) => name);
const every = names.join(' and ');
/** Where an actor stands, e-mails may. */
const numbers = names.filter((name) => name !== planted.email[0]).join(' and ');
/** `Decided` and `Resource` keep the e-mail of a principal. */
const numerals = secrets.filter((secret) => !secret.includes('.'));
const expectNone = (text: string, unwanted: readonly string[] = secrets) => expect(unwanted.filter((secret) => text.includes(secret))).toEqual([]);

const at = '2026-11-01T03:00:00.000Z';
const sessionOf = (name: string) => `arn:aws:sts::123456789012:assumed-role/Admin/${name}`;
const dana = sessionOf('dana@clinic.example');

/** Identifiers in every field that others write. */
const leaky = (name: string): Finding => {
  const done = change({ action: 'lamp:Switch', summary: `Switch ${every} off`, before: { name: every }, after: { name: every, mrn: '4711' } });
  const trigger = { eventId: `event-${name}`, source: 'cloudtrail', time: at, eventName: `SwitchOn ${every}` } as const;
  return findingOf({
    ...keyOf({ id: `arn:aws:s3:::${name}` }),
    openedBy: trigger,
    lastTrigger: trigger,
    actor: { arn: dana, type: 'AssumedRole', sourceIp: '192.0.2.1', userAgent: `aws-cli ${numbers}`, invokedBy: numbers },
    wrong: `Tagged ${every}.`,
    evaluation: nonCompliant(`Tag Owner=${every} is wrong.`),
    decision: { action: 'approve', reason: `Named ${every}, broken by ${dana}.` },
    proposal: `Switch ${every} off`,
    changes: [{ change: done, intendedAt: at }],
    held: { by: 'hour', until: at },
    outcome: { status: 'REMEDIATION_FAILED', reason: `Denied on ${every}`, at },
  });
};

test('an alert about many: folded, a reminder, a digest', async () => {
  const world = new World();
  try {
    const open = async (parts: Partial<Finding>, nth: number) => {
      for (const name of names) {
        const leaking = leaky(`${name}-${nth}`);
        const owner = { tags: { contact: every } };
        const first = opened(leaking, { severity: 'CRITICAL' }, { ...leaking, proposal: every, fixNotBefore: undefined }, trigger, undefined, at);
        const { finding } = step({ ...leaking, ...first.finding, owner, alerted: 'told', ...parts }, {}, { kind: 'ALERTED', by: 'detect', at, note: every });
        await world.ledger.open({ ...finding, version: 1 }, first.entry);
      }
    };
    const trigger = { source: 'sweep', control: 'lamp-off', began: at, eventId: 'e', time: at, accountId: '123456789012', region: 'us-east-1' } as const;
    await open({}, 1);
    await open({ state: 'resolved', resolvedAt: at, outcome: { status: 'REMEDIATED', reason: every, at } }, 2);
    const taking = policyOf({}).channels;
    const policy = {
      ...policyOf({ 'lamp-off': { exceptions: names.map((resource) => ({ resource, reason: every, approvedBy: every, expires: '2026-11-03' })) } }),
    };
    for await (const finding of world.ledger.findings({}))
      for (const version of [1, 2, 3, 4]) {
        const told = alertOf({ ...finding, version, decision: { action: 'notify', reason: every } }, lampOff(world.house));
        await admit('security', taking.security!, { ...told, urgency: 'notify' }, false, world.ports);
      }
    world.advance(86_400);
    await except(
      names.map((name) => ({
        ...keyOf({ id: `arn:aws:s3:::${name}` }),
        control: 'lamp-off',
        reason: every,
        approvedBy: dana,
        findingId: 'f-1',
        at,
        expires: '2026-11-04',
      })),
      world.ports,
    );
    const folded = await release({ channels: taking }, world.ports);
    const again = await reminders({ channels: { security: { ...taking.security!, remindEvery: 60 } } }, [], world.ports);
    const facts = await factsOf({ ...world.ports, accountId: '123456789012', dlqDepths: async () => ({}) }, new Date(0));
    const digest = digestOf('security', policy, world.catalogue, facts, new Date(0));
    expect([folded.length, again.length]).toEqual([1, names.length]);
    expect(digest.subject).toBe(`Daily digest: ${names.length} open, ${names.length} fixed`);
    // Those who did it are told; here nobody's session holds any of these.
    expectNone(JSON.stringify([folded.map(({ delivery }) => delivery), digest, await world.ledger.recall('held|security')]));
    for (const { delivery } of again) expectNone(JSON.stringify(delivery), numerals);
    expect(textOf(digest)).toContain('claims-[ssn]');
    for (const { render } of Object.values(channels)) {
      expectNone(JSON.stringify([...folded.map(({ delivery }) => delivery.alert), digest].map(render)));
      expectNone(JSON.stringify(again.map(({ delivery }) => render(delivery.alert))), numerals);
    }
  } finally {
    world.close();
  }
});

describe('an alert', () => {
  test.each(Object.entries(planted))('of a resource named by %s', async (_, [name, secret]) => {
    const world = new World();
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    world.house.lamps.set(name, { on: true });
    await world.detect(call('SwitchOn', name, by(dana)));
    expect(world.alerts).toHaveLength(1);
    const [alert] = world.alerts as [(typeof world.alerts)[0]];
    const { text } = alert;
    expectNone(JSON.stringify(alert), [secret]);
    expect(text).toContain('Resource:  arn:aws:lamp:us-east-1:123456789012:lamp/');
    expect(text).toContain(`Drift by:  ${dana} through`);
    world.close();
  });

  test.each(['REMEDIATED', 'REMEDIATION_FAILED', 'RETRY_LATER', 'EXCEPTED', 'COMPLIANT', undefined] as const)('with one in each field, %s', (status) => {
    const finding = leaky('lab-123-45-6789');
    const outcome = status && { status, reason: `Named ${every}`, at };
    const alert = alertOf({ ...finding, outcome, state: status?.startsWith('RE') ? 'open' : 'resolved' }, lampOff(new House()));
    expectNone(JSON.stringify(alert));
    expect(textOf(alert)).toContain(dana);
  });

  test('whose session is named by a number', () => {
    const finding = { ...leaky('lab'), actor: { arn: sessionOf('mrn-00123456'), type: 'AssumedRole' } };
    expect(textOf(alertOf(finding, lampOff(new House())))).toContain(`Drift by:  ${sessionOf('mrn-[mrn]')} through`);
  });

  test('of what was there before', () => {
    const alert = backlogAlertOf(
      { ...lampOff(new House()), severity: 'HIGH' },
      { accountId: '123456789012', region: 'us-east-1', began: at },
      names.map(leaky),
    );
    expectNone(JSON.stringify(alert));
    expect(textOf(alert)).toContain('9 resources fail');
  });

  test('of a path: what names the number is above the leaf', () => {
    expectNone(JSON.stringify(alertOf(leaky('x/patient/4711234'), lampOff(new House()))));
  });
});

describe('a log line', () => {
  test.each(['info', 'warn', 'error'] as const)('%s', async (level) => {
    const cause = Object.assign(new Error(every), { name: every, $metadata: { requestId: every } });
    const keys = {
      eventName: every,
      mrn: '00123456',
      [every]: 1,
      nested: [{ reason: every, finding: leaky('lab-123-45-6789') }],
      error: new Error(every, { cause }),
    };
    const said = await writtenOut(() => lambdaLog('detect')[level](`Work item ${every}`, keys));
    expect(said).toContain('Work item claims-[ssn]');
    expectNone(said);
  });
});

describe('the terminal', () => {
  let desk: Desk;
  const run = (...args: string[]): Promise<Result> => desk.run({ args });
  const buckets = ['claims-123-45-6789', 'mrn-00123456', 'patient-4711234', 'dob-19800131', 'call-212-555-0123', 'scan-9876543210'];
  const ofBuckets = buckets.map((bucket) => secrets.find((secret) => bucket.includes(secret))!);

  beforeAll(async () => {
    desk = openDesk();
    const ledger = sqliteLedger({ directory: desk.path('.phidelity'), clock: { now: () => new Date(at) } });
    for (const finding of names.map(leaky)) {
      await ledger.open(finding, entryOf(finding));
    }
    ledger.close();
    writeFileSync(desk.path('events.json'), JSON.stringify(buckets.map((bucket) => delivered(openBucket(bucket)))));
  });
  afterAll(() => desk.clear());

  test.each([['findings'], ['findings', '--json']])('%s %s', async (...args) => {
    const [shown, raw] = [await run(...args), await run(...args, '--raw')];
    expect(shown.code).toBe(1);
    expectNone(shown.out + shown.err);
    expect(shown.out).toContain(dana);
    for (const secret of secrets) expect(raw.out).toContain(secret);
  });

  test.each([['--offline'], ['--offline', '--json']])('replay %s %s', async (...args) => {
    const [shown, raw] = [await run('replay', 'events.json', ...args), await run('replay', 'events.json', ...args, '--raw')];
    expect(shown.code).toBe(0);
    expectNone(shown.out + shown.err);
    for (const secret of ofBuckets) expect(raw.out).toContain(secret);
  });

  test('what is left of a JSON line is the same', async () => {
    const lines = async (...more: string[]): Promise<Line[]> =>
      (await run('replay', 'events.json', '--offline', '--json', ...more)).out
        .trim()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    const [shown, raw] = [await lines(), await lines('--raw')];
    expect(shown.map(({ resource, ...rest }) => ({ ...rest, region: resource.region }))).toEqual(
      raw.map(({ resource, ...rest }) => ({ ...rest, region: resource.region })),
    );
    expect(new Set(shown.map(({ resource }) => resource.id))).toContain('arn:aws:s3:::mrn-[mrn]');
  });

  test('an error that names what must not be shown', async () => {
    const { explain } = await import('../../cli/errors.ts');
    expectNone(explain(new Error(every)).message);
  });
});
