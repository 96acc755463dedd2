/** `evidence`: proves that what the bot recorded is what happened, and hands it to an auditor. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { existingState, print, say, stackNameOf } from '../context.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { type Exported, exportOfStack, exportOfState } from '../evidence/export.ts';
import { headLine, keyLine, lineOf } from '../evidence/file.ts';
import { fingerprintOf } from '../evidence/keys.ts';
import { type Asked, verified } from '../evidence/verify.ts';
import { reportLines } from '../evidence/words.ts';
import { stackTime } from '../stack.ts';
import { sqliteLedger } from '../state/sqlite-ledger.ts';

interface VerifyOptions extends Omit<Asked, 'file'> {
  readonly json?: true;
}

interface ExportOptions {
  readonly from: string;
  readonly to: string;
  readonly format: 'ndjson' | 'ocsf';
  readonly out?: string;
  readonly stack?: string;
  readonly state: string;
  readonly region?: string;
}

export function addEvidence(program: Command, exit: (code: ExitCode) => void): void {
  const evidence = program
    .command('evidence')
    .description('what the bot recorded: verify it, export it')
    .addHelpText(
      'after',
      '\nExamples: is it whole; a year for an auditor, and what she does with it\n  npx phidelity evidence verify --stack phidelity-prod\n  npx phidelity evidence export --from 2026-01-01 --to 2026-12-31 --stack phidelity-prod --out 2026.ndjson\n  npx phidelity evidence verify 2026.ndjson --public-key key.pem',
    );
  const from = (command: Command) =>
    command
      .option('--stack <name>', 'that of a deployed stack', stackNameOf)
      .option('--state <dir>', 'that of the embedded database in this folder, of which nothing is signed', '.phidelity')
      .option('--region <region>', 'AWS region of the stack; by default that of the SDK');
  from(evidence.command('verify').argument('[file]', 'an export').description('check chains, digests and signatures; exit code 1 when something is wrong'))
    .option('--deep', "with --stack: each entry's raw part in the table too")
    .option('--public-key <file>', 'the key (PEM) that digests must be signed with')
    .option('--json', 'one JSON document')
    .action(async (file: string | undefined, options: VerifyOptions) => exit(await verify({ ...options, file }, options.json)));
  from(evidence.command('export').description('write what was recorded in a time, with the digests that sign it'))
    .requiredOption('--from <date>', 'first day, or time (ISO 8601)', dayOr('T00:00:00.000Z'))
    .requiredOption('--to <date>', 'last day, or time', dayOr('T23:59:59.999Z'))
    .addOption(new Option('--format <format>', 'ndjson can be verified; ocsf is one Compliance Finding a line').choices(['ndjson', 'ocsf']).default('ndjson'))
    .option('--out <file>', 'where to; by default standard output')
    .action(async (options: ExportOptions) => exit(await exportTo(options)));
  const mended = evidence.command('mend').description('have entries put into the bucket that have not arrived there, and a digest signed');
  mended
    .requiredOption('--stack <name>', 'the deployed stack', stackNameOf)
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON document')
    .action(async ({ stack, region, json }: { readonly stack: string; readonly region?: string; readonly json?: true }) => {
      const { mend } = await import('../evidence/mend.ts');
      const findings = await mend(stack, region);
      if (json) print(JSON.stringify({ findings }));
      else
        print(
          findings > 0 ? `Entries of ${findings} findings were put into the bucket, and a digest was signed.` : 'Nothing was missing. A digest was signed.',
        );
      exit(0);
    });
}

const dayOr =
  (time: string) =>
  (text: string): string => {
    const at = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${time}` : text);
    if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(at.getTime()))
      throw new InvalidArgumentError('a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z');
    return at.toISOString();
  };

async function verify(asked: Asked, json: true | undefined): Promise<ExitCode> {
  if (asked.file !== undefined && asked.stack !== undefined) throw new UsageError('name an export or --stack, not both', 2);
  if (asked.deep && asked.stack === undefined) throw new UsageError('--deep reads the table of a stack: name it with --stack', 2);
  const now = stackTime().now();
  const report = await verified(asked, now);
  if (json) {
    const { key, tail, ...rest } = report;
    const seconds = tail.oldest === null ? 0 : Math.max(0, Math.round((now.getTime() - Date.parse(tail.oldest)) / 1_000));
    print(JSON.stringify({ ...rest, tail: { ...tail, seconds }, key: key ? { arn: key.arn, sha256: fingerprintOf(key.key), from: key.from } : null }, null, 2));
  } else for (const line of reportLines(report, now)) print(line);
  return report.sound ? 0 : 1;
}

async function exportTo(options: ExportOptions): Promise<ExitCode> {
  if (options.from > options.to) throw new UsageError('--from is after --to', 2);
  const now = stackTime().now();
  const out = options.out === undefined ? process.stdout : await openOut(options.out);
  let lines = 0;
  for await (const line of options.format === 'ocsf' ? ocsfLines(options, now) : ndjsonLines(options, now)) {
    lines += 1;
    if (!out.write(`${line}\n`)) await once(out, 'drain');
  }
  if (out !== process.stdout) await new Promise<void>((done) => out.end(done));
  say(`${lines} lines${options.out === undefined ? '' : ` in ${options.out}`}`);
  return 0;
}

async function openOut(file: string): Promise<Writable> {
  const stream = createWriteStream(file);
  await once(stream, 'open').catch((cause: Error) => {
    throw new UsageError(`${file} cannot be written: ${cause.message}`, 2, { cause });
  });
  return stream;
}

async function exported(options: ExportOptions, now: Date): Promise<{ readonly what: Exported; close(): void }> {
  if (options.stack !== undefined) {
    const { openEvidence } = await import('../evidence/bucket.ts');
    return { what: await exportOfStack(await openEvidence(options.stack, options.region), options, now), close() {} };
  }
  const directory = existingState(options.state);
  if (directory === undefined) throw new UsageError(`nothing has been recorded in ${options.state} yet; name a deployed stack with --stack`, 2);
  const ledger = sqliteLedger({ directory, clock: { now: () => now } });
  return { what: exportOfState(ledger, options, now), close: () => ledger.close() };
}

async function* ndjsonLines(options: ExportOptions, now: Date): AsyncIterable<string> {
  const { what, close } = await exported(options, now);
  try {
    yield headLine(what.head);
    for (const key of what.keys) yield keyLine(key);
    for (const text of what.digests) yield lineOf('digest', text);
    for await (const text of what.entries) yield lineOf('entry', text);
  } finally {
    close();
  }
}

async function* ocsfLines(options: ExportOptions, now: Date): AsyncIterable<string> {
  const { ocsfFindings } = await import('../evidence/ocsf.ts');
  const { what, close } = await exported(options, now);
  try {
    for await (const finding of ocsfFindings(what.entries, options)) yield JSON.stringify(finding);
  } finally {
    close();
  }
}
