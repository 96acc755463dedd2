/** Before all tests, once: looks for the AWS emulator, or fetches it, so that no test file has to. */
import { findEmulator } from '../../cli/local-stack/emulator.ts';
import { noEmulator } from './left-out.ts';

export default function setup(): void {
  delete process.env[noEmulator];
  try {
    findEmulator();
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    process.env[noEmulator] = (error as Error).message;
  }
}
