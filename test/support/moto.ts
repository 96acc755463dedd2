/** The AWS emulator for tests: one server per test file, on a free port. */
import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';
import { startEmulator } from '../../cli/local-stack/emulator.ts';

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

export async function startMoto(): Promise<Moto> {
  // Without an admin: tests of IAM want an empty account.
  const { endpoint, reset, setAuth, stop } = await startEmulator({ admin: false });
  return { endpoint, reset, enforceIam: setAuth, stop };
}
