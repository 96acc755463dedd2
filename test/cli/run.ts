/** Runs the real command as a person would: a process of its own, in a folder of its own, with nothing of this machine's AWS set-up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Run {
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Is given the process, to send it signals. */
  readonly started?: (child: ChildProcess) => void;
}

export interface Result {
  /** Null: it had to be killed. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Desk {
  readonly folder: string;
  path(name: string): string;
  run(run: Run): Promise<Result>;
  clear(): void;
}

export function openDesk(base: Readonly<Record<string, string>> = {}): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'phidelity-cli-'));
  const environment = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true', ...base };
  return {
    folder,
    path: (name) => join(folder, name),
    clear: () => rmSync(folder, { recursive: true, force: true }),
    run: ({ args, stdin = '', env, started }) =>
      new Promise((resolve, reject) => {
        const child = spawn(join(root, 'node_modules/.bin/node'), [join(root, 'cli/phidelity.ts'), ...args], {
          cwd: folder,
          env: { ...environment, ...env },
          timeout: 50_000,
          killSignal: 'SIGKILL',
        });
        started?.(child);
        const text = { out: '', err: '' };
        child.stdout.setEncoding('utf8').on('data', (part) => {
          text.out += part;
        });
        child.stderr.setEncoding('utf8').on('data', (part) => {
          text.err += part;
        });
        child.once('error', reject).once('close', (code) => resolve({ code, ...text }));
        // Whoever refuses its input does not read it.
        child.stdin.on('error', () => {}).end(stdin);
      }),
  };
}

/** A few at a time: the machine has few cores, and most of a run is start-up. */
export async function runAll(desk: Desk, runs: Readonly<Record<string, Run>>): Promise<Record<string, Result>> {
  const waiting = Object.entries(runs);
  const results: Record<string, Result> = {};
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await desk.run(next[1]);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return results;
}

/** NDJSON: the work items, and the summary of the last line. */
export function ndjson({ out }: Result) {
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests look at.
  return { lines: rows.slice(0, -1) as any[], summary: rows.at(-1).summary as any };
}
