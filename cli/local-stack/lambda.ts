/** Stands in for the Lambda service: runs functions and keeps durable executions. Everything else passes on to the emulator, so that this is the one endpoint of the stack. */
import { join } from 'node:path';
import { type Admission, admission } from './admission.ts';
import { type Authorise, authoriser } from './authorise.ts';
import type { StackClock } from './clock.ts';
import { durableEngine } from './durable.ts';
import { durableApi } from './durable-api.ts';
import type { Keys as Credentials, Emulator } from './emulator.ts';
import { nextDue } from './executions.ts';
import { type AdminClients, deployedFunctions, deployedRoles, splitName } from './functions.ts';
import { type OnCall, openGateway, type Serving } from './gateway.ts';
import { createInvoker, type DeployedFunction, type InvocationResult, type Invoker, type LogLine } from './invoke.ts';
import { type DurableSettings, invokeApi } from './invoke-api.ts';
import type { Keys } from './keys.ts';
import { RefusedError } from './refusals.ts';
import { executionStore } from './store.ts';
import type { Answer, Call } from './wire.ts';

export type { OnCall } from './gateway.ts';
export type { DurableSettings } from './invoke-api.ts';

export interface LambdaOptions {
  readonly emulator: Emulator;
  readonly clients: AdminClients;
  readonly clock: StackClock;
  readonly keys: Keys;
  readonly region: string;
  /** Executions, logs and unpacked code are kept in here. */
  readonly directory: string;
  readonly warm?: boolean;
  readonly outsideUrl?: string;
  readonly onLog?: (line: LogLine) => void;
  /** What the stand-in itself has to say. */
  readonly log?: (line: string) => void;
  readonly onCall?: OnCall;
  readonly observe?: Serving['observe'];
  /** Answers calls of other services that the emulator is not to answer. */
  readonly others?: (authorise: Authorise) => (call: Call) => Promise<Answer | undefined>;
}

export interface ExecutionSummary {
  readonly arn: string;
  readonly name: string;
  readonly functionName: string;
  readonly status: string;
  readonly result?: string;
  readonly error?: unknown;
  /** The next moment, by the stack's clock, at which something of it comes due. */
  readonly due?: string;
}

export interface LambdaStandIn {
  readonly endpoint: string;
  /** The emulator forgets DurableConfig, so the stack says which functions are durable. */
  setDurable(functions: ReadonlyMap<string, DurableSettings>): void;
  /** Fetches a function's code and its role's keys ahead of the first invocation. */
  prepare(nameOrArn: string): Promise<void>;
  invoke(nameOrArn: string, event: unknown): Promise<InvocationResult>;
  readonly admission: Admission;
  keysOf(roleArn: string): Promise<Credentials>;
  executions(): ExecutionSummary[];
  children: Invoker['children'];
  readonly busy: number;
  /** Ends idle warm processes, as a deploy does. */
  cool(): void;
  stop(): Promise<void>;
}

export async function startLambda(options: LambdaOptions): Promise<LambdaStandIn> {
  const {
    emulator,
    clients,
    clock,
    keys,
    region,
    directory,
    warm,
    outsideUrl,
    onLog,
    onCall,
    others = () => async () => undefined,
    log = () => undefined,
  } = options;
  const store = executionStore(join(directory, 'executions'));
  const functions = deployedFunctions(clients, emulator, directory);
  const roles = deployedRoles(clients, emulator);
  let durable: ReadonlyMap<string, DurableSettings> = new Map();

  const find = async (nameOrArn: string, qualifier?: string): Promise<DeployedFunction> => {
    const split = splitName(nameOrArn);
    const found = await functions.describe(split.name, qualifier ?? split.qualifier);
    if (!found) throw new RefusedError(404, 'ResourceNotFoundException', `Function not found: ${nameOrArn}${qualifier ? `:${qualifier}` : ''}`);
    return found;
  };

  const gateway = await openGateway(emulator.endpoint);
  const { endpoint } = gateway;
  const invoker = createInvoker({ directory, region, endpoint, clockFile: clock.file, keysOf: roles.keysOf, warm, outsideUrl, onLog });
  const admitted = admission(clients.lambda, region, keys);
  const invoke = async (target: DeployedFunction, event: string): Promise<InvocationResult> => {
    const refused = await admitted.refusal(target.name);
    if (refused) return { ok: false, errorType: refused.name, errorMessage: refused.message, refused };
    const counts = admitted.counts(target.name);
    counts.Invocations += 1;
    const result = await invoker.invoke(target, event);
    if (!result.ok) counts.Errors += 1;
    return result;
  };
  const describe = (arn: string) => functions.describe(splitName(arn).name, splitName(arn).qualifier);
  const engine = durableEngine({ store, clock, describe, invoke, log });
  const authorise = authoriser(emulator, roles);
  const answerInvoke = invokeApi({
    authorise,
    find,
    durableSettings: (name) => durable.get(name),
    invoker: { invoke },
    refusal: admitted.refusal,
    engine,
    log,
  });
  const answerDurable = durableApi({ authorise, store, engine });
  const answerOthers = others(authorise);
  gateway.serve({
    answer: async (call) => (await answerInvoke(call)) ?? (await answerDurable(call)) ?? answerOthers(call),
    roleOf: roles.roleOf,
    invocationOf: invoker.invocationOf,
    onCall,
    observe: options.observe,
    log,
  });
  engine.resume();

  return {
    endpoint,
    setDurable(settings) {
      durable = settings;
    },
    async prepare(nameOrArn) {
      const { roleArn } = await find(nameOrArn);
      await roles.keysOf(roleArn);
    },
    invoke: async (nameOrArn, event) => invoke(await find(nameOrArn), JSON.stringify(event)),
    admission: admitted,
    keysOf: roles.keysOf,
    executions: () =>
      store.all().map((execution) => ({
        arn: execution.arn,
        name: execution.name,
        functionName: execution.functionName,
        status: execution.status,
        result: execution.result,
        error: execution.error,
        due: execution.status === 'RUNNING' ? nextDue(execution) : undefined,
      })),
    children: () => invoker.children(),
    get busy() {
      return invoker.busy + engine.busy;
    },
    cool: () => invoker.cool(),
    async stop() {
      engine.stop();
      await invoker.stop();
      await gateway.stop();
    },
  };
}
