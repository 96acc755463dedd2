/** What a failure leaves behind, and how the next event finds its way out of it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { normalise } from '../../engine/normalise.ts';
import type { Ports } from '../../engine/ports.ts';
import { route } from '../../engine/route.ts';
import { catalogue } from '../../remediations/index.ts';
import { accountId, botRole, by, call, configItem, denied, policyOf, sweepOf, terraform, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());
const human = () => by(`arn:aws:sts::${accountId}:assumed-role/Admin/dana`);
const mutable = (ports: Ports) => ports as { -readonly [Name in keyof Ports]: Ports[Name] };

test('failed fix, then a person repairs: the finding closes', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  await world.detect(call('SwitchOn', 'a', human()));
  expect(await world.runDispatched()).toEqual(['REMEDIATION_FAILED']);
  world.house.before = () => {};
  world.house.lamps.set('a', { on: false });
  world.advance(60);
  await world.detect(call('SwitchOff', 'a', human()));
  await world.runDispatched();
  for (let i = 0; i < 5; i++) {
    world.advance(3600);
    await world.detect(configItem('a'), sweepOf('lamp-off'));
    await world.runDispatched();
  }
  const [f] = await world.findings();
  expect(f!.state).toBe('resolved');
});

test('as 1, policy has become notify', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  world.policy = policyOf({ 'lamp-off': { mode: 'notify' } }, 'p2');
  world.house.lamps.set('a', { on: false });
  world.advance(60);

  await world.detect(call('SwitchOff', 'a', human()));
  await world.runDispatched();
  const [f] = await world.findings();
  expect(f!.state).toBe('resolved');
});

test('fix failed, policy notify, policy fix again: fixed', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  world.house.before = () => {};
  world.policy = policyOf({ 'lamp-off': { mode: 'notify' } }, 'p2');
  world.advance(60);
  await world.detect(sweepOf('lamp-off'));
  await world.runDispatched();
  world.policy = policyOf({ 'lamp-off': {} }, 'p3');
  for (let i = 0; i < 5; i++) {
    world.advance(3600);
    await world.detect(call('SwitchOn', 'a', human()), sweepOf('lamp-off'));
    await world.runDispatched();
  }
  expect(world.house.lamps.get('a')!.on).toBe(false);
});

test('an execution died without an outcome: an event hours later fixes', async () => {
  world.house.lamps.set('a', { on: true });
  await world.detect(call('SwitchOn', 'a', human()));
  world.dispatched.splice(0); // act and giveUp failed five times each (table or topic out of reach for a minute): execution FAILED
  world.advance(8 * 3600);
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  expect(world.house.lamps.get('a')!.on).toBe(false);
});

test('the end is told although the channel was down once', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
  world.house.lamps.set('a', { on: true });
  await world.detect(call('SwitchOn', 'a', human()));
  world.house.lamps.set('a', { on: false });
  world.advance(60);
  const off = call('SwitchOff', 'a', human());
  world.before = (c) => {
    if (c === 'alert') throw new Error('SNS down');
  };
  await world.detect(off);
  world.before = () => {};
  world.advance(360);
  await world.detect(off);
  expect(world.alerts).toHaveLength(2);
});

test('one end is told once (fixAfter)', async () => {
  world.policy = policyOf({ 'lamp-off': { fixAfter: 3600 } });
  world.house.lamps.set('a', { on: true });
  await world.detect(call('SwitchOn', 'a', human()));
  world.house.lamps.set('a', { on: false });
  world.advance(60);
  await world.detect(call('SwitchOff', 'a', human()));
  world.advance(3600);
  await world.runDispatched();
  expect(world.alerts).toHaveLength(2);
});

test('nobody is told the end of what nobody was told', async () => {
  world.house.lamps.set('a', { on: true });
  await world.detect(call('SwitchOn', 'a', human()));
  world.house.lamps.set('a', { on: false });
  world.advance(1);
  await world.detect(call('SwitchOff', 'a', human()));
  await world.runDispatched();
  expect(world.alerts).toHaveLength(0);
});

test('a write that was refused is never told as fixed', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  world.advance(60);
  await world.detect(call('SwitchOn', 'a', human()));
  world.house.lamps.set('a', { on: false }); // a person, before the second execution looks
  await world.runDispatched();
  const [f] = await world.findings();
  expect(f!.outcome!.status).toBe('COMPLIANT');
});

test('second drive: AWS shows the write after 30 s', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  world.advance(86_400);
  let shownAt = 0;
  world.house.before = (c) => {
    if (c === 'read' && shownAt) world.house.lamps.set('a', { on: world.clock.now().getTime() < shownAt });
  };
  world.house.after = (c) => {
    if (c === 'write') {
      shownAt ||= world.clock.now().getTime() + 30_000;
    }
  };
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched();
  const [f] = await world.findings();
  expect(f!.outcome!.status).toBe('REMEDIATED');
});

test('own event does not lend the bot as actor', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'fix', when: [{ actor: 'arn:aws:sts::*:assumed-role/terraform/*', mode: 'page' }] } });
  world.house.lamps.set('a', { on: true });
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched(); // fixed by the bot
  world.advance(30);
  world.house.lamps.set('a', { on: true }); // terraform, its event is later
  await world.detect(call('SwitchOff', 'a', by(`arn:aws:sts::${accountId}:assumed-role/bot-remediate/x`, botRole)));
  world.advance(5);
  await world.detect(call('SwitchOn', 'a', by(terraform)));
  await world.runDispatched();
  expect(world.house.writes).toHaveLength(1);
});

test('a denied tag read is told', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'page', exceptions: [{ tag: { key: 'ok' }, reason: 'r', approvedBy: 'a', expires: '2027-01-01' }] } });
  world.house.lamps.set('a', { on: true });
  mutable(world.ports).tags = async () => denied('GetResources');
  const e = call('SwitchOn', 'a', by(terraform));
  for (let i = 0; i < 5; i++) {
    await world.detect(e);
    world.advance(360);
  }
  expect(world.alerts).toHaveLength(1);
});

test('remediate that never ends is told', async () => {
  world.house.lamps.set('a', { on: true });
  const control = (await world.catalogue[0]!.load()) as unknown as { remediate: () => Promise<unknown> };
  control.remediate = async () => ({ again: 20, note: 'busy' });
  await world.detect(call('SwitchOn', 'a', human()));
  await world.runDispatched(4000);
  expect(world.alerts.length).toBeGreaterThan(0);
});

test('watch elsewhere still hears of global resources', async () => {
  const iam = catalogue.find((e) => e.scope === 'global' && e.kind === 'state')!;
  const declared = iam.triggers.find((trigger) => trigger.source === 'cloudtrail')!;
  if (declared.source !== 'cloudtrail') throw new Error('not a CloudTrail trigger');
  const n = normalise({
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.iam',
    account: accountId,
    region: 'us-east-1',
    id: 'x',
    time: '2026-11-01T03:00:00Z',
    detail: { eventSource: declared.eventSource, eventName: declared.eventNames[0], awsRegion: 'us-east-1', recipientAccountId: accountId, eventID: 'x' },
  });
  const r = route(n.triggers[0]!, [await iam.load()], { watch: ['eu-central-1'] });
  expect(r.items.length + r.sweeps.length).toBeGreaterThan(0);
});

test('root events of different days are different findings, also when they come late', async () => {
  world.advance(10 * 86_400); // the queue was held up
  const root = { userIdentity: { type: 'Root', arn: `arn:aws:iam::${accountId}:root`, accountId } };
  await world.detect(call('DeleteTrail', 'a', { ...root, eventTime: '2026-11-02T00:00:00Z' }));
  await world.detect(call('DeleteTrail', 'a', { ...root, eventTime: '2026-11-06T00:00:00Z' }));
  await world.detect(call('DeleteTrail', 'a', { ...root, eventTime: '2026-11-10T00:00:00Z' }));
  expect((await world.findings()).filter((f) => f.control === 'root-call')).toHaveLength(3);
});

test('a page decided while another process tells a notification is sent', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'notify' } });
  world.house.lamps.set('a', { on: true });
  const alert = world.ports.alert;
  let first = true;
  let b: Record<string, unknown> | undefined;
  mutable(world.ports).alert = async (a) => {
    if (first) {
      first = false;
      world.policy = policyOf({ 'lamp-off': { mode: 'page' } }, 'p2'); // or: its read was denied
      world.advance(1);
      b = call('SwitchOn', 'a', human());
      await world.detect(b);
    }
    return alert(a);
  };
  const a = call('SwitchOn', 'a', human());
  await world.detect(a);
  world.advance(360);
  await world.detect(b); // had it come back
  expect(world.alerts.map((x) => x.urgency)).toContain('page');
});

test('the second failure after a year is told', async () => {
  world.house.lamps.set('a', { on: true });
  world.house.before = (c) => {
    if (c === 'write') denied('Switch');
  };
  for (let i = 0; i < 3; i++) {
    await world.detect(call('SwitchOn', 'a', human()));
    await world.runDispatched();
    world.advance(86_400 * 30);
  }
  expect(world.alerts.length).toBeGreaterThan(1);
});
