/** Two persons of the demo with keys of their own, who answer with the real command line. */
import { spawn } from 'node:child_process';
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { root } from '../context.ts';
import type { LocalStack } from '../local-stack/index.ts';

/** What docs/answers.md gives to operators; the emulator takes no ARNs. */
const actions = [
  'cloudformation:DescribeStacks',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'lambda:GetFunctionConfiguration',
  'lambda:InvokeFunction',
  'lambda:SendDurableExecutionCallbackSuccess',
  'sts:GetCallerIdentity',
];

export interface Person {
  readonly name: string;
  /** Runs the command as this person, while the stack goes on; gives what it printed, and whether it ended well. */
  says(...args: string[]): Promise<{ readonly said: string; readonly ok: boolean }>;
}

export async function personOf(name: string, stack: LocalStack): Promise<Person> {
  const { iam } = stack.clients;
  await iam.send(new CreateUserCommand({ UserName: name }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
  await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'operator', PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const env = {
    ...process.env,
    ...stack.environment,
    AWS_ACCESS_KEY_ID: AccessKey!.AccessKeyId!,
    AWS_SECRET_ACCESS_KEY: AccessKey!.SecretAccessKey!,
    NO_COLOR: '1',
  };
  return {
    name,
    async says(...args) {
      const child = spawn(process.execPath, [`${root}cli/phidelity.ts`, ...args, '--stack', stack.report.stacks[0]!], { env });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (said += part));
      const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
      let code: number | null | undefined;
      ended.then((value) => {
        code = value;
      });
      // The command waits for the bot, which runs as this process drives it.
      while (code === undefined) await stack.drain(5);
      return { said: said.trim(), ok: (await ended) === 0 };
    },
  };
}
