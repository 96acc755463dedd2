/** `exposure`: how long a drift stood, and who read the resource meanwhile. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Exposure, exposureOf, exposureWords } from '../../engine/exposure.ts';
import type { Finding } from '../../engine/model.ts';
import { redact, redactDeep } from '../../engine/redact.ts';
import { clockOf } from '../../handlers/aws/clock.ts';
import { colors } from '../colors.ts';
import { access, print, say, stackNameOf, whoAmI } from '../context.ts';
import { type ExitCode, explain, printable, UsageError } from '../errors.ts';
import { type Looked, lookInFiles, lookInTrails } from '../exposure/look.ts';
import { isOutside, type Reader, type Window } from '../exposure/readings.ts';
import { ledgerOf } from '../ledger.ts';
import { nameOf } from '../lines.ts';
import { clockVariable } from '../local-stack/clock.ts';

interface Options {
  readonly stack?: string;
  readonly state: string;
  readonly region?: string;
  readonly logs?: readonly string[];
  readonly from?: string;
  readonly json?: true;
  readonly raw?: true;
}

export function addExposure(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('exposure')
    .description('how long the drift of a finding stood, and who read the resource meanwhile; exit code 1 when somebody from outside the account did')
    .argument('<id>', 'the finding, as `findings` names it')
    .option('--stack <name>', 'a finding of a deployed stack', stackNameOf)
    .option('--state <dir>', 'a finding of the embedded database in this folder', '.phidelity')
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--logs <file...>', 'CloudTrail log files (.json, .gz, NDJSON, - for standard input) instead of the buckets of the trails')
    .option('--from <time>', 'look from this time (ISO 8601), when nothing shows when it began', timeOf)
    .option('--raw', 'with the keys of objects and the names of persons')
    .option('--json', 'one JSON document')
    .addHelpText(
      'after',
      '\nExit codes: 0 nobody from outside read it, 1 somebody did, 2 that cannot be told.\n\nExamples: from the trails of the account, and from files\n  npx phidelity exposure f-wbinqbqetctjjm4kahh23q2pmx --stack phidelity-prod\n  npx phidelity exposure f-wbinqbqetctjjm4kahh23q2pmx --logs logs/*.json.gz',
    )
    .action(async (id: string, options: Options) => exit(await exposure(id, options)));
}

function timeOf(text: string): string {
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('a time is written like 2026-03-01T12:00:00Z');
  return new Date(time).toISOString();
}

/** Where an assessment starts; what it comes to is for people. */
const start =
  'A breach risk assessment (45 CFR 164.402(2)) starts from what was exposed, who could and who did reach it, whether it was acquired or viewed, and how far the risk was lessened. This list speaks of the third, as far as it was recorded; it draws no conclusion.';

async function exposure(id: string, options: Options): Promise<ExitCode> {
  const now = clockOf(process.env[clockVariable]).now();
  const finding = await findingOf(id, options);
  const exposed = exposureOf(finding, now);
  if (!exposed) throw new UsageError(`${id} has no window: it is about a single event, about the bot itself, or about something that could not be seen`, 2);
  const window = windowOf(exposed, now, options.from);
  const looked = await look(finding, window, now, options);
  const untold = [
    ...looked.untold,
    ...unknownBegin(exposed, options.from),
    ...(exposed.openEnd ? ['it has not ended as far as is known: look again when it has'] : []),
  ];
  const outside = looked.readers.some(isOutside);
  if (options.json) print(JSON.stringify(documentOf(finding, exposed, window, { ...looked, untold }, outside, options.raw), null, 2));
  else for (const line of human(finding, exposed, window, { ...looked, untold }, options.raw)) print(line);
  return outside ? 1 : untold.length > 0 ? 2 : 0;
}

async function findingOf(id: string, options: Options): Promise<Finding> {
  const { ledger, close } = await ledgerOf(options);
  try {
    const finding = await ledger.get(id);
    if (finding) return finding;
    const where = options.stack ? `stack ${options.stack}` : options.state;
    throw new UsageError(`there is no finding ${printable(id)} in ${where}; \`findings\` lists those there are`, 2);
  } finally {
    close();
  }
}

function windowOf({ driftedAt, endedAt, until }: Exposure, now: Date, given: string | undefined): Window {
  const to = endedAt ?? until ?? now.toISOString();
  const from = given ?? driftedAt;
  if (from > to) throw new UsageError(`--from ${from} is after the end of the window, ${to}`, 2);
  return { from, to };
}

const unknownBegin = ({ atOrBefore, driftedAt }: Exposure, given: string | undefined): string[] =>
  atOrBefore && given === undefined
    ? [`it began at ${driftedAt} or before, and what was read before is not looked at: say --from TIME to look from an earlier time`]
    : [];

async function look(finding: Finding, window: Window, now: Date, { logs, region, json }: Options): Promise<Looked> {
  if (logs) return lookInFiles(logs, finding.resource, window).catch(asCannotTell);
  const caller = await whoAmI(region);
  const { resource } = finding;
  if (caller.accountId !== resource.accountId)
    throw new UsageError(
      `the resource is in account ${resource.accountId}, and the credentials are of ${caller.accountId}; use those of its account, or --logs`,
      2,
    );
  const aws = access()({ accountId: resource.accountId, region: resource.region }, { share: false });
  try {
    return await lookInTrails(aws, resource, window, now, json ? () => {} : say);
  } catch (cause) {
    return { readers: [], at: [], files: 0, records: 0, refused: 0, untold: [`trails cannot be asked for: ${explain(cause).message}`] };
  }
}

/** 1 means here that somebody read it. */
function asCannotTell(error: unknown): never {
  throw error instanceof UsageError ? new UsageError(error.message, 2, { cause: error }) : error;
}

function documentOf(finding: Finding, exposed: Exposure, window: Window, looked: Looked, outside: boolean, raw = false): unknown {
  const { id, control, resource } = finding;
  const readers = looked.readers.map(({ keys, ...reader }) => (raw ? { ...reader, keys } : reader));
  const document = { findingId: id, control, resource, exposure: exposed, window, ...looked, readers, outside, assessment: start };
  return raw ? document : redactDeep(document);
}

function human(finding: Finding, exposed: Exposure, { from, to }: Window, looked: Looked, raw = false): string[] {
  const clean = (text: string) => printable(raw ? text : redact(text, { keep: ['session'] }));
  const { id, control, resource } = finding;
  const line = (name: string, text: string) => `${`${name}:`.padEnd(11)}${clean(text)}`;
  const readers =
    looked.readers.length > 0
      ? looked.readers.flatMap((reader) => inWords(reader, clean, raw))
      : [looked.untold.length > 0 ? '  none that is known' : '  nobody'];
  return [
    `${colors.bold(control)} on ${nameOf(resource, clean)}  ${colors.dim(id)}`,
    line('Exposed', exposureWords(exposed, 'it stands')),
    line('Seen', exposed.seenAt),
    line('Looked', `from ${from} to ${to}, ${looked.records} events in ${looked.files} files${looked.at.length > 0 ? ` of ${looked.at.join(', ')}` : ''}`),
    'Who read it:',
    ...readers,
    ...(looked.refused > 0 ? [`  ${looked.refused} more calls were refused by AWS`] : []),
    ...(looked.untold.length > 0 ? ['What cannot be told:', ...looked.untold.map((reason) => `  ${clean(reason)}`)] : []),
    colors.dim(start),
  ];
}

/** Keys that are printed for one reader. */
const most = 20;

function inWords(reader: Reader & { readonly keys: readonly string[] }, clean: (text: string) => string, raw: boolean): string[] {
  const { kind, actor, accountId, sourceIp, calls, count, first, last, bytes, objects, keys } = reader;
  const who =
    kind === 'anonymous'
      ? 'anonymous'
      : kind === 'own account'
        ? (actor ?? 'own account')
        : `${kind}${accountId ? ` ${accountId}` : ''}${actor ? `, ${actor}` : ''}`;
  const what = `${count} ${count === 1 ? 'call' : 'calls'} (${calls.join(', ')})${objects > 0 ? ` on ${objects} ${objects === 1 ? 'object' : 'objects'}` : ''}`;
  const when = first === last ? `at ${first}` : `from ${first} to ${last}`;
  const text = clean(`${who}${sourceIp ? ` from ${sourceIp}` : ''}: ${what}${bytes === undefined ? '' : `, ${bytes} bytes sent`}, ${when}`);
  const shown = raw ? keys.slice(0, most).map((key) => `      ${printable(key)}`) : [];
  const rest = raw && keys.length > most ? [`      and ${keys.length - most} more; --json has all`] : [];
  return [`  ${isOutside(reader) ? colors.red(text) : text}`, ...shown, ...rest];
}
