/**
 * One durable execution: its operation log and what an update, a callback or the passing of time makes of it.
 * Semantics: https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html and the API pages of CheckpointDurableExecution and SendDurableExecutionCallback*.
 */
import { randomUUID } from 'node:crypto';
import type { ErrorObject, ExecutionStatus, OperationStatus, OperationUpdate } from '@aws-sdk/client-lambda';

/** An operation as it is stored and sent with an invocation: times are ISO 8601 text. */
export interface StoredOperation {
  Id: string;
  Type: OperationUpdate['Type'];
  Status: OperationStatus;
  StartTimestamp: string;
  EndTimestamp?: string;
  ParentId?: string;
  Name?: string;
  SubType?: string;
  ExecutionDetails?: { InputPayload: string };
  ContextDetails?: { ReplayChildren?: boolean; Result?: string; Error?: ErrorObject };
  StepDetails?: { Attempt?: number; NextAttemptTimestamp?: string; Result?: string; Error?: ErrorObject };
  WaitDetails?: { ScheduledEndTimestamp: string };
  CallbackDetails?: { CallbackId: string; Result?: string; Error?: ErrorObject };
}

/** When a callback is given up, and how long it may stay silent, in seconds. */
interface CallbackTimes {
  timeoutAt?: string;
  heartbeatAt?: string;
  heartbeatSeconds?: number;
}

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly functionName: string;
  /** The version the execution is pinned to. */
  readonly functionArn: string;
  readonly payload: string;
  readonly startedAt: string;
  /** When the execution is given up, whatever it waits for. */
  readonly timeoutAt?: string;
  status: ExecutionStatus;
  endedAt?: string;
  result?: string;
  error?: ErrorObject;
  operations: StoredOperation[];
  callbacks: Record<string, CallbackTimes>;
  /** Operations that changed since the function was last told. */
  updated: string[];
  /** The only checkpoint token that is accepted; a new one for each invocation and each checkpoint. */
  token?: string;
  /** Invocations in a row that died, timed out or threw. */
  failures: number;
  /** Not invoked before, after an invocation failed. */
  retryAt?: string;
}

/** Refused with 400 InvalidParameterValueException. */
export class InvalidParameterError extends Error {
  override readonly name = 'InvalidParameterValueException';
}

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString();

export function newExecution(
  of: Pick<Execution, 'name' | 'functionName' | 'functionArn' | 'payload'>,
  now: Date,
  executionTimeoutSeconds: number | undefined,
): Execution {
  const startedAt = now.toISOString();
  return {
    ...of,
    arn: `${of.functionArn}/durable-execution/${of.name}/${randomUUID()}`,
    startedAt,
    timeoutAt: executionTimeoutSeconds === undefined ? undefined : later(now, executionTimeoutSeconds),
    status: 'RUNNING',
    operations: [{ Id: randomUUID(), Type: 'EXECUTION', Status: 'STARTED', StartTimestamp: startedAt, ExecutionDetails: { InputPayload: of.payload } }],
    callbacks: {},
    updated: [],
    failures: 0,
  };
}

const changed = (execution: Execution, operation: StoredOperation) => {
  if (!execution.updated.includes(operation.Id)) execution.updated.push(operation.Id);
};

// What an update may follow; `new` is an operation that is not in the log. STEP: at-least-once steps close without a START, and READY is a retry whose time has come.
const allowed: Readonly<Record<string, readonly string[]>> = {
  'STEP START': ['new', 'READY'],
  'STEP SUCCEED': ['new', 'STARTED', 'READY'],
  'STEP FAIL': ['new', 'STARTED', 'READY'],
  'STEP RETRY': ['new', 'STARTED', 'READY'],
  'CONTEXT START': ['new'],
  'CONTEXT SUCCEED': ['new', 'STARTED'],
  'CONTEXT FAIL': ['new', 'STARTED'],
  'WAIT START': ['new'],
  'WAIT CANCEL': ['STARTED'],
  'CALLBACK START': ['new'],
  'CALLBACK CANCEL': ['STARTED'],
  'EXECUTION SUCCEED': ['STARTED'],
  'EXECUTION FAIL': ['STARTED'],
};

const endStatus: Readonly<Record<string, OperationStatus>> = { SUCCEED: 'SUCCEEDED', FAIL: 'FAILED', CANCEL: 'CANCELLED' };

function finish(operation: StoredOperation, update: OperationUpdate, now: Date): void {
  operation.Status = endStatus[update.Action!]!;
  operation.EndTimestamp = now.toISOString();
  const outcome = { Result: update.Payload, Error: update.Error };
  if (operation.Type === 'STEP') operation.StepDetails = { Attempt: (operation.StepDetails?.Attempt ?? 0) + 1, ...outcome };
  if (operation.Type === 'CONTEXT')
    operation.ContextDetails = { ReplayChildren: update.ContextOptions?.ReplayChildren ?? operation.ContextDetails?.ReplayChildren, ...outcome };
}

function start(execution: Execution, operation: StoredOperation, update: OperationUpdate, now: Date): void {
  operation.Status = 'STARTED';
  if (update.Type === 'WAIT') operation.WaitDetails = { ScheduledEndTimestamp: later(now, update.WaitOptions?.WaitSeconds ?? 0) };
  if (update.Type === 'CONTEXT') operation.ContextDetails = { ReplayChildren: update.ContextOptions?.ReplayChildren };
  if (update.Type === 'CALLBACK') {
    const { TimeoutSeconds: timeout, HeartbeatTimeoutSeconds: heartbeatSeconds } = update.CallbackOptions ?? {};
    operation.CallbackDetails = { CallbackId: Buffer.from(JSON.stringify([execution.arn, operation.Id])).toString('base64url') };
    execution.callbacks[operation.Id] = {
      timeoutAt: timeout ? later(now, timeout) : undefined,
      heartbeatAt: heartbeatSeconds ? later(now, heartbeatSeconds) : undefined,
      heartbeatSeconds,
    };
  }
}

function apply(execution: Execution, update: OperationUpdate, now: Date): void {
  const own = update.Type === 'EXECUTION' ? execution.operations[0] : undefined;
  const known = own ?? execution.operations.find(({ Id }) => Id === update.Id);
  const change = `${update.Type} ${update.Action}`;
  if (!update.Id || !allowed[change]?.includes(known?.Status ?? 'new'))
    throw new InvalidParameterError(`Invalid update: ${change} of a ${known?.Status ?? 'new'} operation.`);
  if (update.ParentId && execution.operations.find(({ Id }) => Id === update.ParentId)?.Type !== 'CONTEXT')
    throw new InvalidParameterError('Invalid parent operation id.');
  const operation: StoredOperation = known ?? {
    Id: update.Id,
    Type: update.Type,
    Status: 'STARTED',
    StartTimestamp: now.toISOString(),
    ParentId: update.ParentId,
    Name: update.Name,
    SubType: update.SubType,
  };
  if (!known) execution.operations.push(operation);
  if (update.Action === 'START') start(execution, operation, update, now);
  else if (update.Action === 'RETRY') {
    operation.Status = 'PENDING';
    operation.StepDetails = {
      Attempt: (operation.StepDetails?.Attempt ?? 0) + 1,
      NextAttemptTimestamp: later(now, update.StepOptions?.NextAttemptDelaySeconds ?? 0),
      Result: update.Payload,
      Error: update.Error,
    };
  } else finish(operation, update, now);
  if (own && update.Action === 'SUCCEED') end(execution, 'SUCCEEDED', { result: update.Payload }, now);
  if (own && update.Action === 'FAIL') end(execution, 'FAILED', { error: update.Error }, now);
  changed(execution, operation);
}

/** All of them, or on an error none. */
export function applyUpdates(execution: Execution, updates: readonly OperationUpdate[], now: Date): void {
  const draft = structuredClone(execution);
  for (const update of updates) apply(draft, update, now);
  Object.assign(execution, draft);
}

export function end(execution: Execution, status: ExecutionStatus, outcome: { result?: string; error?: ErrorObject }, now: Date): void {
  execution.status = status;
  execution.endedAt = now.toISOString();
  execution.result = outcome.result;
  execution.error = outcome.error;
  execution.token = undefined;
}

export function completeCallback(
  execution: Execution,
  operationId: string,
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT',
  outcome: { Result?: string; Error?: ErrorObject },
  now: Date,
): void {
  const operation = execution.operations.find(({ Id }) => Id === operationId);
  if (operation?.Type !== 'CALLBACK' || operation.Status !== 'STARTED' || execution.status !== 'RUNNING')
    throw new InvalidParameterError('The callback does not exist or has already been completed.');
  operation.Status = status;
  operation.EndTimestamp = now.toISOString();
  operation.CallbackDetails = { ...operation.CallbackDetails!, ...outcome };
  delete execution.callbacks[operationId];
  changed(execution, operation);
}

export function heartbeat(execution: Execution, operationId: string, now: Date): void {
  const times = execution.callbacks[operationId];
  if (!times) throw new InvalidParameterError('The callback does not exist or has already been completed.');
  if (times.heartbeatSeconds) times.heartbeatAt = later(now, times.heartbeatSeconds);
}

/** The execution and operation that a callback id names. */
export function readCallbackId(id: string): [arn: string, operationId: string] {
  try {
    const [arn, operationId] = JSON.parse(Buffer.from(id, 'base64url').toString()) as [string, string];
    return [arn, operationId];
  } catch {
    throw new InvalidParameterError('The callback id is not one that was issued here.');
  }
}

const moments = (execution: Execution): string[] => [
  ...execution.operations.flatMap((operation) => {
    if (operation.Type === 'WAIT' && operation.Status === 'STARTED') return [operation.WaitDetails!.ScheduledEndTimestamp];
    if (operation.Type === 'STEP' && operation.Status === 'PENDING') return [operation.StepDetails!.NextAttemptTimestamp!];
    return [];
  }),
  ...Object.values(execution.callbacks).flatMap(({ timeoutAt, heartbeatAt }) => [timeoutAt, heartbeatAt].filter((time) => time !== undefined)),
];

/** The next moment at which something of this execution comes due. */
export function nextDue(execution: Execution): string | undefined {
  return [...moments(execution), execution.timeoutAt, execution.retryAt].filter((time) => time !== undefined).sort()[0];
}

/** True while a wait, a retry or a callback will wake it. */
export const isSuspended = (execution: Execution): boolean =>
  moments(execution).length > 0 || execution.operations.some(({ Type, Status }) => Type === 'CALLBACK' && Status === 'STARTED');

/** Ends the waits, retries and callbacks whose time has come. */
export function settle(execution: Execution, now: Date): void {
  const due = (time: string | undefined) => time !== undefined && time <= now.toISOString();
  if (due(execution.timeoutAt)) {
    end(execution, 'TIMED_OUT', { error: { ErrorType: 'ExecutionTimedOut', ErrorMessage: 'The durable execution timed out.' } }, now);
    return;
  }
  for (const operation of execution.operations) {
    if (operation.Type === 'WAIT' && operation.Status === 'STARTED' && due(operation.WaitDetails?.ScheduledEndTimestamp)) {
      operation.Status = 'SUCCEEDED';
      operation.EndTimestamp = now.toISOString();
      changed(execution, operation);
    }
    if (operation.Type === 'STEP' && operation.Status === 'PENDING' && due(operation.StepDetails?.NextAttemptTimestamp)) {
      operation.Status = 'READY';
      changed(execution, operation);
    }
  }
  for (const [id, { timeoutAt, heartbeatAt }] of Object.entries(execution.callbacks))
    if (due(timeoutAt) || due(heartbeatAt))
      completeCallback(
        execution,
        id,
        'TIMED_OUT',
        { Error: { ErrorType: 'CallbackTimeout', ErrorMessage: `Callback timed out${due(timeoutAt) ? '' : ' on heartbeat'}` } },
        now,
      );
}

/** What the function has not been told of yet; told by this. */
export function takeUpdated(execution: Execution): StoredOperation[] {
  const ids = new Set(execution.updated);
  execution.updated = [];
  return execution.operations.filter(({ Id }) => ids.has(Id));
}
