/** A fix while CloudFormation is at the stack that its resource belongs to. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../engine/act.ts';
import { DeniedError } from '../../engine/errors.ts';
import { by, call, configItem, denied, lampArn, policyOf, sweepOf, terraform, World } from '../support/world.ts';

const stackId = 'arn:aws:cloudformation:us-east-1:123456789012:stack/portal/1';
const stackTags = { 'aws:cloudformation:stack-id': stackId, 'aws:cloudformation:stack-name': 'portal', 'aws:cloudformation:logical-id': 'Hall' };

let world: World;
beforeEach(() => {
  world = new World();
  world.tags.set(lampArn('hall'), stackTags);
});
afterEach(() => world.close());

const noticed = async (policy = policyOf({ 'lamp-off': {} })): Promise<string> => {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall'));
  return world.dispatched[0]!;
};
const finding = async () => (await world.findings())[0]!;
const kinds = async () => (await world.ledger.entries((await finding()).id)).map(({ kind }) => kind);
const minutes = async (id: string, count: number) => {
  for (let minute = 0; minute < count; minute += 1) {
    expect(await act(id, world.action)).toMatchObject({ again: 60 });
    world.advance(60);
  }
};

describe('before the write', () => {
  test.each([
    ['CREATE_IN_PROGRESS', true],
    ['UPDATE_IN_PROGRESS', true],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', true],
    ['UPDATE_ROLLBACK_IN_PROGRESS', true],
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', true],
    ['IMPORT_IN_PROGRESS', true],
    ['DELETE_IN_PROGRESS', true],
    ['REVIEW_IN_PROGRESS', false],
    ['UPDATE_COMPLETE', false],
    ['UPDATE_ROLLBACK_FAILED', false],
    ['DELETE_COMPLETE', false],
    [undefined, false],
  ])('a stack in %s: held off %s', async (status, held) => {
    if (status) world.stacks.set(stackId, status);
    const id = await noticed();
    expect(await act(id, world.action)).toEqual(held ? { again: 60, note: expect.stringContaining(`portal (${status})`) } : { ended: 'REMEDIATED' });
    expect(world.house.writes).toEqual(held ? [] : ['hall=false']);
  });

  test('a short update: fixed after it, nobody is told of the wait', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 4);
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.alerts.map(({ subject }) => subject)).toEqual(['[HIGH] Fixed: lamp-off on hall']);
    expect(world.alerts[0]!.text).toContain('Defined in: CloudFormation stack portal (logical id Hall): mend the template too');
    expect((await kinds()).filter((kind) => kind === 'RETRY_LATER')).toHaveLength(1);
  });

  test('the update has put it right by itself: no write', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 2);
    world.house.lamps.set('hall', { on: false });
    expect(await act(id, world.action)).toEqual({ ended: 'COMPLIANT' });
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toEqual([]);
  });

  test('a longer one is told, once; then fixed', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 30);
    expect(world.alerts).toMatchObject([{ urgency: 'notify', subject: '[HIGH] Fix waits: lamp-off on hall' }]);
    expect(world.alerts[0]!.text).toContain('waits for CloudFormation, which is at stack portal, until 2026-11-01T05:00:00.000Z at most');
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.alerts.map(({ subject }) => subject)).toEqual(['[HIGH] Fix waits: lamp-off on hall', '[HIGH] Fixed: lamp-off on hall']);
  });

  test('a crash before it is told: told by the next attempt', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 5);
    world.before = (port) => {
      if (port === 'alert') throw new Error('killed');
    };
    await expect(act(id, world.action)).rejects.toThrow('killed');
    world.before = () => {};
    world.advance(121);
    await minutes(id, 2);
    expect(world.alerts).toHaveLength(1);
  });

  test('two hours: a page, and still no write', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 120);
    expect(await act(id, world.action)).toEqual({ ended: 'PAGED' });
    expect(world.house.writes).toEqual([]);
    expect(world.alerts.at(-1)).toMatchObject({
      urgency: 'page',
      text: expect.stringContaining('CloudFormation has been at stack portal for more than 2 hours'),
    });
    expect(world.alerts).toHaveLength(2);
    expect(await finding()).toMatchObject({ state: 'open', outcome: { status: 'PAGED' } });
  });

  test('what comes after the page may wait as long again, or be fixed', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 120);
    await act(id, world.action);
    await world.detect(call('SwitchOn', 'hall'));
    await minutes(id, 3);
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('the policy is asked again after each wait', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed();
    await minutes(id, 2);
    world.policy = policyOf({ 'lamp-off': { mode: 'notify' } });
    expect(await act(id, world.action)).toEqual({ ended: 'NOTIFIED' });
  });

  test('after a promised wait it is held off too', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const id = await noticed(policyOf({ 'lamp-off': { fixAfter: 3_600 } }));
    world.advance(3_600);
    await minutes(id, 120);
    expect(await act(id, world.action)).toEqual({ ended: 'PAGED' });
  });

  test('it takes no slot of a brake', async () => {
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    const policy = policyOf({ 'lamp-off': {} });
    world.policy = { ...policy, guards: { ...policy.guards, fixesPerHour: 1 } };
    const id = await noticed(world.policy);
    await minutes(id, 1);
    world.house.lamps.set('cellar', { on: true });
    await world.detect(call('SwitchOn', 'cellar'));
    expect(await act(world.dispatched[1]!, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('a write begun is ended, whatever the stack is doing', async () => {
    const id = await noticed();
    world.house.before = (name) => {
      if (name === 'write') throw new Error('killed');
    };
    await expect(act(id, world.action)).rejects.toThrow('killed');
    world.house.before = () => {};
    world.advance(121);
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('one that AWS has refused was not begun', async () => {
    const id = await noticed();
    await world.ledger.remember('deployment', { at: world.clock.now().toISOString(), policyId: 'p1', fixSince: {} });
    world.house.before = (name) => {
      if (name === 'write') denied(name);
    };
    expect(await act(id, world.action)).toMatchObject({ again: 15 });
    world.house.before = () => {};
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    expect(await act(id, world.action)).toMatchObject({ again: 60 });
    expect(world.house.writes).toEqual([]);
  });

  test('what no stack owns asks for no status', async () => {
    world.tags.clear();
    world.before = (port) => {
      if (port === 'stackStatus') throw new Error('asked');
    };
    expect(await act(await noticed(), world.action)).toEqual({ ended: 'REMEDIATED' });
  });
});

describe('the status cannot be read', () => {
  const refusal = () => new DeniedError('CloudFormation:DescribeStacks', { cause: new Error('explicit deny in a service control policy') });

  test('denied: no write, a page that says what is wrong and what could not be seen', async () => {
    world.stacks.set(stackId, refusal());
    expect(await act(await noticed(), world.action)).toEqual({ ended: 'PAGED' });
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toMatchObject([{ urgency: 'page', subject: '[HIGH] ACTION NEEDED: lamp-off on hall' }]);
    expect(world.alerts[0]!.text).toMatch(
      /Whether CloudFormation stack portal is being updated cannot be seen, so nothing is written\. Not allowed to call CloudFormation:DescribeStacks\. A service control policy/,
    );
    expect(world.alerts[0]!.text).toContain('Wrong:     The lamp is on.');
  });

  test('denied soon after a deploy: asked again for a minute', async () => {
    await world.ledger.remember('deployment', { at: world.clock.now().toISOString(), policyId: 'p1', fixSince: {} });
    world.stacks.set(stackId, refusal());
    const id = await noticed();
    expect(await act(id, world.action)).toMatchObject({ again: 15 });
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('allowed again: the next sweep has it fixed', async () => {
    world.stacks.set(stackId, refusal());
    await noticed();
    await world.runDispatched();
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
  });

  test('throttled: thrown, so that the attempt is made again; no write', async () => {
    world.stacks.set(stackId, Object.assign(new Error('Rate exceeded'), { name: 'Throttling' }));
    await expect(act(await noticed(), world.action)).rejects.toThrow('Rate exceeded');
    expect(world.house.writes).toEqual([]);
  });
});

describe('who owns it', () => {
  const tagsRead = () => {
    const asked = { times: 0 };
    world.before = (port) => {
      if (port === 'tags') asked.times += 1;
    };
    return asked;
  };
  const tagException = { tag: { key: 'ok' }, reason: 'r', approvedBy: 'a', expires: '2027-01-01' };

  test('its tags are asked for once: not for each event, not by the fix', async () => {
    const asked = tagsRead();
    await noticed();
    await world.detect(call('SwitchOn', 'hall'));
    await world.runDispatched();
    expect(asked.times).toBe(1);
    expect(await finding()).toMatchObject({ owner: { stack: { name: 'portal', id: stackId, logicalId: 'Hall' } }, outcome: { status: 'REMEDIATED' } });
  });

  test('and shared with an exception that asks for them', async () => {
    const asked = tagsRead();
    await noticed(policyOf({ 'lamp-off': { mode: 'page', exceptions: [tagException] } }));
    expect(asked.times).toBe(1);
  });

  test('not for what holds', async () => {
    const asked = tagsRead();
    world.house.lamps.set('hall', { on: false });
    await world.detect(call('SwitchOff', 'hall'));
    expect(asked.times).toBe(0);
  });

  test.each([
    ['denied', () => denied('GetResources')],
    ['throttled', () => Promise.reject(new Error('Rate exceeded'))],
    ['of a type that the API does not know', async () => undefined],
  ])('tags %s: told and fixed all the same, and no owner is named', async (_, tags) => {
    Object.assign(world.ports, { tags: async () => tags() });
    await noticed();
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(await finding()).toMatchObject({ owner: { unread: true } });
    expect(world.alerts[0]!.text).not.toContain('Defined in');
  });

  test('tags denied, and the policy has a rule on owners: the most cautious of its modes', async () => {
    Object.assign(world.ports, { tags: async () => denied('GetResources') });
    world.policy = policyOf({ 'lamp-off': { when: [{ owner: 'cloudformation', mode: 'notify' }] } });
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall'));
    expect(world.dispatched).toEqual([]);
    expect(world.alerts).toMatchObject([{ urgency: 'notify', text: expect.stringContaining('Who defines the resource is not known') }]);
  });

  test('owner: any, notify: what a stack owns is told, what nobody owns is fixed', async () => {
    world.policy = policyOf({ 'lamp-off': { when: [{ owner: 'any', mode: 'notify' }] } });
    for (const name of ['hall', 'cellar']) {
      world.house.lamps.set(name, { on: true });
      await world.detect(call('SwitchOn', name));
    }
    expect(await world.runDispatched()).toEqual(['REMEDIATED']);
    expect(world.house.writes).toEqual(['cellar=false']);
    expect(world.alerts[0]).toMatchObject({ urgency: 'notify', subject: '[HIGH] Drift: lamp-off on hall' });
  });

  test('a change through Terraform says so, and no more than that', async () => {
    world.tags.clear();
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', { ...by(terraform), userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)' }));
    await world.runDispatched();
    expect(world.alerts[0]!.text).toContain(
      'Defined in: Terraform, perhaps: the change came through it (Terraform/1.9.5). Mend the configuration too, should it be there.',
    );
  });

  test('noticed by AWS Config, then known to have come through Terraform', async () => {
    world.policy = policyOf({ 'lamp-off': { mode: 'page' } });
    const asked = tagsRead();
    world.house.lamps.set('hall', { on: true });
    await world.detect(configItem('hall'));
    expect((await finding()).owner).toEqual({ stack: expect.objectContaining({ name: 'portal' }) });
    await world.detect(call('SwitchOn', 'hall', { ...by(terraform), userAgent: 'Terraform/1.9.5' }));
    expect((await finding()).owner).toEqual({ stack: expect.objectContaining({ name: 'portal' }), through: { kind: 'terraform', as: 'Terraform/1.9.5' } });
    expect(asked.times).toBe(1);
  });

  test('several at once: none is chosen whose mode would be less cautious than that of another, with a stack or without', async () => {
    world.policy = policyOf({
      'lamp-off': {
        when: [
          { owner: 'terraform', mode: 'notify' },
          { owner: 'cloudformation', mode: 'page' },
        ],
      },
    });
    world.tags.clear();
    world.house.lamps.set('hall', { on: true });
    const byTool = call('SwitchOn', 'hall', { ...by(terraform), userAgent: 'Terraform/1.9.5' });
    const byHand = call('SwitchOn', 'hall', { userAgent: 'Mozilla/5.0' });
    await world.detect(byHand, byTool);
    expect(world.dispatched).toEqual([]);
    expect(world.house.writes).toEqual([]);
    expect((await finding()).decision.action).toBe('notify');
  });
});
