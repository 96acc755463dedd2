/** How a suite says that it was left out because there is no AWS emulator; the set-up sets it, test/support/moto.ts and the reporter read it. */

/** Environment variable with the reason; not set where the emulator can be had. */
export const noEmulator = 'PHIDELITY_NO_EMULATOR';

/** At the end of the titles of suites that were left out for want of it. */
export const wantsEmulator = ' [needs the AWS emulator]';
