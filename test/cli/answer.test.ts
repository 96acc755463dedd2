/** What a person is told of their own answer, from the evidence of a small account in memory. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { answer, told } from '../../cli/commands/answer.ts';
import { act } from '../../engine/act.ts';
import type { Answer, Finding } from '../../engine/model.ts';
import { give, people, person } from '../support/answers.ts';
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

async function asked(): Promise<Finding> {
  world.policy = { ...policyOf({ 'lamp-off': { mode: 'approve' } }), people, approvals: { expires: 3_600, secondPerson: 'HIGH' } };
  world.house.lamps.set('hall', { on: true });
  await world.detect(call('SwitchOn', 'hall', by(terraform)));
  await act(world.dispatched[0]!, world.action);
  return (await world.findings())[0]!;
}
const tell = async (given: Answer) => ({ code: await told(given, world, true), ...(JSON.parse(printed) as object) });

describe('answers that are judged at once', () => {
  test.each([
    ['the one that counts', 0, { code: 0, refused: false, message: expect.stringMatching(/^lee .* approved plan/) }],
    ['the one that does not', 1, { code: 1, refused: true, message: expect.stringMatching(/none of the people/) }],
  ])('%s', async (_, which, is) => {
    const finding = await asked();
    const given = [await give(world, finding, 'approve'), await give(world, finding, 'approve', { by: person('mallory') })];
    await act(finding.id, world.action);
    expect(await tell(given[which]!)).toMatchObject({ heard: true, ...is });
  });
});

test('an answer that nobody has judged is not fine', async () => {
  const given = await give(world, await asked(), 'approve');
  expect(await tell(given)).toMatchObject({ code: 2, heard: false, message: expect.stringContaining('has not judged it yet') });
});

describe('refused before anything is recorded', () => {
  const desk = () => ({
    ledger: world.ledger,
    clock: world.clock,
    policy: world.policy,
    close() {},
    give: async () => {
      throw new Error('an answer was given');
    },
  });
  const options = { state: '.phidelity', policy: 'account.yaml', json: true } as const;

  test('a yes to what has been fixed by now', async () => {
    const finding = await asked();
    for (const name of ['lee', 'kim']) await give(world, finding, 'approve', { by: person(name) });
    await act(finding.id, world.action);
    await expect(answer(finding.id, 'approve', options, desk())).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/has ended \(REMEDIATED\)/),
    });
  });

  test('a yes after a no', async () => {
    const finding = await asked();
    await give(world, finding, 'deny', { reason: 'of ssn 123-45-6789' });
    await act(finding.id, world.action);
    const refused = { exitCode: 1, message: expect.stringMatching(/lee denied it: of ssn \[ssn\]/) };
    await expect(answer(finding.id, 'approve', options, desk())).rejects.toMatchObject(refused);
  });

  test('a plan in the table that is not the one of its hash', async () => {
    const found = await asked();
    const question = { ...found.question!, change: { ...found.question!.change, after: { on: 'harmless' } } };
    const [entry] = (await world.ledger.entries(found.id)).slice(-1);
    await world.ledger.save({ ...found, question, version: found.version + 1 }, { ...entry!, seq: found.version + 1 });
    await expect(answer(found.id, 'approve', options, desk())).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/not what its hash stands for/),
    });
  });

  test('a reason as long as a book', async () => {
    const finding = await asked();
    const long = { ...options, reason: 'x'.repeat(1_001) };
    await expect(answer(finding.id, 'deny', long, desk())).rejects.toMatchObject({ exitCode: 1, message: expect.stringMatching(/1001 characters long/) });
  });
});
