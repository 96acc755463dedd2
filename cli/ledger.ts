/** The ledger that a person names: of a deployed stack, or the embedded database in a folder. */
import type { Ledger } from '../engine/ports.ts';
import { existingState, say } from './context.ts';
import { sqliteLedger } from './state/sqlite-ledger.ts';

export interface Kept {
  readonly state: string;
  readonly stack?: string;
  readonly region?: string;
}

const clock = { now: () => new Date(), sleep: async () => {} };

/** For commands that only read. @throws UsageError when there is no such stack */
export async function ledgerOf({ stack, state, region }: Kept): Promise<{ readonly ledger: Ledger; close(): void }> {
  if (!stack) {
    const directory = existingState(state);
    if (directory === undefined) say(`Nothing has been recorded in ${state} yet; \`sweep --apply\` and \`replay --apply\` do.`);
    const ledger = sqliteLedger({ directory, clock });
    return { ledger, close: () => ledger.close() };
  }
  const { openStack } = await import('./stack.ts');
  const { ledger } = await openStack(stack, region);
  return { ledger, close() {} };
}
