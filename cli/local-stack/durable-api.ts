/** The calls that read, checkpoint, answer and stop durable executions. Paths and shapes: the Lambda API reference, 2025-12-01. */
import type { OperationUpdate } from '@aws-sdk/client-lambda';
import type { Authorise } from './authorise.ts';
import type { DurableEngine } from './durable.ts';
import type { Execution, StoredOperation } from './executions.ts';
import { splitName } from './functions.ts';
import { RefusedError } from './refusals.ts';
import type { ExecutionStore } from './store.ts';
import { type Answer, type Call, json, parse } from './wire.ts';

export interface DurableApiOptions {
  readonly authorise: Authorise;
  readonly store: ExecutionStore;
  readonly engine: DurableEngine;
}

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

/** One page, by the call's Marker and MaxItems. */
function pageOf<T>({ query }: Call, all: readonly T[], most: number): { readonly page: readonly T[]; readonly NextMarker?: string } {
  const from = Number(query.get('Marker') ?? 0);
  const to = from + Number(query.get('MaxItems') || most);
  return { page: all.slice(from, to), NextMarker: to < all.length ? String(to) : undefined };
}

export function durableApi({ authorise, store, engine }: DurableApiOptions) {
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
        const { page, NextMarker } = pageOf(call, engine.state(arn, call.query.get('CheckpointToken') ?? ''), 1000);
        return json({ Operations: page.map(toApi), NextMarker });
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
    const { query } = call;
    const { name, qualifier } = splitName(nameOrArn);
    const wanted = (key: string, value: string | undefined) => !query.get(key) || query.get(key) === value;
    const version = query.get('Qualifier') ?? qualifier;
    const statuses = query.getAll('Statuses');
    const after = query.get('StartedAfter');
    const before = query.get('StartedBefore');
    const found = store
      .all()
      .filter((execution) => execution.functionName === name && wanted('DurableExecutionName', execution.name))
      .filter((execution) => !version || splitName(execution.functionArn).qualifier === version)
      .filter((execution) => statuses.length === 0 || statuses.includes(execution.status))
      .filter(({ startedAt }) => (!after || Date.parse(startedAt) > Date.parse(after)) && (!before || Date.parse(startedAt) < Date.parse(before)))
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt));
    // "true to return results in chronological order (oldest first)"
    if (query.get('ReverseOrder') === 'true') found.reverse();
    const { page, NextMarker } = pageOf(call, found, 100);
    return json({ DurableExecutions: page.map(summary), NextMarker });
  };

  /** Undefined for every other call. */
  return async (call: Call): Promise<Answer | undefined> => {
    const [version, kind, id, action] = call.path;
    if (version !== '2025-12-01' || id === undefined) return undefined;
    if (kind === 'durable-executions') return executionCall(call, id, action);
    if (kind === 'durable-execution-callbacks') return callbackCall(call, id, action);
    if (kind === 'functions' && action === 'durable-executions' && call.method === 'GET') return list(call, id);
    return undefined;
  };
}
