/** IAM for the calls that the stand-in answers, as the emulator does it for its own where IAM is enforced: who holds the key, and may its role do this? */
import type { Emulator } from './emulator.ts';
import type { Roles } from './functions.ts';
import { RefusedError } from './refusals.ts';
import { type Call, signerOf } from './wire.ts';

/** @throws RefusedError when the caller is unknown or may not. */
export type Authorise = (call: Call, action: string) => Promise<void>;

export const authoriser =
  (emulator: Emulator, roles: Roles): Authorise =>
  async ({ headers }, action) => {
    if (!emulator.auth) return;
    const { accessKeyId } = signerOf(headers);
    if (accessKeyId === emulator.adminCredentials().accessKeyId) return;
    const roleArn = roles.roleOf(accessKeyId);
    if (!roleArn) throw new RefusedError(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.');
    const role = roleArn.split('/').at(-1)!;
    if (!(await roles.allows(role, action))) throw new RefusedError(403, 'AccessDeniedException', `User: ${roleArn} is not authorized to perform: ${action}`);
  };
