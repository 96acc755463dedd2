/** `exceptions`: what need not hold, for how long and who said so: by the policy, or made while the bot ran. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { actionHash } from '../../engine/answers/action-hash.ts';
import { randomId } from '../../engine/answers/question.ts';
import { type MadeException, madeExceptions } from '../../engine/exceptions.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Ledger } from '../../engine/ports.ts';
import { type DeskOptions, openDesk } from '../answers/desk.ts';
import { colors } from '../colors.ts';
import { defaultPolicy, policyFrom, print, say, stackNameOf } from '../context.ts';
import { type ExitCode, printable, UsageError } from '../errors.ts';
import { ledgerOf } from '../ledger.ts';
import { cleanerOf } from '../lines.ts';
import { findingAt, told } from './answer.ts';

interface Options extends DeskOptions {
  readonly json?: true;
  readonly raw?: true;
}

interface Listed {
  readonly control: string;
  /** ARN, or what the policy matches by. */
  readonly resource: string;
  readonly reason: string;
  readonly approvedBy: string;
  readonly expires: string;
  readonly from: 'policy' | 'ledger';
  readonly findingId?: string;
  readonly over: boolean;
}

export function addExceptions(program: Command, exit: (code: ExitCode) => void): void {
  const exceptions = program
    .command('exceptions')
    .description('what need not hold, until when, and who said so')
    .addHelpText(
      'after',
      '\nExamples:\n  npx phidelity exceptions list --stack phidelity-prod\n  npx phidelity exceptions export --stack phidelity-prod > more.yaml',
    );
  const command = (name: string, description: string) =>
    exceptions
      .command(name)
      .description(description)
      .option('--stack <name>', 'of a deployed stack', stackNameOf)
      .option('--state <dir>', 'of the embedded database in this folder', '.phidelity')
      .option('--policy <file>', 'policy to read, without --stack', defaultPolicy)
      .option('--region <region>', 'AWS region of the stack; by default that of the SDK');
  command('list', 'those of the policy, and those that came with an undo, also when they have ended')
    .option('--json', 'one JSON array')
    .option('--raw', 'as they are stored; without it identifiers of persons are redacted')
    .action(async (options: Options) => exit(await list(options)));
  command('export', 'those made while the bot ran that still hold, as lines for the policy file').action(async (options: Options) =>
    exit(await exported(options)),
  );
  command('end', 'end the exception that came with an undo: what it kept from being fixed is new drift')
    .argument('<id>', 'the finding that was undone')
    .option('--json', 'one JSON document')
    .action(async (id: string, options: Options) => exit(await end(id, options)));
}

async function gathered(options: Options): Promise<{ readonly made: readonly MadeException[]; readonly policy: CompiledPolicy; readonly today: string }> {
  const { ledger, close } = await ledgerOf(options);
  try {
    const [made, policy] = await Promise.all([madeExceptions(ledger), policyOf(options, ledger)]);
    return { made, policy, today: new Date().toISOString().slice(0, 10) };
  } finally {
    close();
  }
}

async function policyOf({ stack, policy }: Options, ledger: Ledger): Promise<CompiledPolicy> {
  if (!stack) return (await policyFrom(policy)).policy;
  const stored = await ledger.policy();
  if (!stored) throw new UsageError(`stack ${stack} has no policy yet: deploy it to its end`, 2);
  return stored;
}

async function list(options: Options): Promise<ExitCode> {
  const { made, policy, today } = await gathered(options);
  const listed: Listed[] = [
    ...Object.entries(policy.controls).flatMap(([control, { exceptions }]) =>
      exceptions.map(({ reason, approvedBy, expires, ...match }) => ({
        control,
        resource: match.resource ?? JSON.stringify(match),
        reason,
        approvedBy,
        expires,
        from: 'policy' as const,
        over: expires < today,
      })),
    ),
    ...made.map(({ control, resource, reason, approvedBy, expires, findingId }) => ({
      control,
      resource: resource.id,
      reason,
      approvedBy,
      expires,
      from: 'ledger' as const,
      findingId,
      over: expires < today,
    })),
  ].toSorted((a, b) => a.expires.localeCompare(b.expires));
  const clean = cleanerOf(options);
  if (options.json)
    print(
      JSON.stringify(
        listed.map((one) => ({ ...one, resource: clean(one.resource), reason: clean(one.reason) })),
        null,
        2,
      ),
    );
  else {
    for (const { control, resource, reason, approvedBy, expires, from, over, findingId } of listed)
      print(
        `${(over ? colors.red : colors.green)(`${over ? 'ended' : 'until'} ${expires}`)}  ${control}  ${clean(resource)}\n                  ${clean(reason)} ${colors.dim(`(${printable(approvedBy)}, ${from === 'policy' ? 'policy file' : `undo of ${findingId}`})`)}`,
      );
    say(`${listed.length} exceptions, ${listed.filter(({ over }) => over).length} ended`);
  }
  return 0;
}

async function exported(options: Options): Promise<ExitCode> {
  const { made, today } = await gathered(options);
  const standing = made.filter(({ expires }) => expires >= today);
  if (standing.length === 0) {
    say('No exception that was made while the bot ran holds any more.');
    return 0;
  }
  const controls: Record<string, { exceptions: object[] }> = {};
  for (const { control, resource, reason, approvedBy, expires } of standing) {
    controls[control] ??= { exceptions: [] };
    controls[control].exceptions.push({ resource: resource.id, account: resource.accountId, region: resource.region, reason, approvedBy, expires });
  }
  print(stringify({ controls }, { lineWidth: 0 }).trimEnd());
  return 0;
}

async function end(id: string, options: Options): Promise<ExitCode> {
  const desk = await openDesk(options);
  try {
    const finding = await findingAt(id, desk);
    const made = (await madeExceptions(desk.ledger)).find(({ findingId }) => findingId === id);
    if (!made) throw new UsageError(`no exception comes from ${id}: \`npx phidelity exceptions list\` shows them`, 1);
    const code = await told(
      await desk.give({ findingId: id, decision: 'end', question: randomId(), planHash: actionHash(finding, 'end') }),
      desk,
      options.json,
    );
    if (code === 0 && !options.json)
      say(`The next look at it treats it like new drift: npx phidelity sweep --control ${finding.control}${options.stack ? ` --stack ${options.stack}` : ''}`);
    return code;
  } finally {
    desk.close();
  }
}
