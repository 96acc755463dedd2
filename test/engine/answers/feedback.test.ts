/** What people are told of their answers, and of those that nobody can have given. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import { alertOf } from '../../../engine/alerts/finding.ts';
import { offersOf } from '../../../engine/alerts/offers.ts';
import { actionId, actionValue } from '../../../engine/alerts/render/slack/actions.ts';
import { actionHash } from '../../../engine/answers/action-hash.ts';
import { giveUpHeeding, heed } from '../../../engine/answers/heed.ts';
import { planHash } from '../../../engine/answers/plan-hash.ts';
import type { Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { undo, undoOf } from '../../../engine/undo.ts';
import { give, person } from '../../support/answers.ts';
import { leave, members, people } from '../../support/slack-answers.ts';
import { blockActions, signed, viewSubmission } from '../../support/slack-signer.ts';
import { by, call, policyOf, terraform, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const asking = (parts: Partial<CompiledPolicy> = {}): CompiledPolicy => ({ ...policyOf({ 'lamp-off': { mode: 'approve' } }), people, ...parts });
const finding = async (): Promise<Finding> => (await world.findings())[0]!;
const hash = '0123456789abcdef';

/** A question that people are asked; what was told by then is forgotten. */
async function asked(policy = asking(), event = call('SwitchOn', 'hall', by(terraform))): Promise<Finding> {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(event);
  await act(world.dispatched[0]!, world.action);
  world.advance(60);
  world.alerts.splice(0);
  return finding();
}
const wake = () => finding().then(({ id }) => act(id, world.action, true));
const heeded = () => finding().then(({ id }) => heed(id, world.action));
const click = (who: keyof typeof members | undefined, decision: Parameters<typeof actionId>[0], { id }: Finding, about: string) =>
  blockActions(who ? members[who] : 'U0MALLORY', actionId(decision), actionValue(id, about));
const answered = () => world.alerts.flatMap(({ answered: words }) => words ?? []);
const forged = () => world.alerts.filter(({ headline }) => headline === 'ANSWER FORGED?');

describe('what was answered in Slack and does not count', () => {
  const cases: Readonly<Record<string, readonly [leave: (to: Finding) => Promise<unknown>, words: string, event?: ReturnType<typeof call>]>> = {
    'about another plan': [
      (to) => leave(world, click('lee', 'approve', to, hash)),
      "lee's answer (approve) was refused: It is about another plan than the one that is asked about.",
    ],
    'about an undo that nobody asks for': [
      (to) => leave(world, blockActions(members.kim, actionId('deny', 'undo'), actionValue(to.id, to.question!.planHash))),
      "kim's answer (deny) was refused: It answers another question than the one that is open. Look at the finding, and answer again.",
    ],
    'by whoever made the change': [
      (to) => leave(world, click('dana', 'approve', to, to.question!.planHash)),
      "dana's answer (approve) was refused: dana may have made the change: whoever made it does not decide about it.",
      call('SwitchOn', 'hall'),
    ],
    'too old by the time it is read': [
      async (to) => {
        await leave(world, click('lee', 'approve', to, to.question!.planHash));
        world.advance(61 * 60);
      },
      "lee's answer (approve) was refused: The proof is stale: Slack signed it more than an hour before it was read. Answer again.",
    ],
    'by a member whom the policy does not name': [
      (to) => leave(world, click(undefined, 'approve', to, to.question!.planHash)),
      "An answer (approve) of somebody who is none of the policy's people was refused.",
    ],
  };
  test.each(Object.entries(cases))('%s: said once, where it was said, and nobody is called', async (_, [left, words, event]) => {
    await left(await asked(asking(), event));
    await wake();
    await wake();
    expect(answered()).toEqual([words]);
    expect(world.alerts).toMatchObject([{ urgency: 'notify', headline: 'Approval needed', finding: { id: (await finding()).id } }]);
    expect(JSON.stringify(world.alerts)).not.toMatch(/U0MALLORY|U012|somebody@/);
  });

  test('a wish, and an undo', async () => {
    const found = await asked();
    await leave(
      world,
      viewSubmission(members.lee, 'phidelity:except', actionValue(found.id, actionHash(found, 'except')), { reason: 'r', until: '2026-10-01' }),
    );
    await heeded();
    await leave(world, click('lee', 'approve', found, found.question!.planHash));
    await wake();
    const fixed = await finding();
    const value = actionValue(fixed.id, planHash(fixed, undoOf(fixed)!, 'undo'));
    await leave(world, viewSubmission(members.kim, 'phidelity:undo', value, { reason: 'r', until: '2027-10-01' }));
    await undo(fixed.id, world.action);
    expect(answered()).toEqual([
      "lee's answer (except) was refused: The last day of its exception is over.",
      "kim's answer (undo) was refused: An exception holds at most 90 days.",
    ]);
  });

  test('on the command line it is said there', async () => {
    await give(world, await asked(), 'approve', { question: 'another' });
    await wake();
    expect(world.alerts).toEqual([]);
  });

  test('it cannot be told: nothing waits for that', async () => {
    const found = await asked();
    await leave(world, click('lee', 'approve', found, hash));
    world.before = (name) => {
      if (name === 'alert') throw new Error('no queue');
    };
    expect(await wake()).toMatchObject({ knock: true });
    expect((await finding()).heard).toHaveLength(2);
  });
});

describe('what counts', () => {
  test.each<[string, (found: Finding) => object, string]>([
    ['snooze', (found) => click('lee', 'snooze', found, actionHash(found, 'snooze')), 'Snoozed by lee until 2026-11-02T03:01:00.000Z.'],
    ['recheck', (found) => click('kim', 'recheck', found, actionHash(found, 'recheck')), 'kim wants it looked at again.'],
    [
      'except',
      (found) =>
        viewSubmission(members.lee, actionId('except'), actionValue(found.id, actionHash(found, 'except')), {
          reason: 'the patient is jo@example.com',
          until: '2026-12-01',
        }),
      'Excepted by lee until 2026-12-01.',
    ],
  ])('%s: said once', async (_, payload, words) => {
    const found = await asked();
    await leave(world, payload(found));
    await heeded();
    await heeded();
    expect(answered()).toEqual([words]);
    expect(JSON.stringify(world.alerts)).not.toContain('jo@example.com');
  });

  test('snoozed: the alert shows it', async () => {
    const found = await asked();
    await leave(world, click('lee', 'snooze', found, actionHash(found, 'snooze')));
    await heeded();
    expect(world.alerts).toMatchObject([{ finding: { snoozed: '2026-11-02T03:01:00.000Z' } }]);
  });

  test('the first of two approvals is told everybody who was asked, and once', async () => {
    const found = await asked(asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } }));
    await leave(world, click('lee', 'approve', found, found.question!.planHash));
    await wake();
    await wake();
    expect(world.alerts).toMatchObject([{ urgency: 'page', headline: 'Approval needed' }]);
    expect(world.alerts[0]!.text).toMatch(/Answer: +Approved by lee\. By .*, by another person of the policy/);
    expect(answered()).toEqual([]);
  });

  test('given up: whoever asked in Slack hears of it', async () => {
    const found = await asked();
    await giveUpHeeding(found.id, '5 attempts failed, the last with: Error', world.action);
    expect(answered()).toEqual([]);
    await leave(world, click('lee', 'recheck', found, actionHash(found, 'recheck')));
    await giveUpHeeding(found.id, '5 attempts failed, the last with: Error', world.action);
    expect(answered()).toEqual(['What was asked for could not be done: 5 attempts failed, the last with: Error']);
  });
});

describe('held back by a brake', () => {
  async function heldBack(parts: Partial<CompiledPolicy> = {}): Promise<Finding> {
    world.policy = { ...policyOf({ 'lamp-off': {} }), people, ...parts };
    world.policy = { ...world.policy, guards: { ...world.policy.guards, fixesPerHour: 1 } };
    for (const lamp of ['hall', 'yard']) {
      world.house.lamps.set(lamp, { on: true });
      await world.detect(call('SwitchOn', lamp, by(terraform)));
    }
    await world.runDispatched();
    world.advance(60);
    world.alerts.splice(0);
    return (await world.findings()).find(({ held, control }) => held && control === 'lamp-off')!;
  }
  const decisions = (found: Finding) => offersOf(found, {}).map(({ decision }) => decision);

  test('a person may approve or deny it, as on the command line', async () => {
    const held = await heldBack();
    expect(decisions(held)).toEqual(['approve', 'deny', 'except', 'snooze', 'recheck']);
    const { lines } = alertOf(held, { title: 'Lamps are off', hipaa: [], impact: 'It gets dark.' });
    expect(lines.find(({ label }) => label === 'Answer')!.value).toBe(`By ${held.held!.until}, by a person of the policy who did not make the change.`);
    expect(lines.find(({ label }) => label === 'Command')!.value).toContain(`npx phidelity approve ${held.id}`);
    const [approve] = offersOf(held, {});
    await leave(world, click('lee', 'approve', held, approve!.hash));
    expect(await act(held.id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(world.house.writes).toHaveLength(2);
  });

  test('denied: left as it is, and offered no more', async () => {
    const held = await heldBack();
    await leave(world, click('lee', 'deny', held, held.question!.planHash));
    expect(await act(held.id, world.action)).toEqual({ ended: 'NOTIFIED' });
    expect(world.house.writes).toHaveLength(1);
    expect(decisions((await world.ledger.get(held.id))!)).toEqual(['except', 'snooze', 'recheck']);
  });

  test('the first of two approvals is said in Slack: no other alert would', async () => {
    const held = await heldBack({ approvals: { expires: 3_600, secondPerson: 'LOW' } });
    await leave(world, click('lee', 'approve', held, held.question!.planHash));
    expect(await act(held.id, world.action)).toEqual({ ended: 'AWAITING_APPROVAL' });
    expect(answered()).toEqual(['Approved by lee; another person must approve.']);
    await leave(world, click('kim', 'approve', held, held.question!.planHash));
    expect(await act(held.id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect(answered()).toHaveLength(1);
  });
});

describe('answers that no way in of the bot leaves', () => {
  const approve = (to: Finding) => click('lee', 'approve', to, to.question!.planHash);
  const cases: Readonly<Record<string, readonly [leave: (to: Finding) => Promise<unknown>, tried: RegExp]>> = {
    'no proof': [(to) => give(world, to, 'approve', { proof: undefined }), /\(approve\).* bears no proof of who gave it/],
    'no proof, to an old question': [(to) => give(world, to, 'deny', { proof: undefined, question: 'old' }), /\(deny\).* bears no proof/],
    'a signature of another secret': [(to) => leave(world, approve(to), { secret: 'another' }), /signature is not that of the Slack app/],
    'a signature of another secret, about an old plan': [
      (to) => leave(world, click('lee', 'approve', to, hash), { secret: 'another' }),
      /signature is not that of the Slack app/,
    ],
    'another decision than was signed': [(to) => leave(world, click('lee', 'deny', to, to.question!.planHash), { row: { decision: 'approve' } }), /decision/],
    'a click that is no answer': [
      (to) => leave(world, click('lee', 'except', to, to.question!.planHash), { row: { findingId: to.id, planHash: to.question!.planHash.slice(0, 16) } }),
      /no answer that somebody gave in Slack/,
    ],
    'a copy at another time': [
      (to) => {
        const signedAt = world.clock.now();
        world.advance(360);
        return leave(world, approve(to), { signedAt });
      },
      /not left at the time/,
    ],
    'a proof of another answer': [
      async (to) => {
        const proof = signed('8f742231b10e8888abcd99yyyzzz85a5', click('dana', 'approve', to, to.question!.planHash), world.clock.now());
        await leave(world, approve(to), { proof });
        await leave(world, approve(to), { proof, row: { id: 'copied' } });
      },
      /proof is that of an answer that was given before/,
    ],
    'AWS does not confirm it': [(to) => give(world, to, 'approve', { by: '' }), /AWS STS does not confirm its proof/],
    'signed with credentials for something else': [
      (to) => give(world, to, 'approve', { proofOf: { decision: 'deny' } }),
      /signed for something else \(decision\)/,
    ],
  };
  test.each(Object.entries(cases))('%s: a page of its own, once', async (_, [left, tried]) => {
    const found = await asked(asking({ approvals: { expires: 7_200, secondPerson: 'LOW' } }));
    await left(found);
    await wake();
    await wake();
    expect(forged()).toHaveLength(1);
    const [page] = forged();
    expect(page).toMatchObject({
      urgency: 'page',
      status: 'REFUSED',
      severity: 'HIGH',
      control: 'lamp-off',
      subject: expect.stringMatching(/^\[HIGH\] ANSWER FORGED\? (approve|deny) for lamp-off on hall$/),
      hipaa: ['164.308(a)(6)(ii)', '164.312(d)'],
    });
    expect(page!.finding).toBeUndefined();
    expect(page!.text).toMatch(tried);
    expect(page!.text).toContain("Somebody who can write into the bot's table may be trying to answer in the name of others.");
    expect(world.house.writes).toEqual([]);
    // Whoever is named in it need not know of it.
    expect(answered().filter((words) => !words.startsWith('dana'))).toEqual([]);
  });

  test('a storm of them is one page a day about a finding', async () => {
    const found = await asked(asking({ approvals: { expires: 7 * 86_400 } }));
    for (let nth = 0; nth < 5; nth += 1) await give(world, found, 'approve', { proof: undefined });
    await wake();
    await give(world, found, 'approve', { proof: undefined });
    await wake();
    expect(forged()).toHaveLength(1);
    world.advance(86_400);
    await give(world, found, 'approve', { proof: undefined });
    await wake();
    expect(forged().map(({ id }) => id)).toEqual([`${found.id}:forged:2026-11-01`, `${found.id}:forged:2026-11-02`]);
  });

  test('wishes and undos are looked at likewise', async () => {
    const found = await asked();
    await give(world, found, 'snooze', { proof: undefined, planHash: actionHash(found, 'snooze') });
    await heeded();
    expect(forged()).toHaveLength(1);
    world.advance(86_400);
    await leave(world, click('lee', 'approve', found, found.question!.planHash));
    await wake();
    await give(world, await finding(), 'undo', { proof: undefined });
    await undo(found.id, world.action);
    expect(forged()).toHaveLength(2);
  });

  test('that cannot be told: the answer is judged again', async () => {
    const found = await asked();
    await give(world, found, 'approve', { proof: undefined });
    world.before = (name) => {
      if (name === 'alert') throw new Error('no queue');
    };
    await expect(wake()).rejects.toThrow('no queue');
    world.before = () => {};
    await wake();
    expect(forged()).toHaveLength(1);
  });

  test.each<[string, (to: Finding) => Promise<unknown>]>([
    ['an old one', (to) => give(world, to, 'approve', { signedAt: new Date(world.clock.now().getTime() - 16 * 60_000) })],
    [
      'an old one to an old question',
      (to) => give(world, to, 'approve', { signedAt: new Date(world.clock.now().getTime() - 16 * 60_000), question: 'old', by: '' }),
    ],
    ['somebody whom the policy does not name', (to) => give(world, to, 'approve', { by: person('mallory') })],
    ['an answer to an old question', (to) => give(world, to, 'approve', { question: 'old' })],
    ['a knock', async () => world.advance(600)],
  ])('%s is none', async (_, left) => {
    await left(await asked());
    await wake();
    expect((await world.ledger.entries((await finding()).id)).at(-1)).toMatchObject({ kind: 'REFUSED' });
    expect(forged()).toEqual([]);
  });

  test('nobody can tell whose it is while STS or the secret cannot be read: no page, and it does not count', async () => {
    await give(world, await asked(), 'approve', { question: 'old' });
    world.ports.prove = async () => {
      throw new Error('no STS');
    };
    await wake();
    expect((await world.ledger.entries((await finding()).id)).at(-1)).toMatchObject({ kind: 'REFUSED' });
    expect(world.alerts).toEqual([]);
  });
});
