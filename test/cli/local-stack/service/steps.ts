/** A durable function for the tests of the local stack: each run of a step leaves a line in a file, and marker files make it die. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';

interface Input {
  readonly findingId: string;
  readonly kind: string;
}

export const handler = withDurableExecution(async ({ findingId, kind }: Input, context: DurableContext) => {
  const at = (name: string) => join(process.env.OUTBOX!, `${findingId}.${name}`);
  const note = (line: string) => appendFileSync(at('log'), `${line}\n`);
  const dieOnce = (where: string) => {
    if (existsSync(at(where))) return;
    writeFileSync(at(where), '');
    process.kill(process.pid, 'SIGKILL');
  };

  note(`invoked ${process.pid} ${new Date(Date.now() + Number(readFileSync(process.env.PHIDELITY_CLOCK_FILE!, 'utf8'))).toISOString()}`);
  const first = await context.step('first', async () => {
    note('first');
    return { number: 41 };
  });
  if (kind === 'die-between') dieOnce('between');
  if (kind === 'wait') await context.wait('pause', { hours: 1 });
  if (kind === 'retry')
    await context.step(
      'shaky',
      async () => {
        note('shaky');
        if (!existsSync(at('tried'))) {
          writeFileSync(at('tried'), '');
          throw new Error('not yet');
        }
      },
      { retryStrategy: () => ({ shouldRetry: true, delay: { minutes: 10 } }) },
    );
  if (kind === 'callback') return context.waitForCallback('answer', async (callbackId) => writeFileSync(at('callback'), callbackId), { timeout: { hours: 2 } });
  if (kind === 'die-always') process.exit(3);
  if (kind === 'slow')
    await context.step('slow', () => {
      note('slow');
      return pause(5_000);
    });
  if (kind === 'call')
    await context.step('call', () => new SQSClient().send(new GetQueueUrlCommand({ QueueName: 'target' })), { retryStrategy: () => ({ shouldRetry: false }) });
  return context.step('second', async () => {
    note('second');
    if (kind === 'die-inside') dieOnce('inside');
    return first.number + 1;
  });
});
