import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../engine/alerts/alert.ts';
import { admit, forget, release } from '../../../engine/alerts/fold.ts';
import { foldedAlertOf } from '../../../engine/alerts/folded.ts';
import { burstLimit, endedOf, type Held, mostItems, nothingHeld, weigh, without } from '../../../engine/alerts/held.ts';
import { textOf } from '../../../engine/alerts/lines.ts';
import { RetryLaterError } from '../../../engine/errors.ts';
import type { CompiledChannel } from '../../../engine/policy/model.ts';
import { accountId, World } from '../../support/world.ts';
import { about, alert, hub, pagerDuty, slack, sns, withChannels } from './samples.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const night = { quietHours: { from: '22:00', to: '07:00' } };
const clock = (text: string) => world.advance((Date.parse(text) - world.clock.now().getTime()) / 1_000);
const say = (told: Alert, channel: CompiledChannel = sns(), known = false) => admit('security', channel, told, known, world.ports);
const due = (channel: CompiledChannel = sns()) => release(withChannels({ security: channel }), world.ports);
/** Takes what is due, as attend does. */
const take = async (channel: CompiledChannel = sns()) => {
  const released = await due(channel);
  await forget(released, world.ports);
  return released.map(({ delivery }) => delivery.alert);
};
const burst = async (count: number, parts: Parameters<typeof alert>[0] = {}, channel?: CompiledChannel) => {
  const verdicts: string[] = [];
  for (let nth = 0; nth < count; nth += 1) verdicts.push(await say(alert({ name: `lamp-${nth}`, ...parts }), channel));
  return verdicts;
};
const lines = (told: Alert | undefined) => Object.fromEntries((told?.lines ?? []).map(({ label, value }) => [label, value]));

describe('a burst', () => {
  test('three go out, the rest is told as one when ten minutes are over', async () => {
    expect(await burst(6)).toEqual(['send', 'send', 'send', 'held', 'held', 'held']);
    world.advance(599);
    expect(await due()).toEqual([]);
    world.advance(1);
    const [folded, ...others] = await take();
    expect(others).toEqual([]);
    expect(folded).toMatchObject({
      status: 'FOLDED',
      urgency: 'notify',
      severity: 'HIGH',
      control: 'lamp-off',
      title: 'Lamps are off',
      hipaa: ['164.312(a)(1)'],
      subject: '[HIGH] Many at once: 3 findings of lamp-off',
    });
    expect(folded).not.toHaveProperty('finding');
    expect(lines(folded)).toMatchObject({ 'Drift (3)': 'lamp-3, lamp-4, lamp-5' });
    expect(await due()).toEqual([]);
  });

  test('of each control and each channel by itself', async () => {
    await burst(4);
    expect(await say(alert({ name: 'x', control: 'lamp-on' }))).toBe('send');
    expect(await admit('other', sns(), alert({ name: 'y' }), false, world.ports)).toBe('send');
  });

  test('once it is over, notifications go out again', async () => {
    await burst(4);
    world.advance(600);
    expect(await burst(4, { version: 2 })).toEqual(['send', 'send', 'send', 'held']);
  });

  test('what is held and changes is told with its last state, and an older one that comes late is none', async () => {
    await burst(5);
    expect(await say(alert({ name: 'lamp-3', version: 3, headline: 'Fixed' }))).toBe('held');
    expect(await say(alert({ name: 'lamp-3', version: 2, headline: 'Fix planned' }))).toBe('held');
    world.advance(600);
    expect(lines((await take())[0])).toMatchObject({ 'Fixed (1)': 'lamp-3', 'Drift (1)': 'lamp-4' });
  });

  test('a page of what is held goes out, and takes it out of the list', async () => {
    await burst(5);
    expect(await say(alert({ name: 'lamp-3', version: 2, urgency: 'page' }))).toBe('send');
    world.advance(600);
    expect(lines((await take())[0])).toMatchObject({ 'Drift (1)': 'lamp-4' });
  });

  test('an old page of what is held in a newer state leaves the newer one to be told', async () => {
    await burst(3);
    await say(alert({ name: 'late', version: 5, headline: 'Resolved' }));
    expect(await say(alert({ name: 'late', version: 4, urgency: 'page' }))).toBe('send');
    world.advance(600);
    expect(lines((await take())[0])).toMatchObject({ 'Resolved (1)': 'late' });
  });

  test('a notification that comes from the queue again gets the same answer and counts once', async () => {
    expect([await say(alert()), await say(alert()), await say(alert()), await say(alert()), await say(alert({ name: 'porch' }))]).toEqual(
      Array(5).fill('send'),
    );
    await burst(3);
    expect(await say(alert())).toBe('send');
  });

  test('what changes while its digest is left for the channel is told with the next', async () => {
    await burst(5);
    world.advance(600);
    const released = await due();
    await say(alert({ name: 'lamp-3', version: 2, headline: 'Fixed' }));
    await forget(released, world.ports);
    const [next] = await take();
    expect(lines(next)).toMatchObject({ 'Fixed (1)': 'lamp-3' });
    expect(lines(next)).not.toHaveProperty('Drift (1)');
  });

  test('until it is forgotten the same is due, under the same id', async () => {
    await burst(5);
    world.advance(600);
    expect(await due()).toEqual(await due());
    expect(await due()).toHaveLength(1);
  });

  test('twenty are named, the worst first, the rest counted', async () => {
    await burst(30);
    await say(alert({ name: 'worst', severity: 'CRITICAL' }));
    world.advance(600);
    const [folded] = await take();
    expect(folded).toMatchObject({ severity: 'CRITICAL', subject: '[CRITICAL] Many at once: 28 findings of lamp-off' });
    expect(lines(folded).More).toBe('and 8 more');
    expect(lines(folded)['Drift (28)']!.split(', ')).toHaveLength(20);
    expect(lines(folded)['Drift (28)']).toMatch(/^worst, lamp-3, /);
  });

  test.each([
    ['a 2,000-character name', 'x'.repeat(2_000)],
    ['emoji', '\u{1f4a1}'.repeat(500)],
    ['right to left', '\u05de\u05e0\u05d5\u05e8\u05d4'.repeat(300)],
    ['a forged line', 'hall\nFixed: all'],
  ])('%s: every line under 500 bytes and one line, no name cut at its end', async (_, name) => {
    await burst(3);
    for (let nth = 0; nth < 30; nth += 1) {
      const told = alert({ name: `held-${nth}` });
      await say({ ...told, finding: { ...told.finding!, resource: { ...told.finding!.resource, name: `${nth}-${name}` } } });
    }
    world.advance(600);
    const [folded] = await take();
    for (const { value } of folded!.lines) {
      expect(Buffer.byteLength(value)).toBeLessThanOrEqual(500);
      expect(value).not.toMatch(/[\n\r\u2028]/);
    }
    expect(textOf(folded!).match(/\b\d+-/g)!.length).toBeGreaterThanOrEqual(20);
    expect(folded!.subject).toMatch(/^[\x20-\x7e]{1,99}$/);
  });

  test('of a storm the list is bounded, and the rest is counted', async () => {
    let held: Held = nothingHeld;
    const now = world.clock.now();
    for (let nth = 0; nth < 1_500; nth += 1) {
      const told = alert({ name: `${nth}${'n'.repeat(200)}`, headline: 'Closed, control off', control: 'cloudtrail-log-file-validation-enabled' });
      held = weigh(held, sns(), told, false, now).held;
    }
    expect(Buffer.byteLength(JSON.stringify(held))).toBeLessThan(400 * 1_024);
    const [group] = endedOf(held, sns(), new Date(now.getTime() + 600_000));
    expect({ items: group!.items.length, more: group!.more }).toEqual({ items: 500, more: 1_500 - burstLimit - 500 });
    expect(without(held, [group!], new Date(now.getTime() + 600_000))).toMatchObject({ items: [], more: {}, bursts: {} });
  });
});

test('what no list had room for is counted, under the control that it was of', () => {
  const now = new Date('2026-11-01T22:30:00Z');
  let held: Held = nothingHeld;
  for (let nth = 0; nth < 502; nth += 1) held = weigh(held, sns(night), alert({ name: `quiet-${nth}`, control: 'lamp-on' }), false, now).held;
  for (let nth = 0; nth < 5; nth += 1) held = weigh(held, sns(night), alert({ name: `burst-${nth}`, severity: 'CRITICAL' }), false, now).held;
  expect(endedOf(held, sns(night), new Date('2026-11-01T22:40:00Z'))).toMatchObject([{ control: 'lamp-off', items: [{}, {}], more: 0 }]);
  const told = endedOf(held, sns(night), new Date('2026-11-02T08:00:00Z')).map((group) => foldedAlertOf('security', group, 'UTC'));
  expect(told.map((one) => [one.control, one.title, lines(one)['Not listed'], one.accountId])).toEqual([
    // Two gave way to what is worse.
    [undefined, 'What came in quiet hours', '4 notifications past what is kept of such a storm', accountId],
    ['lamp-off', 'Lamps are off', undefined, accountId],
  ]);
  expect(told.map(({ subject }) => subject)).toEqual(['[HIGH] Held back in quiet hours: 502 notifications', '[CRITICAL] Many at once: 2 findings of lamp-off']);
});

describe('never held', () => {
  test.each<[string, CompiledChannel, Alert, boolean]>([
    ['a page', sns(night), alert({ name: 'new', urgency: 'page', severity: 'LOW' }), false],
    ['a digest', sns(night), about({ status: 'DIGEST' }), false],
    ['what stands for many', sns(night), about({ status: 'FOLDED', control: 'lamp-off' }), false],
    ['a reminder', sns(night), alert({ name: 'new', id: 'f-new:open:page:reminder:3' }), false],
    ['an escalation', sns(night), alert({ name: 'new', id: 'f-new:open:page:escalated' }), false],
    ['an update where messages are updated', slack(night), alert({ name: 'new', version: 2 }), true],
    ['the end of an incident', pagerDuty(night), alert({ name: 'new', version: 2, headline: 'Fixed' }), true],
    ['what is recorded in Security Hub', hub(night), alert({ name: 'new' }), false],
  ])('%s, in quiet hours and in a burst', async (_, channel, told, known) => {
    await burst(5, {}, sns());
    clock('2026-11-01T23:00:00Z');
    await burst(5, {}, sns());
    expect(await say(told, channel, known)).toBe('send');
  });

  test('what is new in Slack is held all the same, and so is an update where nothing is updated', async () => {
    clock('2026-11-01T23:00:00Z');
    expect([await say(alert(), slack(night)), await say(alert({ name: 'porch' }), sns(night), true)]).toEqual(['held', 'held']);
  });
});

describe('quiet hours', () => {
  test('all of them are told as one when they end', async () => {
    clock('2026-11-01T22:30:00Z');
    expect([await say(alert(), sns(night)), await say(alert({ name: 'porch', control: 'lamp-on', severity: 'LOW' }), sns(night))]).toEqual(['held', 'held']);
    expect(await say(about({ subject: '[LOW] Was there before: 7' }), sns(night))).toBe('held');
    clock('2026-11-02T06:59:00Z');
    expect(await due(sns(night))).toEqual([]);
    clock('2026-11-02T07:00:00Z');
    const told = await take(sns(night));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ status: 'FOLDED', severity: 'HIGH', subject: '[HIGH] Held back in quiet hours: 3 notifications' });
    expect(told[0]).not.toHaveProperty('control');
    expect(lines(told[0])).toMatchObject({ 'Drift (3)': 'hall (lamp-off), [LOW] Was there before: 7, porch (lamp-on)' });
    expect(await take(sns(night))).toEqual([]);
  });

  test('CRITICAL is not held back by them; only by a burst, and told when that ends', async () => {
    clock('2026-11-01T22:30:00Z');
    expect(await burst(4, { severity: 'CRITICAL' }, sns(night))).toEqual(['send', 'send', 'send', 'held']);
    expect(await say(alert({ name: 'porch' }), sns(night))).toBe('held');
    world.advance(600);
    expect((await take(sns(night))).map(({ lines: [, , ...rest] }) => rest[1])).toEqual([{ label: 'Drift (1)', value: 'lamp-3' }]);
    clock('2026-11-02T07:00:00Z');
    expect(lines((await take(sns(night)))[0])).toMatchObject({ 'Drift (1)': 'porch (lamp-off)' });
  });

  test('a burst that they overtake waits for their end', async () => {
    clock('2026-11-01T21:55:00Z');
    await burst(5, {}, sns(night));
    clock('2026-11-01T22:10:00Z');
    expect(await due(sns(night))).toEqual([]);
    clock('2026-11-02T07:00:00Z');
    expect(lines((await take(sns(night)))[0])).toMatchObject({ 'Drift (2)': 'lamp-3, lamp-4' });
  });

  test('a policy that has none any more tells at once what they held', async () => {
    clock('2026-11-01T22:30:00Z');
    await say(alert(), sns(night));
    expect(await take(sns())).toHaveLength(1);
  });
});

describe('nothing is lost, nothing told twice', () => {
  interface Step {
    readonly lamp: number;
    readonly pass: number;
    readonly page: boolean;
    readonly critical: boolean;
    readonly look: 'no' | 'look' | 'die';
  }
  const steps = fc.array(
    fc.record<Step>({
      lamp: fc.integer({ min: 0, max: 9 }),
      pass: fc.constantFrom(0, 1, 60, 400, 700, 20_000),
      page: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      critical: fc.boolean(),
      look: fc.constantFrom('no', 'no', 'look', 'die'),
    }),
    { minLength: 10, maxLength: 60 },
  );

  test.each([
    ['without quiet hours', sns()],
    ['with quiet hours', sns(night)],
    ['with messages that are updated', slack(night)],
  ])('%s: the last state of each finding is told exactly once', (_, channel) => {
    fc.assert(
      fc.property(steps, (all) => {
        let held: Held = nothingHeld;
        let now = Date.parse('2026-11-01T20:00:00Z');
        const versions = new Map<string, number>();
        /** How often each state of each finding was told: by itself, or in a digest that was not lost. */
        const told = new Map<string, number>();
        const known = new Set<string>();
        const count = (alertId: string) => told.set(alertId, (told.get(alertId) ?? 0) + 1);
        const look = (dies: boolean) => {
          const groups = endedOf(held, channel, new Date(now));
          // It dies before the digest is left: nothing may be forgotten then.
          if (dies) return;
          for (const { items } of groups) for (const { alertId } of items) count(alertId);
          held = without(held, groups, new Date(now));
        };
        for (const { lamp, pass, page, critical, look: looks } of all) {
          now += pass * 1_000;
          const name = `lamp-${lamp}`;
          const version = (versions.get(name) ?? 0) + 1;
          versions.set(name, version);
          const next = alert({ name, version, urgency: page ? 'page' : 'notify', severity: critical ? 'CRITICAL' : 'HIGH' });
          const weighed = weigh(held, channel, next, known.has(name), new Date(now));
          held = weighed.held;
          if (weighed.verdict === 'send') {
            count(next.id);
            known.add(name);
          } else if (page) throw new Error('a page was held');
          if (looks !== 'no') look(looks === 'die');
        }
        now = Date.parse('2027-06-01T12:00:00Z');
        look(false);
        expect({ items: held.items, more: held.more, bursts: held.bursts }).toEqual({ items: [], more: {}, bursts: {} });
        for (const [name, version] of versions) expect([name, told.get(`f-${name}:${version}`)]).toEqual([name, 1]);
        for (const [id, times] of told) expect([id, times]).toEqual([id, 1]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('others at the same channel', () => {
  test('while they are at it, the message comes back', async () => {
    const frozen = { ...world.ports, clock: { now: world.clock.now, sleep: async () => {} } };
    await world.ledger.lease('held|security', 'another', 30);
    await expect(admit('security', sns(), alert(), false, frozen)).rejects.toThrow(RetryLaterError);
  });

  test('a page waits for nobody', async () => {
    await world.ledger.lease('held|security', 'another', 30);
    expect(await say(alert({ urgency: 'page' }))).toBe('send');
  });
});

describe('a storm of what is not severe', () => {
  const flooded = async (severity: Alert['severity']) => {
    clock('2026-11-01T23:00:00.000Z');
    let held: Held = nothingHeld;
    const now = world.clock.now();
    for (let nth = 0; nth < mostItems; nth += 1) held = weigh(held, sns(night), alert({ name: `junk-${nth}`, severity, control: 'lamp-on' }), false, now).held;
    return weigh(held, sns(night), alert({ name: 'phi-store' }), false, now).held;
  };
  const told = (held: Held) => endedOf(held, sns(), world.clock.now()).map((group) => foldedAlertOf('security', group, 'UTC'));

  test('hides nothing that is worse: it is named first, and all are counted', async () => {
    const held = await flooded('LOW');
    expect(held.items).toHaveLength(mostItems);
    const [folded] = told(held);
    expect(folded).toMatchObject({ severity: 'HIGH', subject: `[HIGH] Held back in quiet hours: ${mostItems + 1} notifications` });
    expect(textOf(folded!)).toMatch(/Drift \(500\): +phi-store \(lamp-off\)/);
    expect(textOf(folded!)).toContain('1 notification past what is kept of such a storm');
  });

  test('of the same severity, the first are named', async () => {
    const [folded] = told(await flooded('HIGH'));
    expect(textOf(folded!)).not.toContain('phi-store');
    expect(folded!.subject).toBe(`[HIGH] Held back in quiet hours: ${mostItems + 1} notifications`);
  });

  test('of another control: what gives way is counted where it belongs', async () => {
    const now = world.clock.now();
    let held: Held = nothingHeld;
    for (let nth = 0; nth < mostItems + burstLimit; nth += 1)
      held = weigh(held, sns(), alert({ name: `junk-${nth}`, severity: 'LOW', control: 'lamp-on' }), false, now).held;
    for (let nth = 0; nth <= burstLimit; nth += 1) held = weigh(held, sns(), alert({ name: `phi-${nth}` }), false, now).held;
    world.advance(600);
    expect(
      told(held)
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(['[HIGH] Many at once: 1 finding of lamp-off', `[LOW] Many at once: ${mostItems} notifications of lamp-on`]);
  });
});
