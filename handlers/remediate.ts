/** The fix of one finding as a durable execution: it waits, then acts; what it knows, it reads anew from the ledger each time. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { type Attempt, act, giveUp } from '../engine/act.ts';
import { catalogue } from '../remediations/index.ts';
import { environmentOf, runtimeOf } from './runtime.ts';

const { ports, log } = runtimeOf(environmentOf(process.env), 'remediate', 0);
const action = { ports, catalogue, leaseSeconds: 120 };

/** Attempts of one `act` before a person is called. */
const attempts = 5;
const retryStrategy = (error: Error, attempt: number) => {
  log.warn('Attempt failed', { error, attempt });
  return { shouldRetry: attempt < attempts, delay: { seconds: 2 ** attempt } };
};

export const handler = withDurableExecution(async ({ findingId }: { findingId: string }, context: DurableContext) => {
  for (;;) {
    const attempt = await attemptOnce(findingId, context);
    log.flush();
    if ('ended' in attempt) return attempt;
    await context.wait({ seconds: attempt.again });
  }
});

async function attemptOnce(findingId: string, context: DurableContext): Promise<Attempt> {
  try {
    return await context.step('act', () => act(findingId, action), { retryStrategy });
  } catch (error) {
    const reason = `${attempts} attempts failed, the last with: ${messageOf(error)}`;
    return context.step('give up', () => giveUp(findingId, reason, action), { retryStrategy });
  }
}

/** The SDK wraps what a step threw. */
const messageOf = (error: unknown): string => {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
};
