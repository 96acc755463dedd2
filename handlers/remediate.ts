/** The fix of one finding, its undo, or what people want of it, as a durable execution: it waits, then acts; what it knows, it reads anew from the ledger each time. */
import { CallbackTimeoutError, type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { type Attempt, act, giveUp } from '../engine/act.ts';
import { giveUpHeeding, heed } from '../engine/answers/heed.ts';
import { codeOf } from '../engine/errors.ts';
import { giveUpUndo, undo } from '../engine/undo.ts';
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

interface Asked {
  readonly findingId: string;
  readonly undo?: true;
  /** Somebody wants it excepted, snoozed or looked at again. */
  readonly heed?: true;
}

/** What is tried, and what is recorded once it is given up. */
const workOf = ({ undo: undoes, heed: heeds }: Asked) => {
  if (heeds) return { attempt: heed, resign: giveUpHeeding };
  return undoes ? { attempt: undo, resign: giveUpUndo } : { attempt: act, resign: giveUp };
};

export const handler = withDurableExecution(async (asked: Asked, context: DurableContext) => {
  for (let woken = false; ; ) {
    const attempt = await attemptOnce(asked, woken, context);
    log.flush();
    if ('ended' in attempt) return attempt;
    woken = attempt.knock === true && (await isWoken(asked.findingId, attempt.again, context));
    if (!attempt.knock) await context.wait({ seconds: attempt.again });
  }
});

/** Waits for a knock, at most so many seconds. What it brings is not looked at: whoever knocks has left an answer in the ledger, or nothing is done. */
async function isWoken(findingId: string, seconds: number, context: DurableContext): Promise<boolean> {
  const [knock, callbackId] = await context.createCallback('answer', { timeout: { seconds } });
  await context.step('wait', () => ports.ledger.remember(`knock|${findingId}`, { callbackId }));
  return knock.then(
    () => true,
    // A knock that says it has failed is one all the same; time that ran out is none.
    (error: unknown) => !(error instanceof CallbackTimeoutError),
  );
}

async function attemptOnce(asked: Asked, woken: boolean, context: DurableContext): Promise<Attempt> {
  const { findingId } = asked;
  const { attempt, resign } = workOf(asked);
  try {
    return await context.step('act', () => attempt(findingId, action, woken).catch(withoutWords('Attempt failed')), { retryStrategy });
  } catch (error) {
    const reason = `${attempts} attempts failed, the last with: ${codeFrom(error)}`;
    return context.step('give up', () => resign(findingId, reason, action).catch(withoutWords('Nobody could be told')), { retryStrategy: untilTold });
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
