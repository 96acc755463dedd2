/** `findings`: what is open, and what has been. */
import type { Command } from 'commander';
import { leafOf } from '../../engine/arn.ts';
import type { Finding } from '../../engine/model.ts';
import type { Ledger } from '../../engine/ports.ts';
import { colors } from '../colors.ts';
import { access, existingState, print, say, whoAmI } from '../context.ts';
import { type ExitCode, printable } from '../errors.ts';
import { sqliteLedger } from '../state/sqlite-ledger.ts';

interface Options {
  readonly open?: true;
  readonly json?: true;
  readonly state: string;
  readonly stack?: string;
  readonly region?: string;
}

const clock = { now: () => new Date(), sleep: async () => {} };

export function addFindings(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('findings')
    .description('list findings; exit code 1 when one is open')
    .option('--open', 'only those that are open')
    .option('--stack <name>', 'those of a deployed stack')
    .option('--state <dir>', 'those of the embedded database in this folder', '.phidelity')
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON array')
    .addHelpText(
      'after',
      '\nExamples: of this folder, and of the deployed bot\n  npx phidelity findings --open\n  npx phidelity findings --open --stack phidelity-prod --region us-east-1',
    )
    .action(async (options: Options) => exit(await findings(options)));
}

async function findings(options: Options): Promise<ExitCode> {
  const { ledger, close } = await ledgerOf(options);
  const found: Finding[] = [];
  try {
    for await (const finding of ledger.findings({ open: options.open })) found.push(finding);
  } finally {
    close();
  }
  if (options.json) print(JSON.stringify(found, null, 2));
  else for (const finding of found) print(human(finding));
  const open = found.filter(({ state }) => state === 'open').length;
  if (!options.json) say(`${found.length} findings, ${open} open`);
  return open > 0 ? 1 : 0;
}

async function ledgerOf({ stack, state, region }: Options): Promise<{ readonly ledger: Ledger; close(): void }> {
  if (!stack) {
    const directory = existingState(state);
    if (directory === undefined) say(`Nothing has been recorded in ${state} yet; \`sweep --apply\` and \`replay --apply\` do.`);
    const ledger = sqliteLedger({ directory, clock });
    return { ledger, close: () => ledger.close() };
  }
  const [{ DynamoDBClient }, { dynamoLedger }, { stackOf }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('../../handlers/aws/ledger.ts'),
    import('../stack.ts'),
  ]);
  const caller = await whoAmI(region);
  const { table } = await stackOf(stack, caller);
  const client = access()(caller, { share: false }).client(DynamoDBClient);
  return { ledger: dynamoLedger({ client, table, clock }), close: () => client.destroy() };
}

const human = ({ id, state, severity, control, resource, openedAt, evaluation, decision, outcome, actor }: Finding): string =>
  [
    `${(state === 'open' ? colors.red : colors.green)((outcome?.status ?? decision.action).padEnd(18))} ${severity.padEnd(9)} ${control}  ${printable(leafOf(resource) || resource.id)}`,
    `${' '.repeat(19)}${printable(evaluation.annotation)} ${colors.dim(`since ${openedAt}${actor ? `, by ${printable(actor.arn)}` : ''}`)}`,
    `${' '.repeat(19)}${colors.dim(id)}`,
  ].join('\n');
