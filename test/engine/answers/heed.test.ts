/** What people want of a finding that nobody asked them: excepted, snoozed, looked at again. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import { actionId, actionValue } from '../../../engine/alerts/render/slack/actions.ts';
import { actionHash } from '../../../engine/answers/action-hash.ts';
import { giveUpHeeding, heed } from '../../../engine/answers/heed.ts';
import { madeExceptions } from '../../../engine/exceptions.ts';
import type { Answer, Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { give, person } from '../../support/answers.ts';
import { leave, members, people } from '../../support/slack-answers.ts';
import { blockActions, viewSubmission } from '../../support/slack-signer.ts';
import { by, call, policyOf, sweepFor, sweepOf, terraform, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const asking = (parts: Partial<CompiledPolicy> = {}): CompiledPolicy => ({
  ...policyOf({ 'lamp-off': { mode: 'approve' }, 'root-call': { mode: 'page' } }),
  people,
  ...parts,
});
const finding = async (): Promise<Finding> => (await world.findings())[0]!;
const entries = async () => (await world.ledger.entries((await finding()).id)).map(({ kind, note }) => `${kind}: ${note}`);
const last = async () => (await entries()).at(-1);

async function drifted(policy = asking(), event = call('SwitchOn', 'hall', by(terraform))): Promise<Finding> {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(event);
  await act(world.dispatched[0]!, world.action);
  world.advance(60);
  return finding();
}

const words = { reason: 'scratch', until: '2026-12-01' };
type Words = { readonly reason?: string; readonly until?: string };
const wants = (
  decision: Extract<Answer['decision'], 'except' | 'snooze' | 'recheck'>,
  found: Finding,
  who: keyof typeof members = 'lee',
  given: Words = words,
) => {
  const value = actionValue(found.id, actionHash(found, decision));
  return leave(
    world,
    decision === 'except' ? viewSubmission(members[who], actionId('except'), value, given) : blockActions(members[who], actionId(decision), value),
  );
};
const heeded = () => finding().then(({ id }) => heed(id, world.action));
/** What was asked for is done. */
async function sweep(): Promise<void> {
  for (let request = world.sweeps.shift(); request; request = world.sweeps.shift()) await world.detect(sweepFor(request));
}

describe('except', () => {
  test('excepted, looked at, closed; whoever waits with a question is stopped', async () => {
    const found = await drifted();
    await wants('except', found);
    await heeded();
    expect(await last()).toBe(`EXCEPTED: lee (slack:${members.lee}) excepted it until 2026-12-01: scratch`);
    expect(await madeExceptions(world.ledger)).toMatchObject([
      { control: 'lamp-off', approvedBy: 'lee', expires: '2026-12-01', reason: 'scratch', findingId: found.id },
    ]);
    expect(world.sweeps).toMatchObject([{ control: 'lamp-off', only: found.resource.id }]);
    await sweep();
    expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'EXCEPTED' } });
    expect(world.stopped).toEqual([found.id]);
    expect(world.house.writes).toEqual([]);
  });

  test('with the credentials of a person, as with a click', async () => {
    const found = await drifted();
    await give(world, found, 'except', { by: person('kim'), question: 'own', planHash: actionHash(found, 'except'), ...words });
    await heeded();
    expect(await last()).toMatch(/^EXCEPTED: kim \(arn:.*\/kim\) excepted it/);
  });

  const refused: Readonly<
    Record<
      string,
      { readonly policy?: Partial<CompiledPolicy>; readonly event?: object; readonly leave: (found: Finding) => Promise<unknown>; readonly words: RegExp }
    >
  > = {
    'no reason': { leave: (found) => wants('except', found, 'lee', { until: '2026-12-01' }), words: /names no reason/ },
    'a reason as long as a book': {
      leave: (found) => wants('except', found, 'lee', { ...words, reason: 'x'.repeat(1_001) }),
      words: /longer than 1000 characters/,
    },
    'no day': { leave: (found) => wants('except', found, 'lee', { reason: 'r' }), words: /names no last day/ },
    'a day that is none': { leave: (found) => wants('except', found, 'lee', { ...words, until: '2026-11-31' }), words: /names no last day/ },
    'a day that is over': { leave: (found) => wants('except', found, 'lee', { ...words, until: '2026-10-31' }), words: /is over/ },
    'more than 90 days': { leave: (found) => wants('except', found, 'lee', { ...words, until: '2027-01-31' }), words: /at most 90 days/ },
    'whoever made the change': { event: call('SwitchOn', 'hall'), leave: (found) => wants('except', found, 'dana'), words: /dana may have made the change/ },
    'nobody knows who made it, and no approver': {
      event: call('SwitchOn', 'hall', by('arn:aws:sts::123456789012:assumed-role/Shared/botocore-session-1')),
      leave: (found) => wants('except', found),
      words: /an approver must decide: put the exception into the policy file/,
    },
    'where two persons decide': {
      policy: { approvals: { expires: 3_600, secondPerson: 'HIGH' } },
      leave: (found) => wants('except', found, 'kim'),
      words: /Two persons decide about what is HIGH/,
    },
    'a row with a later day than was signed': {
      leave: (found) =>
        leave(world, viewSubmission(members.lee, 'phidelity:except', actionValue(found.id, actionHash(found, 'except')), words), {
          row: { until: '2027-01-20' },
        }),
      words: /signed for something else \(last day\)/,
    },
    'another finding': {
      leave: (found) => leave(world, viewSubmission(members.lee, 'phidelity:except', actionValue(found.id, actionHash(found, 'snooze')), words)),
      words: /about something else/,
    },
    'nobody of the policy': { policy: { people: {} }, leave: (found) => wants('except', found), words: /names no people/ },
  };
  test.each(Object.entries(refused))('refused: %s', async (_, { policy, event, leave: left, words: said }) => {
    await left(await drifted(asking(policy), event as ReturnType<typeof call>));
    await heeded();
    expect(await last()).toMatch(said);
    expect((await last())!.startsWith('REFUSED: An exception was refused: ')).toBe(true);
    expect(await madeExceptions(world.ledger)).toEqual([]);
    expect(world.sweeps).toEqual([]);
    const told = (await entries()).length;
    await heeded();
    expect(await entries()).toHaveLength(told);
  });

  test('an approver may where nobody knows who made it', async () => {
    await wants('except', await drifted(asking(), call('SwitchOn', 'hall', by('arn:aws:sts::123456789012:assumed-role/Shared/botocore-session-1'))), 'kim');
    await heeded();
    expect(await last()).toMatch(/^EXCEPTED: kim/);
  });

  test('refused: what guards the bot itself', async () => {
    Object.assign(await world.catalogue[0]!.load(), { deployed: () => ({}) });
    await wants('except', await drifted(), 'kim');
    await heeded();
    expect(await last()).toMatch(/^REFUSED: .*guards the bot itself: one person does not except it\. Put the exception into the policy file/);
  });

  test('refused: what ends a public exposure, which its undo needs two persons for', async () => {
    const control = (await world.catalogue[0]!.load()) as { endsPublicExposure?: true };
    control.endsPublicExposure = true;
    await wants('except', await drifted(), 'kim');
    await heeded();
    expect(await last()).toMatch(/^REFUSED: .*one person does not except it\. Put the exception into the policy file/);
    expect(await madeExceptions(world.ledger)).toEqual([]);
  });

  test('refused: a finding that has ended', async () => {
    const found = await drifted();
    world.house.lamps.set('hall', { on: false });
    await world.detect(call('SwitchOff', 'hall'));
    await wants('except', found);
    await heeded();
    expect(await last()).toMatch(/^REFUSED: An exception was refused: The finding has ended \(COMPLIANT\)/);
  });

  test('refused: an event, which is no setting', async () => {
    world.policy = asking();
    await world.detect(call('AnyCall', null, { userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' } }));
    const found = await finding();
    await wants('except', found);
    await wants('recheck', found);
    await wants('snooze', found);
    await heeded();
    expect(
      (await entries())
        .slice(-3)
        .map((entry) => entry.replace(/:.*/, ''))
        .sort(),
    ).toEqual(['REFUSED', 'REFUSED', 'SNOOZED']);
    expect(world.sweeps).toEqual([]);
  });

  // What dies is tried again from the beginning.
  test.each(['ledger.save', 'requestSweeps'])('dies at %s: the next attempt brings it to its end, once', async (at) => {
    const found = await drifted();
    await wants('except', found);
    let died = false;
    world.before = (name) => {
      if (name !== at || died) return;
      died = true;
      throw new Error('killed');
    };
    await expect(heeded()).rejects.toThrow('killed');
    await heeded();
    expect(died).toBe(true);
    expect(await madeExceptions(world.ledger)).toHaveLength(1);
    expect((await entries()).filter((entry) => entry.startsWith('EXCEPTED'))).toHaveLength(1);
    await sweep();
    expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'EXCEPTED' } });
  });
});

describe('snooze', () => {
  test('for a day; nothing ends, and nothing is looked at', async () => {
    await wants('snooze', await drifted());
    await heeded();
    expect(await finding()).toMatchObject({ state: 'open', snoozed: { until: '2026-11-02T03:01:00.000Z', by: 'lee', at: '2026-11-01T03:01:00.000Z' } });
    expect(await last()).toBe(`SNOOZED: lee (slack:${members.lee}) wants no reminders before 2026-11-02T03:01:00.000Z.`);
    expect(world.sweeps).toEqual([]);
  });

  test('refused: whoever made the change', async () => {
    await wants('snooze', await drifted(asking(), call('SwitchOn', 'hall')), 'dana');
    await heeded();
    expect((await finding()).snoozed).toBeUndefined();
    expect(await last()).toMatch(/^REFUSED: A snooze was refused: dana may have made the change/);
  });
});

describe('another look', () => {
  test('anybody of the policy may ask for it, also who made the change', async () => {
    await wants('recheck', await drifted(asking(), call('SwitchOn', 'hall')), 'dana');
    await heeded();
    world.house.lamps.set('hall', { on: false });
    await sweep();
    expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'COMPLIANT' } });
  });

  test('what was there before the bot stays told, not fixed', async () => {
    world.policy = { ...asking(), ...policyOf({ 'lamp-off': {} }), people };
    world.house.lamps.set('hall', { on: true });
    await world.detect(sweepOf('lamp-off', { first: true }));
    const found = await finding();
    expect(found.backlog).toBe(true);
    await wants('recheck', found);
    await heeded();
    await sweep();
    expect(await world.runDispatched()).toEqual([]);
    expect(await finding()).toMatchObject({ state: 'open', backlog: true });
    expect(world.house.writes).toEqual([]);
  });

  test('a bare request, without an answer: looked at, which changes nothing', async () => {
    await drifted();
    const before = await entries();
    await heeded();
    expect(await entries()).toEqual(before);
    expect(world.sweeps).toHaveLength(1);
  });
});

test('given up: the evidence says so', async () => {
  const { id } = await drifted();
  await giveUpHeeding(id, '5 attempts failed, the last with: Error', world.action);
  expect(await last()).toBe('REFUSED: What was asked for could not be done: 5 attempts failed, the last with: Error');
});

test('a flood of wishes does not keep the answer to a question from being heard', async () => {
  const found = await drifted(asking());
  for (let nth = 0; nth < 200; nth += 1) await wants('recheck', found, 'lee');
  await heeded();
  await give(world, await finding(), 'approve', { by: person('kim') });
  await act(found.id, world.action);
  expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' } });
});
