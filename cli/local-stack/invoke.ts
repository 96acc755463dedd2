/** One child process per invocation: the deployed code, environment, role and timeout, and nothing else of this machine. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { clockVariable } from './clock.ts';
import { type Keys, killAtExit } from './emulator.ts';
import type { RefusedError } from './refusals.ts';

export interface DeployedFunction {
  readonly name: string;
  readonly version: string;
  /** Qualified, unless the version is $LATEST. */
  readonly arn: string;
  readonly handler: string;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** The folder its package is unpacked in. */
  readonly folder: string;
}

export type InvocationResult =
  | { readonly ok: true; readonly payload: string }
  | {
      readonly ok: false;
      readonly errorType: string;
      readonly errorMessage: string;
      readonly trace?: readonly string[];
      /** It was not run at all. */
      readonly refused?: RefusedError;
    };

export interface ToRunner {
  readonly event: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
}

export type FromRunner =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly payload: string }
  | { readonly kind: 'error'; readonly errorType: string; readonly errorMessage: string; readonly trace?: readonly string[] };

export interface LogLine {
  readonly functionName: string;
  readonly pid: number;
  readonly line: string;
}

/** One run of a function in one process. */
export interface Invocation {
  /** Counts from 1 over all functions. */
  readonly number: number;
  readonly functionName: string;
  readonly pid: number;
  /** What the function was given, JSON. */
  readonly event: string;
}

export interface InvokerOptions {
  /** Logs are written to `logs/FUNCTION.log` in here. */
  readonly directory: string;
  readonly region: string;
  /** Serves every AWS API. */
  readonly endpoint: string;
  readonly clockFile: string;
  readonly keysOf: (roleArn: string) => Promise<Keys>;
  /** Keep a process for the next invocation of the same function version, as a warm sandbox is kept. */
  readonly warm?: boolean;
  /** What stands in for everything outside AWS. */
  readonly outsideUrl?: string;
  readonly onLog?: (line: LogLine) => void;
}

export interface Invoker {
  invoke(target: DeployedFunction, event: string): Promise<InvocationResult>;
  /** Processes that exist now, idle warm ones too. */
  children(): { readonly functionName: string; readonly pid: number }[];
  /** What a process is at, by the id that its calls bear. */
  invocationOf(callerId: string): Invocation | undefined;
  /** How many invocations are under way. */
  readonly busy: number;
  /** Ends idle processes, e.g. after a deploy. */
  cool(): void;
  stop(): Promise<void>;
}

// The SDK writes it into the User-Agent of every call; Powertools adds to it, and all of it is at most 50 characters.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
const callerVariable = 'AWS_SDK_UA_APP_ID';

/** Base address of all that the functions call outside AWS; not set on AWS. */
const outsideVariable = 'PHIDELITY_OUTSIDE_URL';

/** The id of the process that makes a call; empty for everybody but the deployed functions. */
export const callerIdOf = ({ 'user-agent': agent = '' }: IncomingHttpHeaders): string => /(?:^| )app\/(\d+)/.exec(agent)?.[1] ?? '';

const here = fileURLToPath(new URL('.', import.meta.url));
// The npm package `node`: the deployed runtime, whatever Node this machine has.
const packagedNode = join(here, '../../node_modules/.bin/node');
const nodeBinary = existsSync(packagedNode) ? packagedNode : process.execPath;
const initSeconds = 30;

interface Sandbox {
  readonly id: string;
  readonly child: ChildProcess;
  /** The last it was given. */
  invocation?: Invocation;
  readonly key: string;
  readonly functionName: string;
  /** Settles when the handler is loaded, or the process ended. */
  readonly ready: Promise<FromRunner>;
  next(): Promise<FromRunner>;
  readonly exited: Promise<void>;
}

const died = (code: number | null, signal: string | null): FromRunner => ({
  kind: 'error',
  errorType: 'Runtime.ExitError',
  errorMessage: `Runtime exited with ${signal ? `signal: ${signal}` : `exit status ${code}`}`,
});

export function createInvoker(options: InvokerOptions): Invoker {
  const logs = join(options.directory, 'logs');
  mkdirSync(logs, { recursive: true });
  const sandboxes = new Set<Sandbox>();
  const idle: Sandbox[] = [];
  let busy = 0;
  let opened = 0;
  let invocations = 0;
  let stopped = false;

  const environmentOf = async (target: DeployedFunction, callerId: string) => {
    const keys = await options.keysOf(target.roleArn);
    return {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      ...target.environment,
      // Keeps the SDK away from the profiles of whoever runs the stack.
      HOME: target.folder,
      AWS_REGION: options.region,
      AWS_DEFAULT_REGION: options.region,
      AWS_LAMBDA_FUNCTION_NAME: target.name,
      AWS_LAMBDA_FUNCTION_VERSION: target.version,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${target.name}`,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      LAMBDA_TASK_ROOT: target.folder,
      _HANDLER: target.handler,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(keys.sessionToken ? { AWS_SESSION_TOKEN: keys.sessionToken } : {}),
      AWS_ENDPOINT_URL: options.endpoint,
      AWS_ENDPOINT_URL_LAMBDA: options.endpoint,
      [clockVariable]: options.clockFile,
      [callerVariable]: callerId,
      ...(options.outsideUrl && { [outsideVariable]: options.outsideUrl }),
    };
  };

  const open = async (target: DeployedFunction, key: string): Promise<Sandbox> => {
    opened += 1;
    const id = String(opened);
    const env = await environmentOf(target, id);
    const child = fork(join(here, 'runner.ts'), {
      execPath: nodeBinary,
      execArgv: [],
      env,
      cwd: target.folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    const log = (line: string) => {
      appendFileSync(join(logs, `${target.name}.log`), `${line}\n`);
      options.onLog?.({ functionName: target.name, pid: child.pid!, line });
    };
    for (const stream of [child.stdout!, child.stderr!]) createInterface({ input: stream }).on('line', log);
    let dead: FromRunner | undefined;
    const waiting: ((message: FromRunner) => void)[] = [];
    child.on('message', (message: FromRunner) => waiting.shift()?.(message));
    const exited = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        dead = died(code, signal);
        for (const tell of waiting.splice(0)) tell(dead);
        sandboxes.delete(sandbox);
        const at = idle.indexOf(sandbox);
        if (at >= 0) idle.splice(at, 1);
        resolve();
      });
    });
    child.once('error', (error) => log(error.message));
    const next = () => new Promise<FromRunner>((resolve) => (dead ? resolve(dead) : waiting.push(resolve)));
    const sandbox: Sandbox = { id, child, key, functionName: target.name, next, ready: next(), exited };
    sandboxes.add(sandbox);
    return sandbox;
  };

  const kill = (sandbox: Sandbox) => {
    sandbox.child.kill('SIGKILL');
    return sandbox.exited;
  };

  const within = async (sandbox: Sandbox, seconds: number, message: Promise<FromRunner>): Promise<FromRunner> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<FromRunner>((resolve) => {
      timer = setTimeout(() => {
        void kill(sandbox);
        resolve({ kind: 'error', errorType: 'Sandbox.Timedout', errorMessage: `Task timed out after ${seconds.toFixed(2)} seconds` });
      }, seconds * 1000);
    });
    try {
      return await Promise.race([message, late]);
    } finally {
      clearTimeout(timer);
    }
  };

  const converse = async (sandbox: Sandbox, target: DeployedFunction, event: string): Promise<FromRunner> => {
    const loaded = await within(sandbox, initSeconds, sandbox.ready);
    if (loaded.kind !== 'ready') return loaded;
    const requestId = randomUUID();
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: target.name,
      functionVersion: target.version,
      invokedFunctionArn: target.arn,
      memoryLimitInMB: String(target.memoryMb),
      awsRequestId: requestId,
      logGroupName: `/aws/lambda/${target.name}`,
      logStreamName: `local/[${target.version}]${sandbox.child.pid}`,
    };
    const answer = sandbox.next();
    if (sandbox.child.connected) sandbox.child.send({ event, context, timeoutMs: target.timeoutSeconds * 1000 } satisfies ToRunner, () => undefined);
    return within(sandbox, target.timeoutSeconds, answer);
  };

  const stayAlive = killAtExit(() => {
    for (const { child } of sandboxes) child.kill('SIGKILL');
  });

  return {
    async invoke(target, event) {
      if (stopped) throw new Error('the local stack has been stopped');
      busy += 1;
      try {
        const key = `${target.arn} ${target.folder}`;
        const at = options.warm ? idle.findIndex((sandbox) => sandbox.key === key) : -1;
        const sandbox = (at >= 0 ? idle.splice(at, 1)[0] : undefined) ?? (await open(target, key));
        invocations += 1;
        sandbox.invocation = { number: invocations, functionName: target.name, pid: sandbox.child.pid!, event };
        const answer = await converse(sandbox, target, event);
        if (options.warm && answer.kind === 'answer' && sandbox.child.connected && !stopped) idle.push(sandbox);
        else await kill(sandbox);
        if (answer.kind === 'answer') return { ok: true, payload: answer.payload };
        if (answer.kind === 'ready') throw new Error(`${target.name} said that it is ready twice`);
        return { ok: false, errorType: answer.errorType, errorMessage: answer.errorMessage, trace: answer.trace };
      } finally {
        busy -= 1;
      }
    },
    children: () => [...sandboxes].map(({ functionName, child }) => ({ functionName, pid: child.pid! })),
    invocationOf: (callerId) => [...sandboxes].find(({ id }) => id === callerId)?.invocation,
    get busy() {
      return busy;
    },
    cool() {
      for (const sandbox of idle.splice(0)) void kill(sandbox);
    },
    async stop() {
      stopped = true;
      stayAlive();
      await Promise.all([...sandboxes].map(kill));
    },
  };
}
