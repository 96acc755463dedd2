/** What every deployed function finds in its process, and keeps for as long as that lives. */
import type { Ledger } from '../engine/ports.ts';

/** @throws when the variable is missing: the function was not deployed by this project's template */
export function given(name: string, value: string | undefined): string {
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** Lambda puts the role's keys into the environment: the SDK's chain of providers would only be loaded to find them there. */
export const roleCredentials = async () => ({
  accessKeyId: given('AWS_ACCESS_KEY_ID', process.env.AWS_ACCESS_KEY_ID),
  secretAccessKey: given('AWS_SECRET_ACCESS_KEY', process.env.AWS_SECRET_ACCESS_KEY),
  sessionToken: process.env.AWS_SESSION_TOKEN,
});

/** Real time on purpose: a process that lives on must not serve a policy longer because its clock was moved. */
export function keeping(ledger: Ledger, milliseconds: number): Ledger & { forget(): void } {
  let kept: { readonly at: number; readonly policy: ReturnType<Ledger['policy']> } | undefined;
  const forget = () => {
    kept = undefined;
  };
  return {
    ...ledger,
    forget,
    policy() {
      if (kept && performance.now() - kept.at < milliseconds) return kept.policy;
      const policy = ledger.policy();
      kept = { at: performance.now(), policy };
      policy.catch(forget);
      return policy;
    },
  };
}
