import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { textOf } from '../../../engine/alerts/lines.ts';
import { escalatedTo, reminded, reminders } from '../../../engine/alerts/remind.ts';
import { isReminder } from '../../../engine/alerts/reminder.ts';
import type { Finding } from '../../../engine/model.ts';
import type { CompiledChannel } from '../../../engine/policy/model.ts';
import { World } from '../../support/world.ts';
import { changed, given, hub, pagerDuty, sns, withChannels } from './samples.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const opened = '2026-11-01T03:00:00.000Z';
const hour = 3_600;
const told = { toldAt: opened };
const pages = sns({ pages: true, remindEvery: 4 * hour });

const due = (channels: Record<string, CompiledChannel> = { security: pages }) => reminders(withChannels(channels), world.catalogue, world.ports);
const take = async (channels?: Record<string, CompiledChannel>) => {
  const found = await due(channels);
  await reminded(found, world.ports);
  return found.map(({ delivery }) => delivery);
};

describe('who is reminded of what', () => {
  const critical: Partial<Finding> = { severity: 'CRITICAL' };
  const paged: Partial<Finding> = { severity: 'LOW', decision: { action: 'page', reason: 'The policy says page.' } };
  const snoozed = (until: string) => ({ snoozed: { until, by: 'dana', at: opened } });
  test.each<[string, Parameters<typeof given>[1], CompiledChannel, number]>([
    ['CRITICAL, told so long ago', { ...told, ...critical }, pages, 1],
    ['a page, however low', { ...told, ...paged }, pages, 1],
    ['CRITICAL where no pages go', { ...told, ...critical }, sns({ remindEvery: hour }), 1],
    ['a page where no pages go', { ...told, ...paged }, sns({ remindEvery: hour }), 0],
    ['HIGH that is no page', { ...told, severity: 'HIGH' }, pages, 0],
    ['nobody asked for reminders', { ...told, ...critical }, sns(), 0],
    ['not told yet', critical, pages, 0],
    ['told in another state a while ago', { toldAt: '2026-11-01T04:30:00.000Z', ...critical }, pages, 0],
    ['snoozed', { ...told, ...critical, ...snoozed('2026-11-01T09:00:00.000Z') }, pages, 0],
    ['no longer snoozed', { ...told, ...critical, ...snoozed('2026-11-01T06:00:00.000Z') }, pages, 1],
    ['another control', { ...told, ...critical }, { ...pages, only: { controls: ['rds-*'] } }, 0],
    ['Security Hub reminds nobody', { ...told, ...critical }, hub({ pages: true, remindEvery: hour }), 0],
    ['ended', { ...told, ...critical, state: 'resolved', resolvedAt: opened }, pages, 0],
  ])('%s', async (_, finding, channel, count) => {
    await given(world.ledger, finding);
    world.advance(4 * hour);
    expect(await due({ security: channel })).toHaveLength(count);
  });

  test('not a second before its time', async () => {
    await given(world.ledger, told);
    world.advance(4 * hour - 1);
    expect(await due()).toEqual([]);
  });
});

describe('a reminder', () => {
  test('is the alert of the finding as it stands, with another id, and says since when', async () => {
    const finding = await given(world.ledger, { ...told, decision: { action: 'page', reason: 'The policy says page.' } });
    world.advance(4 * hour);
    const { channel, alert } = (await take())[0]!;
    expect(channel).toBe('security');
    expect(alert).toMatchObject({
      id: expect.stringMatching(`^${finding.id}:open:page:reminder:1$`),
      urgency: 'page',
      severity: 'CRITICAL',
      status: 'page',
      headline: 'Still open: ACTION NEEDED',
      subject: '[CRITICAL] Still open: ACTION NEEDED: lamp-off on hall',
      finding: { id: finding.id, version: finding.version },
    });
    expect(isReminder(alert)).toBe(true);
    expect(textOf(alert).split('\n')[0]).toBe(`Reminder:  1. Open since ${opened}, for 4 h; last looked at ${opened}.`);
  });

  test('comes again each time, counted, and no more when it has ended', async () => {
    const finding = await given(world.ledger, told);
    const ids: string[] = [];
    for (let quarter = 0; quarter < 49; quarter += 1) {
      ids.push(...(await take()).map(({ alert }) => alert.id.slice(-10)));
      world.advance(900);
    }
    expect(ids).toEqual(['reminder:1', 'reminder:2', 'reminder:3']);
    await changed(world.ledger, finding, { state: 'resolved' }, opened);
    world.advance(4 * hour);
    expect(await due()).toEqual([]);
  });

  test('waits anew when a new state has been told', async () => {
    const finding = await given(world.ledger, told);
    world.advance(3 * hour);
    await changed(world.ledger, finding, { alerted: 'other' }, world.clock.now().toISOString(), 'ALERTED');
    world.advance(3 * hour);
    expect(await due()).toEqual([]);
    world.advance(hour);
    expect(await due()).toHaveLength(1);
  });

  test('until it is noted, the same is due under the same id', async () => {
    await given(world.ledger, told);
    world.advance(4 * hour);
    expect(await due()).toEqual(await due());
  });

  test('what is about the bot, or about no control that is known, is reminded of too', async () => {
    const page = { action: 'page', reason: 'The bot cannot see.' } as const;
    await given(world.ledger, { ...told, name: 'a', control: 'bot-permissions', severity: 'HIGH', decision: page });
    await given(world.ledger, { ...told, name: 'b', control: 'long-gone', severity: 'CRITICAL' });
    world.advance(4 * hour);
    expect((await due()).map(({ delivery }) => delivery.alert.title).sort()).toEqual(['The bot may read what its controls judge', 'long-gone']);
  });
});

describe('many at a time', () => {
  const many = async (parts: Partial<Finding> = {}) => {
    for (let nth = 0; nth < 25; nth += 1) await given(world.ledger, { ...told, name: `lamp-${nth}`, ...parts });
    world.advance(4 * hour);
  };

  test('of one control that nobody was paged of come as one, and each counts as reminded', async () => {
    await many();
    const [one, ...others] = await take();
    expect(others).toEqual([]);
    expect(one!.alert).toMatchObject({
      status: 'FOLDED',
      control: 'lamp-off',
      severity: 'CRITICAL',
      subject: '[CRITICAL] Still open: 25 findings of lamp-off',
    });
    expect(one!.alert).not.toHaveProperty('finding');
    expect(one!.alert.lines.find(({ label }) => label === 'More')!.value).toBe('and 5 more');
    world.advance(4 * hour - 1);
    expect(await due()).toEqual([]);
    world.advance(1);
    expect(await due()).toHaveLength(1);
  });

  test('pages come one by one', async () => {
    await many({ decision: { action: 'page', reason: 'The policy says page.' } });
    expect(await due()).toHaveLength(25);
  });
});

describe('escalation', () => {
  const both = { security: sns({ pages: true }), boss: pagerDuty({ escalateAfter: 2 * hour }) };

  test('once, when a CRITICAL one has been open so long, as a page', async () => {
    const finding = await given(world.ledger, told);
    world.advance(2 * hour - 1);
    expect(await take(both)).toEqual([]);
    expect(await escalatedTo(finding.id, world.ledger)).toEqual([]);
    world.advance(1);
    const [one, ...others] = await take(both);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      channel: 'boss',
      alert: { urgency: 'page', headline: 'ESCALATED: Drift', subject: '[CRITICAL] ESCALATED: Drift: lamp-off on hall', finding: { id: finding.id } },
    });
    expect(isReminder(one!.alert)).toBe(true);
    expect(textOf(one!.alert)).toMatch(/^Escalated: Nobody has ended it in time\. Open since .*, for 2 h; last looked at /);
    expect(await escalatedTo(finding.id, world.ledger)).toEqual(['boss']);
    world.advance(24 * hour);
    expect(await take(both)).toEqual([]);
  });

  test.each<[string, Parameters<typeof given>[1]]>([
    ['HIGH', { ...told, severity: 'HIGH', decision: { action: 'page', reason: '' } }],
    ['not told', {}],
    ['ended', { ...told, state: 'resolved' }],
  ])('%s: never', async (_, finding) => {
    await given(world.ledger, finding);
    world.advance(48 * hour);
    expect(await due(both)).toEqual([]);
  });

  test('whoever snoozes puts it off by a day at most, however often', async () => {
    await given(world.ledger, { ...told, snoozed: { until: '2027-01-01T00:00:00.000Z', by: 'dana', at: opened } });
    world.advance(26 * hour - 1);
    expect(await due(both)).toEqual([]);
    world.advance(1);
    expect((await take(both)).map(({ channel }) => channel)).toEqual(['boss']);
    world.advance(48 * hour);
    expect(await due(both)).toEqual([]);
  });

  test('only of what the channel wants', async () => {
    await given(world.ledger, told);
    world.advance(3 * hour);
    expect(await due({ boss: pagerDuty({ escalateAfter: hour, only: { controls: ['rds-*'] } }) })).toEqual([]);
  });

  test('is followed by reminders where the channel has them, and is still known then', async () => {
    const finding = await given(world.ledger, told);
    const channels = { boss: pagerDuty({ pages: true, escalateAfter: hour, remindEvery: 4 * hour }) };
    const ids: string[] = [];
    for (let quarter = 0; quarter < 24; quarter += 1) {
      ids.push(...(await take(channels)).map(({ alert }) => alert.id.replace(/.*:(?=reminder|escalated)/, '')));
      world.advance(900);
    }
    expect(ids).toEqual(['escalated', 'reminder:1']);
    expect(await escalatedTo(finding.id, world.ledger)).toEqual(['boss']);
  });
});

test('thousands that are open are looked at side by side, and few at a time', async () => {
  for (let nth = 0; nth < 60; nth += 1) await given(world.ledger, { ...told, name: `lamp-${nth}`, decision: { action: 'page', reason: '' } });
  world.advance(4 * hour);
  const { recall } = world.ledger;
  const inFlight: number[] = [];
  let now = 0;
  const ledger = {
    ...world.ledger,
    recall: async <Document>(key: Parameters<typeof recall>[0]) => {
      now += 1;
      inFlight.push(now);
      await new Promise((later) => setImmediate(later));
      now -= 1;
      return recall<Document>(key);
    },
  };
  expect(await reminders(withChannels({ security: pages }), world.catalogue, { ...world.ports, ledger })).toHaveLength(60);
  expect(Math.max(...inFlight)).toBe(25);
});
