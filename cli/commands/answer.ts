/** `approve`, `deny`, `undo`: what a person decides about a finding. */
import type { Command } from 'commander';
import { longestReason } from '../../engine/answers/bound.ts';
import { planHash } from '../../engine/answers/plan-hash.ts';
import { isOpen, randomId } from '../../engine/answers/question.ts';
import { differences } from '../../engine/differences.ts';
import { longestException } from '../../engine/exceptions.ts';
import type { Answer, Change, Finding } from '../../engine/model.ts';
import { redact, redactDeep } from '../../engine/redact.ts';
import { undoOf } from '../../engine/undo.ts';
import { type Desk, type DeskOptions, openDesk } from '../answers/desk.ts';
import { colors } from '../colors.ts';
import { defaultPolicy, print, say, stackNameOf } from '../context.ts';
import { type ExitCode, printable, UsageError } from '../errors.ts';
import { type Clean, cleanerOf, nameOf } from '../lines.ts';

interface Options extends DeskOptions {
  readonly reason?: string;
  readonly plan?: string;
  readonly for?: string;
  readonly json?: true;
  readonly raw?: true;
}

type Exit = (code: ExitCode) => void;

export const command = (program: Command, name: string, description: string, examples: string) =>
  program
    .command(name)
    .description(description)
    .argument('<id>', 'the finding, as `findings` and alerts name it')
    .option('--stack <name>', 'of a deployed stack: it verifies who you are, and acts', stackNameOf)
    .option('--state <dir>', 'of the embedded database in this folder: this process acts, with your rights', '.phidelity')
    .option('--policy <file>', 'policy to decide by, without --stack', defaultPolicy)
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON document')
    .option('--raw', 'unredacted: names and settings as they are')
    .addHelpText('after', `\nExamples:\n${examples}`);

export function addApprove(program: Command, exit: Exit): void {
  command(
    program,
    'approve',
    'say yes to what a finding asks; exit code 1 when the answer is refused or the fix fails',
    '  npx phidelity approve f-xwbinqbqetctjjm4kahh23q2pm --stack phidelity-prod\n  npx phidelity approve f-xwbinqbqetctjjm4kahh23q2pm --stack phidelity-prod --plan 3f2c9a',
  )
    .option('--plan <hash>', 'first characters of the hash of the plan: refused when another one is asked about')
    .action(async (id: string, options: Options) => exit(await withDesk(options, (desk) => answer(id, 'approve', options, desk))));
}

export function addDeny(program: Command, exit: Exit): void {
  command(
    program,
    'deny',
    'say no to what a finding asks or plans; it stays open, and is not fixed while the plan is the same',
    '  npx phidelity deny f-xwbinqbqetctjjm4kahh23q2pm --stack phidelity-prod --reason "needed until the migration is over"',
  )
    .option('--reason <text>', 'why')
    .option('--plan <hash>', 'first characters of the hash of the plan: refused when another one is asked about')
    .action(async (id: string, options: Options) => exit(await withDesk(options, (desk) => answer(id, 'deny', options, desk))));
}

export function addUndo(program: Command, exit: Exit): void {
  command(
    program,
    'undo',
    'take back what the bot wrote for a finding; an exception keeps it from being fixed again',
    '  npx phidelity undo f-xwbinqbqetctjjm4kahh23q2pm --stack phidelity-prod --for 14d --reason "the vendor needs it until its update"',
  )
    .option('--for <days>', `how long the exception holds, as 14d; at most ${longestException}d`, '30d')
    .requiredOption('--reason <text>', 'why; it is kept with the exception')
    .action(async (id: string, options: Options) => exit(await withDesk(options, (desk) => askToUndo(id, options, desk))));
}

export async function withDesk(options: DeskOptions, work: (desk: Desk) => Promise<ExitCode>): Promise<ExitCode> {
  const desk = await openDesk(options);
  try {
    return await work(desk);
  } finally {
    desk.close();
  }
}

export async function findingAt(id: string, { ledger }: Pick<Desk, 'ledger'>): Promise<Finding> {
  const finding = /^f-[a-z2-7]{26}$/.test(id) ? await ledger.get(id) : undefined;
  if (!finding) throw new UsageError(`there is no finding ${printable(id)} here: \`npx phidelity findings\` lists them`, 1);
  return finding;
}

export async function answer(id: string, decision: 'approve' | 'deny', { reason, plan, json, raw }: Options, desk: Desk): Promise<ExitCode> {
  const finding = await findingAt(id, desk);
  const { question } = finding;
  if (!question || (finding.state === 'resolved' && finding.undo?.state !== 'asked')) throw new UsageError(nothingAsked(finding), 1);
  checkLength(reason);
  if (planHash(finding, question.change, question.about) !== question.planHash)
    throw new UsageError(`what ${id} asks about is not what its hash stands for: somebody has written into the table. Do not answer it`, 1);
  if (!isOpen(question, desk.clock.now())) throw new UsageError(`the time to answer ${id} ended at ${question.expires}: a sweep with --apply asks anew`, 1);
  if (decision === 'approve' && question.otherwise === 'fix' && !finding.held)
    throw new UsageError(`${id} needs no approval: it is fixed at ${question.expires} unless somebody denies it`, 1);
  if (plan && !question.planHash.startsWith(plan.toLowerCase()))
    throw new UsageError(`${id} asks about plan ${question.planHash.slice(0, 12)} by now, not ${printable(plan)}: look at it again`, 1);
  if (!json) say(planWords(finding, question.change, question.planHash, cleanerOf({ raw })));
  const given = await desk.give({ findingId: id, decision, question: question.id, planHash: question.planHash, ...(reason && { reason }) });
  return told(given, desk, json);
}

async function askToUndo(id: string, { reason, for: days, json, raw }: Options, desk: Desk): Promise<ExitCode> {
  const finding = await findingAt(id, desk);
  if (finding.undo?.state === 'done')
    throw new UsageError(`${id} has been undone already: \`npx phidelity exceptions end ${id}\` has it treated like new drift, and fixed anew`, 1);
  if (finding.undo?.state === 'asked')
    throw new UsageError(`${id} is asked to be undone already, and waits for another person: \`npx phidelity approve ${id}\``, 1);
  const plan = undoOf(finding);
  if (!plan) throw new UsageError(`the bot has written nothing for ${id}: there is nothing to undo`, 1);
  const until = lastDay(days ?? '30d', desk.clock.now());
  if (!reason?.trim()) throw new UsageError('say why with --reason: it is kept with the exception', 1);
  checkLength(reason);
  const hash = planHash(finding, plan, 'undo');
  if (!json) say(planWords(finding, plan, hash, cleanerOf({ raw })));
  return told(await desk.give({ findingId: id, decision: 'undo', question: randomId(), planHash: hash, reason: reason.trim(), until }), desk, json);
}

export function checkLength(reason = ''): void {
  if (reason.length > longestReason) throw new UsageError(`--reason is ${reason.length} characters long: at most ${longestReason} are kept`, 1);
}

export function lastDay(days: string, now: Date): string {
  const count = Number(/^(\d+)d$/.exec(days)?.[1]);
  if (!(count >= 1 && count <= longestException)) throw new UsageError(`--for ${printable(days)} is not a number of days from 1d to ${longestException}d`, 1);
  return new Date(now.getTime() + count * 86_400_000).toISOString().slice(0, 10);
}

function nothingAsked({ id, state, outcome, decision }: Finding): string {
  if (state === 'resolved') return `${id} has ended (${outcome?.status}): nothing is asked about it`;
  return `nothing is asked about ${id}: the policy says ${decision.action} (${printable(redact(decision.reason))})`;
}

/** What would be written, place by place. */
const planWords = ({ control, resource }: Finding, { summary, before, after }: Change, hash: string, clean: Clean): string =>
  [
    `${control} on ${nameOf(resource, clean)}: ${clean(summary)}`,
    ...differences(before, after, 'becomes').map((line) => `  ${clean(line)}`),
    colors.dim(`  plan ${hash.slice(0, 12)}`),
  ].join('\n');

const notJudged =
  'The answer is recorded, but the bot has not judged it yet. Its proof is good for 15 minutes: look at the finding, and answer again if nothing comes of it.';

/** What the bot has made of the answer, as its evidence says. */
export async function told({ id, findingId, decision }: Answer, { ledger }: Pick<Desk, 'ledger'>, json: true | undefined): Promise<ExitCode> {
  const [finding, entries] = await Promise.all([ledger.get(findingId), ledger.entries(findingId)]);
  // Others may have been answering meanwhile: the entry that first tells of this answer is its own.
  const ruling = entries.find(({ raw }) => Array.isArray(raw.changes.heard) && raw.changes.heard.includes(id));
  const heard = ruling !== undefined;
  const after = ruling
    ? entries.filter(({ seq, kind }) => seq > ruling.seq && ['REMEDIATED', 'REMEDIATION_FAILED', 'UNDONE', 'UNDO_FAILED', 'RESOLVED', 'DECIDED'].includes(kind))
    : [];
  const outcome = after.at(-1);
  const refused = ruling?.kind === 'REFUSED';
  const failed = outcome?.kind === 'REMEDIATION_FAILED' || outcome?.kind === 'UNDO_FAILED';
  const message = [ruling?.note ?? notJudged, outcome?.note].filter(Boolean).join(' ');
  if (json)
    print(
      JSON.stringify(
        { findingId, answerId: id, decision, heard, refused, message, outcome: redactDeep(finding?.outcome ?? null), state: finding?.state ?? null },
        null,
        2,
      ),
    );
  else print((heard && !refused && !failed ? colors.green : colors.red)(printable(message)));
  if (!heard) return 2;
  return refused || failed ? 1 : 0;
}
