/** The AWS emulator for tests: one server per test file, on a free port. */
import { describe } from '@jest/globals';
import { startEmulator } from '../../cli/local-stack/emulator.ts';
import { noEmulator, wantsEmulator } from './left-out.ts';

export interface Moto {
  readonly endpoint: string;
  /** Empties every service of every account. */
  reset(): Promise<void>;
  /** Off: everything is allowed. On: signatures and IAM policies are checked. */
  enforceIam(on: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Skipped where the emulator cannot be had, and counted as skipped; test/support/reporter.ts says so loudly. In CI the run ends before it begins. */
export const describeOnMoto = (name: string, body: () => void): void =>
  process.env[noEmulator] === undefined ? describe(name, body) : describe.skip(`${name}${wantsEmulator}`, body);

export async function startMoto(): Promise<Moto> {
  // Without an admin: tests of IAM want an empty account.
  const { endpoint, reset, setAuth, stop } = await startEmulator({ admin: false });
  return { endpoint, reset, enforceIam: setAuth, stop };
}
