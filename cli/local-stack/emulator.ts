/** The AWS emulator, moto: found or fetched, started on one port, stopped for sure. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { TerminalError } from '../../engine/errors.ts';

export const motoVersion = '5.2.1';
const requirement = `moto[server]==${motoVersion}`;

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Emulator {
  readonly endpoint: string;
  /** How the emulator was had, in words: `moto_server on the PATH`. */
  readonly origin: string;
  readonly pid: number;
  /** Keys of a user who may do everything, with IAM enforced too. New after `reset`. */
  adminCredentials(): Keys;
  /** On: signatures and IAM policies are checked. Off, as after the start: everything is allowed. */
  setAuth(on: boolean): Promise<void>;
  readonly auth: boolean;
  /** Switches the checks off for as long as the work takes, one work after the other: for calls of the stack itself that moto cannot check. */
  unchecked<T>(work: () => Promise<T>): Promise<T>;
  /** Empties every service of every account. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export interface EmulatorOptions {
  /** Refused when taken. Without it, a free one. */
  readonly port?: number;
  readonly log?: (line: string) => void;
  /** False: no user is made, and IAM is empty; `adminCredentials` throws. */
  readonly admin?: boolean;
}

interface Launcher {
  readonly origin: string;
  readonly command: string;
  readonly args: (port: number) => string[];
  /** A container outlives the process that started it. */
  readonly cleanUp?: () => void;
}

/** What a Python of this machine runs before moto; moto in a container does without, and grows. */
const mends = fileURLToPath(new URL('./moto/', import.meta.url));

const listen = (port: number) => ['-H', '127.0.0.1', '-p', String(port)];
const works = (command: string, args: string[], timeout = 300_000) => spawnSync(command, args, { stdio: 'ignore', timeout }).status === 0;

function venv(): Launcher | undefined {
  const python = ['python3', 'python'].find((command) => works(command, ['-c', 'import sys, venv; assert sys.version_info >= (3, 10)'], 10_000));
  if (!python) return;
  const cache = join(process.env.XDG_CACHE_HOME ?? tmpdir(), 'phidelity');
  const folder = join(cache, `moto-${motoVersion}`);
  const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  const launcher = { origin: `moto ${motoVersion} in a virtual environment, ${folder}`, command: join(bin, 'moto_server'), args: listen };
  if (existsSync(launcher.command) && works(launcher.command, ['--help'], 30_000)) return launcher;
  mkdirSync(cache, { recursive: true });
  // One retry: without a network pip would try for a minute.
  const install = ['-m', 'pip', 'install', '--quiet', '--retries', '1', requirement];
  if (works(python, ['-m', 'venv', folder]) && works(join(bin, 'python'), install)) return launcher;
  rmSync(folder, { recursive: true, force: true });
  return;
}

function container(): Launcher | undefined {
  const tool = ['docker', 'podman'].find((command) => works(command, ['info'], 20_000));
  const image = `docker.io/motoserver/moto:${motoVersion}`;
  if (!tool || !works(tool, ['pull', '--quiet', image])) return;
  const name = `phidelity-moto-${randomUUID().slice(0, 8)}`;
  return {
    origin: `${image} run by ${tool}`,
    command: tool,
    args: (port) => ['run', '--rm', '--name', name, '-p', `127.0.0.1:${port}:5000`, image],
    cleanUp: () => void spawnSync(tool, ['rm', '--force', name], { stdio: 'ignore', timeout: 30_000 }),
  };
}

const launchers: readonly (() => Launcher | undefined)[] = [
  () => (works('moto_server', ['--help'], 30_000) ? { origin: 'moto_server on the PATH', command: 'moto_server', args: listen } : undefined),
  () =>
    works('uvx', ['--from', requirement, 'moto_server', '--help'])
      ? { origin: `${requirement} through uvx`, command: 'uvx', args: (port) => ['--from', requirement, 'moto_server', ...listen(port)] }
      : undefined,
  () =>
    works('pipx', ['run', '--spec', requirement, 'moto_server', '--help'])
      ? { origin: `${requirement} through pipx`, command: 'pipx', args: (port) => ['run', '--spec', requirement, 'moto_server', ...listen(port)] }
      : undefined,
  venv,
  container,
];

/** @throws TerminalError when there is no way to get moto. */
export function findEmulator(): Launcher {
  for (const find of launchers) {
    const launcher = find();
    if (launcher) return launcher;
  }
  throw new TerminalError(
    `The AWS emulator could not be had: no moto_server on the PATH, and uvx, pipx, a Python virtual environment and a container did not bring it either. Install it with: pip install '${requirement}'`,
  );
}

const claimPort = (wanted: number) =>
  new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => reject(new TerminalError(`port ${wanted} on 127.0.0.1 cannot be used for the AWS emulator: ${cause.message}`, { cause })));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const everything = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });

async function createAdmin(endpoint: string): Promise<Keys> {
  const iam = new IAMClient({ region: 'us-east-1', endpoint, credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'seed' } });
  try {
    const UserName = 'local-stack-admin';
    await iam.send(new CreateUserCommand({ UserName }));
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: UserName, PolicyDocument: everything }));
    await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: Policy!.Arn }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  } finally {
    iam.destroy();
  }
}

const exits = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `kill` when this process ends, however it ends short of SIGKILL. Returns how to take that back. */
export function killAtExit(kill: () => void): () => void {
  // A signal listener takes away the default death, so the signal is sent again once the work is done.
  const onSignal = (signal: NodeJS.Signals) => {
    kill();
    for (const name of exits) process.off(name, onSignal);
    if (exits.every((name) => process.listenerCount(name) === 0)) process.kill(process.pid, signal);
  };
  process.once('exit', kill);
  for (const signal of exits) process.on(signal, onSignal);
  return () => {
    process.off('exit', kill);
    for (const signal of exits) process.off(signal, onSignal);
  };
}

const answers = (endpoint: string) =>
  fetch(`${endpoint}/moto-api/`).then(
    ({ ok }) => ok,
    () => false,
  );

async function untilUp(endpoint: string, child: ChildProcess, errors: () => string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new TerminalError(`the AWS emulator did not start on ${endpoint}\n${errors()}`.trim());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @throws TerminalError when there is no way to get moto, or the given port is taken. */
export async function startEmulator({ port, log, admin: wantsAdmin = true }: EmulatorOptions = {}): Promise<Emulator> {
  const claimed = await claimPort(port ?? 0);
  const launcher = findEmulator();
  log?.(`AWS emulator: ${launcher.origin}`);
  const endpoint = `http://127.0.0.1:${claimed}`;
  // A group of its own: uvx, pipx and pyenv's shims keep the server as a child of theirs.
  const env = { ...process.env, PYTHONPATH: [mends, process.env.PYTHONPATH].filter(Boolean).join(delimiter) };
  const child = spawn(launcher.command, launcher.args(claimed), { stdio: ['ignore', 'ignore', 'pipe'], detached: process.platform !== 'win32', env });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = `${errors}${chunk}`.slice(-4000);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('error', (error) => {
    errors += error.message;
  });
  const kill = () => {
    try {
      if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    launcher.cleanUp?.();
  };
  const stayAlive = killAtExit(kill);
  const stop = async () => {
    stayAlive();
    kill();
    await exited;
  };
  const post = async (path: string, body?: string) => {
    const answer = await fetch(`${endpoint}/moto-api/${path}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`moto ${path}: ${answer.status} ${await answer.text()}`);
  };
  let admin: Keys | undefined;
  let auth = false;
  // moto counts calls: it checks IAM once so many have gone by. https://docs.getmoto.org/en/5.2.1/docs/iam.html
  const setAuth = async (on: boolean) => {
    await post('reset-auth', on ? '0' : 'inf');
    auth = on;
  };
  try {
    await untilUp(endpoint, child, () => errors);
    if (wantsAdmin) admin = await createAdmin(endpoint);
  } catch (error) {
    await stop();
    throw error;
  }
  let last: Promise<unknown> = Promise.resolve();
  const switchedOff = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!auth) return work();
    await setAuth(false);
    try {
      return await work();
    } finally {
      await setAuth(true);
    }
  };
  return {
    endpoint,
    origin: launcher.origin,
    pid: child.pid!,
    adminCredentials() {
      if (!admin) throw new Error('this emulator was started without an admin');
      return admin;
    },
    setAuth,
    unchecked(work) {
      const done = last.then(() => switchedOff(work));
      last = done.catch(() => undefined);
      return done;
    },
    get auth() {
      return auth;
    },
    async reset() {
      if (wantsAdmin) await setAuth(false);
      await post('reset');
      if (wantsAdmin) admin = await createAdmin(endpoint);
    },
    stop,
  };
}
