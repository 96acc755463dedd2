/**
 * What EventBridge Scheduler does with schedules that repeat at a rate and put a message into a queue, or invoke a function.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, managing-schedule-context-attributes.html, configuring-schedule-dlq.html
 */
import { randomUUID } from 'node:crypto';
import { GetRoleCommand } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, type GetScheduleCommandOutput, paginateListSchedules } from '@aws-sdk/client-scheduler';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { codeOf, TerminalError } from '../../engine/errors.ts';
import { type Clients, configIn } from './clients.ts';
import type { StackClock } from './clock.ts';
import type { Keys as Credentials, Emulator } from './emulator.ts';
import { statementsOf } from './functions.ts';
import type { Keys } from './keys.ts';

export const differences: readonly string[] = [
  "Scheduler: a schedule fires when the stack's clock is moved past its time, once however far, and when the stack is told to; never by real time",
];

export interface SchedulesOptions {
  readonly clients: Clients;
  readonly emulator: Emulator;
  readonly region: string;
  /** Of the whole stack, the Lambda stand-in included; for schedules that invoke functions. */
  readonly endpoint?: string;
  readonly clock: StackClock;
  readonly keys: Keys;
  readonly keysOf: (roleArn: string) => Promise<Credentials>;
  readonly log: (line: string) => void;
}

export interface Schedules {
  /** Reads the schedules from the emulator; their time begins to run. */
  refresh(): Promise<void>;
  /** Fires each one that is enabled, now. */
  tick(): Promise<void>;
  /** How many are being fired. */
  readonly busy: number;
  stop(): void;
}

const units: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Milliseconds. @throws TerminalError for an expression other than a rate. */
export function periodOf(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (!count) throw new TerminalError(`the local stack does not know the schedule expression ${expression}`);
  return Number(count) * units[unit]!;
}

type Schedule = Pick<GetScheduleCommandOutput, 'Arn' | 'Target'>;

/** Input as the target gets it. */
const filledIn = ({ Arn, Target }: Schedule, scheduledAt: Date): string =>
  (Target?.Input ?? '')
    .replaceAll('<aws.scheduler.schedule-arn>', Arn!)
    .replaceAll('<aws.scheduler.scheduled-time>', scheduledAt.toISOString().replace(/\.\d+Z$/, 'Z'))
    .replaceAll('<aws.scheduler.execution-id>', randomUUID())
    .replaceAll('<aws.scheduler.attempt-number>', '1');

export function createSchedules({ clients, emulator, region, endpoint, clock, keys, keysOf, log }: SchedulesOptions): Schedules {
  const due = new Map<string, { readonly group: string; readonly name: string; readonly period: number; next: number }>();
  let busy = 0;

  const demandTrust = async (roleArn: string) => {
    const { Role } = await clients.iam.send(new GetRoleCommand({ RoleName: roleArn.split('/').at(-1) }));
    const trusted = statementsOf(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).some((statement) =>
      JSON.stringify((statement as { Principal?: unknown }).Principal ?? '').includes('"scheduler.amazonaws.com"'),
    );
    if (!trusted) throw new TerminalError(`${roleArn} does not trust scheduler.amazonaws.com`);
  };

  /** With the rights of the schedule's role. */
  const put = async (roleArn: string, queueArn: string, MessageBody: string, attributes: Record<string, string> = {}) => {
    await demandTrust(roleArn);
    const sqs = new SQSClient({ ...configIn(emulator, region), credentials: await keysOf(roleArn) });
    try {
      const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: queueArn.split(':').at(-1) }));
      await keys.demandForQueue(region, QueueUrl!);
      const MessageAttributes = Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
    } finally {
      sqs.destroy();
    }
  };

  /** Asynchronously, as Scheduler does: what the function makes of it is not heard here. */
  const invoke = async (roleArn: string, FunctionName: string, input: string) => {
    await demandTrust(roleArn);
    const lambda = new LambdaClient({ ...configIn(emulator, region), ...(endpoint && { endpoint }), credentials: await keysOf(roleArn) });
    try {
      await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: input }));
    } finally {
      lambda.destroy();
    }
  };

  const fire = async ({ group, name }: { readonly group: string; readonly name: string }, scheduledAt: Date) => {
    const schedule = await clients.scheduler.send(new GetScheduleCommand({ GroupName: group, Name: name }));
    const { Arn: target, RoleArn: role, DeadLetterConfig } = schedule.Target ?? {};
    if (schedule.State === 'DISABLED' || !target || !role) return;
    const body = filledIn(schedule, scheduledAt);
    try {
      await (target.split(':')[2] === 'lambda' ? invoke(role, target, body) : put(role, target, body));
    } catch (error) {
      log(`${schedule.Arn}: ${target}: ${(error as Error).message}`);
      if (!DeadLetterConfig?.Arn) return;
      const attributes = { SCHEDULE_ARN: schedule.Arn!, TARGET_ARN: target, ERROR_CODE: codeOf(error), ERROR_MESSAGE: (error as Error).message };
      await put(role, DeadLetterConfig.Arn, body, attributes).catch((lost: Error) => log(`${schedule.Arn}: ${DeadLetterConfig.Arn}: ${lost.message}`));
    }
  };

  const during = async (work: () => Promise<unknown>) => {
    busy += 1;
    try {
      await work();
    } finally {
      busy -= 1;
    }
  };

  const fireDue = async () => {
    const now = clock.now().getTime();
    for (const schedule of due.values()) {
      if (schedule.next > now) continue;
      const missed = Math.floor((now - schedule.next) / schedule.period);
      const last = schedule.next + missed * schedule.period;
      schedule.next = last + schedule.period;
      await fire(schedule, new Date(last));
    }
  };
  const stop = clock.onAdvance(() => void during(fireDue).catch((error: Error) => log(error.message)));

  return {
    async refresh() {
      const found = new Set<string>();
      for await (const { Schedules = [] } of paginateListSchedules({ client: clients.scheduler }, {}))
        for (const { Arn, GroupName, Name } of Schedules) {
          found.add(Arn!);
          const { ScheduleExpression } = await clients.scheduler.send(new GetScheduleCommand({ GroupName, Name }));
          const period = periodOf(ScheduleExpression!);
          if (due.get(Arn!)?.period !== period) due.set(Arn!, { group: GroupName!, name: Name!, period, next: clock.now().getTime() + period });
        }
      for (const arn of [...due.keys()]) if (!found.has(arn)) due.delete(arn);
    },
    tick: () =>
      during(async () => {
        for (const schedule of due.values()) await fire(schedule, clock.now());
      }),
    get busy() {
      return busy;
    },
    stop,
  };
}
