/** `findings`: what is open, and what has been. */
import type { Command } from 'commander';
import { exposureOf, exposureWords } from '../../engine/exposure.ts';
import { waitsForStack } from '../../engine/finding.ts';
import type { Finding } from '../../engine/model.ts';
import { definedIn } from '../../engine/owner.ts';
import { redact, redactDeep } from '../../engine/redact.ts';
import { colors } from '../colors.ts';
import { print, say, stackNameOf } from '../context.ts';
import { type ExitCode, printable } from '../errors.ts';
import { ledgerOf } from '../ledger.ts';
import { cleanerOf, nameOf } from '../lines.ts';

interface Options {
  readonly open?: true;
  readonly json?: true;
  readonly raw?: true;
  readonly state: string;
  readonly stack?: string;
  readonly region?: string;
}

export function addFindings(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('findings')
    .description('list findings; exit code 1 when one is open')
    .option('--open', 'only those that are open')
    .option('--stack <name>', 'those of a deployed stack', stackNameOf)
    .option('--state <dir>', 'those of the embedded database in this folder', '.phidelity')
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON array')
    .option('--raw', 'as they are stored; without it identifiers of persons are redacted')
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
  const now = new Date();
  const told = found.map((finding) => ({ ...finding, exposure: exposureOf(finding, now) }));
  if (options.json) print(JSON.stringify(options.raw ? told : redactDeep(told), null, 2));
  else for (const finding of found) print(human(finding, now, options.raw ?? false));
  const open = found.filter(({ state }) => state === 'open').length;
  if (!options.json) say(`${found.length} findings, ${open} open`);
  return open > 0 ? 1 : 0;
}

/** Findings that the bot opens about itself have no control in the catalogue. */
const isOwn = (control: string): boolean => control.startsWith('bot-');

const indent = ' '.repeat(19);

/** What it was when it began, where that is no longer what is read; then what the bot makes of it. */
function human(finding: Finding, now: Date, raw: boolean): string {
  const clean = cleanerOf({ raw });
  const { id, state, severity, control, resource, openedAt, evaluation, wrong, decision, outcome, actor, owner, backlog, held, heldOff, blind } = finding;
  const exposure = exposureOf(finding, now);
  // Who did it is told in full.
  const named = (text: string) => printable(raw ? text : redact(text, { keep: ['session'] }));
  const since = `since ${openedAt}${actor ? `, by ${printable(raw ? actor.arn : redact(actor.arn, { keep: ['email'] }))}` : ''}`;
  const place = owner && definedIn(owner);
  const told = [
    wrong === evaluation.annotation ? `${clean(evaluation.annotation)} ${colors.dim(since)}` : `${clean(wrong)} ${colors.dim(since)}`,
    wrong !== evaluation.annotation && `Now: ${clean(evaluation.annotation)}`,
    isOwn(control) && 'This is about the bot itself, not about a resource of yours.',
    backlog && 'It was there before the bot: told, not changed. `npx phidelity sweep --apply --stack NAME` treats it like new drift.',
    state === 'open' && held && `A guard holds until ${held.until}: ${named(decision.reason)}`,
    heldOff && waitsForStack(finding) && `The fix waits for CloudFormation stack ${clean(heldOff.stack)}, until ${heldOff.until} at most.`,
    place && `Defined in: ${clean(place)}`,
    exposure && colors.dim(`Exposed ${named(exposureWords(exposure, 'it stands'))}`),
    blind && blind.length > 0 && `Not seen because of it: ${blindWords(blind)}.`,
    colors.dim(id),
  ];
  const paint = state === 'open' ? colors.red : colors.green;
  const head = `${paint((outcome?.status ?? decision.action).padEnd(18))} ${severity.padEnd(9)} ${control}  ${nameOf(resource, clean)}`;
  return [head, ...told.filter((line) => line !== false && line !== undefined).map((line) => `${indent}${line}`)].join('\n');
}

function blindWords(blind: NonNullable<Finding['blind']>): string {
  const controls = [...new Set(blind.map(({ control }) => control))];
  return `${blind.length} ${blind.length === 1 ? 'resource' : 'resources'} of ${controls.join(', ')}`;
}
