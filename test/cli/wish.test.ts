/** `except`, `snooze`, `recheck`, from the command to what the evidence says, on a small account in memory. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { wish } from '../../cli/commands/wish.ts';
import { act } from '../../engine/act.ts';
import { heed } from '../../engine/answers/heed.ts';
import type { Finding } from '../../engine/model.ts';
import { give, people } from '../support/answers.ts';
import { by, call, policyOf, terraform, World } from '../support/world.ts';

let world: World;
let printed: string;
beforeEach(() => {
  world = new World();
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  world.close();
});

const options = { state: '.phidelity', policy: 'account.yaml', json: true } as const;
const desk = () => ({
  ledger: world.ledger,
  clock: world.clock,
  policy: world.policy,
  close() {},
  async give(said: Parameters<Parameters<typeof wish>[3]['give']>[0]) {
    const answer = await give(world, (await world.ledger.get(said.findingId))!, said.decision, said);
    await heed(said.findingId, world.action);
    return answer;
  },
});

async function drifted(): Promise<Finding> {
  world.policy = { ...policyOf({ 'lamp-off': { mode: 'approve' } }), people };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  await act(world.dispatched[0]!, world.action);
  return (await world.findings())[0]!;
}

test.each([
  ['except', { reason: ' scratch ', for: '14d' }, /^lee .* excepted it until 2026-11-15: scratch$/],
  ['snooze', {}, /^lee .* wants no reminders before 2026-11-02/],
  ['recheck', {}, /^lee .* wants it looked at again\.$/],
] as const)('%s', async (decision, given, says) => {
  const { id } = await drifted();
  expect(await wish(id, decision, { ...options, ...given }, desk())).toBe(0);
  expect(JSON.parse(printed)).toMatchObject({ decision, heard: true, refused: false, message: expect.stringMatching(says) });
});

test.each([
  ['no reason', { reason: ' ' }, /say why with --reason/],
  ['a long one', { reason: 'x'.repeat(1_001) }, /at most 1000 are kept/],
  ['91 days', { reason: 'x', for: '91d' }, /1d to 90d/],
])('refused before anything is recorded: %s', async (_, given, words) => {
  const { id } = await drifted();
  await expect(wish(id, 'except', { ...options, ...given }, desk())).rejects.toThrow(words);
  expect(await world.ledger.answers(id)).toEqual([]);
});

test('refused before anything is recorded: a finding that has ended', async () => {
  const { id } = await drifted();
  world.house.lamps.set('hall', { on: false });
  await world.detect(call('SwitchOff', 'hall'));
  await expect(wish(id, 'snooze', options, desk())).rejects.toThrow(/has ended \(COMPLIANT\)/);
});
