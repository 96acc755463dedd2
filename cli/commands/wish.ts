/** `except`, `snooze`, `recheck`: what a person wants of a finding that asks nothing. */
import type { Command } from 'commander';
import { actionHash } from '../../engine/answers/action-hash.ts';
import { randomId } from '../../engine/answers/question.ts';
import { longestException } from '../../engine/exceptions.ts';
import type { Desk, DeskOptions } from '../answers/desk.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { checkLength, command, findingAt, lastDay, told, withDesk } from './answer.ts';

interface Options extends DeskOptions {
  readonly reason?: string;
  readonly for?: string;
  readonly json?: true;
}

type Exit = (code: ExitCode) => void;
type Wish = 'except' | 'snooze' | 'recheck';

const id = 'f-xwbinqbqetctjjm4kahh23q2pm --stack phidelity-prod';

export function addExcept(program: Command, exit: Exit): void {
  command(
    program,
    'except',
    'leave the drift of an open finding as it is, until a day; one person does not except a public exposure',
    `  npx phidelity except ${id} --for 14d --reason "scratch space, no PHI"`,
  )
    .option('--for <days>', `how long the exception holds, as 14d; at most ${longestException}d`, '30d')
    .requiredOption('--reason <text>', 'why; it is kept with the exception')
    .action(async (finding: string, options: Options) => exit(await withDesk(options, (desk) => wish(finding, 'except', options, desk))));
}

export function addSnooze(program: Command, exit: Exit): void {
  command(program, 'snooze', 'no reminders of an open finding for 24 hours', `  npx phidelity snooze ${id}`).action(async (finding: string, options: Options) =>
    exit(await withDesk(options, (desk) => wish(finding, 'snooze', options, desk))),
  );
}

export function addRecheck(program: Command, exit: Exit): void {
  command(program, 'recheck', 'have a deployed bot look at the resource of an open finding again', `  npx phidelity recheck ${id}`).action(
    async (finding: string, options: Options) => {
      // Nobody else would look.
      if (!options.stack) throw new UsageError('recheck asks a deployed bot, named with --stack: without one, `npx phidelity sweep` looks', 1);
      exit(await withDesk(options, (desk) => wish(finding, 'recheck', options, desk)));
    },
  );
}

export async function wish(findingId: string, decision: Wish, options: Options, desk: Desk): Promise<ExitCode> {
  const finding = await findingAt(findingId, desk);
  if (finding.state !== 'open') throw new UsageError(`${findingId} has ended (${finding.outcome?.status}): there is nothing to ${decision}`, 1);
  const { reason = '', for: days = '30d', json } = options;
  if (decision === 'except' && !reason.trim()) throw new UsageError('say why with --reason: it is kept with the exception', 1);
  checkLength(reason);
  const words = decision === 'except' && { reason: reason.trim(), until: lastDay(days, desk.clock.now()) };
  return told(await desk.give({ findingId, decision, question: randomId(), planHash: actionHash(finding, decision), ...words }), desk, json);
}
