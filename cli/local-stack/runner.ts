/**
 * Runs in a child process of its own: imports one deployed handler and answers the invocations its parent sends.
 * Plays the part of the Lambda runtime: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FromRunner, ToRunner } from './invoke.ts';

const send = (message: FromRunner) => process.send!(message);

const describe = (error: unknown) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') }
    : { errorType: 'Error', errorMessage: String(error), trace: undefined };

async function load(handler: string): Promise<(event: unknown, context: unknown) => unknown> {
  const root = process.env.LAMBDA_TASK_ROOT!;
  const [path, name] = [handler.slice(0, handler.lastIndexOf('.')), handler.slice(handler.lastIndexOf('.') + 1)];
  const file = ['.mjs', '.cjs', '.js'].map((ending) => join(root, `${path}${ending}`)).find(existsSync);
  if (!file) throw new Error(`Cannot find module '${path}'`);
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown> & { default?: Record<string, unknown> };
  const found = module[name] ?? module.default?.[name];
  if (typeof found !== 'function') throw new Error(`${handler} is not a function`);
  return found as (event: unknown, context: unknown) => unknown;
}

try {
  const handler = await load(process.env._HANDLER!);
  process.on('message', async ({ event, context, timeoutMs }: ToRunner) => {
    const deadline = performance.now() + timeoutMs;
    try {
      const answer = await handler(JSON.parse(event), { ...context, getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())) });
      send({ kind: 'answer', payload: JSON.stringify(answer) ?? 'null' });
    } catch (error) {
      send({ kind: 'error', ...describe(error) });
    }
  });
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'error', ...describe(error) });
}
// Nobody is left to answer to.
process.on('disconnect', () => process.exit());
