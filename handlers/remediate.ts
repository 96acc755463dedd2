/** The fix of one finding as a durable execution: it waits, then acts; what it knows, it reads anew from the ledger each time. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { type Attempt, act, giveUp } from '../engine/act.ts';
import { codeOf } from '../engine/errors.ts';
import { catalogue } from '../remediations/index.ts';
import { environmentOf, runtimeOf } from './runtime.ts';

const environment = environmentOf(process.env);
const { ports, log } = runtimeOf(environment, 'remediate', 0);
const action = { ports, catalogue, roleArn: environment.remediateRoleArn, leaseSeconds: 120 };

/** Attempts of one `act` before a person is called. */
const attempts = 5;
const retryStrategy = (_: Error, attempt: number) => ({ shouldRetry: attempt < attempts, delay: { seconds: 2 ** attempt } });

/** An execution that ends untold is noticed by nobody: a person is called when table and topic answer again, for about ten hours. */
const untilTold = (_: Error, attempt: number) => ({ shouldRetry: attempt < 50, delay: { seconds: Math.min(2 ** attempt, 900) } });

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
    return await context.step('act', () => act(findingId, action).catch(withoutWords('Attempt failed')), { retryStrategy });
  } catch (error) {
    const reason = `${attempts} attempts failed, the last with: ${codeFrom(error)}`;
    return context.step('give up', () => giveUp(findingId, reason, action).catch(withoutWords('Nobody could be told')), { retryStrategy: untilTold });
  }
}

/** What a step throws is kept with the execution, which a key of AWS guards: messages of AWS name resources. */
const withoutWords =
  (what: string) =>
  (error: unknown): never => {
    log.error(what, { error });
    throw Object.assign(new Error('the log tells more'), { name: codeOf(error) || 'Error' });
  };

/** The code alone: messages of AWS and others name resources and quote texts. The SDK wraps what a step threw. */
const codeFrom = (error: unknown): string => codeOf((error as Error).cause) || codeOf(error) || 'an unknown error';
