/** Who is told of what: on the ledger in memory. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Alert } from '../../../engine/alerts/alert.ts';
import { answeredOf } from '../../../engine/alerts/answered.ts';
import { deliver } from '../../../engine/alerts/deliver.ts';
import { alertOf, confirmationOf } from '../../../engine/alerts/finding.ts';
import { deliveriesOf } from '../../../engine/alerts/leave.ts';
import { reminded } from '../../../engine/alerts/remind.ts';
import type { Finding } from '../../../engine/model.ts';
import type { CompiledChannel } from '../../../engine/policy/channels.ts';
import { control, finding } from '../../support/findings.ts';
import { World } from '../../support/world.ts';

const taking = { pages: false, minSeverity: 'CRITICAL', timezone: 'UTC' } as const;
const channels = {
  security: { sns: true, ...taking, pages: true },
  slack: { slackApp: { token: 'ssm:/t', signingSecret: 'ssm:/s', channel: 'C1' }, ...taking, minSeverity: 'HIGH' },
  duty: { pagerDuty: 'ssm:/d', ...taking, escalateAfter: 1_800 },
  hub: { securityHub: true, ...taking, minSeverity: 'LOW' },
} satisfies Record<string, CompiledChannel>;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const names = async (alert: Alert) => (await deliveriesOf(alert, { channels }, world.ledger)).map(({ channel }) => channel);
const at = '2026-11-01T03:00:00.000Z';
const paged = (changes: Partial<Finding> = {}) => alertOf(finding({ decision: { action: 'page', reason: 'It says so.' }, ...changes }), control);
const fixed = (changes: Partial<Finding> = {}): Finding =>
  finding({ version: 7, state: 'resolved', outcome: { status: 'REMEDIATED', reason: 'Verified.', at }, ...changes });
const told = (channel: string, alert: Alert) =>
  deliver(
    { channel, alert },
    1,
    { channels, accounts: {} },
    { ...world.ports, catalogue: world.catalogue, stack: 's', region: 'us-east-1', send: async () => undefined, enqueue: async () => {} },
  );

describe('what is left for whom', () => {
  test('a page: those that take pages, and those where findings are shown', async () => {
    expect(await names(paged())).toEqual(['security', 'slack', 'hub']);
  });

  test('a notification: by severity', async () => {
    expect(await names(alertOf(fixed(), control))).toEqual(['slack', 'hub']);
  });

  test('whoever was told when it was worse hears how it ends', async () => {
    await told('security', paged());
    expect(await names(alertOf(fixed(), control))).toEqual(['security', 'slack', 'hub']);
  });

  test('another finding was told: nothing of this one', async () => {
    await told('security', paged({ id: 'f-zzzzzzzzzzzzzzzzzzzzzzzzzz' }));
    expect(await names(alertOf(fixed(), control))).toEqual(['slack', 'hub']);
  });

  test('who was called because it stayed open hears of it from then on', async () => {
    const alert = paged({ severity: 'CRITICAL' });
    expect(await names(alert)).toEqual(['security', 'slack', 'hub']);
    await reminded([{ delivery: { channel: 'duty', alert }, of: [alert.finding!.id], escalated: true }], world.ports);
    expect(await names(alertOf(fixed({ severity: 'CRITICAL' }), control))).toEqual(['security', 'slack', 'duty', 'hub']);
    // Not of what is no news.
    expect(await names(confirmationOf(fixed({ severity: 'CRITICAL', confirmedBy: 'event-1' }), control))).toEqual([]);
  });

  test('what became of an answer: in Slack where it was told, and nowhere else', async () => {
    const answered = answeredOf(finding({ version: 9, severity: 'CRITICAL' }), control, 'a1', 'lee wants it looked at again.');
    expect(await names(answered)).toEqual([]);
    const alert = paged({ severity: 'CRITICAL' });
    await reminded([{ delivery: { channel: 'duty', alert }, of: [alert.finding!.id], escalated: true }], world.ports);
    for (const channel of ['security', 'duty', 'hub']) await told(channel, alert);
    expect(await names(answered)).toEqual([]);
    await told('slack', alert);
    expect(await names(answered)).toEqual(['slack']);
  });

  test('what became of an answer: in Slack; that it is put off, also to PagerDuty, where it was told', async () => {
    const duty = { channels: { ...channels, duty: { pagerDuty: 'ssm:/d', ...taking, pages: true } as CompiledChannel } };
    const snoozed = { until: '2026-11-02T03:00:00.000Z', by: 'lee', at: '2026-11-01T03:00:00.000Z' };
    const answer = (changes: Partial<Finding>): Alert => ({ ...paged({ version: 3, ...changes }), id: 'a', answered: 'Snoozed by lee.' });
    const to = async (alert: Alert) => (await deliveriesOf(alert, duty, world.ledger)).map(({ channel }) => channel);
    expect(await to(answer({ snoozed }))).toEqual([]);
    for (const channel of ['security', 'slack', 'duty']) await told(channel, paged());
    expect(await to(answer({}))).toEqual(['slack']);
    expect(await to(answer({ snoozed }))).toEqual(['slack', 'duty']);
  });

  test('the echo of the fix: shown where it was told and can be changed, told nobody', async () => {
    const confirmation = confirmationOf(fixed({ confirmedBy: 'event-1', version: 9 }), control);
    expect(await names(confirmation)).toEqual([]);
    for (const channel of ['security', 'slack']) await told(channel, alertOf(fixed(), control));
    expect(await names(confirmation)).toEqual(['slack']);
  });
});
