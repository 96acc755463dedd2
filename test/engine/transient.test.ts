/** Edges: when a drift began and ended by the calls, and drift that was gone when the bot looked. The world has a lamp whose control reports it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { detect } from '../../engine/detect.ts';
import { exposureOf } from '../../engine/exposure.ts';
import type { Finding } from '../../engine/model.ts';
import { botRole, by, call, configItem, entryOf, lampArn, lampOff, policyOf, sweepOf, terraform, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.catalogue[0] = entryOf({
    ...lampOff(world.house),
    reportTransient: true,
    // A dim lamp shows nothing: the request tells.
    opens: ({ eventName, requestParameters }) => eventName === 'SwitchOn' && (requestParameters as { dim?: boolean }).dim !== true,
    closes: ({ eventName }) => eventName === 'SwitchOff',
  });
  world.house.lamps.set('hall', { on: false });
});
afterEach(() => world.close());

const at = (time: string) => `2026-11-01T${time}Z`;
const on = (time: string, more: Record<string, unknown> = {}) => call('SwitchOn', 'hall', { eventTime: at(time), ...more });
const off = (time: string, more: Record<string, unknown> = {}) => call('SwitchOff', 'hall', { eventTime: at(time), ...more });
const light = (lit: boolean) => world.house.lamps.set('hall', { on: lit });
const only = async (): Promise<Finding> => {
  const found = await world.findings();
  expect(found).toHaveLength(1);
  return found[0]!;
};
const kinds = async ({ id }: Finding) => (await world.ledger.entries(id)).map(({ kind }) => kind);
const lineOf = (name: string, text = world.alerts.at(-1)?.text ?? '') =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(11);

describe('gone when the bot looked', () => {
  test('opened and resolved in one go, told once as a note, never acted on', async () => {
    world.advance(40);
    const [report] = await world.detect(on('03:00:00'));
    const finding = await only();
    expect(finding).toMatchObject({ state: 'resolved', transient: true, decision: { action: 'notify' }, openedBy: { eventName: 'SwitchOn', opens: true } });
    expect(finding.outcome).toMatchObject({ status: 'COMPLIANT', reason: 'It was gone when the bot looked: The lamp is off.' });
    expect(await kinds(finding)).toEqual(['OPENED', 'RESOLVED', 'ALERTED']);
    expect(exposureOf(finding, world.clock.now())).toMatchObject({
      driftedAt: '2026-11-01T03:00:00.000Z',
      endedAtOrBefore: true,
      seconds: 40,
      bound: 'at most',
    });
    expect(world.alerts).toHaveLength(1);
    expect(world.alerts[0]).toMatchObject({ urgency: 'notify', subject: '[HIGH] Gone already: lamp-off on hall' });
    expect(lineOf('Was')).toBe('SwitchOn opened it, by what the call itself asked for.');
    expect(lineOf('Exposed')).toMatch(/^for at most 40 s, since 2026-11-01T03:00:00.000Z \(SwitchOn\); gone when read at /);
    expect(lineOf('Drift by')).toMatch(/Admin\/dana/);
    expect([world.dispatched, world.house.writes]).toEqual([[], []]);
    expect(report!.lines.filter(({ control }) => control === 'lamp-off')).toMatchObject([
      { findingId: finding.id, decision: { action: 'notify' }, outcome: { status: 'COMPLIANT' }, change: null },
    ]);
  });

  test('nothing that the call asked for is kept', async () => {
    world.advance(40);
    await world.detect(on('03:00:00', { requestParameters: { name: 'hall', note: 'MRN 00112233' } }));
    const finding = await only();
    expect(JSON.stringify([finding, await world.ledger.entries(finding.id), world.alerts])).not.toContain('00112233');
  });

  test.each<[string, () => readonly unknown[]]>([
    ['a call that asks for nothing that opens', () => [on('03:00:00', { requestParameters: { name: 'hall', dim: true } })]],
    ['a call whose parameters are missing', () => [call('SwitchOn', 'hall', { requestParameters: 7 })]],
    ['a call that repairs', () => [off('03:00:00')]],
    ['a call that failed', () => [on('03:00:00', { errorCode: 'AccessDenied' })]],
    ["the bot's own", () => [on('03:00:00', by('arn:aws:sts::123456789012:assumed-role/bot-remediate/x', botRole))]],
    ['a Config item', () => [configItem('hall')]],
    ['a sweep', () => [sweepOf('lamp-off')]],
  ])('no false alarm: %s', async (_, events) => {
    world.advance(40);
    await world.detect(...events());
    expect([await world.findings(), world.alerts]).toEqual([[], []]);
  });

  test.each<[string, Parameters<typeof policyOf>[0], number]>([
    ['notify', { 'lamp-off': { mode: 'notify' } }, 1],
    ['off', { 'lamp-off': { mode: 'off' } }, 0],
    ['off for whoever did it', { 'lamp-off': { mode: 'page', when: [{ actor: 'arn:aws:sts::*:assumed-role/Admin/*', mode: 'off' }] } }, 0],
    ['excepted', { 'lamp-off': { exceptions: [{ resource: lampArn('*'), reason: 'Stage.', approvedBy: 'ciso', expires: '2099-01-01' }] } }, 0],
  ])('the policy says %s', async (_, controls, told) => {
    world.policy = policyOf(controls);
    world.advance(40);
    await world.detect(on('03:00:00'));
    expect(world.alerts).toHaveLength(told);
  });

  test('a dry run says what it would do and keeps nothing', async () => {
    world.advance(40);
    const [report] = await detect([on('03:00:00')], world.detection(true));
    expect(report!.lines.find(({ control }) => control === 'lamp-off')).toMatchObject({
      outcome: { status: 'DRY_RUN', reason: expect.stringMatching(/^Would notify: It was gone/) },
      findingId: expect.any(String),
    });
    expect(await world.findings()).toEqual([]);
  });

  test.each([
    [true, 1],
    ['while it exists', 0],
  ] as const)('the resource itself is gone, reported %s: told %s times', async (reportTransient, told) => {
    const control = await world.catalogue[0]!.load();
    world.catalogue[0] = entryOf({ ...control, reportTransient } as Parameters<typeof entryOf>[0]);
    world.house.lamps.delete('hall');
    world.advance(40);
    await world.detect(on('03:00:00'));
    expect(world.alerts).toHaveLength(told);
    if (told > 0)
      expect((await only()).outcome).toMatchObject({ status: 'DOES_NOT_EXIST', reason: 'It was gone when the bot looked: The resource does not exist.' });
  });

  test('again and again the same event: told once', async () => {
    world.advance(40);
    const event = on('03:00:00');
    await world.detect(event);
    await world.detect(event, off('03:00:20'));
    await Promise.all([world.detect(event), world.detect(event)]);
    expect([(await only()).episode, world.alerts.length]).toEqual([1, 1]);
  });

  test('two processes at once: told once', async () => {
    world.advance(40);
    const event = on('03:00:00');
    const reports = await Promise.all([world.detect(event), world.detect(event)]);
    for (const { errors } of reports.flat()) if (errors.length > 0) await world.detect(event);
    expect([(await only()).state, world.alerts.length]).toEqual(['resolved', 1]);
  });

  test('a death between any two steps: after redelivery told once, with the same end', async () => {
    for (const dies of ['ledger.open', 'ledger.save', 'alert', 'ledger.save again']) {
      const one = world;
      await new Promise((resolve) => resolve(one.house.lamps.set('hall', { on: false })));
      one.advance(60);
      const time = one.clock.now().toISOString().slice(11, 19);
      const event = on(time);
      one.advance(40);
      let saves = 0;
      one.before = (name) => {
        if (name === 'ledger.save') saves += 1;
        if (name === dies || (dies === 'ledger.save again' && saves === 2)) throw new Error('killed');
      };
      const told = one.alerts.length;
      expect((await one.detect(event))[0]!.errors).toHaveLength(1);
      one.before = () => {};
      one.advance(120);
      await one.detect(event);
      const last = (await one.findings()).sort((a, b) => b.episode - a.episode)[0]!;
      expect({ dies, state: last.state, reason: last.outcome?.reason, openedBy: last.openedBy.time }).toEqual({
        dies,
        state: 'resolved',
        reason: 'It was gone when the bot looked: The lamp is off.',
        openedBy: `2026-11-01T${time}.000Z`,
      });
      // Told, and not noted: told a second time, never not at all.
      expect(one.alerts.length - told).toBe(dies === 'ledger.save again' ? 2 : 1);
    }
  });

  test('left open by a death, and on again when looked at: treated like any drift', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    world.advance(40);
    const event = on('03:00:00');
    world.before = (name) => {
      if (name === 'ledger.save') throw new Error('killed');
    };
    await world.detect(event);
    world.before = () => {};
    light(true);
    await world.detect(event);
    const finding = await only();
    expect(finding).toMatchObject({ state: 'open', decision: { action: 'page' } });
    expect(finding.transient).toBeUndefined();
    expect(world.alerts.map(({ urgency }) => urgency)).toEqual(['page']);
  });

  test('AWS shows a fresh call late: read again before it is called gone', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    world.house.after = () => void light(true);
    await world.detect(on('03:00:00'));
    expect(await only()).toMatchObject({ state: 'open', decision: { action: 'page' } });
  });

  test.each<[string, (string | 'on' | 'off')[][], number, string | undefined]>([
    ['in the same batch', [['on 03:00:00', 'off 03:00:25']], 25, '03:00:25'],
    ['later', [['on 03:00:00'], ['off 03:00:25']], 25, '03:00:25'],
    ['the first of two', [['on 03:00:00', 'off 03:00:25', 'off 03:00:30']], 25, '03:00:25'],
    ['on and off twice', [['on 03:00:00', 'off 03:00:10', 'on 03:00:15', 'off 03:00:30']], 30, '03:00:30'],
    ['on again, heard of late: the read bounds it', [['on 03:00:00', 'off 03:00:10'], ['on 03:00:15']], 40, undefined],
    ['off before it was on', [['on 03:00:05'], ['off 03:00:02']], 35, undefined],
    ['off after the read', [['on 03:00:00'], ['off 03:00:50']], 40, undefined],
  ])('the call that ended it, %s', async (_, batches, seconds, endedAt) => {
    world.advance(40);
    for (const batch of batches) await world.detect(...batch.map((text) => (text.startsWith('on') ? on(text.slice(3)) : off(text.slice(4)))));
    const finding = await only();
    expect(finding.endedBy?.time).toBe(endedAt && `2026-11-01T${endedAt}.000Z`);
    expect(exposureOf(finding, world.clock.now())).toMatchObject({ seconds, ...(endedAt ? {} : { bound: 'at most' }) });
    expect(world.alerts).toHaveLength(1);
  });
});

describe('when it began', () => {
  beforeEach(() => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light(true);
    world.advance(600);
  });
  const driftedAt = async () => exposureOf(await only(), world.clock.now());

  test('of a batch the first call that opened it, whoever speaks', async () => {
    await world.detect(on('03:01:00'), on('03:02:00'), configItem('hall'));
    expect(await driftedAt()).toMatchObject({ driftedAt: '2026-11-01T03:01:00.000Z' });
    expect(await driftedAt()).not.toHaveProperty('atOrBefore');
  });

  test.each<[string, () => unknown, string, boolean]>([
    ['an earlier call that opens moves it', () => on('03:01:00'), '2026-11-01T03:01:00.000Z', false],
    ['a later one does not', () => on('03:09:00'), '2026-11-01T03:05:00.000Z', false],
    ['one that opens nothing does not', () => on('03:01:00', { requestParameters: { name: 'hall', dim: true } }), '2026-11-01T03:05:00.000Z', false],
    ['one that repairs does not', () => off('03:01:00'), '2026-11-01T03:05:00.000Z', false],
  ])('events come late: %s', async (_, late, wanted, atOrBefore) => {
    await world.detect(on('03:05:00'));
    await world.detect(late());
    expect(await driftedAt()).toMatchObject({ driftedAt: wanted, ...(atOrBefore && { atOrBefore }) });
  });

  test('Config saw it first; the call that comes later tells since when', async () => {
    await world.detect(configItem('hall'));
    expect(await driftedAt()).toMatchObject({ atOrBefore: true });
    world.advance(60);
    await world.detect(on('03:05:00', by(terraform)));
    expect(await driftedAt()).toMatchObject({ driftedAt: '2026-11-01T03:05:00.000Z', by: { source: 'cloudtrail', eventName: 'SwitchOn' } });
    expect(await driftedAt()).not.toHaveProperty('atOrBefore');
  });

  test('a call from before the end of the last episode belongs to that one', async () => {
    await world.detect(on('03:05:00'));
    light(false);
    await world.detect(off('03:06:00'));
    light(true);
    world.advance(600);
    await world.detect(on('03:15:00'));
    await world.detect(on('03:07:00'));
    const [first, second] = (await world.findings()).sort((a, b) => a.episode - b.episode);
    expect(exposureOf(second!, world.clock.now())).toMatchObject({ driftedAt: '2026-11-01T03:15:00.000Z' });
    expect(exposureOf(first!, world.clock.now())).toMatchObject({ driftedAt: '2026-11-01T03:05:00.000Z', endedAt: first!.resolvedAt });
  });

  test('a call that comes after the end moves the beginning of what has ended, and opens nothing', async () => {
    await world.detect(on('03:05:00'));
    light(false);
    world.advance(60);
    await world.detect(configItem('hall'));
    const told = world.alerts.length;
    world.advance(60);
    await world.detect(on('03:02:00'));
    expect(await driftedAt()).toMatchObject({ driftedAt: '2026-11-01T03:02:00.000Z', endedAtOrBefore: true, bound: 'at most' });
    expect(world.alerts).toHaveLength(told);
  });

  test('a call that only breaks counts where the control cannot tell from a request', async () => {
    world.catalogue[0] = entryOf(lampOff(world.house));
    await world.detect(configItem('hall'));
    await world.detect(on('03:05:00'));
    expect(await driftedAt()).toMatchObject({ driftedAt: '2026-11-01T03:05:00.000Z' });
  });

  test('a lamp that somebody switches off: ended by that call', async () => {
    await world.detect(on('03:05:00'));
    light(false);
    world.advance(60);
    await world.detect(off('03:10:30'));
    expect(await driftedAt()).toMatchObject({ seconds: 330, endedBy: { what: 'call', eventName: 'SwitchOff' } });
    expect(lineOf('Exposed')).toBe(
      'for 5 min 30 s, since 2026-11-01T03:05:00.000Z (SwitchOn); ended by SwitchOff at 2026-11-01T03:10:30.000Z, made by arn:aws:sts::123456789012:assumed-role/Admin/dana',
    );
  });
});
