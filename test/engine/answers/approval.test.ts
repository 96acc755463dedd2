import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import type { Answer, Finding, Question, StsProof } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { give, people, person, signed } from '../../support/answers.ts';
import { by, call, configItem, lampArn, policyOf, sweepOf, terraform, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const asking = (parts: Partial<CompiledPolicy> = {}): CompiledPolicy => ({ ...policyOf({ 'lamp-off': { mode: 'approve' } }), people, ...parts });
const finding = async (): Promise<Finding> => (await world.findings())[0]!;
const entries = async () => (await world.ledger.entries((await finding()).id)).map(({ kind, note }) => `${kind}: ${note}`);
const refusals = async () => (await entries()).filter((entry) => entry.startsWith('REFUSED'));

/** A lamp that somebody has switched on, and people asked. */
async function asked(policy = asking(), event = call('SwitchOn', 'hall', by(terraform))): Promise<Finding> {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(event);
  expect(await act(world.dispatched[0]!, world.action)).toMatchObject({ knock: true });
  return finding();
}
const wake = () => finding().then(({ id }) => act(id, world.action, true));

describe('asking', () => {
  test('a page that says what would be written, who may answer, how, until when, and what silence means', async () => {
    const { id, question } = await asked();
    expect(world.alerts).toMatchObject([{ urgency: 'page', status: 'AWAITING_APPROVAL', subject: '[HIGH] Approval needed: lamp-off on hall' }]);
    const { text } = world.alerts[0]!;
    expect(text).toContain('Proposal:  Switch the lamp off');
    expect(text).toContain('Answer:    By 2026-11-04T03:00:00.000Z, by a person of the policy who did not make the change. Unanswered means denied.');
    expect(text).toContain(`Command:   npx phidelity approve ${id} --stack NAME, or deny ${id}. Plan ${question!.planHash.slice(0, 12)}.`);
    expect(world.house.writes).toEqual([]);
  });

  test('asked once: wakes, doubles and sweeps ask nothing anew', async () => {
    const { question } = await asked();
    await act((await finding()).id, world.action);
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['AWAITING_APPROVAL']);
    expect((await finding()).question).toEqual(question);
    expect(world.alerts).toHaveLength(1);
  });

  test('put right by a person: nothing waits any more', async () => {
    const { id } = await asked();
    world.house.lamps.set('hall', { on: false });
    await world.detect(call('SwitchOff', 'hall'));
    expect(world.stopped).toEqual([id]);
    expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'COMPLIANT' } });
    expect(world.alerts.at(-1)!.subject).toBe('[HIGH] Resolved: lamp-off on hall');
  });

  test('the control is switched off: the question is withdrawn', async () => {
    const { id } = await asked();
    world.policy = { ...asking(), ...policyOf({ 'lamp-off': { mode: 'off' } }, 'p2') };
    await world.tick();
    expect(world.stopped).toEqual([id]);
    expect(await finding()).toMatchObject({ state: 'resolved', outcome: { status: 'OFF' } });
  });

  test('the execution that was to end the question is dead: another is asked for after its time', async () => {
    await asked();
    world.dispatched.length = 0;
    world.advance(73 * 3_600);
    await world.tick();
    expect(world.dispatched).toEqual([`${(await finding()).id}-2`]);
    expect(await world.runDispatched()).toEqual(['PAGED']);
  });
});

describe('approved', () => {
  test('by a person who did not make the change: fixed, verified, and said by whom', async () => {
    await give(world, await asked(), 'approve');
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
    expect(world.house.writes).toEqual(['hall=false']);
    expect(await entries()).toContainEqual(expect.stringMatching(/^APPROVED: lee \(arn:.*\/lee\) approved plan [0-9a-f]{12}\.$/));
    expect((await finding()).question?.approvals).toMatchObject([{ person: 'lee', arn: person('lee') }]);
  });

  test('a fix that fails after it: the approval is used up, the next attempt asks anew', async () => {
    const { question, id } = await asked();
    await give(world, await finding(), 'approve');
    world.house.before = (name) => {
      if (name === 'write') throw Object.assign(new Error('no'), { name: 'AccessDenied' });
    };
    await expect(act(id, world.action, true)).rejects.toThrow('no');
    world.house.before = () => {};
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(question).toBeDefined();
  });

  test('policy, exception, kill switch and live state are asked again after it', async () => {
    await give(world, await asked(), 'approve');
    world.killSwitch = 'on';
    expect(await wake()).toEqual({ ended: 'PAGED' });
    expect(world.house.writes).toEqual([]);
  });

  test('a brake does not hold back what a person has approved', async () => {
    const guards = { ...asking().guards, fixesPerHour: 1 };
    world.policy = { ...policyOf({ 'lamp-off': {} }), people, guards };
    for (const lamp of ['hall', 'attic']) {
      world.house.lamps.set(lamp, { on: true });
      await world.detect(call('SwitchOn', lamp, by(terraform)));
    }
    expect(await world.runDispatched()).toEqual(['REMEDIATED', 'AWAITING_APPROVAL']);
    const held = (await world.findings()).find(({ state, control }) => state === 'open' && control === 'lamp-off')!;
    await give(world, held, 'approve');
    expect(await act(held.id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });
});

describe('an approval in time', () => {
  test('that is heard when the time has just run out counts', async () => {
    const { question } = await asked();
    world.advance(72 * 3_600 - 1);
    await give(world, await finding(), 'approve');
    world.advance(30);
    expect(world.clock.now().toISOString() > question!.expires).toBe(true);
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
    expect((await entries()).filter((entry) => entry.startsWith('EXPIRED'))).toEqual([]);
  });

  test.each<[string, number, string]>([
    ['counts while its fix waits for its stack', 90, 'REMEDIATED'],
    ['counts no day longer', 72 * 60, 'PAGED'],
  ])('%s', async (_, minutes, ended) => {
    const stackId = `arn:aws:cloudformation:us-east-1:123456789012:stack/house/1`;
    world.tags.set(lampArn('hall'), { 'aws:cloudformation:stack-name': 'house', 'aws:cloudformation:stack-id': stackId });
    const { id } = await asked();
    world.advance(72 * 3_600 - 60);
    world.stacks.set(stackId, 'UPDATE_IN_PROGRESS');
    await give(world, await finding(), 'approve');
    expect(await wake()).toMatchObject({ again: 60 });
    world.advance(minutes * 60);
    world.stacks.set(stackId, 'UPDATE_COMPLETE');
    expect(await act(id, world.action)).toEqual({ ended });
    if (ended === 'PAGED') expect((await finding()).outcome!.reason).toMatch(/^It was approved, but could not be carried out by/);
  });
});

test('two persons approve what a brake holds back: the first yes is kept', async () => {
  const guards = { ...asking().guards, fixesPerHour: 1 };
  world.policy = { ...policyOf({ 'lamp-off': {} }), people, guards, approvals: { expires: 3_600, secondPerson: 'HIGH' } };
  for (const lamp of ['hall', 'attic']) {
    world.house.lamps.set(lamp, { on: true });
    await world.detect(call('SwitchOn', lamp, by(terraform)));
  }
  expect(await world.runDispatched()).toEqual(['REMEDIATED', 'AWAITING_APPROVAL']);
  const { id } = (await world.findings()).find(({ state, control }) => state === 'open' && control === 'lamp-off')!;
  for (const [name, ended] of [
    ['lee', 'AWAITING_APPROVAL'],
    ['kim', 'REMEDIATED'],
  ] as const) {
    await give(world, (await world.ledger.get(id))!, 'approve', { by: person(name) });
    expect(await act(id, world.action)).toEqual({ ended });
  }
});

describe('a plan that is no longer what was asked', () => {
  test('is asked about anew, and the old answer counts for nothing', async () => {
    const first = await asked();
    const { plan } = (await world.catalogue[0]!.load()) as { plan: unknown };
    expect(plan).toBeDefined();
    // Another setting before: the plan would take back something else.
    world.house.lamps.set('hall', { on: true, bright: true } as never);
    const control = (await world.catalogue[0]!.load()) as unknown as { plan: (state: object) => object };
    const given = control.plan;
    control.plan = (state) => ({ ...given(state), before: state });
    await give(world, first, 'approve');
    expect(await wake()).toMatchObject({ knock: true });
    control.plan = given;
    const { question } = await finding();
    expect(question!.id).not.toBe(first.question!.id);
    expect(question!.planHash).not.toBe(first.question!.planHash);
    expect(world.house.writes).toEqual([]);
    expect(world.alerts).toHaveLength(2);
  });

  test('a new event wakes another execution that asks, and the one that waits is stopped', async () => {
    const { id } = await asked();
    const control = (await world.catalogue[0]!.load()) as unknown as { plan: (state: object) => object };
    const given = control.plan;
    control.plan = (state) => ({ ...given(state), before: { on: true, since: 'yesterday' } });
    world.dispatched.length = 0;
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    expect(world.stopped).toEqual([id]);
    expect(await world.runDispatched()).toEqual(['AWAITING_APPROVAL']);
    control.plan = given;
    expect((await entries()).filter((entry) => entry.startsWith('ASKED'))).toHaveLength(2);
  });
});

describe('denied', () => {
  test('by a person: it stays open, is told, and is not asked again while the plan is the same', async () => {
    await give(world, await asked(), 'deny', { reason: 'needed tonight' });
    expect(await wake()).toEqual({ ended: 'NOTIFIED' });
    expect(await finding()).toMatchObject({ state: 'open', decision: { action: 'notify', reason: 'lee denied it: needed tonight' } });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    await world.detect(sweepOf('lamp-off'));
    world.advance(86_400);
    await world.detect(sweepOf('lamp-off'));
    expect(await world.runDispatched()).toEqual(['NOTIFIED']);
    expect(world.house.writes).toEqual([]);
  });

  test('ends the question: a yes that comes after it finds nothing to answer', async () => {
    const { question } = await asked();
    await give(world, await finding(), 'deny');
    await wake();
    expect(await finding()).toMatchObject({ denied: { planHash: question!.planHash, by: 'lee' } });
    expect((await finding()).question).toBeUndefined();
  });

  test('by silence: a page, and nothing is written', async () => {
    await asked();
    world.advance(72 * 3_600 + 1);
    expect(await act((await finding()).id, world.action)).toEqual({ ended: 'PAGED' });
    expect(await finding()).toMatchObject({ state: 'open', outcome: { status: 'PAGED' } });
    expect((await finding()).outcome!.reason).toMatch(/^Nobody has approved it by 2026-11-04T03:00:00.000Z, and what is not approved is denied/);
    expect(world.house.writes).toEqual([]);
  });

  test('an operator who wants it treated like new drift has it asked anew', async () => {
    await give(world, await asked(), 'deny');
    await wake();
    world.dispatched.length = 0;
    await world.detect(sweepOf('lamp-off', { apply: true }));
    expect(await world.runDispatched()).toEqual(['AWAITING_APPROVAL']);
  });

  test('a planned fix: told at once, denied during its wait, never written', async () => {
    world.policy = { ...policyOf({ 'lamp-off': { fixAfter: 3_600 } }), people };
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    const { id } = await finding();
    expect(await act(id, world.action)).toMatchObject({ again: 3_600, knock: true });
    await give(world, await finding(), 'deny', { reason: 'not tonight' });
    world.advance(60);
    expect(await act(id, world.action, true)).toEqual({ ended: 'NOTIFIED' });
    world.advance(3_600);
    await world.tick();
    expect(await world.runDispatched()).not.toContain('REMEDIATED');
    expect(world.house.writes).toEqual([]);
  });

  test('a planned fix that nobody denies is made when it is due', async () => {
    world.policy = { ...policyOf({ 'lamp-off': { fixAfter: 3_600 } }), people };
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    const { id } = await finding();
    await act(id, world.action);
    world.advance(3_601);
    expect(await act(id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });
});

describe('refused, each with its own words and an entry', () => {
  const refused: Readonly<Record<string, { readonly give: (asked: Finding) => Promise<Answer | void>; readonly words: RegExp }>> = {
    'a knock without an answer': { give: async () => {}, words: /Something woke the execution, but there is no answer/ },
    'a row without a proof': { give: (to) => give(world, to, 'approve', { proof: undefined }), words: /no proof of who gave it/ },
    'a proof of another form': {
      give: (to) => give(world, to, 'approve', { proof: { kind: 'sts', headers: { authorization: 'Bearer x' } } }),
      words: /not a signed request/,
    },
    'a proof with headers that nobody can send': {
      give: (to) => {
        const said = { findingId: to.id, decision: 'approve', question: to.question!.id, planHash: to.question!.planHash } as const;
        const { authorization = '', ...headers } = signed(world, said, person('lee')).headers;
        const with_ = authorization.replace('SignedHeaders=', 'SignedHeaders=accept;transfer-encoding;');
        const proof: StsProof = { kind: 'sts', headers: { ...headers, authorization: with_, accept: 'application/json', 'transfer-encoding': 'a\nb' } };
        return world.ledger.answer({ ...said, id: 'x', at: world.clock.now().toISOString(), proof });
      },
      words: /not a signed request/,
    },
    'a reason as long as a book': { give: (to) => give(world, to, 'deny', { reason: 'x'.repeat(1_001) }), words: /longer than 1000 characters/ },
    'a proof that AWS does not confirm': { give: (to) => give(world, to, 'approve', { by: '' }), words: /AWS STS does not confirm/ },
    'a proof for another finding': {
      give: (to) => give(world, to, 'approve', { proofOf: { findingId: 'f-other' } }),
      words: /signed for something else \(finding\)/,
    },
    'a proof for another plan': { give: (to) => give(world, to, 'approve', { proofOf: { planHash: '0' } }), words: /signed for something else \(plan\)/ },
    'a proof of a no under a yes': {
      give: (to) => give(world, to, 'approve', { proofOf: { decision: 'deny' } }),
      words: /signed for something else \(decision\)/,
    },
    'a reason that was not signed': {
      give: (to) => give(world, to, 'deny', { reason: 'forged', proofOf: { reason: 'true' } }),
      words: /signed for something else \(words\)/,
    },
    'another plan than is asked about': { give: (to) => give(world, to, 'approve', { planHash: '0' }), words: /about another plan/ },
    'an earlier question': { give: (to) => give(world, to, 'approve', { question: 'earlier' }), words: /another question/ },
    'a stale proof': { give: (to) => give(world, to, 'approve', { signedAt: new Date(world.clock.now().getTime() - 16 * 60_000) }), words: /stale/ },
    'a proof from the future': {
      give: (to) => give(world, to, 'approve', { signedAt: new Date(world.clock.now().getTime() + 16 * 60_000) }),
      words: /dated in the future/,
    },
    'nobody of the policy': { give: (to) => give(world, to, 'approve', { by: person('mallory') }), words: /none of the people of the policy/ },
    'a role of that name in another account': {
      give: (to) => give(world, to, 'approve', { by: 'arn:aws:sts::666666666666:assumed-role/SecOps/lee' }),
      words: /none of the people of the policy/,
    },
    'the credentials of a process are no proof to a deployed bot': {
      give: (to) => give(world, to, 'approve', { proof: { kind: 'caller' } }),
      words: /does not confirm/,
    },
  };
  test.each(Object.entries(refused))('%s', async (_, { give: answered, words }) => {
    await answered(await asked());
    expect(await wake()).toMatchObject({ knock: true });
    expect(await refusals()).toEqual([expect.stringMatching(words)]);
    expect(world.house.writes).toEqual([]);
    // It is not heard twice.
    await act((await finding()).id, world.action);
    expect(await refusals()).toHaveLength(1);
  });

  test('whoever made the change, also under another role', async () => {
    await give(world, await asked(asking(), call('SwitchOn', 'hall')), 'approve', { by: person('dana') });
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/dana may have made the change/)]);
  });

  test('the same proof in another row', async () => {
    const policy = asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } });
    const { id: _, ...first } = await give(world, await asked(policy), 'approve');
    await wake();
    await world.ledger.answer({ ...first, id: 'copy' });
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/Its proof has been used already/)]);
    expect(world.house.writes).toEqual([]);
  });

  test('the same proof written another way', async () => {
    const policy = asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } });
    const { id: _, proof, ...first } = await give(world, await asked(policy), 'approve');
    await wake();
    const { authorization = '', ...headers } = (proof as StsProof).headers;
    await world.ledger.answer({ ...first, id: 'copy', proof: { kind: 'sts', headers: { ...headers, authorization: authorization.replaceAll(', ', ',') } } });
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/Its proof has been used already/)]);
  });

  test('a flood: so many are heard, then no more, and none is forgotten', async () => {
    const found = await asked();
    for (let index = 0; index < 320; index += 1) await give(world, found, 'approve', { id: `forged-${index}`, proof: undefined });
    for (let round = 0; round < 12; round += 1) await act(found.id, world.action);
    expect((await finding()).heard).toHaveLength(300);
    expect(await refusals()).toHaveLength(300);
    expect((await refusals()).at(-1)).toContain('no more answers are heard');
    expect(world.house.writes).toEqual([]);
  });

  test('an answer that was heard by an attempt that died then has woken what comes after it', async () => {
    const policy = asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } });
    await give(world, await asked(policy), 'approve');
    await wake();
    await wake();
    expect(await refusals()).toEqual([]);
  });

  test('not while AWS STS cannot be asked: the answer waits, and is heard later', async () => {
    await give(world, await asked(), 'approve');
    const { prove } = world.ports;
    world.ports.prove = async () => {
      throw new Error('503');
    };
    expect(await wake()).toMatchObject({ again: 60 });
    expect(await refusals()).toEqual([]);
    world.ports.prove = prove;
    world.advance(60);
    expect(await act((await finding()).id, world.action)).toEqual({ ended: 'REMEDIATED' });
  });

  test('a policy without people', async () => {
    await give(world, await asked(asking({ people: {} })), 'approve');
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/names no people who may answer/)]);
  });

  /** The finding's own row, as somebody who may write the table leaves it. */
  async function rewrite(finding: Finding, parts: Partial<Finding>): Promise<void> {
    const row = { ...finding, ...parts, version: finding.version + 1 };
    const [entry] = (await world.ledger.entries(row.id)).slice(-1);
    await world.ledger.save(row, { ...entry!, seq: row.version });
  }

  test('an approval written into the finding’s own row has no seal that fits', async () => {
    const found = await asked();
    const forged = { person: 'lee', arn: person('lee'), at: '2026-11-01T03:00:00Z', seal: 'sealed by me' };
    await rewrite(found, { question: { ...found.question!, approvals: [forged] } });
    expect(await act(found.id, world.action)).toMatchObject({ knock: true });
    expect(world.house.writes).toEqual([]);
    // Nor does it keep the person from answering.
    await give(world, await finding(), 'approve');
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
  });

  test.each<[string, (question: Question) => Partial<Question>]>([
    ['that nobody needs to answer', () => ({ needs: 0 })],
    ['that fewer must answer than the one that was approved', () => ({ needs: 1 })],
    ['that stands longer', ({ expires }) => ({ expires: expires.replace('2026', '2027') })],
  ])('a question written into the row, %s', async (_, parts) => {
    const found = await asked(asking({ approvals: { expires: 3_600, secondPerson: 'HIGH' } }));
    await give(world, found, 'approve');
    await wake();
    const { question } = await finding();
    await rewrite(await finding(), { question: { ...question!, ...parts(question!) } });
    expect(await act(found.id, world.action)).toMatchObject({ knock: true });
    expect(world.house.writes).toEqual([]);
  });

  test('an approval of an earlier episode, with its question, written into the row of this one', async () => {
    const first = await asked();
    await give(world, first, 'approve');
    await wake();
    const { question } = await finding();
    world.house.writes = [];
    world.dispatched.length = 0;
    world.house.lamps.set('hall', { on: true });
    await world.detect(call('SwitchOn', 'hall', by(terraform)));
    const [second] = await world.findings().then((all) => all.filter(({ episode }) => episode === 2));
    await act(second!.id, world.action);
    await rewrite((await world.ledger.get(second!.id))!, { question });
    expect(await act(second!.id, world.action)).toMatchObject({ knock: true });
    expect(world.house.writes).toEqual([]);
  });
});

test('who is known only later to have made the change has not approved it', async () => {
  await give(world, await asked(asking(), configItem('hall')), 'approve');
  await wake();
  expect((await finding()).question!.approvals).toHaveLength(1);
  await world.detect(call('SwitchOn', 'hall', by(person('lee'))));
  expect(await wake()).toMatchObject({ knock: true });
  expect(world.house.writes).toEqual([]);
  await give(world, await finding(), 'approve', { by: person('kim') });
  expect(await wake()).toEqual({ ended: 'REMEDIATED' });
});

describe('a death right after an answer was heard', () => {
  const diesAt = (at: { before: (call: string) => unknown }, call: string) => {
    const { before } = at;
    at.before = (name) => {
      if (name !== call) return;
      at.before = before;
      throw new Error('killed');
    };
  };

  test('an approved fix goes on without asking again, and no knock is blamed', async () => {
    await give(world, await asked(), 'approve');
    diesAt(world.house, 'write');
    await expect(wake()).rejects.toThrow('killed');
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
    expect(world.house.writes).toEqual(['hall=false']);
    const kinds = (await entries()).map((entry) => entry.split(':')[0]);
    expect(kinds.filter((kind) => !['ALERTED', 'DISPATCHED'].includes(kind!))).toEqual(['OPENED', 'ASKED', 'APPROVED', 'INTENDED', 'REMEDIATED']);
  });

  test('one of two approvals: what woke it was that; a later knock is one alone', async () => {
    await give(world, await asked(asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } })), 'approve');
    diesAt(world, 'alert');
    await expect(wake()).rejects.toThrow('killed');
    expect(await wake()).toMatchObject({ knock: true });
    expect(await refusals()).toEqual([]);
    world.advance(6 * 60);
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/there is no answer/)]);
  });

  test('an answer that was refused: what woke it was that', async () => {
    await give(world, await asked(), 'approve', { by: person('mallory') });
    await wake();
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/none of the people/)]);
  });
});

describe('a second person', () => {
  test.each<[string, () => Promise<Finding>, readonly string[], boolean]>([
    ['one is enough below the severity', () => asked(asking({ approvals: { expires: 3_600, secondPerson: 'CRITICAL' } })), ['lee'], true],
    ['two from the severity on', () => asked(asking({ approvals: { expires: 3_600, secondPerson: 'HIGH' } })), ['lee', 'kim'], true],
    ['the same one twice is one', () => asked(asking({ approvals: { expires: 3_600, secondPerson: 'HIGH' } })), ['lee', 'lee'], false],
    ['who made it is unknown: one who is no approver', () => asked(asking(), configItem('hall')), ['lee'], false],
    ['who made it is unknown: an approver', () => asked(asking(), configItem('hall')), ['kim'], true],
    ['who made it is unknown: two persons', () => asked(asking(), configItem('hall')), ['lee', 'dana'], true],
    [
      'a session of a shared role that names nobody',
      () => asked(asking(), call('SwitchOn', 'hall', by('arn:aws:sts::123456789012:assumed-role/Admin/botocore-session-1700000000'))),
      ['lee'],
      false,
    ],
  ])('%s', async (_, ask, names, fixed) => {
    await ask();
    let last: unknown;
    for (const name of names) {
      await give(world, await finding(), 'approve', { by: person(name) });
      last = await wake();
    }
    expect(last).toMatchObject(fixed ? { ended: 'REMEDIATED' } : { knock: true });
    expect(world.house.writes).toHaveLength(fixed ? 1 : 0);
  });

  test('the first yes is told, and that another person must say so too', async () => {
    await give(world, await asked(asking({ approvals: { expires: 3_600, secondPerson: 'HIGH' } })), 'approve');
    await wake();
    expect(world.alerts).toHaveLength(2);
    expect(world.alerts[1]!.text).toContain('Approved by lee. By 2026-11-01T04:00:00.000Z, by another person');
  });
});
