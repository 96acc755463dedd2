/** Drives durable executions: invokes a function with its operation log, again after each wait, and again after it died. */
import type { OperationUpdate } from '@aws-sdk/client-lambda';
import type { StackClock } from './clock.ts';
import {
  applyUpdates,
  completeCallback,
  type Execution,
  end,
  heartbeat,
  InvalidParameterError,
  isSuspended,
  newExecution,
  nextDue,
  readCallbackId,
  type StoredOperation,
  settle,
  takeUpdated,
} from './executions.ts';
import type { DeployedFunction, InvocationResult } from './invoke.ts';
import type { ExecutionStore } from './store.ts';

/** The same name is taken by an execution with another payload: 409. */
export class AlreadyStartedError extends Error {
  override readonly name = 'DurableExecutionAlreadyStartedException';
}

export interface DurableEngineOptions {
  readonly store: ExecutionStore;
  readonly clock: StackClock;
  readonly describe: (functionArn: string) => Promise<DeployedFunction | undefined>;
  readonly invoke: (target: DeployedFunction, event: string) => Promise<InvocationResult>;
  readonly log: (line: string) => void;
}

export interface DurableEngine {
  /** Starts one, or finds the running or ended one of this name and payload. */
  start(target: DeployedFunction, name: string, payload: string, executionTimeoutSeconds: number | undefined): Execution;
  checkpoint(arn: string, token: string, updates: readonly OperationUpdate[]): { readonly token: string | undefined; readonly operations: StoredOperation[] };
  state(arn: string, token: string): StoredOperation[];
  callback(id: string, outcome: { readonly status: 'SUCCEEDED' | 'FAILED'; readonly Result?: string; readonly Error?: object } | 'heartbeat'): void;
  stopExecution(arn: string, error: object | undefined): Execution;
  /** Executions that are being run, from before their function is looked up. */
  readonly busy: number;
  /** Resolves when it has ended. */
  ended(arn: string): Promise<Execution>;
  /** Takes up every running execution that is on disk. */
  resume(): void;
  stop(): void;
}

// AWS invokes again with back-off; how often it says nowhere. A function that always dies must end some time.
const maxFailures = 5;
const backOffSeconds = (failures: number) => 0.05 * 2 ** failures;
// "to a maximum of 5 minutes", https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const refusedSeconds = 60;
const longestTimer = 2 ** 31 - 1;

export function durableEngine({ store, clock, describe, invoke, log }: DurableEngineOptions): DurableEngine {
  const running = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  const waiters = new Map<string, ((execution: Execution) => void)[]>();
  let tokens = 0;
  let stopped = false;

  const save = (execution: Execution) => {
    store.save(execution);
    if (execution.status === 'RUNNING') return;
    for (const tell of waiters.get(execution.arn) ?? []) tell(execution);
    waiters.delete(execution.arn);
  };
  const newToken = (execution: Execution) => {
    tokens += 1;
    execution.token = Buffer.from(JSON.stringify([execution.arn, Date.now(), tokens])).toString('base64url');
    return execution.token;
  };
  const find = (arn: string): Execution => {
    const execution = store.byArn(arn);
    if (!execution) throw new InvalidParameterError(`There is no durable execution ${arn}.`);
    return execution;
  };
  const withToken = (arn: string, token: string): Execution => {
    const execution = find(arn);
    // The SDK tells a superseded invocation from a broken execution by this very beginning.
    if (execution.status !== 'RUNNING' || execution.token !== token) throw new InvalidParameterError('Invalid Checkpoint Token');
    return execution;
  };

  const fail = (execution: Execution, errorType: string, errorMessage: string) =>
    end(execution, 'FAILED', { error: { ErrorType: errorType, ErrorMessage: errorMessage } }, clock.now());

  const finish = (execution: Execution, result: InvocationResult) => {
    if (execution.status !== 'RUNNING') return;
    execution.token = undefined;
    if (!result.ok && result.refused) {
      execution.retryAt = new Date(clock.now().getTime() + refusedSeconds * 1000).toISOString();
      return;
    }
    if (!result.ok) {
      execution.failures += 1;
      log(`${execution.name}: invocation failed (${execution.failures} of ${maxFailures}): ${result.errorType}: ${result.errorMessage}`);
      if (execution.failures >= maxFailures) fail(execution, result.errorType, result.errorMessage);
      else execution.retryAt = new Date(clock.now().getTime() + backOffSeconds(execution.failures) * 1000).toISOString();
      return;
    }
    execution.failures = 0;
    const answer = JSON.parse(result.payload) as { Status?: string; Result?: string; Error?: object } | null;
    if (answer?.Status === 'SUCCEEDED') end(execution, 'SUCCEEDED', { result: answer.Result }, clock.now());
    else if (answer?.Status === 'FAILED') end(execution, 'FAILED', { error: answer.Error }, clock.now());
    else if (answer?.Status !== 'PENDING')
      fail(execution, 'InvalidOutput', 'The function did not answer as a durable function: is it wrapped in withDurableExecution?');
    else if (!isSuspended(execution) && execution.updated.length === 0) fail(execution, 'InvalidOutput', 'Cannot return PENDING with no pending operations.');
  };

  const run = async (execution: Execution) => {
    running.add(execution.arn);
    execution.retryAt = undefined;
    const updatedOperationIds = takeUpdated(execution).map(({ Id }) => Id);
    const token = newToken(execution);
    save(execution);
    const event = {
      DurableExecutionArn: execution.arn,
      CheckpointToken: token,
      InitialExecutionState: { Operations: execution.operations, NextMarker: '' },
      UpdatedOperationIds: updatedOperationIds,
    };
    try {
      const target = await describe(execution.functionArn);
      const result: InvocationResult = target
        ? await invoke(target, JSON.stringify(event))
        : { ok: false, errorType: 'ResourceNotFoundException', errorMessage: `${execution.functionArn} is gone` };
      // Killed because the stack stops: whoever starts it again goes on from the file.
      if (stopped) return;
      finish(execution, result);
      save(execution);
    } catch (error) {
      if (!stopped) {
        fail(execution, 'LocalStackError', (error as Error).message);
        save(execution);
      }
    } finally {
      running.delete(execution.arn);
      if (!stopped) wake(execution);
    }
  };

  /** Does what is due and sets the timer for what comes next. */
  const wake = (execution: Execution): void => {
    clearTimeout(timers.get(execution.arn));
    timers.delete(execution.arn);
    if (stopped || execution.status !== 'RUNNING') return;
    const before = JSON.stringify(execution);
    settle(execution, clock.now());
    if (JSON.stringify(execution) !== before) save(execution);
    if (execution.status !== 'RUNNING') return;
    const now = clock.now().toISOString();
    const held = execution.retryAt !== undefined && execution.retryAt > now;
    const wanted = execution.updated.length > 0 || execution.retryAt !== undefined || !isSuspended(execution);
    if (!running.has(execution.arn) && wanted && !held) {
      void run(execution);
      return;
    }
    const due = nextDue(execution);
    if (due !== undefined)
      timers.set(
        execution.arn,
        setTimeout(() => wake(execution), Math.min(longestTimer, Math.max(1, Date.parse(due) - clock.now().getTime()))),
      );
  };

  const wakeAll = () => {
    for (const execution of store.all()) if (execution.status === 'RUNNING') wake(execution);
  };
  const stopListening = clock.onAdvance(wakeAll);

  return {
    start(target, name, payload, executionTimeoutSeconds) {
      const known = store.get(target.name, name);
      if (known && known.payload !== payload) throw new AlreadyStartedError(`The durable execution ${name} has already been started with another payload.`);
      if (known) return known;
      const execution = newExecution({ name, functionName: target.name, functionArn: target.arn, payload }, clock.now(), executionTimeoutSeconds);
      save(execution);
      wake(execution);
      return execution;
    },
    checkpoint(arn, token, updates) {
      const execution = withToken(arn, token);
      settle(execution, clock.now());
      applyUpdates(execution, updates, clock.now());
      const operations = takeUpdated(execution);
      const next = execution.status === 'RUNNING' ? newToken(execution) : undefined;
      save(execution);
      // A wait that started here needs its timer, also while the function still runs.
      wake(execution);
      return { token: next, operations };
    },
    state: (arn, token) => withToken(arn, token).operations,
    callback(id, outcome) {
      const [arn, operationId] = readCallbackId(id);
      const execution = find(arn);
      if (outcome === 'heartbeat') heartbeat(execution, operationId, clock.now());
      else {
        const { status, ...rest } = outcome;
        completeCallback(execution, operationId, status, rest, clock.now());
      }
      save(execution);
      wake(execution);
    },
    stopExecution(arn, error) {
      const execution = find(arn);
      if (execution.status === 'RUNNING') {
        end(execution, 'STOPPED', { error }, clock.now());
        save(execution);
        wake(execution);
      }
      return execution;
    },
    get busy() {
      return running.size;
    },
    async ended(arn) {
      const execution = find(arn);
      if (execution.status !== 'RUNNING') return execution;
      return new Promise((resolve) => waiters.set(arn, [...(waiters.get(arn) ?? []), resolve]));
    },
    resume() {
      for (const execution of store.all()) {
        // Its token says that an invocation was under way when the stand-in ended: that one is lost.
        if (execution.status === 'RUNNING' && execution.token !== undefined) execution.retryAt = clock.now().toISOString();
      }
      wakeAll();
    },
    stop() {
      stopped = true;
      stopListening();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
