/** The AWS emulator for tests: one server per test file, on a free port. */
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { describe } from '@jest/globals';

export interface Moto {
  readonly endpoint: string;
  /** Empties every service of every account. */
  reset(): Promise<void>;
  /** Off: everything is allowed. On: signatures and IAM policies are checked. */
  enforceIam(on: boolean): Promise<void>;
  stop(): Promise<void>;
}

export const motoAvailable = spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status === 0;
if (!motoAvailable && process.env.CI === 'true') throw new Error('moto_server is not on the PATH: the tests that need the AWS emulator cannot run in CI');

/** Skipped, and counted as skipped, where the emulator cannot be had; test/support/reporter.ts says so loudly. */
export const describeOnMoto = motoAvailable ? describe : describe.skip;

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const post = async (path: string, body?: string) => {
    const answer = await fetch(`${endpoint}/moto-api/${path}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`moto ${path}: ${answer.status}`);
  };
  const deadline = Date.now() + 30_000;
  while (
    !(await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`moto_server did not start on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    endpoint,
    reset: () => post('reset'),
    enforceIam: (on) => post('reset-auth', on ? '0' : 'inf'),
    async stop() {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}
