#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { errorColors } from './colors.ts';
import { type ExitCode, explain } from './errors.ts';

const exit = (code: ExitCode): void => {
  process.exitCode = code;
};

const program = new Command('phidelity')
  .description('Keeps an AWS account that holds health data faithful to its HIPAA policy')
  .version(`phidelity ${manifest.version}`)
  .showHelpAfterError('(add --help for what can be said here)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    "\nExit codes: 0 fine, 1 findings or a refused input, 2 could not run.\nAWS access is the SDK's own: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the rest.",
  );

/** Only the command that is named is loaded; help and slips of the hand need them all. */
const commands: Readonly<Record<string, () => Promise<(program: Command, exit: (code: ExitCode) => void) => void>>> = {
  controls: async () => (await import('./commands/controls.ts')).addControls,
  policy: async () => (await import('./commands/policy.ts')).addPolicy,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  replay: async () => (await import('./commands/replay.ts')).addReplay,
  sweep: async () => (await import('./commands/sweep.ts')).addSweep,
  findings: async () => (await import('./commands/findings.ts')).addFindings,
  approve: async () => (await import('./commands/answer.ts')).addApprove,
  deny: async () => (await import('./commands/answer.ts')).addDeny,
  undo: async () => (await import('./commands/answer.ts')).addUndo,
  except: async () => (await import('./commands/wish.ts')).addExcept,
  snooze: async () => (await import('./commands/wish.ts')).addSnooze,
  recheck: async () => (await import('./commands/wish.ts')).addRecheck,
  exceptions: async () => (await import('./commands/exceptions.ts')).addExceptions,
  exposure: async () => (await import('./commands/exposure.ts')).addExposure,
  dlq: async () => (await import('./commands/dlq.ts')).addDlq,
  evidence: async () => (await import('./commands/evidence.ts')).addEvidence,
  alert: async () => (await import('./commands/alert.ts')).addAlert,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  demo: async () => (await import('./commands/demo.ts')).addDemo,
};
const [, , named = ''] = process.argv;
for (const load of Object.hasOwn(commands, named) ? [commands[named]!] : Object.values(commands)) (await load())(program, exit);
const explained = (command: Command): void => {
  command.exitOverride().showHelpAfterError('(add --help for what can be said here)');
  command.commands.forEach(explained);
};
program.commands.forEach(explained);

// A reader that has seen enough (`| head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exit(error.exitCode === 0 ? 0 : 2);
  else {
    const { message, exitCode } = explain(error);
    process.stderr.write(`${errorColors.red(message)}\n`);
    exit(exitCode);
  }
}
