/**
 * Stands in for the Lambda service: runs functions and keeps durable executions. Everything else passes on to the emulator, so that this is the one endpoint of the stack.
 * Paths and shapes: the Lambda API reference, 2015-03-31 and 2025-12-01.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { OperationUpdate } from '@aws-sdk/client-lambda';
import { codeOf } from '../../engine/errors.ts';
import type { StackClock } from './clock.ts';
import { type DurableEngine, durableEngine } from './durable.ts';
import type { Emulator } from './emulator.ts';
import { type Execution, nextDue, type StoredOperation } from './executions.ts';
import { type AdminClients, deployedFunctions, deployedRoles } from './functions.ts';
import { createInvoker, type DeployedFunction, type InvocationResult, type Invoker, type LogLine } from './invoke.ts';
import { executionStore } from './store.ts';

export interface LambdaOptions {
  readonly emulator: Emulator;
  readonly clients: AdminClients;
  readonly clock: StackClock;
  readonly region: string;
  /** Executions, logs and unpacked code are kept in here. */
  readonly directory: string;
  readonly warm?: boolean;
  readonly onLog?: (line: LogLine) => void;
  /** What the stand-in itself has to say. */
  readonly log?: (line: string) => void;
}

export interface DurableSettings {
  readonly executionTimeoutSeconds: number;
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
  executions(): ExecutionSummary[];
  children: Invoker['children'];
  readonly busy: number;
  /** Ends idle warm processes, as a deploy does. */
  cool(): void;
  stop(): Promise<void>;
}

class RefusedError extends Error {
  readonly status: number;
  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = type;
    this.status = status;
  }
}

interface Call {
  readonly method: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const statusOf: Readonly<Record<string, number>> = { InvalidParameterValueException: 400, DurableExecutionAlreadyStartedException: 409 };

const json = (value: unknown, status = 200): Answer => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

const seconds = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time) / 1000);

/** The API writes times as seconds, invocations and files as text. */
const toApi = (operation: StoredOperation) => ({
  ...operation,
  StartTimestamp: seconds(operation.StartTimestamp),
  EndTimestamp: seconds(operation.EndTimestamp),
  StepDetails: operation.StepDetails && { ...operation.StepDetails, NextAttemptTimestamp: seconds(operation.StepDetails.NextAttemptTimestamp) },
  WaitDetails: operation.WaitDetails && { ScheduledEndTimestamp: seconds(operation.WaitDetails.ScheduledEndTimestamp) },
});

const summary = (execution: Execution) => ({
  DurableExecutionArn: execution.arn,
  DurableExecutionName: execution.name,
  FunctionArn: execution.functionArn,
  Status: execution.status,
  StartTimestamp: seconds(execution.startedAt),
  EndTimestamp: seconds(execution.endedAt),
});

// moto writes refusals as XML for every service; an SDK client of a service that speaks JSON cannot read them, and a denied call would look like a broken one.
const xmlServices = new Set([
  's3',
  'ec2',
  'iam',
  'sts',
  'sns',
  'cloudformation',
  'rds',
  'elasticloadbalancing',
  'autoscaling',
  'redshift',
  'route53',
  'cloudfront',
  'monitoring',
]);
const jsonNames: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
};

function readRefusal(headers: IncomingMessage['headers'], status: number, content: Buffer): RefusedError | undefined {
  const service = /Credential=[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
  if (status !== 403 || xmlServices.has(service)) return undefined;
  const [, code = '', message = ''] = /<Code>(.*?)<\/Code>\s*<Message>(.*?)<\/Message>/s.exec(content.toString()) ?? [];
  // 400 is what the JSON protocols answer with: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
  return jsonNames[code] ? new RefusedError(service === 'lambda' ? 403 : 400, jsonNames[code], message) : undefined;
}

const readBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const parse = <T>(body: Buffer): T => JSON.parse(body.length > 0 ? body.toString() : '{}') as T;

const executionName = /^[a-zA-Z0-9-_]{1,64}$/;
// "Lambda retries function errors twice", after one and two minutes; here at once. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const asyncAttempts = 3;

/** `NAME`, `NAME:QUALIFIER` or an ARN with or without one. */
function splitName(nameOrArn: string): { name: string; qualifier?: string } {
  const parts = nameOrArn.split(':');
  const at = parts[0] === 'arn' ? 6 : 0;
  return { name: parts[at]!, qualifier: parts[at + 1] };
}

export async function startLambda(options: LambdaOptions): Promise<LambdaStandIn> {
  const { emulator, clients, clock, region, directory, log = () => undefined } = options;
  const store = executionStore(join(directory, 'executions'));
  const functions = deployedFunctions(clients, emulator, directory);
  const roles = deployedRoles(clients, emulator);
  let durable: ReadonlyMap<string, DurableSettings> = new Map();
  let invoker: Invoker;
  let engine: DurableEngine;

  const find = async (nameOrArn: string, qualifier?: string): Promise<DeployedFunction> => {
    const split = splitName(nameOrArn);
    const found = await functions.describe(split.name, qualifier ?? split.qualifier);
    if (!found) throw new RefusedError(404, 'ResourceNotFoundException', `Function not found: ${nameOrArn}${qualifier ? `:${qualifier}` : ''}`);
    return found;
  };

  /** As the emulator does for its own calls, where IAM is enforced: who holds the key, and may its role do this? */
  const authorise = async ({ headers }: Call, action: string) => {
    if (!emulator.auth) return;
    const accessKeyId = /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
    if (accessKeyId === emulator.adminCredentials().accessKeyId) return;
    const roleArn = roles.roleOf(accessKeyId);
    if (!roleArn) throw new RefusedError(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.');
    const role = roleArn.split('/').at(-1)!;
    if (!(await roles.allows(role, action))) throw new RefusedError(403, 'AccessDeniedException', `User: ${roleArn} is not authorized to perform: ${action}`);
  };

  const invokeLater = async (target: DeployedFunction, event: string) => {
    for (let attempt = 1; attempt <= asyncAttempts; attempt += 1) {
      const result = await invoker.invoke(target, event);
      if (result.ok) return;
      log(`${target.name}: asynchronous invocation failed (${attempt} of ${asyncAttempts}): ${result.errorMessage}`);
    }
  };

  const invoke = async (call: Call, nameOrArn: string): Promise<Answer> => {
    await authorise(call, 'lambda:InvokeFunction');
    const type = call.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    const name = call.headers['x-amz-durable-execution-name'] as string | undefined;
    const qualifier = call.query.get('Qualifier') ?? splitName(nameOrArn).qualifier;
    const target = await find(nameOrArn, qualifier);
    const settings = durable.get(target.name);
    const event = call.body.length > 0 ? call.body.toString() : '{}';
    if (!settings) {
      if (name !== undefined)
        throw new RefusedError(400, 'InvalidParameterValueException', `${target.name} is not a durable function: it takes no DurableExecutionName.`);
      if (type === 'DryRun') return { status: 204 };
      if (type === 'Event') {
        void invokeLater(target, event).catch((error: Error) => log(`${target.name}: ${error.message}`));
        return { status: 202 };
      }
      const result = await invoker.invoke(target, event);
      const headers = { 'x-amz-executed-version': target.version };
      if (result.ok) return { status: 200, headers, body: result.payload };
      const { ok, ...error } = result;
      return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(error) };
    }
    if (!qualifier) throw new RefusedError(400, 'InvalidParameterValueException', 'You cannot invoke a durable function using an unqualified ARN.');
    if (name !== undefined && !executionName.test(name))
      throw new RefusedError(400, 'InvalidParameterValueException', `DurableExecutionName must match ${executionName.source}`);
    if (type === 'DryRun') return { status: 204 };
    const execution = engine.start(target, name ?? crypto.randomUUID(), event, settings.executionTimeoutSeconds);
    const headers = { 'x-amz-durable-execution-arn': execution.arn, 'x-amz-executed-version': target.version };
    if (type === 'Event') return { status: 202, headers };
    const { status, result, error } = await engine.ended(execution.arn);
    return status === 'SUCCEEDED'
      ? { status: 200, headers, body: result ?? 'null' }
      : {
          status: 200,
          headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
          body: JSON.stringify({ errorType: error?.ErrorType, errorMessage: error?.ErrorMessage }),
        };
  };

  const known = (arn: string): Execution => {
    const execution = store.byArn(arn);
    if (!execution) throw new RefusedError(404, 'ResourceNotFoundException', `There is no durable execution ${arn}.`);
    return execution;
  };

  const executionCall = async (call: Call, arn: string, action: string | undefined): Promise<Answer | undefined> => {
    switch (`${call.method} ${action ?? ''}`) {
      case 'POST checkpoint': {
        await authorise(call, 'lambda:CheckpointDurableExecution');
        const { CheckpointToken, Updates } = parse<{ CheckpointToken: string; Updates?: OperationUpdate[] }>(call.body);
        const { token, operations } = engine.checkpoint(arn, CheckpointToken, Updates ?? []);
        return json({ CheckpointToken: token, NewExecutionState: { Operations: operations.map(toApi) } });
      }
      case 'GET state': {
        await authorise(call, 'lambda:GetDurableExecutionState');
        const from = Number(call.query.get('Marker') ?? 0);
        const operations = engine.state(arn, call.query.get('CheckpointToken') ?? '');
        const to = from + Number(call.query.get('MaxItems') || 1000);
        return json({ Operations: operations.slice(from, to).map(toApi), NextMarker: to < operations.length ? String(to) : undefined });
      }
      case 'GET ': {
        await authorise(call, 'lambda:GetDurableExecution');
        const execution = known(arn);
        return json({ ...summary(execution), InputPayload: execution.payload, Result: execution.result, Error: execution.error });
      }
      case 'POST stop':
        await authorise(call, 'lambda:StopDurableExecution');
        return json({ StopTimestamp: seconds(engine.stopExecution(known(arn).arn, call.body.length > 0 ? parse<object>(call.body) : undefined).endedAt) });
      default:
        return undefined;
    }
  };

  const callbackCall = async (call: Call, id: string, action: string | undefined): Promise<Answer | undefined> => {
    if (call.method !== 'POST') return undefined;
    if (action === 'succeed') {
      await authorise(call, 'lambda:SendDurableExecutionCallbackSuccess');
      engine.callback(id, { status: 'SUCCEEDED', Result: call.body.length > 0 ? call.body.toString() : undefined });
    } else if (action === 'fail') {
      await authorise(call, 'lambda:SendDurableExecutionCallbackFailure');
      engine.callback(id, { status: 'FAILED', Error: parse<object>(call.body) });
    } else if (action === 'heartbeat') {
      await authorise(call, 'lambda:SendDurableExecutionCallbackHeartbeat');
      engine.callback(id, 'heartbeat');
    } else return undefined;
    return json({});
  };

  const list = async (call: Call, nameOrArn: string): Promise<Answer> => {
    await authorise(call, 'lambda:ListDurableExecutionsByFunction');
    const { name } = splitName(nameOrArn);
    const named = call.query.get('DurableExecutionName');
    const statuses = call.query.getAll('Statuses');
    const found = store
      .all()
      .filter(
        (execution) =>
          execution.functionName === name && (!named || execution.name === named) && (statuses.length === 0 || statuses.includes(execution.status)),
      )
      .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    if (call.query.get('ReverseOrder') === 'true') found.reverse();
    const from = Number(call.query.get('Marker') ?? 0);
    const to = from + Number(call.query.get('MaxItems') || 100);
    return json({ DurableExecutions: found.slice(from, to).map(summary), NextMarker: to < found.length ? String(to) : undefined });
  };

  /** Undefined for the calls that are the emulator's. */
  const answer = async (call: Call): Promise<Answer | undefined> => {
    const [version, kind, id, action] = call.path;
    if (version === '2015-03-31' && kind === 'functions' && action === 'invocations' && call.method === 'POST') return invoke(call, id!);
    if (version !== '2025-12-01' || id === undefined) return undefined;
    if (kind === 'durable-executions') return executionCall(call, id, action);
    if (kind === 'durable-execution-callbacks') return callbackCall(call, id, action);
    if (kind === 'functions' && action === 'durable-executions' && call.method === 'GET') return list(call, id);
    return undefined;
  };

  // Headers go on as they came, Host too: the signature is over them.
  const passOn = async (incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse) => {
    const { hostname, port } = new URL(emulator.endpoint);
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const forward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, resolve);
      forward.once('error', reject);
      forward.end(body);
    });
    const content = await readBody(reply);
    const refusal = readRefusal(incoming.headers, reply.statusCode!, content);
    if (refusal) throw refusal;
    const { 'transfer-encoding': _chunked, ...headers } = reply.headers;
    outgoing.writeHead(reply.statusCode!, headers).end(content);
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await readBody(incoming);
    const url = new URL(incoming.url!, 'http://lambda');
    try {
      const path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
      const reply = await answer({ method: incoming.method!, path, query: url.searchParams, headers: incoming.headers, body });
      if (!reply) return await passOn(incoming, body, outgoing);
      outgoing.writeHead(reply.status, reply.headers).end(reply.body);
    } catch (error) {
      const status = error instanceof RefusedError ? error.status : (statusOf[codeOf(error)] ?? 500);
      if (status === 500) log(`${incoming.method} ${url.pathname}: ${(error as Error).stack}`);
      const type = status === 500 ? 'ServiceException' : codeOf(error);
      outgoing.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
      outgoing.end(
        JSON.stringify({ __type: type, Type: status < 500 ? 'User' : 'Service', message: (error as Error).message, Message: (error as Error).message }),
      );
    }
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: Error) => {
      log(`${incoming.method} ${incoming.url}: ${error.message}`);
      outgoing.destroy(error);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  invoker = createInvoker({
    directory,
    region,
    endpoint,
    clockFile: clock.file,
    keysOf: roles.keysOf,
    warm: options.warm,
    onLog: options.onLog,
  });
  engine = durableEngine({ store, clock, describe: (arn) => functions.describe(splitName(arn).name, splitName(arn).qualifier), invoke: invoker.invoke, log });
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
    invoke: async (nameOrArn, event) => invoker.invoke(await find(nameOrArn), JSON.stringify(event)),
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
      return invoker.busy;
    },
    cool: () => invoker.cool(),
    async stop() {
      engine.stop();
      await invoker.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
