/** A control whose approvers the policy names: everybody else of the policy decides nothing about it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import { actionHash } from '../../../engine/answers/action-hash.ts';
import { heed } from '../../../engine/answers/heed.ts';
import { answerWords } from '../../../engine/answers/words.ts';
import { except, madeExceptions } from '../../../engine/exceptions.ts';
import type { Actor, Answer, Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { undo } from '../../../engine/undo.ts';
import { give, people, person } from '../../support/answers.ts';
import { by, call, policyOf, terraform, World } from '../../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const left = (approvers: readonly string[] | undefined, mode: 'approve' | 'fix' = 'approve'): CompiledPolicy => ({
  ...policyOf({ 'lamp-off': { mode, ...(approvers && { approvers }) } }),
  people,
});
const finding = async (): Promise<Finding> => (await world.findings())[0]!;
const lastWords = async () => (await world.ledger.entries((await finding()).id)).map(({ kind, note }) => `${kind}: ${note}`).at(-1);

async function drifted(policy: CompiledPolicy): Promise<Finding> {
  world.policy = policy;
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  await act(world.dispatched[0]!, world.action);
  return finding();
}
const refused = /^REFUSED: .* was refused: lee does not decide about lamp-off: the policy leaves it to dana, kim\.$/;
const wake = () => finding().then(({ id }) => act(id, world.action, true));

test('one of them approves: fixed', async () => {
  await give(world, await drifted(left(['dana', 'kim'])), 'approve', { by: person('kim') });
  expect(await wake()).toEqual({ ended: 'REMEDIATED' });
});

const own = (decision: Answer['decision']) => async (found: Finding) => {
  await give(world, found, decision, { by: person('lee'), planHash: actionHash(found, decision as 'end'), reason: 'scratch', until: '2026-12-01' });
};
test.each<[string, 'approve' | 'fix', (found: Finding) => Promise<unknown>, () => Promise<unknown>]>([
  ['approve', 'approve', (found) => give(world, found, 'approve'), wake],
  ['deny', 'approve', (found) => give(world, found, 'deny'), wake],
  ['except', 'approve', own('except'), async () => heed((await finding()).id, world.action)],
  ['snooze', 'approve', own('snooze'), async () => heed((await finding()).id, world.action)],
  ['undo', 'fix', (found) => give(world, found, 'undo'), async () => undo((await finding()).id, world.action)],
])('%s by another person of the policy is refused, and changes nothing', async (_, mode, answer, hear) => {
  const found = await drifted(left(['dana', 'kim'], mode));
  const writes = [...world.house.writes];
  await answer(found);
  await hear();
  expect(await lastWords()).toMatch(refused);
  expect(world.house.writes).toEqual(writes);
  expect(await madeExceptions(world.ledger)).toEqual([]);
  expect(await finding()).toMatchObject({ state: found.state, outcome: { status: found.outcome!.status } });
});

test('an exception is ended by none but them', async () => {
  const found = await drifted(left(['dana', 'kim'], 'fix'));
  const { control, resource, id: findingId } = found;
  await except([{ control, resource, reason: 'r', approvedBy: 'kim', expires: '2026-12-01', findingId, at: found.openedAt }], world.ports);
  await own('end')(found);
  await act(found.id, world.action);
  await undo(found.id, world.action);
  expect(await madeExceptions(world.ledger)).toHaveLength(1);
  expect(await lastWords()).toMatch(refused);
});

test('another look decides nothing: anybody of the policy may ask for it', async () => {
  const found = await drifted(left(['dana', 'kim']));
  await own('recheck')(found);
  await heed(found.id, world.action);
  expect(await lastWords()).toMatch(/^RECHECK_ASKED: lee /);
});

test('whom the policy of the moment of the write no longer leaves it to has not approved it', async () => {
  const found = await drifted({ ...left(['kim', 'lee']), approvals: { expires: 3_600, secondPerson: 'HIGH' } });
  await give(world, found, 'approve', { by: person('lee') });
  await wake();
  world.policy = { ...left(['kim', 'dana']), approvals: { expires: 3_600, secondPerson: 'HIGH' } };
  await give(world, await finding(), 'approve', { by: person('kim') });
  expect(await wake()).toMatchObject({ knock: true });
  expect(world.house.writes).toEqual([]);
  await give(world, await finding(), 'approve', { by: person('dana') });
  expect(await wake()).toEqual({ ended: 'REMEDIATED' });
});

test('a planned fix: the alert says to whom its denial is left', async () => {
  world.policy = { ...policyOf({ 'lamp-off': { fixAfter: 3_600, approvers: ['dana', 'kim'] } }), people };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  await act(world.dispatched[0]!, world.action);
  expect(answerWords(await finding())).toMatch(/^Deny it before \S+, and it is not fixed\. The policy leaves that to dana, kim\.$/);
});

describe('the alert names them', () => {
  const known: Actor = {
    ...(by(terraform) as { actor?: Actor }).actor!,
    arn: 'arn:aws:iam::123456789012:user/mallory',
    type: 'IAMUser',
    principalId: 'AIDA',
  } as Actor;
  const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  test.each<[string, readonly string[], Partial<Finding['question'] & object>, Actor | undefined, RegExp]>([
    ['one of two', ['dana', 'kim'], {}, known, /, by one of dana, kim who did not make the change\. /],
    ['two of them', ['dana', 'kim'], { needs: 2 }, known, /, by two of dana, kim who did not make the change\. /],
    ['nobody knows who made it', ['dana', 'kim'], {}, undefined, /, by an approver among dana, kim, or two of them: nobody can tell/],
    ['one has said yes', ['dana', 'kim'], { approvals: [{ person: 'kim', arn: '', at: '', seal: '' }] }, known, /, by another of dana, kim, who did not/],
    ['many', seven, {}, known, /, by one of a, b, c, d, e, f and 1 more who did not make the change\. /],
  ])('%s', async (_, approvers, parts, actor, words) => {
    const { actor: __, ...found } = await drifted(left(approvers));
    const told = answerWords({ ...found, ...(actor && { actor }), question: { ...found.question!, ...parts } });
    expect(told).toMatch(words);
  });
});
