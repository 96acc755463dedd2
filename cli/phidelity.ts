#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { errorColors } from './colors.ts';
import { addControls } from './commands/controls.ts';
import { addDemo } from './commands/demo.ts';
import { addFindings } from './commands/findings.ts';
import { addPlan } from './commands/plan.ts';
import { addPolicy } from './commands/policy.ts';
import { addReplay } from './commands/replay.ts';
import { addSweep } from './commands/sweep.ts';
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

addControls(program);
addPolicy(program, exit);
addPlan(program, exit);
addReplay(program, exit);
addSweep(program, exit);
addFindings(program, exit);
addDemo(program, exit);
for (const command of program.commands) command.exitOverride().showHelpAfterError('(add --help for what can be said here)');

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
