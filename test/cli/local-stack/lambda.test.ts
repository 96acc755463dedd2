import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateKeyCommand, DisableKeyCommand } from '@aws-sdk/client-kms';
import {
  CheckpointDurableExecutionCommand,
  DeleteFunctionConcurrencyCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionStateCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  type ListDurableExecutionsByFunctionCommandInput,
  PutFunctionConcurrencyCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { adminClients, type Clients } from '../../../cli/local-stack/clients.ts';
import { type StackClock, stackClock } from '../../../cli/local-stack/clock.ts';
import { type Emulator, startEmulator } from '../../../cli/local-stack/emulator.ts';
import { keys } from '../../../cli/local-stack/keys.ts';
import { type LambdaStandIn, startLambda } from '../../../cli/local-stack/lambda.ts';
import { describeOnMoto } from '../../support/moto.ts';
import { createFunction, createRole } from './sample.ts';

const region = 'us-east-1';
const runtime = ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'];

describeOnMoto('the Lambda stand-in', () => {
  let directory: string;
  let emulator: Emulator;
  let clients: Clients;
  let clock: StackClock;
  let standIn: LambdaStandIn;
  let lambda: LambdaClient;
  const arns: Record<string, string> = {};

  const start = async () => {
    standIn = await startLambda({ emulator, clients, clock, keys: keys(clients), region, directory });
    standIn.setDurable(new Map(['steps', 'steps-hasty', 'steps-undecided', 'steps-mute'].map((name) => [name, { executionTimeoutSeconds: 86_400 }])));
    lambda = new LambdaClient({ region, endpoint: standIn.endpoint, credentials: emulator.adminCredentials(), maxAttempts: 1 });
  };
  const stop = async () => {
    lambda.destroy();
    await standIn.stop();
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'local-stack-'));
    emulator = await startEmulator();
    clients = adminClients(emulator, region);
    clock = stackClock(join(directory, 'clock'));
    const environment = { OUTBOX: directory };
    await clients.sqs.send(new CreateQueueCommand({ QueueName: 'target' }));
    const role = await createRole(clients, 'steps', [...runtime, 'sqs:GetQueueUrl']);
    arns.steps = await createFunction(clients, 'steps', { source: 'steps', role, environment });
    arns.hasty = await createFunction(clients, 'steps-hasty', { source: 'steps', role, timeout: 1, environment });
    arns.undecided = await createFunction(clients, 'steps-undecided', { source: 'steps', role: await createRole(clients, 'undecided', runtime), environment });
    arns.mute = await createFunction(clients, 'steps-mute', { source: 'steps', role: await createRole(clients, 'mute', ['sqs:GetQueueUrl']), environment });
    arns.intake = await createFunction(clients, 'intake', { source: 'intake', role, environment });
    await emulator.setAuth(true);
    await start();
  });
  afterAll(async () => {
    await stop();
    clients.destroy();
    await emulator.stop();
    rmSync(directory, { recursive: true });
  });

  const invoke = (name: string, kind: string, FunctionName = arns.steps!) =>
    lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', DurableExecutionName: name, Payload: JSON.stringify({ findingId: name, kind }) }));
  const log = (name: string) =>
    readFileSync(join(directory, `${name}.log`), 'utf8')
      .trim()
      .split('\n');
  const lines = (name: string, line: string) => log(name).filter((each) => each === line).length;
  const pids = (name: string) => log(name).flatMap((line) => (line.startsWith('invoked') ? [line.split(' ')[1]!] : []));
  const execution = (name: string) => standIn.executions().find((each) => each.name === name)!;
  const until = async <T>(what: string, found: () => T | undefined | false): Promise<T> => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const value = found();
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`${what} did not come: ${JSON.stringify(standIn.executions())}`);
      await pause(30);
    }
  };
  const ended = (name: string) => until(`the end of ${name}`, () => execution(name).status !== 'RUNNING' && execution(name));
  const suspended = (name: string) =>
    until(`the wait of ${name}`, () => standIn.busy === 0 && existsSync(join(directory, `${name}.log`)) && log(name).includes('first'));

  test('runs a durable function to its end with what was deployed', async () => {
    const { StatusCode, DurableExecutionArn } = await invoke('plain', 'plain');
    expect(StatusCode).toBe(202);
    expect(await ended('plain')).toMatchObject({ status: 'SUCCEEDED', result: '42' });
    const { Status, FunctionArn, InputPayload, Result } = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
    expect({ Status, FunctionArn, InputPayload, Result }).toEqual({
      Status: 'SUCCEEDED',
      FunctionArn: arns.steps,
      InputPayload: '{"findingId":"plain","kind":"plain"}',
      Result: '42',
    });
    const { DurableExecutions } = await lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: 'steps', DurableExecutionName: 'plain' }));
    expect(DurableExecutions?.map(({ DurableExecutionName }) => DurableExecutionName)).toEqual(['plain']);
  });

  test('executions are listed by status, version and start, the latest first', async () => {
    const first = clock.now();
    await invoke('listed-1', 'plain');
    await ended('listed-1');
    await invoke('listed-2', 'wait');
    const list = async (more: Partial<ListDurableExecutionsByFunctionCommandInput>) => {
      const input = { FunctionName: 'steps', StartedAfter: first, ...more };
      const { DurableExecutions = [] } = await lambda.send(new ListDurableExecutionsByFunctionCommand(input));
      return DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName);
    };
    expect(await list({})).toEqual(['listed-2', 'listed-1']);
    expect(await list({ ReverseOrder: true })).toEqual(['listed-1', 'listed-2']);
    expect(await list({ Statuses: ['RUNNING'] })).toEqual(['listed-2']);
    expect(await list({ Statuses: ['RUNNING', 'SUCCEEDED'], Qualifier: '1' })).toEqual(['listed-2', 'listed-1']);
    expect(await list({ Qualifier: '2' })).toEqual([]);
    expect(await list({ StartedAfter: new Date(clock.now().getTime() + 1000) })).toEqual([]);
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn: execution('listed-2').arn }));
  });

  test('the same name and payload starts nothing; another payload is refused, also after the end', async () => {
    const first = await invoke('once', 'plain');
    await ended('once');
    const second = await invoke('once', 'plain');
    expect(second.DurableExecutionArn).toBe(first.DurableExecutionArn);
    expect(log('once').filter((line) => line.startsWith('invoked'))).toHaveLength(1);
    await expect(invoke('once', 'wait')).rejects.toMatchObject({ name: 'DurableExecutionAlreadyStartedException', $metadata: { httpStatusCode: 409 } });
  });

  test.each([
    ['a name with a slash', { DurableExecutionName: 'a/b' }, 'InvalidParameterValueException'],
    ['a name of 65 characters', { DurableExecutionName: 'a'.repeat(65) }, 'InvalidParameterValueException'],
    ['a durable function without a version', { FunctionName: 'steps' }, 'InvalidParameterValueException'],
    ['a name for a function that is not durable', { FunctionName: 'intake', DurableExecutionName: 'a' }, 'InvalidParameterValueException'],
    ['a function that is not there', { FunctionName: 'nobody' }, 'ResourceNotFoundException'],
  ])('refuses %s', async (_, input, name) => {
    await expect(lambda.send(new InvokeCommand({ FunctionName: arns.steps, InvocationType: 'Event', ...input }))).rejects.toMatchObject({ name });
  });

  test('a step that is checkpointed does not run again after SIGKILL between steps', async () => {
    await invoke('between', 'die-between');
    expect(await ended('between')).toMatchObject({ status: 'SUCCEEDED', result: '42' });
    expect(lines('between', 'first')).toBe(1);
    expect(new Set(pids('between')).size).toBe(2);
  });

  test('a step killed inside runs again', async () => {
    await invoke('inside', 'die-inside');
    expect(await ended('inside')).toMatchObject({ status: 'SUCCEEDED' });
    expect([lines('inside', 'first'), lines('inside', 'second')]).toEqual([1, 2]);
  });

  test('a function that always dies is given up', async () => {
    await invoke('always', 'die-always');
    expect(await ended('always')).toMatchObject({ status: 'FAILED', error: { ErrorType: 'Runtime.ExitError' } });
    expect(pids('always')).toHaveLength(5);
  });

  test('a wait ends when the clock has passed it, in another process that sees the moved time', async () => {
    await invoke('waiting', 'wait');
    await suspended('waiting');
    clock.advance(3590);
    await pause(300);
    expect(execution('waiting').status).toBe('RUNNING');
    clock.advance(60);
    expect(await ended('waiting')).toMatchObject({ status: 'SUCCEEDED' });
    expect([lines('waiting', 'first'), new Set(pids('waiting')).size]).toEqual([1, 2]);
    const times = log('waiting').flatMap((line) => (line.startsWith('invoked') ? [Date.parse(line.split(' ')[2]!)] : []));
    expect(times[1]! - times[0]!).toBeGreaterThan(3_600_000);
  });

  test('a step that failed is tried again when its delay has passed', async () => {
    await invoke('shaky', 'retry');
    await suspended('shaky');
    expect(lines('shaky', 'shaky')).toBe(1);
    clock.advance(601);
    expect(await ended('shaky')).toMatchObject({ status: 'SUCCEEDED' });
    expect([lines('shaky', 'first'), lines('shaky', 'shaky')]).toEqual([1, 2]);
  });

  const callbackOf = (name: string) =>
    until(`the callback of ${name}`, () => existsSync(join(directory, `${name}.callback`)) && readFileSync(join(directory, `${name}.callback`), 'utf8'));

  test('a callback is answered from another process', async () => {
    await invoke('asked', 'callback');
    const CallbackId = await callbackOf('asked');
    await lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));
    await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: JSON.stringify('yes') }));
    expect(await ended('asked')).toMatchObject({ status: 'SUCCEEDED' });
    expect(execution('asked').result).toContain('yes');
    await expect(lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId }))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  test('a callback that is refused, and one that nobody answers, fail the execution', async () => {
    await invoke('refused', 'callback');
    await lambda.send(
      new SendDurableExecutionCallbackFailureCommand({ CallbackId: await callbackOf('refused'), Error: { ErrorType: 'Denied', ErrorMessage: 'no' } }),
    );
    expect(await ended('refused')).toMatchObject({ status: 'FAILED' });
    await invoke('unanswered', 'callback');
    await callbackOf('unanswered');
    clock.advance(7201);
    expect(await ended('unanswered')).toMatchObject({ status: 'FAILED' });
  });

  test('an execution is given up at its own timeout, and stops when it is stopped', async () => {
    await invoke('old', 'callback');
    await callbackOf('old');
    const { DurableExecutionArn } = await invoke('stopped', 'wait');
    await suspended('stopped');
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
    expect(execution('stopped').status).toBe('STOPPED');
    clock.advance(86_401);
    expect(await ended('old')).toMatchObject({ status: 'TIMED_OUT' });
  });

  test('executions survive a restart of the stand-in, suspended and running ones', async () => {
    await invoke('resting', 'wait');
    await suspended('resting');
    await invoke('working', 'slow');
    await until('the slow step', () => existsSync(join(directory, 'working.log')) && log('working').includes('slow'));
    await stop();
    expect(standIn.children()).toEqual([]);
    await start();
    await until('the slow step again', () => pids('working').length === 2);
    clock.advance(3601);
    expect(await ended('resting')).toMatchObject({ status: 'SUCCEEDED' });
    expect([lines('resting', 'first'), lines('working', 'first')]).toEqual([1, 1]);
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn: execution('working').arn }));
  });

  test('a call the role does not hold is denied inside the child; the same call with the action is not', async () => {
    await invoke('may', 'call');
    expect(await ended('may')).toMatchObject({ status: 'SUCCEEDED' });
    await invoke('may-not', 'call', arns.undecided);
    expect(await ended('may-not')).toMatchObject({ status: 'FAILED', error: { ErrorMessage: expect.stringContaining('sqs:GetQueueUrl') } });
  });

  test('a role without CheckpointDurableExecution cannot checkpoint', async () => {
    await invoke('mute', 'plain', arns.mute);
    expect(await ended('mute')).toMatchObject({ status: 'FAILED', error: { ErrorMessage: expect.stringContaining('lambda:CheckpointDurableExecution') } });
  });

  test('a function is killed at its timeout', async () => {
    await invoke('late', 'slow', arns.hasty);
    expect(await ended('late')).toMatchObject({
      status: 'FAILED',
      error: { ErrorType: 'Sandbox.Timedout', ErrorMessage: 'Task timed out after 1.00 seconds' },
    });
  });

  test('only the newest checkpoint token is honoured', async () => {
    const { DurableExecutionArn } = await invoke('token', 'slow');
    await until('the slow step', () => existsSync(join(directory, 'token.log')) && log('token').includes('slow'));
    const stale = { DurableExecutionArn, CheckpointToken: 'stale' };
    for (const command of [new CheckpointDurableExecutionCommand(stale), new GetDurableExecutionStateCommand(stale)])
      await expect(lambda.send(command as CheckpointDurableExecutionCommand)).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
        message: 'Invalid Checkpoint Token',
      });
  });

  test('a plain function is invoked and answers; one that throws says so', async () => {
    const good = await lambda.send(new InvokeCommand({ FunctionName: 'intake', Payload: JSON.stringify({ Records: [] }) }));
    expect([good.StatusCode, good.FunctionError, good.Payload!.transformToString()]).toEqual([200, undefined, '{"batchItemFailures":[]}']);
    const bad = await lambda.send(new InvokeCommand({ FunctionName: 'intake', Payload: '{}' }));
    expect([bad.FunctionError, JSON.parse(bad.Payload!.transformToString()).errorType]).toEqual(['Unhandled', 'TypeError']);
  });

  test('a function with a reserved concurrency of 0 is refused, its executions wait, and its throttles are counted', async () => {
    await clients.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'intake', ReservedConcurrentExecutions: 0 }));
    await clients.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'steps', ReservedConcurrentExecutions: 0 }));
    const ran = standIn.admission.counts('intake').Invocations;
    const answer = lambda.send(new InvokeCommand({ FunctionName: 'intake', Payload: JSON.stringify({ Records: [] }) }));
    await expect(answer).rejects.toMatchObject({ name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } });
    expect(standIn.admission.counts('intake')).toMatchObject({ Invocations: ran, Throttles: 1 });
    await invoke('throttled', 'plain');
    await until('the throttle', () => standIn.admission.counts('steps').Throttles > 0);
    expect(existsSync(join(directory, 'throttled.log'))).toBe(false);
    await clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'steps' }));
    await clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'intake' }));
    clock.advance(61);
    expect(await ended('throttled')).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a function whose environment has a disabled key is refused', async () => {
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}));
    standIn.admission.setKeys(new Map([['intake', KeyMetadata!.Arn!]]));
    const ask = () => lambda.send(new InvokeCommand({ FunctionName: 'intake', Payload: JSON.stringify({ Records: [] }) }));
    expect((await ask()).StatusCode).toBe(200);
    await clients.kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
    await expect(ask()).rejects.toMatchObject({ name: 'KMSDisabledException' });
    standIn.admission.setKeys(new Map());
  });

  test('other calls pass on to the emulator, signature and all', async () => {
    const { Handler, FunctionArn } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'steps', Qualifier: '1' }));
    expect([Handler, FunctionArn]).toEqual(['steps.handler', arns.steps]);
    const stranger = new LambdaClient({
      region,
      endpoint: standIn.endpoint,
      credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'none' },
      maxAttempts: 1,
    });
    await expect(stranger.send(new GetFunctionConfigurationCommand({ FunctionName: 'steps' }))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(stranger.send(new InvokeCommand({ FunctionName: 'intake' }))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    stranger.destroy();
  });

  test('a child gets the deployed environment and the runtime variables, and nothing else of this machine', async () => {
    await lambda.send(new InvokeCommand({ FunctionName: 'intake', Payload: JSON.stringify({ Records: [] }) }));
    const last = readFileSync(join(directory, 'intake.log'), 'utf8').trim().split('\n').at(-1)!;
    const { environment, remaining } = JSON.parse(last) as { environment: Record<string, string>; remaining: number };
    expect(
      Object.keys(environment)
        .filter((name) => !name.startsWith('NODE_CHANNEL'))
        .sort(),
    ).toEqual(
      [
        ...['AWS_ACCESS_KEY_ID', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_LAMBDA', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
        ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_REGION', 'AWS_SDK_UA_APP_ID', 'AWS_SECRET_ACCESS_KEY'],
        'AWS_SESSION_TOKEN',
        ...['HOME', 'LAMBDA_TASK_ROOT', 'LANG', 'OUTBOX', 'PATH', 'PHIDELITY_CLOCK_FILE', 'TZ', '_HANDLER'],
      ].sort(),
    );
    expect(environment.OUTBOX).toBe(directory);
    expect(remaining).toBeGreaterThan(15_000);
  });
});
