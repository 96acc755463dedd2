/** The stack on this machine: the emulator, the real deploy, the Lambda stand-in, the queue pollers and a clock that can be moved. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type BusEvent, eventBuses } from './buses.ts';
import { adminClients, type Clients } from './clients.ts';
import { clockVariable, type StackClock, stackClock } from './clock.ts';
import { type DeployReport, deploy, ownEnvironment, remove, type Undo } from './deploy.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { eventsApi } from './events-api.ts';
import { splitName } from './functions.ts';
import { type HttpApis, httpApis } from './http-api.ts';
import type { LogLine } from './invoke.ts';
import { keys as keyStates } from './keys.ts';
import { type LambdaStandIn, type OnCall, startLambda } from './lambda.ts';
import { mappingsApi } from './mappings-api.ts';
import { createPoller, type Poller } from './poller.ts';
import { createSchedules, type Schedules } from './schedules.ts';
import { createDelays, type Delays } from './sqs-api.ts';
import { createStreams, type Streams } from './streams.ts';
import { subscribe, type TopicReader } from './topics.ts';

export type { DeployReport } from './deploy.ts';
export type { Difference } from './template.ts';
export type { Alerted, TopicReader } from './topics.ts';

export interface LocalStackOptions {
  /** The project that is deployed; by default this one. */
  readonly directory?: string;
  /** The home region; by default us-east-1. */
  readonly region?: string;
  /** A policy file, as in `serverless deploy --param policy=FILE`. */
  readonly policy?: string;
  /** Where executions, logs and the clock are kept; by default a new folder that `stop` deletes. */
  readonly state?: string;
  /** Time of day, `HH:MM` UTC, at which the stack's time begins, today or tomorrow; by default it is real time. */
  readonly startAt?: string;
  /** The emulator's port; by default a free one. */
  readonly port?: number;
  /** Stands in for what the functions call outside AWS: each service is at `URL/NAME`. */
  readonly outsideUrl?: string;
  /** Keep processes for the next invocation, as warm sandboxes are kept. */
  readonly warm?: boolean;
  /** What the stack does, line by line. */
  readonly log?: (line: string) => void;
  /** What the deployed functions print. */
  readonly onLog?: (line: LogLine) => void;
  /** Asked what happens to every call that is made to the stack. */
  readonly onCall?: OnCall;
  /** End of the name of a function that no queue feeds: its messages stay where they are. */
  readonly asleep?: string;
  /** Messages of two lanes never share a batch. */
  readonly laneOf?: (body: string) => string;
}

/** An event for the bus of a region; id and account are given to it there. */
export interface StackEvent {
  /** By default the home region. */
  readonly region?: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
  readonly time?: string;
  readonly resources?: readonly string[];
}

export interface Drained {
  readonly idle: boolean;
  /** Messages that are waiting to be received, per queue that is polled: not where the function cannot be run, or the queue not be read. */
  readonly queues: Readonly<Record<string, number>>;
  /** Failed messages that come back when their visibility timeout has passed, and those sent with a delay. */
  readonly messagesWaiting: number;
  /** Executions that have not ended: they wait for the clock, or for an answer when `due` is missing. */
  readonly executions: readonly { readonly name: string; readonly functionName: string; readonly due?: string }[];
}

export interface LocalStack {
  /** Serves every AWS API of the stack. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** For the AWS CLI, an SDK or the command line of this project: reaches the stack with every right. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: StackClock;
  readonly clients: Clients;
  readonly emulator: Emulator;
  readonly lambda: LambdaStandIn;
  /** The last deploy. */
  readonly report: DeployReport;
  putEvents(events: readonly StackEvent[]): Promise<void>;
  /** Fires every schedule that is enabled, now; they also fire when the clock is moved past their time. */
  tick(): Promise<void>;
  /** Events of a rule that neither its target nor its dead-letter queue has taken. */
  failedInvocations(ruleArn: string): number;
  /** Waits until nothing runs and nothing is there to be received. What waits for time or an answer does not count. */
  drain(seconds?: number): Promise<Drained>;
  subscribe(topicArn: string): Promise<TopicReader>;
  deploy(policy?: string): Promise<DeployReport>;
  remove(): Promise<string>;
  stop(): Promise<void>;
}

const projectDirectory = fileURLToPath(new URL('../../', import.meta.url));
/** With what EventBridge adds. */
const delivered = (event: StackEvent, home: string, account: string, now: Date): BusEvent => ({
  version: '0',
  id: randomUUID(),
  source: event.source,
  'detail-type': event['detail-type'],
  account,
  region: event.region ?? home,
  time: event.time ?? now.toISOString(),
  resources: event.resources ?? [],
  detail: event.detail,
});

type Parts = readonly [Poller, LambdaStandIn, Delays, Schedules, HttpApis];

async function look({ sqs }: Clients, parts: Parts, streams: Streams): Promise<Drained> {
  const [poller, lambda, delays] = parts;
  const queues: Record<string, number> = {};
  for (const QueueUrl of poller.queues()) {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'] }),
    );
    queues[QueueUrl.split('/').at(-1)!] = Number(Attributes?.ApproximateNumberOfMessages ?? 0) + Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0);
  }
  const moved = await streams.settle().catch(() => false);
  const executions = lambda.executions().filter(({ status }) => status === 'RUNNING');
  return {
    idle: parts.every(({ busy }) => busy === 0) && !moved && Object.values(queues).every((count) => count === 0),
    queues,
    messagesWaiting: poller.waiting + delays.waiting,
    executions: executions.map(({ name, functionName, due }) => ({ name, functionName, due })),
  };
}

/** Runs the steps back to front, all of them, and throws the first error afterwards. */
async function stopAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of [...steps].reverse()) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

const daySeconds = 86_400;

function secondsUntil(time: string, now: Date): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  const passed = (now.getTime() / 1_000) % daySeconds;
  return (hours * 3_600 + minutes * 60 - passed + daySeconds) % daySeconds;
}

/** Starts the stack and deploys the project into it. @throws TerminalError when the emulator cannot be had or the deploy fails. */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const { directory = projectDirectory, region = 'us-east-1', log = () => undefined } = options;
  const state = options.state ?? mkdtempSync(join(tmpdir(), 'phidelity-'));
  mkdirSync(state, { recursive: true });
  const stops: (() => Promise<void>)[] = [];
  if (options.state === undefined) stops.push(async () => rmSync(state, { recursive: true, force: true, maxRetries: 3 }));
  try {
    const emulator = await startEmulator({ port: options.port, log });
    stops.push(() => emulator.stop());
    const clients = adminClients(emulator, region);
    stops.push(async () => clients.destroy());
    const { Account: accountId } = await clients.sts.send(new GetCallerIdentityCommand());
    const clock = stackClock(join(state, 'clock'));
    if (options.startAt) clock.advance(secondsUntil(options.startAt, clock.now()));
    const keys = keyStates(clients);
    const buses = eventBuses(clients, keys, log);
    const delays = createDelays(clients.sqs, emulator.endpoint, clock, log);
    stops.push(async () => delays.stop());
    const lambda = await startLambda({
      emulator,
      clients,
      clock,
      keys,
      region,
      directory: state,
      warm: options.warm,
      outsideUrl: options.outsideUrl,
      onLog: options.onLog,
      onCall: options.onCall,
      observe: (call, answer) => streams.observe(call, answer),
      others: (authorise) => {
        const events = eventsApi({ authorise, buses, clock, accountId: accountId! });
        const messages = delays.api(authorise);
        const mappings = mappingsApi(authorise, clients, () => poller);
        return async (call) => (await events(call)) ?? (await messages(call)) ?? mappings(call);
      },
      log,
    });
    stops.push(() => lambda.stop());
    const closed = async (functionArn: string, queueUrl: string) =>
      (await lambda.admission.refusal(splitName(functionArn).name)) !== undefined || !(await keys.usable(region, await keys.ofQueue(region, queueUrl)));
    const sleeping: typeof closed = async (arn, queueUrl) =>
      (options.asleep !== undefined && splitName(arn).name.endsWith(options.asleep)) || closed(arn, queueUrl);
    const poller = createPoller({
      ...clients,
      clock,
      region,
      invoke: lambda.invoke,
      laneOf: options.laneOf,
      closed: sleeping,
      wantedAt: delays.visibleAt,
      log,
    });
    stops.push(() => poller.stop());
    const schedules = createSchedules({ clients, emulator, region, endpoint: lambda.endpoint, clock, keys, keysOf: lambda.keysOf, log });
    stops.push(async () => schedules.stop());

    const streams = createStreams({ region, invoke: lambda.invoke, log });
    stops.push(() => streams.stop());

    const http = await httpApis({ invoke: lambda.invoke, clock, log });
    stops.push(() => http.stop());
    const parts: Parts = [poller, lambda, delays, schedules, http];

    const undo: Undo = new Map();
    const context = {
      directory,
      emulator,
      endpoint: lambda.endpoint,
      clients,
      region,
      accountId: accountId!,
      takenOut: new Map(),
      httpUrl: http.url,
      onLine: log,
    };
    const deployStack = async (policy?: string): Promise<DeployReport> => {
      // Until it is done: the emulator miscalculates signatures of some calls that the framework makes.
      await emulator.setAuth(false);
      const report = await deploy(context, undo, policy);
      lambda.setDurable(report.durable);
      lambda.admission.setKeys(report.keys);
      lambda.cool();
      for (const name of report.functions) await lambda.prepare(name);
      const { notPolled } = await poller.refresh();
      await schedules.refresh();
      await emulator.setAuth(true);
      streams.read(report.streams);
      http.serve(report.routes);
      const unpolled = notPolled.map((source) => ({ logicalId: source, type: 'AWS::Lambda::EventSourceMapping', note: 'only queues are polled' }));
      return { ...report, notApplied: [...report.notApplied, ...unpolled] };
    };
    let report = await deployStack(options.policy);
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = ownEnvironment(emulator, region);
    let stopped: Promise<void> | undefined;
    return {
      endpoint: lambda.endpoint,
      region,
      accountId: accountId!,
      environment: {
        AWS_ENDPOINT_URL: lambda.endpoint,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: AWS_ACCESS_KEY_ID!,
        AWS_SECRET_ACCESS_KEY: AWS_SECRET_ACCESS_KEY!,
        [clockVariable]: clock.file,
      },
      clock,
      clients,
      emulator,
      lambda,
      get report() {
        return report;
      },
      async putEvents(events) {
        const all = events.map((event) => delivered(event, region, accountId!, clock.now()));
        for (const [at, there] of Map.groupBy(all, (event) => event.region)) await buses.put(at, there);
      },
      tick: () => schedules.tick(),
      failedInvocations: buses.failedInvocations,
      async drain(seconds = 60) {
        const deadline = Date.now() + seconds * 1000;
        let quiet = 0;
        for (;;) {
          // Nobody need count messages while somebody is seen to be at work.
          while (parts.some(({ busy }) => busy > 0) && Date.now() < deadline) await pause(50);
          const now = await look(clients, parts, streams);
          quiet = now.idle ? quiet + 1 : 0;
          // Twice, because a batch that has just ended may have started an execution.
          if (quiet === 2 || Date.now() > deadline) return now;
          await pause(150);
        }
      },
      subscribe: (topicArn) => subscribe(clients, topicArn),
      async deploy(policy) {
        report = await deployStack(policy);
        return report;
      },
      async remove() {
        await emulator.setAuth(false);
        streams.read([]);
        http.serve([]);
        const output = await remove(context, undo);
        await poller.refresh();
        await schedules.refresh();
        return output;
      },
      stop() {
        stopped ??= stopAll(stops);
        return stopped;
      },
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}
