/** What must not go on for ever, be lost in a crash, or be told again and again. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../engine/act.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import { redrive } from '../../engine/drive.ts';
import { ConflictError, DeniedError, TerminalError } from '../../engine/errors.ts';
import type { Ports } from '../../engine/ports.ts';
import { accountId, botRole, by, call, configItem, denied, policyOf, sweepOf, terraform, tickAt, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const wide = policyOf({}).guards;
const guard = (guards: Partial<typeof wide>, settings = {}) => {
  world.policy = { ...policyOf({ 'lamp-off': settings, 'root-call': { mode: 'page' } }), guards: { ...wide, ...guards } };
};
const light = (...names: string[]) => {
  for (const name of names) world.house.lamps.set(name, { on: true });
};
const findingOf = async (control: string) => (await world.findings()).filter((finding) => finding.control === control).at(-1)!;
const told = () => world.alerts.map(({ urgency, subject }) => `${urgency} ${subject}`);
const mutable = (ports: Ports) => ports as { -readonly [Name in keyof Ports]: Ports[Name] };
const tick = () => world.detect(tickAt(world.clock.now()));
/** The process dies at the next call of this name. */
const dieAt = (name: string) => {
  world.before = (called) => {
    if (called === name) throw new Error('killed');
  };
};
const live = () => {
  world.before = () => {};
};

describe('the brake', () => {
  test('a crash before its page is told: a tick tells it', async () => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    const [first, second] = world.dispatched;
    await act(first!, world.action);
    world.alerts.length = 0;
    dieAt('alert');
    await expect(act(second!, world.action)).rejects.toThrow('killed');
    live();
    // What was held is put right by somebody: nothing will ask the brake again.
    world.house.lamps.set('b', { on: false });
    await act(second!, world.action);
    await tick();
    expect(told()).toEqual([expect.stringContaining('ACTION NEEDED: bot-brakes')]);
  });

  test.each(['alert', 'ledger.save'])('a crash at %s while it lifts: the next tick tells of it', async (where) => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    await world.runDispatched();
    world.alerts.length = 0;
    world.advance(3_700);
    dieAt(where);
    await tick();
    live();
    world.advance(900);
    await tick();
    expect(told().filter((line) => line.includes('bot-brakes'))).toContainEqual(expect.stringContaining('Resolved: bot-brakes'));
    expect(await findingOf('bot-brakes')).toMatchObject({ state: 'resolved' });
  });

  test('bites again while it is told that it has lifted: that is told too, and it stays on', async () => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    await world.runDispatched();
    world.advance(3_700);
    world.alerts.length = 0;
    const { alert } = world.ports;
    mutable(world.ports).alert = async (one: Alert) => {
      mutable(world.ports).alert = alert;
      await alert(one);
      light('c', 'd');
      await world.detect(call('SwitchOn', 'c'), call('SwitchOn', 'd'));
      await world.runDispatched();
    };
    await tick();
    await tick();
    expect(told().filter((line) => line.includes('bot-brakes'))).toEqual([
      expect.stringContaining('Resolved: bot-brakes'),
      expect.stringContaining('page [HIGH] ACTION NEEDED: bot-brakes'),
    ]);
    expect(await findingOf('bot-brakes')).toMatchObject({ state: 'open' });
  });

  test('a tick in the middle of a burst: still one page', async () => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    const [first, second] = world.dispatched;
    await act(first!, world.action);
    const { save } = world.ports.ledger;
    mutable(world.ports).ledger = {
      ...world.ports.ledger,
      async save(finding, entry, options) {
        await save(finding, entry, options);
        if (finding.outcome?.status === 'AWAITING_APPROVAL') {
          mutable(world.ports).ledger = { ...world.ports.ledger, save };
          await tick();
        }
      },
    };
    await act(second!, { ...world.action, ports: world.ports }).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
    expect(told().filter((line) => line.startsWith('page'))).toEqual([expect.stringContaining('bot-brakes')]);
  });

  test('a ramp holds nothing longer than it lasts', async () => {
    guard({ ramp: { fixes: 1, hours: 24 } });
    const at = world.clock.now().toISOString();
    await world.ledger.remember('deployment', { at, policyId: 'p1', regions: ['us-east-1'], unreached: {}, fixSince: { 'lamp-off': at } });
    world.advance(23 * 3_600);
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    await world.runDispatched();
    world.advance(3_601);
    await world.detect(call('SwitchOn', 'b'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('what an operator wants applied is tried, whatever held it before: the guards of now decide', async () => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    await world.runDispatched();
    guard({ fixesPerHour: 5 });
    await world.detect(sweepOf('lamp-off', { apply: true }));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('an attempt that begins again after it was held and fixes is called a fix, although the write comes back first', async () => {
    guard({ fixesPerHour: 1 });
    light('a', 'b');
    await world.detect(call('SwitchOn', 'a'), call('SwitchOn', 'b'));
    const [first, second] = world.dispatched;
    await act(first!, world.action);
    await act(second!, world.action);
    world.advance(3_601);
    let seen = false;
    world.house.after = async (name) => {
      if (name !== 'write' || seen) return;
      seen = true;
      await world.detect(call('SwitchOff', 'b', by(`arn:aws:sts::${accountId}:assumed-role/bot-remediate/x`, botRole)));
    };
    await act(second!, world.action);
    expect(await findingOf('lamp-off')).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' }, decision: { action: 'fix' } });
  });
});

describe('a process that dies', () => {
  /** Three that drift under a brake that lets one through, and the whole story until the brake has lifted; `at` = the call that kills. */
  const story = async (at: number): Promise<boolean> => {
    let calls = 0;
    world.before = () => {
      calls += 1;
      if (calls === at) throw new Error('killed');
    };
    guard({ fixesPerHour: 1 });
    light('a', 'b', 'c');
    const events = ['a', 'b', 'c'].map((name) => call('SwitchOn', name));
    const deliver = async (...batch: unknown[]) => {
      for (let again = 0; again < 5; again += 1) {
        const reports = await world.detect(...batch).catch(() => undefined);
        if (reports?.every(({ errors }) => errors.length === 0)) return;
        world.advance(70);
      }
    };
    const run = async () => {
      for (const name of world.dispatched.splice(0))
        for (let again = 0; again < 9; again += 1) {
          const attempt = await act(name.slice(0, 28), world.action).catch(() => ({ again: 2 }));
          if ('ended' in attempt) break;
          world.advance(attempt.again);
        }
    };
    await deliver(...events);
    await run();
    for (let quarter = 0; quarter < 6; quarter += 1) {
      world.advance(900);
      await deliver(tickAt(world.clock.now()));
      world.sweeps.length = 0;
      await run();
    }
    return calls >= at;
  };

  test('at any of its calls: one fix, one page of the brake, its end, and nobody left out', async () => {
    for (let at = 1; await story(at); at += 1) {
      const findings = await world.findings();
      const lamps = findings.filter(({ control }) => control === 'lamp-off');
      const heard = (words: string) => told().filter((line) => line.includes(words)).length;
      const state = {
        at,
        writes: new Set(world.house.writes).size,
        lamps: lamps.map(({ outcome }) => outcome?.status).sort(),
        told: lamps.every(({ alerted }) => alerted !== undefined),
        fixed: heard('Fixed: lamp-off') > 0,
        bites: heard('ACTION NEEDED: bot-brakes') > 0,
        lifts: heard('Resolved: bot-brakes') > 0,
        brake: findings.find(({ control }) => control === 'bot-brakes')?.state,
        entries: (await Promise.all(findings.map(async ({ id, version }) => (await world.ledger.entries(id)).length === version))).every(Boolean),
      };
      expect(state).toEqual({
        at,
        writes: 1,
        lamps: ['AWAITING_APPROVAL', 'AWAITING_APPROVAL', 'REMEDIATED'],
        told: true,
        fixed: true,
        bites: true,
        lifts: true,
        brake: 'resolved',
        entries: true,
      });
      world.close();
      world = new World();
    }
  });

  test('sixty executions at once: ten fixes, one page', async () => {
    guard({ fixesPerHour: 10 });
    const names = Array.from({ length: 60 }, (_, index) => `lamp-${index}`);
    light(...names);
    await world.detect(...names.map((name) => call('SwitchOn', name)));
    await Promise.all(world.dispatched.splice(0).map((name) => act(name, world.action)));
    expect(world.house.writes).toHaveLength(10);
    expect(told().filter((line) => line.startsWith('page'))).toHaveLength(1);
  });
});

describe('writes that do not hold', () => {
  test('who breaks it at once each time: each time the bot begins again counts, and past the limit it pages', async () => {
    guard({ repeat: { limit: 3, within: 86_400 } });
    light('hall');
    world.house.after = (name) => {
      if (name === 'write') light('hall');
    };
    const writes: number[] = [];
    for (let time = 0; time < 10; time += 1) {
      await world.detect(call('SwitchOn', 'hall', by(terraform)));
      await world.runDispatched();
      writes.push(world.house.writes.length);
      world.advance(60);
    }
    expect(writes[2]).toBe(writes[9]);
    const last = world.alerts.filter(({ urgency }) => urgency === 'page').at(-1)!;
    expect(last.text).toContain(terraform);
    expect(last.text).toContain(botRole);
    expect(last.text).not.toContain('Fixed 3 times');
  });

  test('taken up again a day later, it takes its turn among the fixes of that hour', async () => {
    guard({ fixesPerHour: 1 });
    light('a');
    world.house.after = (name) => {
      if (name === 'write') light('a');
    };
    await world.detect(call('SwitchOn', 'a'));
    await world.runDispatched();
    expect(await findingOf('lamp-off')).toMatchObject({ outcome: { status: 'REMEDIATION_FAILED' } });
    world.house.after = () => {};
    world.advance(86_400);
    light('b');
    await world.detect(call('SwitchOn', 'b'));
    await world.runDispatched();
    const before = world.house.writes.length;
    await world.detect(call('SwitchOn', 'a'));
    await world.runDispatched();
    expect(world.house.writes).toHaveLength(before);
  });
});

describe('told once', () => {
  test('the kill switch is on: events of one drift page once, a day later once more', async () => {
    world.killSwitch = 'on';
    light('hall');
    for (const event of [call('SwitchOn', 'hall'), configItem('hall'), call('SwitchOn', 'hall'), configItem('hall')]) {
      await world.detect(event);
      await world.runDispatched();
      world.advance(60);
    }
    expect(world.alerts).toHaveLength(1);
    world.advance(86_400);
    await world.detect(configItem('hall'));
    await world.runDispatched();
    expect(world.alerts).toHaveLength(2);
  });

  test('a fix that fails the same way for each event of one drift', async () => {
    guard({}, { fixAfter: 60 });
    light('hall');
    world.house.before = (name) => {
      if (name === 'write') denied('Switch');
    };
    for (const event of [call('SwitchOn', 'hall'), configItem('hall'), configItem('hall')]) {
      await world.detect(event);
      await world.runDispatched();
    }
    expect(told()).toEqual([expect.stringContaining('Fix planned'), expect.stringContaining('FIX FAILED')]);
  });

  test('another reason is news', async () => {
    guard({ repeat: { limit: 1, within: 86_400 } });
    light('hall');
    await world.detect(call('SwitchOn', 'hall'));
    await world.runDispatched();
    world.killSwitch = 'on';
    light('hall');
    await world.detect(call('SwitchOn', 'hall'));
    await world.runDispatched();
    world.killSwitch = 'off';
    await world.detect(call('SwitchOn', 'hall'));
    await world.runDispatched();
    expect(world.alerts.at(-1)!.text).toContain('Fixed 1 time within 24 h');
  });

  test('the kill switch is on, and the policy wants no fix any more: the policy speaks', async () => {
    guard({}, { fixAfter: 60 });
    light('hall');
    await world.detect(call('SwitchOn', 'hall'));
    world.killSwitch = 'on';
    world.policy = policyOf({ 'lamp-off': { mode: 'notify' } });
    expect(await world.runDispatched()).toEqual(['NOTIFIED']);
  });
});

describe('one thing again and again', () => {
  test('however many there are who break it, the bot and the last of them are named', async () => {
    guard({ repeat: { limit: 8, within: 86_400 } });
    const session = (time: number) => `arn:aws:sts::${accountId}:assumed-role/${'deployment-'.repeat(5)}/${'run-'.repeat(12)}${time}`;
    for (let time = 0; time < 9; time += 1) {
      light('hall');
      await world.detect(call('SwitchOn', 'hall', by(session(time))));
      await world.runDispatched();
    }
    const decided = /^Decided: .*$/m.exec(world.alerts.at(-1)!.text)![0];
    expect(decided).toContain(session(8));
    expect(decided).toContain(botRole);
  });

  test('what AWS refused was never fixed, and is not said to be', async () => {
    guard({ repeat: { limit: 2, within: 86_400 } });
    world.house.before = (name) => {
      if (name === 'write') denied('Switch');
    };
    for (let time = 0; time < 3; time += 1) {
      light('hall');
      await world.detect(call('SwitchOn', 'hall'));
      await world.runDispatched();
      world.house.lamps.set('hall', { on: false });
      await world.detect(call('SwitchOff', 'hall'));
    }
    expect(world.alerts.map(({ text }) => text).join()).not.toContain('Fixed 2 times');
  });
});

describe('an exception that a tag makes', () => {
  const excepting = (resource?: string) => [
    { tag: { key: 'ok' }, tagSetBy: '*', ...(resource && { resource }), reason: 'r', approvedBy: 'a', expires: '2027-01-01' },
  ];
  const unread = async () => {
    mutable(world.ports).tags = async () => denied('GetResources');
    light('hall');
    await world.detect(call('SwitchOn', 'hall'));
    return world.runDispatched();
  };

  test('and that cannot be seen: nothing is written, and a page says why', async () => {
    guard({}, { exceptions: excepting() });
    expect(await unread()).toEqual([]);
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toMatchObject([{ urgency: 'page', text: expect.stringContaining('Its tags could except it, but cannot be read') }]);
  });

  test('denied to the role that fixes only: it does not write either', async () => {
    guard({}, { exceptions: excepting() });
    light('hall');
    await world.detect(call('SwitchOn', 'hall'));
    mutable(world.ports).tags = async () => denied('GetResources');
    expect(await world.runDispatched()).toEqual(['PAGED']);
    expect(world.house.writes).toEqual([]);
  });

  test('for other resources only: no matter', async () => {
    guard({}, { exceptions: excepting('arn:aws:lamp:*:*:lamp/status-*') });
    expect(await unread()).toEqual(['REMEDIATED']);
  });
});

describe('the first sweep', () => {
  test('folds no page into its digest', async () => {
    light('a');
    world.house.listsNamesOnly = true;
    world.house.before = (name) => {
      if (name === 'read') throw new TerminalError('The lamp cannot be read');
    };
    await world.detect(sweepOf('lamp-off', { first: true }));
    expect(told()).toEqual([expect.stringContaining('page [HIGH] CANNOT SEE: lamp-off')]);
  });

  test('with `backlog: fix` its digest does not say that nothing is changed', async () => {
    world.policy = { ...world.policy, backlog: 'fix' };
    light('a');
    await world.detect(sweepOf('lamp-off', { first: true }));
    await world.runDispatched();
    expect(told()).toEqual([expect.stringContaining('Fixed: lamp-off')]);
  });
});

describe('a crash', () => {
  test('between noting that a fix is asked for anew and asking: the next tick asks', async () => {
    light('a');
    dieAt('dispatch');
    await world.detect(call('SwitchOn', 'a'));
    world.advance(601);
    await redrive(await findingOf('lamp-off'), world.ports).catch(() => {});
    live();
    world.advance(900);
    await tick();
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('the end of a drift that another process is telling of comes back, and is told', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    const { alert } = world.ports;
    let end: Record<string, unknown> | undefined;
    mutable(world.ports).alert = async (one) => {
      mutable(world.ports).alert = alert;
      world.house.lamps.set('a', { on: false });
      end = call('SwitchOff', 'a');
      world.advance(1);
      await world.detect(end);
      await alert(one);
    };
    await world.detect(call('SwitchOn', 'a'));
    world.advance(60);
    await world.detect(end);
    expect(told()).toEqual([expect.stringContaining('ACTION NEEDED'), expect.stringContaining('Resolved')]);
  });

  test('while a control that was switched off is told of: the next tick tells', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.policy = policyOf({ 'lamp-off': { mode: 'off' } }, 'p2');
    dieAt('alert');
    await tick();
    live();
    world.advance(900);
    await tick();
    expect(told().at(-1)).toContain('Closed, control off');
  });
});

describe('a denial', () => {
  test('of the role that fixes is not over while a fix has yet to try', async () => {
    guard({}, { fixAfter: 3_600 });
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.house.before = (name) => {
      if (name === 'read') denied('Get');
    };
    expect(await world.runDispatched()).toEqual(['PAGED']);
    for (let quarter = 0; quarter < 3; quarter += 1) {
      world.advance(900);
      await world.tick();
    }
    expect(told().filter((line) => line.includes('Resolved: bot-permissions'))).toEqual([]);
  });

  test('of the role that fixes, ended by a person who repaired: nobody says that the action works', async () => {
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.house.before = (name) => {
      if (name === 'read') denied('Get');
    };
    await world.runDispatched();
    world.house.before = () => {};
    world.house.lamps.set('a', { on: false });
    await world.detect(call('SwitchOff', 'a'));
    await tick();
    const { text } = world.alerts.find(({ subject }) => subject.includes('Resolved: bot-permissions'))!;
    expect(text).toContain('No fix waits for the action any more.');
  });

  test('is not over because AWS answered with something else', async () => {
    world.house.before = (name) => {
      if (name === 'read') throw new DeniedError('lamp:Get', { cause: new Error('no') });
    };
    light('a');
    await world.detect(call('SwitchOn', 'a'));
    world.house.before = (name) => {
      if (name === 'read') throw new Error('ServiceUnavailable');
    };
    await tick();
    expect(await findingOf('bot-permissions')).toMatchObject({ state: 'open' });
  });
});
