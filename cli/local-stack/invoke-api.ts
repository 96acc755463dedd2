/** Lambda's Invoke, of plain and of durable functions: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
import type { Authorise } from './authorise.ts';
import type { DurableEngine } from './durable.ts';
import { splitName } from './functions.ts';
import type { DeployedFunction, Invoker } from './invoke.ts';
import { RefusedError } from './refusals.ts';
import type { Answer, Call } from './wire.ts';

export interface DurableSettings {
  readonly executionTimeoutSeconds: number;
}

export interface InvokeApiOptions {
  readonly authorise: Authorise;
  /** @throws RefusedError when there is none. */
  readonly find: (nameOrArn: string, qualifier?: string) => Promise<DeployedFunction>;
  /** Undefined for a plain function. */
  readonly durableSettings: (functionName: string) => DurableSettings | undefined;
  readonly invoker: Pick<Invoker, 'invoke'>;
  /** Why a function cannot be run now. */
  readonly refusal: (functionName: string) => Promise<RefusedError | undefined>;
  readonly engine: Pick<DurableEngine, 'start' | 'ended'>;
  readonly log: (line: string) => void;
}

const executionName = /^[a-zA-Z0-9-_]{1,64}$/;
// "Lambda retries function errors twice", after one and two minutes; here at once. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const asyncAttempts = 3;

const refuse = (message: string) => new RefusedError(400, 'InvalidParameterValueException', message);

export function invokeApi({ authorise, find, durableSettings, invoker, refusal, engine, log }: InvokeApiOptions) {
  const invokeLater = async (target: DeployedFunction, event: string) => {
    for (let attempt = 1; attempt <= asyncAttempts; attempt += 1) {
      const result = await invoker.invoke(target, event);
      if (result.ok) return;
      // "without any retries", and the functions here have no queue for failed events: lost.
      if (result.refused) return log(`${target.name}: asynchronous event lost: ${result.errorMessage}`);
      log(`${target.name}: asynchronous invocation failed (${attempt} of ${asyncAttempts}): ${result.errorMessage}`);
    }
  };

  const invokePlain = async (target: DeployedFunction, type: string, event: string): Promise<Answer> => {
    if (type === 'DryRun') return { status: 204 };
    if (type === 'Event') {
      void invokeLater(target, event).catch((error: Error) => log(`${target.name}: ${error.message}`));
      return { status: 202 };
    }
    const result = await invoker.invoke(target, event);
    if (!result.ok && result.refused) throw result.refused;
    const headers = { 'x-amz-executed-version': target.version };
    if (result.ok) return { status: 200, headers, body: result.payload };
    const { ok, refused, ...error } = result;
    return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(error) };
  };

  const invokeDurable = async (target: DeployedFunction, type: string, event: string, name: string, seconds: number): Promise<Answer> => {
    if (type === 'DryRun') return { status: 204 };
    const refused = type === 'Event' ? undefined : await refusal(target.name);
    if (refused) throw refused;
    const execution = engine.start(target, name, event, seconds);
    const headers = { 'x-amz-durable-execution-arn': execution.arn, 'x-amz-executed-version': target.version };
    if (type === 'Event') return { status: 202, headers };
    const { status, result, error } = await engine.ended(execution.arn);
    if (status === 'SUCCEEDED') return { status: 200, headers, body: result ?? 'null' };
    const body = JSON.stringify({ errorType: error?.ErrorType, errorMessage: error?.ErrorMessage });
    return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body };
  };

  /** Undefined for every other call. */
  return async (call: Call): Promise<Answer | undefined> => {
    const [version, kind, nameOrArn, action] = call.path;
    if (version !== '2015-03-31' || kind !== 'functions' || action !== 'invocations' || call.method !== 'POST') return undefined;
    await authorise(call, 'lambda:InvokeFunction');
    const type = String(call.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    const name = call.headers['x-amz-durable-execution-name'] as string | undefined;
    const qualifier = call.query.get('Qualifier') ?? splitName(nameOrArn!).qualifier;
    const target = await find(nameOrArn!, qualifier);
    const settings = durableSettings(target.name);
    const event = call.body.length > 0 ? call.body.toString() : '{}';
    if (!settings) {
      if (name !== undefined) throw refuse(`${target.name} is not a durable function: it takes no DurableExecutionName.`);
      return invokePlain(target, type, event);
    }
    if (!qualifier) throw refuse('You cannot invoke a durable function using an unqualified ARN.');
    if (name !== undefined && !executionName.test(name)) throw refuse(`DurableExecutionName must match ${executionName.source}`);
    return invokeDurable(target, type, event, name ?? crypto.randomUUID(), settings.executionTimeoutSeconds);
  };
}
