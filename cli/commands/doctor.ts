/** `doctor`: what is missing around the bot. */
import type { Command } from 'commander';
import { colors } from '../colors.ts';
import { defaultPolicy, print, say, stackNameOf, whoAmI } from '../context.ts';
import type { Check, CheckStatus } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { type ExitCode, printable } from '../errors.ts';

interface Options {
  readonly stack?: string;
  readonly policy: string;
  readonly region?: string;
  readonly json?: true;
}

export function addDoctor(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .description('look for what is missing around the bot; exit code 1 when something is wrong or cannot be seen')
    .option('--stack <name>', 'the deployed stack; without it only what the bot stands on is looked at', stackNameOf)
    .option('--policy <file>', 'policy that should be deployed', defaultPolicy)
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON document {checks: [{check, status, detail, mend?}]}, status is ok, wrong, unseen or hint')
    .addHelpText(
      'after',
      '\nExamples: before the first deploy, and of a deployed bot\n  npx phidelity doctor\n  npx phidelity doctor --stack phidelity-prod --region us-east-1',
    )
    .action(async (options: Options) => exit(await doctor(options)));
}

async function doctor({ stack, policy, region, json }: Options): Promise<ExitCode> {
  const caller = await whoAmI(region);
  const checks = await examine({ caller, policyFile: policy, stack });
  const bad = checks.filter(({ status }) => status === 'wrong' || status === 'unseen').length;
  if (json) print(JSON.stringify({ checks }, null, 2));
  else {
    for (const check of checks) print(human(check));
    say(bad === 0 ? 'Nothing is wrong.' : `${bad} of ${checks.length} need a look.`);
    if (stack === undefined) say('`--stack NAME` looks at a deployed bot too.');
  }
  return bad > 0 ? 1 : 0;
}

const words: Readonly<Record<CheckStatus, string>> = {
  ok: colors.green('ok        '),
  wrong: colors.red('WRONG     '),
  unseen: colors.magenta('cannot see'),
  hint: colors.yellow('hint      '),
};

const human = ({ check, status, detail, mend }: Check): string =>
  [`${words[status]} ${check.padEnd(13)} ${printable(detail)}`, ...(mend ? [`${' '.repeat(25)}${colors.bold(printable(mend))}`] : [])].join('\n');
