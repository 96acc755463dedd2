import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../engine/alerts/digest.ts';
import { type DigestPorts, factsOf } from '../../../engine/alerts/digest-facts.ts';
import { except } from '../../../engine/exceptions.ts';
import type { Finding, Question } from '../../../engine/model.ts';
import type { CompiledChannel, CompiledException } from '../../../engine/policy/model.ts';
import { accountId, lampArn, policyOf, region, World } from '../../support/world.ts';
import { given, sns } from './samples.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const since = new Date('2026-10-31T03:00:00.000Z');
const today = '2026-11-01T02:00:00.000Z';
const resource = { accountId, region, type: 'AWS::Lamp::Lamp', id: lampArn('cellar') };

interface Given {
  readonly channel?: CompiledChannel;
  readonly exceptions?: readonly CompiledException[];
  readonly depths?: () => Promise<Record<string, number | undefined>>;
}
async function digest({ channel = sns(), exceptions = [], depths = async () => ({}) }: Given = {}) {
  const ports: DigestPorts = { ...world.ports, accountId, dlqDepths: depths };
  const policy = { ...policyOf({ 'lamp-off': { exceptions }, 'root-call': {} }), channels: { security: channel } };
  const alert = digestOf('security', policy, world.catalogue, await factsOf(ports, since), since);
  const lines: Record<string, string> = {};
  for (const { label, value } of alert.lines) lines[label] = label in lines ? `${lines[label]} | ${value}` : value;
  return { alert, lines };
}
const ended = (status: NonNullable<Finding['outcome']>['status'], at = today): Partial<Finding> => ({
  state: 'resolved',
  resolvedAt: at,
  outcome: { status, reason: '', at },
});
const question = {
  id: 'q',
  about: 'fix',
  otherwise: 'deny',
  planHash: 'h',
  expires: '2026-11-04T03:00:00.000Z',
  approvals: [],
  needs: 1,
} as unknown as Question;
const excepted = (expires: string, more: Partial<CompiledException> = {}): CompiledException => ({
  reason: 'r',
  approvedBy: 'ciso@example.com',
  expires,
  ...more,
});

test('nothing: plainly said', async () => {
  const { alert, lines } = await digest({ depths: async () => ({ 'intake-dlq': 0, 'alerts-dlq': 0 }) });
  expect(alert).toMatchObject({
    urgency: 'notify',
    severity: 'INFORMATIONAL',
    status: 'DIGEST',
    accountId,
    headline: 'Daily digest',
    subject: 'Daily digest: nothing open',
  });
  expect(alert).not.toHaveProperty('control');
  expect(alert).not.toHaveProperty('finding');
  expect(lines).toEqual({
    Where: `account ${accountId}, as recorded at 2026-11-01T03:00:00.000Z`,
    Open: 'Nothing is open.',
    'Not seen': 'Everything that was looked at could be read.',
    Fixes: 'None since 2026-10-31T03:00:00.000Z.',
    Awaiting: 'Nothing waits for approval.',
    Exceptions: 'None ends within 14 days.',
    Queues: 'Nothing in 2 dead-letter queues.',
  });
});

test('everything: by severity, the worst and oldest first, each where it belongs', async () => {
  const { ledger } = world;
  await given(ledger, { name: 'hall', severity: 'HIGH' });
  await given(ledger, { name: 'young', severity: 'CRITICAL', openedAt: '2026-10-30T00:00:00.000Z' });
  await given(ledger, { name: 'old', severity: 'CRITICAL', openedAt: '2026-10-01T00:00:00.000Z' });
  await given(ledger, { name: 'dark', severity: 'HIGH', evaluation: { complianceType: 'INSUFFICIENT_DATA', annotation: '' } });
  await given(ledger, { name: 'asked', severity: 'LOW', outcome: { status: 'AWAITING_APPROVAL', reason: '', at: today }, question });
  await given(ledger, { name: 'fixed', ...ended('REMEDIATED') });
  await given(ledger, { name: 'long-fixed', ...ended('REMEDIATED', '2026-10-30T00:00:00.000Z') });
  await given(ledger, { name: 'by-hand', ...ended('COMPLIANT') });
  await given(ledger, { name: 'undone', ...ended('REMEDIATED'), undo: { state: 'done', by: 'dana', reason: '', until: '2026-11-30', at: today } });
  await given(ledger, {
    name: 'undo-asked',
    ...ended('REMEDIATED', '2026-10-01T00:00:00.000Z'),
    question: { ...question, about: 'undo' },
    undo: { state: 'asked', by: 'dana', reason: '', until: '2026-11-30', at: today },
  });
  const { alert, lines } = await digest();
  expect(alert.subject).toBe('Daily digest: 5 open (2 CRITICAL), 1 not seen, 1 fixed, 2 awaiting approval');
  expect(lines).toMatchObject({
    Open: '5 findings: 2 CRITICAL, 2 HIGH, 1 LOW.',
    Worst: expect.stringMatching(/^old \(lamp-off, CRITICAL\), young \(lamp-off, CRITICAL\), (hall|dark) .*, asked \(lamp-off, LOW\)$/),
    'Not seen': '1 finding of what the bot cannot see.',
    Fixed: '1 since 2026-10-31T03:00:00.000Z.',
    Which: 'fixed (lamp-off)',
    Ended: '2 others without a fix of the bot that stands.',
    Awaiting: '2 findings for approval.',
    Until: expect.stringContaining('asked (lamp-off, 2026-11-04T03:00:00.000Z)'),
  });
  expect(lines.Until).toContain('undo-asked (lamp-off, 2026-11-04');
});

test('the worst ten, and twenty that were fixed', async () => {
  for (let nth = 0; nth < 30; nth += 1) {
    await given(world.ledger, { name: `open-${nth}` });
    await given(world.ledger, { name: `fixed-${nth}`, ...ended('REMEDIATED') });
  }
  const { alert, lines } = await digest();
  expect(lines.Worst!.match(/open-/g)).toHaveLength(10);
  expect(lines.Which!.match(/fixed-/g)).toHaveLength(20);
  expect(lines.Which).toMatch(/and 10 more$/);
  for (const { value } of alert.lines) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(500);
});

test('only what the channel takes, and says so', async () => {
  await given(world.ledger, { name: 'ours', owner: { tags: { team: 'ehr' } } });
  await given(world.ledger, { name: 'theirs', owner: { tags: { team: 'lab' } } });
  const { lines } = await digest({ channel: sns({ only: { tags: [{ key: 'team', value: 'ehr' }] } }), exceptions: [excepted('2026-11-03')] });
  expect(lines).toMatchObject({ Worst: 'ours (lamp-off, CRITICAL)', Open: '1 finding: 1 CRITICAL.', Exceptions: 'None ends within 14 days.' });
  expect(lines.Where).toMatch(/; only what this channel takes$/);
});

describe('exceptions', () => {
  test.each<[string, string, 'soon' | 'expired' | 'neither']>([
    ['two days ago: told by the digest before', '2026-10-29', 'neither'],
    ['the day before yesterday: over since midnight, before the last digest', '2026-10-30', 'neither'],
    ['yesterday was its last day', '2026-10-31', 'expired'],
    ['today is its last day', '2026-11-01', 'soon'],
    ['in 13 days', '2026-11-14', 'soon'],
    ['in 15 days', '2026-11-16', 'neither'],
  ])('%s', async (_, expires, which) => {
    const { lines } = await digest({ exceptions: [excepted(expires, { resource: 'arn:aws:lamp:*:*:lamp/lobby-*' })] });
    const told = `${expires} lamp-off: lamp/lobby-*`;
    expect({ 'Last day': lines['Last day'], Ended: lines.Ended }).toEqual({
      'Last day': which === 'soon' ? told : undefined,
      Ended: which === 'expired' ? told : undefined,
    });
    expect(lines.Exceptions).toBe(which === 'soon' ? '1 exception ends within 14 days.' : 'None ends within 14 days.');
    expect(lines.Expired).toBe(which === 'expired' ? '1 exception since 2026-10-31T03:00:00.000Z.' : undefined);
  });

  test('those that people made too, whatever they match, and nothing of a person', async () => {
    const made = { control: 'lamp-off', resource, reason: 'for pat@example.com', approvedBy: 'dana', findingId: 'f-1', at: today };
    await except([{ ...made, expires: '2026-11-02' }], world.ports);
    const exceptions = [
      excepted('2026-11-03', { tag: { key: 'owner', value: 'pat@example.com' } }),
      excepted('2026-11-04', { account: accountId, region }),
      excepted('2026-11-05'),
    ];
    const { alert, lines } = await digest({ exceptions });
    expect(lines['Last day']).toBe(
      `2026-11-02 lamp-off: cellar, 2026-11-03 lamp-off: tag owner=[email], 2026-11-04 lamp-off: account ${accountId}, region ${region}, 2026-11-05 lamp-off: everything`,
    );
    expect(JSON.stringify(alert)).not.toContain('example.com');
  });
});

describe('dead-letter queues', () => {
  test.each<[string, () => Promise<Record<string, number | undefined>>, string]>([
    ['empty', async () => ({ a: 0 }), 'Nothing in 1 dead-letter queue.'],
    [
      'full',
      async () => ({ a: 3, b: 0, c: 1 }),
      'a holds about 3 messages, c holds about 1 message; nothing in the other. Look: npx phidelity dlq --stack NAME.',
    ],
    ['one not seen', async () => ({ a: undefined, b: 0, c: 0 }), 'a was not seen; nothing in 2 others.'],
    ['none seen', async () => Promise.reject(new Error('denied')), 'The dead-letter queues were not seen.'],
    ['none there', async () => ({}), 'No dead-letter queue was looked at.'],
  ])('%s', async (_, depths, words) => {
    expect((await digest({ depths })).lines.Queues).toBe(words);
  });
});

test('names are redacted and forge nothing', async () => {
  await given(world.ledger, { name: 'mrn-12345678-pat@example.com\nOpen: nothing' });
  const { alert } = await digest();
  expect(JSON.stringify(alert)).not.toMatch(/12345678-|example\.com|\\n/);
});

test('what somebody snoozes, and who', async () => {
  const snoozed = (until: string) => ({ snoozed: { until, by: 'dana', at: today } });
  await given(world.ledger, { name: 'hall', ...snoozed('2026-11-01T09:00:00.000Z') });
  await given(world.ledger, { name: 'attic', ...snoozed('2026-11-01T02:59:00.000Z') });
  await given(world.ledger, { name: 'cellar', ...snoozed('2026-11-01T09:00:00.000Z'), ...ended('COMPLIANT') });
  expect((await digest()).lines).toMatchObject({
    Open: '2 findings: 2 CRITICAL.',
    Snoozed: 'hall (lamp-off, CRITICAL) until 2026-11-01T09:00:00.000Z by dana',
  });
});
