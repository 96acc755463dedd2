/** One at a time: the framework works in `.serverless` of the project, and two deploys of one checkout would eat each other's files. */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    // Left by a process that was killed. An empty file is one that is just being written.
    if (owner > 0 && !isAlive(owner)) rmSync(file, { force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return false;
}

/** Waits for other processes, and other calls of this one, that work on the same directory. */
export async function alone<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const file = join(tmpdir(), `phidelity-deploy-${createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 12)}.lock`);
  while (!claim(file)) await pause(200);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}
