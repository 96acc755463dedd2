/** Whether the functions can run: fed by their queues, and with room to run in. */
import { GetAccountSettingsCommand, GetEventSourceMappingCommand, GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { codeOf } from '../../engine/errors.ts';
import type { Aws } from '../../engine/ports.ts';
import { type Check, look, ok, wrong } from './check.ts';
import { lost, type StackGroup, type StackScene } from './scene.ts';

const functionsOf = async ({ parts }: StackScene): Promise<string[]> =>
  (await parts()).filter(({ type }) => type === 'AWS::Lambda::Function').map(({ id }) => id);

export const sources: StackGroup = (scene) => {
  const check = 'event sources';
  return look(check, async () => {
    const { stack, aws, parts, deploy } = scene;
    const expected = (await parts()).filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping').map(({ id }) => id);
    const found = await Promise.all(expected.map(async (UUID) => ({ UUID, ...(await mappingOf(UUID, aws)) })));
    const gone = found.filter(({ State }) => State === undefined).map(({ UUID }) => UUID);
    const off = found.filter(({ State = '' }) => /^(Disabl|Delet)/.test(State));
    const queueOf = ({ EventSourceArn = '' }: { EventSourceArn?: string }) => {
      const [, table] = /:table\/([^/]+)\/stream\//.exec(EventSourceArn) ?? [];
      return table ? `the stream of ${table}` : EventSourceArn.split(':').at(-1)!;
    };
    const lines: Check[] = [
      ...(expected.length === 0 ? [wrong(check, `${stack.name} has none: no event is taken from a queue`, deploy)] : []),
      ...(gone.length > 0 ? [lost(check, gone, stack)] : []),
      ...off.map((one) =>
        wrong(
          check,
          `${queueOf(one)} is not read: its event source is ${one.State}`,
          `aws lambda update-event-source-mapping --uuid ${one.UUID} --enabled --region ${stack.region}`,
        ),
      ),
    ];
    return lines.length > 0 ? lines : ok(check, `${found.map(queueOf).join(' and ')} are read`);
  });
};

async function mappingOf(UUID: string, aws: Aws): Promise<{ readonly State?: string; readonly EventSourceArn?: string }> {
  try {
    return await aws.client(LambdaClient).send(new GetEventSourceMappingCommand({ UUID }));
  } catch (error) {
    if (codeOf(error) === 'ResourceNotFoundException') return {};
    throw error;
  }
}

/** Unreserved executions that the account should have: detect may take seven at a time, its waits and remediate come on top. */
const enough = 20;

export const concurrency: StackGroup = async (scene) => {
  const { stack, aws } = scene;
  const client = aws.client(LambdaClient);
  const region = `--region ${stack.region}`;
  const check = 'concurrency';
  const [own, account] = await Promise.all([
    look(check, async () => {
      const names = await functionsOf(scene);
      const lines = await Promise.all(
        names.map(async (name): Promise<Check[]> => {
          const { Concurrency, Configuration } = await client.send(new GetFunctionCommand({ FunctionName: name }));
          const failed = Configuration?.State === 'Failed' || Configuration?.LastUpdateStatus === 'Failed';
          return [
            ...(Concurrency?.ReservedConcurrentExecutions === 0
              ? [
                  wrong(
                    check,
                    `${name} may not run at all: its reserved concurrency is 0`,
                    `aws lambda delete-function-concurrency --function-name ${name} ${region}`,
                  ),
                ]
              : []),
            ...(failed
              ? [wrong(check, `${name} cannot run: ${Configuration.StateReason ?? Configuration.LastUpdateStatusReason ?? 'it has failed'}`, scene.deploy)]
              : []),
          ];
        }),
      );
      return lines.flat().length > 0 ? lines.flat() : ok(check, `${names.join(' and ')} may run`);
    }),
    look(
      check,
      async () => {
        const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
        const free = AccountLimit?.UnreservedConcurrentExecutions ?? 0;
        if (free >= enough) return ok(check, `the account has ${free} unreserved executions`);
        return wrong(
          check,
          `the account has ${free} unreserved executions, the bot wants ${enough}`,
          // The quota "Concurrent executions". https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
          `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000 ${region}`,
        );
      },
      'limit of the account: ',
    ),
  ]);
  return [...own, ...account];
};
