import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../engine/detect.ts';
import { botRole, by, call, configItem, denied, policyOf, sweepOf, terraform, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const onLamps = (reports: readonly Report[]) => reports.flatMap(({ lines }) => lines.filter(({ control }) => control === 'lamp-off'));
const statuses = (reports: readonly Report[]) => onLamps(reports).map(({ outcome }) => outcome.status);
const lit = (name = 'hall') => {
  world.house.lamps.set(name, { on: true });
  return call('SwitchOn', name);
};

describe('drift with mode fix', () => {
  test('is fixed, verified, told once, and closed with its before and after', async () => {
    await world.detect(lit());
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(world.house.lamps.get('hall')).toEqual({ on: false });
    const [finding] = await world.findings();
    expect(finding).toMatchObject({
      state: 'resolved',
      outcome: { status: 'REMEDIATED' },
      actor: { arn: 'arn:aws:sts::123456789012:assumed-role/Admin/dana' },
      changes: [{ change: { before: { on: true }, after: { on: false } }, observed: { on: false } }],
    });
    expect(world.alerts.map(({ urgency, subject }) => ({ urgency, subject }))).toEqual([{ urgency: 'notify', subject: '[HIGH] Fixed: lamp-off on hall' }]);
    const entries = await world.ledger.entries(finding!.id);
    expect(entries.map(({ kind }) => kind)).toEqual(['OPENED', 'DISPATCHED', 'INTENDED', 'REMEDIATED', 'ALERTED']);
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('the same event again, then 50 copies at once: one write', async () => {
    const event = lit();
    await world.detect(event);
    await world.detect(event);
    await Promise.all(Array.from({ length: 50 }, () => world.detect(event)));
    await world.runDispatched();
    await world.detect(event);
    await world.runDispatched();
    expect(world.house.writes).toEqual(['hall=false']);
    expect(await world.findings()).toHaveLength(1);
  });

  test('50 copies in five batches, before anything is recorded: one finding, one write', async () => {
    const event = lit();
    const reports = await Promise.all(Array.from({ length: 5 }, () => world.detect(...Array.from({ length: 10 }, () => event))));
    expect(reports.flat().flatMap(({ errors }) => errors)).toEqual([]);
    await world.runDispatched();
    expect(world.house.writes).toEqual(['hall=false']);
    expect(await world.findings()).toHaveLength(1);
    expect(world.alerts).toHaveLength(1);
  });

  test('two resources through one process do not mix', async () => {
    await world.detect(lit('hall'));
    await world.runDispatched();
    await world.detect(lit('cellar'));
    await world.runDispatched();
    expect(world.house.writes).toEqual(['hall=false', 'cellar=false']);
    expect(world.alerts[1]!.text).not.toContain('hall');
  });

  test('the bot sees its own write come back: one read, confirmed, no write', async () => {
    await world.detect(lit());
    await world.runDispatched();
    const own = call('SwitchOff', 'hall', by('arn:aws:sts::123456789012:assumed-role/bot-remediate/x', botRole));
    const reads = world.house.reads;
    await world.detect(own);
    await world.detect(own);
    expect(world.house.reads - reads).toBe(2);
    expect(world.house.writes).toHaveLength(1);
    const [finding] = await world.findings();
    expect(finding!.confirmedBy).toBe((own.detail as { eventID: string }).eventID);
    expect((await world.ledger.entries(finding!.id)).filter(({ kind }) => kind === 'CONFIRMED')).toHaveLength(1);
  });

  test('a second drift is a second episode with its own actor', async () => {
    await world.detect(lit());
    await world.runDispatched();
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    await world.runDispatched();
    const findings = await world.findings();
    expect(findings.map(({ episode, actor, state }) => ({ episode, actor: actor?.arn, state }))).toEqual(
      expect.arrayContaining([
        { episode: 1, actor: 'arn:aws:sts::123456789012:assumed-role/Admin/dana', state: 'resolved' },
        { episode: 2, actor: terraform, state: 'resolved' },
      ]),
    );
  });
});

describe('an event that needs nothing', () => {
  test('costs one read and leaves no trace', async () => {
    world.house.lamps.set('hall', { on: false });
    const [report] = await world.detect(call('SwitchOff', 'hall'));
    expect(onLamps([report!])[0]).toMatchObject({
      evaluation: { complianceType: 'COMPLIANT' },
      decision: { action: 'none' },
      outcome: { status: 'COMPLIANT' },
      findingId: null,
    });
    expect(world.house.reads).toBe(1);
    expect(await world.findings()).toEqual([]);
  });

  test('a resource that is gone is no drift', async () => {
    expect(statuses(await world.detect(call('SwitchOn', 'sold')))).toEqual(['DOES_NOT_EXIST']);
  });

  test('reordered: the repair is read before the break; nothing is done', async () => {
    world.house.lamps.set('hall', { on: false });
    expect(statuses(await world.detect(call('SwitchOff', 'hall'), call('SwitchOn', 'hall')))).toEqual(['COMPLIANT', 'COMPLIANT']);
    expect(world.house.reads).toBe(1);
    expect(world.house.writes).toEqual([]);
  });
});

describe('cannot see', () => {
  test('a denied read is INSUFFICIENT_DATA and a page, never compliant', async () => {
    const event = lit();
    world.house.before = denied;
    const [report] = await world.detect(event);
    expect(onLamps([report!])[0]).toMatchObject({
      evaluation: { complianceType: 'INSUFFICIENT_DATA' },
      decision: { action: 'page' },
      outcome: { status: 'PAGED' },
    });
    expect(world.alerts).toMatchObject([{ urgency: 'page' }]);
    expect(world.alerts[0]!.text).toContain('Not allowed to call lamp:read');
    expect(world.dispatched).toEqual([]);
  });

  test('a read that fails otherwise goes back to the queue', async () => {
    const event = lit();
    world.house.before = () => {
      throw new Error('ServiceUnavailable');
    };
    const [report] = await world.detect(event);
    expect(onLamps([report!])).toEqual([]);
    expect(report!.errors).toHaveLength(1);
    expect(await world.findings()).toEqual([]);
  });

  test('one resource that cannot be read does not hold up the others of the batch', async () => {
    world.house.before = () => {
      if (world.house.reads === 0) {
        world.house.reads += 1;
        throw new Error('ServiceUnavailable');
      }
    };
    const reports = await world.detect(lit('hall'), lit('cellar'));
    expect(reports.map(({ errors, lines }) => [errors.length, lines.filter(({ control }) => control === 'lamp-off').length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('law 9: the actor belongs to the finding', () => {
  const pageTerraform = { 'lamp-off': { when: [{ actor: 'arn:aws:sts::*:assumed-role/terraform/*', mode: 'page' as const }] } };

  test('CloudTrail by terraform, then the Config item, then a sweep: three times page, no write', async () => {
    world.policy = policyOf(pageTerraform);
    world.house.lamps.set('hall', { on: true });
    const seen = [];
    for (const event of [call('SwitchOn', 'hall', by(terraform)), configItem('hall'), sweepOf('lamp-off')]) seen.push(...(await world.detect(event)));
    expect(onLamps(seen).map(({ decision }) => decision.action)).toEqual(['page', 'page', 'page']);
    expect(await world.runDispatched()).toEqual([]);
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toHaveLength(1);
  });

  test('while the actor is unknown, the most cautious mode; once known, his', async () => {
    world.policy = policyOf(pageTerraform);
    world.house.lamps.set('hall', { on: true });
    await world.detect(configItem('hall'));
    expect(world.dispatched).toEqual([]);
    await world.detect(call('SwitchOn', 'hall'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    const [finding] = await world.findings();
    expect(finding).toMatchObject({ actor: { arn: 'arn:aws:sts::123456789012:assumed-role/Admin/dana' }, openedBy: { source: 'config' } });
  });
});

describe('modes', () => {
  const cases = {
    off: { status: 'OFF', alerts: 0, findings: 0 },
    notify: { status: 'NOTIFIED', alerts: 1, findings: 1 },
    page: { status: 'PAGED', alerts: 1, findings: 1 },
    approve: { status: 'AWAITING_APPROVAL', alerts: 1, findings: 1 },
  } as const;
  for (const [mode, expected] of Object.entries(cases)) {
    test(`${mode}: no write, told once however often it is seen`, async () => {
      world.policy = policyOf({ 'lamp-off': { mode: mode as keyof typeof cases } });
      expect(statuses(await world.detect(lit()))).toEqual([expected.status]);
      expect(statuses(await world.detect(call('SwitchOn', 'hall')))).toEqual([expected.status]);
      await world.runDispatched();
      expect(world.house.writes).toEqual([]);
      expect(world.alerts).toHaveLength(expected.alerts);
      expect(await world.findings()).toHaveLength(expected.findings);
    });
  }

  test('put right by somebody: the finding closes, and those who were told are told', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    await world.detect(lit());
    world.house.lamps.set('hall', { on: false });
    expect(statuses(await world.detect(call('SwitchOff', 'hall')))).toEqual(['COMPLIANT']);
    expect(await world.findings()).toMatchObject([{ state: 'resolved', outcome: { status: 'COMPLIANT' } }]);
    expect(world.alerts.map(({ urgency }) => urgency)).toEqual(['page', 'notify']);
    expect(world.alerts[1]!.text).toContain('Nothing by the bot.');
  });

  test('a dry run reads, and changes neither the account nor the ledger', async () => {
    const { detect } = await import('../../engine/detect.ts');
    const [report] = await detect([lit()], world.detection(true));
    expect(onLamps([report!])[0]).toMatchObject({
      outcome: { status: 'DRY_RUN', reason: expect.stringContaining('Would fix') },
      change: { before: { on: true } },
    });
    expect(await world.findings()).toEqual([]);
    expect(world.alerts).toEqual([]);
    expect(world.dispatched).toEqual([]);
  });
});

describe('exceptions', () => {
  const exception = { resource: '*:lamp/hall', reason: 'the night watch', approvedBy: 'ciso@example.com', expires: '2026-11-01' };

  test('waived through its last day, judged again after it', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page', exceptions: [exception] } });
    expect(statuses(await world.detect(lit()))).toEqual(['EXCEPTED']);
    world.advance(86_400);
    expect(statuses(await world.detect(call('SwitchOn', 'hall')))).toEqual(['PAGED']);
  });

  test('a tag that anybody may set only lowers fix to approve', async () => {
    world.policy = policyOf({ 'lamp-off': { exceptions: [{ ...exception, resource: undefined, tag: { key: 'night' } }] } });
    world.tags.set('arn:aws:lamp:us-east-1:123456789012:lamp/hall', { night: 'yes' });
    expect(statuses(await world.detect(lit('hall')))).toEqual(['AWAITING_APPROVAL']);
    await world.detect(lit('cellar'));
    expect(await world.runDispatched()).toEqual(['AWAITING_APPROVAL', 'REMEDIATED']);
    expect(world.house.writes).toEqual(['cellar=false']);
  });
});

describe('events that do not name their resource', () => {
  test('share a sweep: those of the first minute the one after it, those of the next ten minutes one at their end', async () => {
    const reports = await world.detect(call('SwitchOn', null), call('SwitchOn', null));
    await world.detect(call('SwitchOn', null));
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off', region: 'us-east-1', delay: 60 }]);
    expect(reports.map(({ sweeps }) => sweeps)).toEqual([1, 1]);
    world.advance(61);
    for (let event = 0; event < 20; event += 1) {
      await world.detect(call('SwitchOn', null));
      world.advance(20);
    }
    expect(world.sweeps).toMatchObject([{ delay: 60 }, { delay: 600 }]);
    world.advance(600);
    await world.detect(call('SwitchOn', null));
    expect(world.sweeps).toMatchObject([{ delay: 60 }, { delay: 600 }, { delay: 60 }]);
  });

  test('a sweep judges each resource by the listed state', async () => {
    world.house.lamps.set('hall', { on: true });
    world.house.lamps.set('cellar', { on: false });
    expect(statuses(await world.detect(sweepOf('lamp-off'))).sort()).toEqual(['COMPLIANT', 'RETRY_LATER']);
    expect(world.house.reads).toBe(0);
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });
});

describe('event controls', () => {
  const root = (eventName: string, extra: Record<string, unknown> = {}) =>
    call(eventName, 'x', { userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root' }, eventSource: 'iam.amazonaws.com', ...extra });

  test('repeats within a day fold into one finding and one page', async () => {
    for (let time = 0; time < 3; time += 1) await world.detect(root('CreateUser'));
    expect(world.alerts).toHaveLength(1);
    expect(await world.findings()).toMatchObject([
      { fold: 'CreateUser', seen: 3, state: 'open', evaluation: { annotation: 'Root called CreateUser, 2 times before.' } },
    ]);
  });

  test('another name is another finding; a day later it is news again', async () => {
    await world.detect(root('CreateUser'), root('DeleteUser'));
    expect(world.alerts).toHaveLength(2);
    world.advance(90_000);
    await world.detect(root('CreateUser', { eventTime: '2026-11-02T04:30:00Z' }));
    expect(world.alerts).toHaveLength(3);
    expect((await world.findings()).map(({ fold, episode, state }) => `${fold} ${episode} ${state}`).sort()).toEqual([
      'CreateUser 1 resolved',
      'CreateUser 2 open',
      'DeleteUser 1 open',
    ]);
  });

  test('several events of one key in one batch are one page', async () => {
    await world.detect(root('CreateUser'), root('CreateUser'), root('CreateUser'));
    expect(world.alerts).toHaveLength(1);
    expect(await world.findings()).toMatchObject([{ seen: 3 }]);
  });
});

describe('a crash', () => {
  const calls = ['ledger.open', 'dispatch', 'ledger.save'];
  for (const at of calls) {
    test(`at ${at}: the event comes back and the drift is fixed once`, async () => {
      const event = lit();
      world.before = (name) => {
        if (name === at) throw new Error('killed');
      };
      const [report] = await world.detect(event);
      expect(report!.errors).toHaveLength(1);
      world.before = () => {};
      await world.detect(event);
      await world.runDispatched();
      expect(world.house.writes).toEqual(['hall=false']);
      expect(await world.findings()).toMatchObject([{ outcome: { status: 'REMEDIATED' } }]);
    });
  }

  for (const at of ['ledger.open', 'alert', 'ledger.save']) {
    test(`at ${at} of a page: it is told, at most twice`, async () => {
      world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
      const event = lit();
      let crashed = false;
      world.before = (name) => {
        if (name === at && !crashed) {
          crashed = true;
          throw new Error('killed');
        }
      };
      expect((await world.detect(event))[0]!.errors).toHaveLength(1);
      await world.detect(event);
      expect(world.alerts.length).toBeGreaterThanOrEqual(1);
      expect(world.alerts.length).toBeLessThanOrEqual(2);
      expect(await world.findings()).toMatchObject([{ alerted: 'open:page' }]);
    });
  }
});

test('no time left: nothing is begun, the events go back', async () => {
  const { detect } = await import('../../engine/detect.ts');
  const [report] = await detect([lit()], { ...world.detection(), deadline: world.clock.now() });
  expect(onLamps([report!])).toEqual([]);
  expect(new Set(report!.errors.map((error) => (error as Error).message))).toEqual(new Set(['no time left in this batch']));
});

test('an event of another account is dropped, and counted', async () => {
  const [report] = await world.detect({ ...call('SwitchOn', 'hall'), account: '999999999999' });
  expect(report!.dropped).toEqual(['another account']);
});

test('drift read before a copy of the event led to the fix opens no second episode', async () => {
  const event = lit();
  const late = call('SwitchOn', 'hall');
  let fixing = false;
  world.house.after = async (name) => {
    if (name !== 'read' || fixing) return;
    fixing = true;
    // While the late event holds what it has read, the first one is answered whole.
    await world.detect(event);
    world.advance(1);
    await world.runDispatched();
  };
  const [report] = await world.detect(late);
  expect(statuses([report!])).toEqual(['COMPLIANT']);
  expect(await world.findings()).toMatchObject([{ episode: 1, outcome: { status: 'REMEDIATED' } }]);
  expect(world.house.writes).toEqual(['hall=false']);
});

test('a state read before the drift came back does not close what it has opened', async () => {
  world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
  await world.detect(lit());
  world.house.lamps.set('hall', { on: false });
  let lighting = false;
  world.house.after = async (name) => {
    if (name !== 'read' || lighting) return;
    lighting = true;
    world.advance(1);
    await world.detect(lit());
  };
  expect(statuses(await world.detect(call('SwitchOff', 'hall')))).toEqual(['PAGED']);
  expect(await world.findings()).toMatchObject([{ state: 'open', seen: 3 }]);
});
