/** Persons with keys of their own, who answer with the real command line. */
import { spawn } from 'node:child_process';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
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

/** For the environment of a process. */
export type Keys = Readonly<Record<string, string>>;

export interface Person {
  readonly name: string;
  /** Runs the command as this person, while the stack goes on; gives what it printed, and whether it ended well. */
  says(...args: string[]): Promise<{ readonly said: string; readonly ok: boolean }>;
}

/** Keys of a session of a role of that name, which may do what an operator may. */
export async function keysOf(RoleName: string, { clients: { iam }, lambda }: Pick<LocalStack, 'clients' | 'lambda'>): Promise<Keys> {
  const documentOf = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const AssumeRolePolicyDocument = documentOf({ Principal: { AWS: '*' }, Action: 'sts:AssumeRole' });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'operator', PolicyDocument: documentOf({ Action: actions, Resource: '*' }) }));
  const { accessKeyId, secretAccessKey, sessionToken } = await lambda.keysOf(Role!.Arn!);
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken! };
}

export async function personOf(name: string, stack: LocalStack): Promise<Person> {
  const env = { ...process.env, ...stack.environment, ...(await keysOf(name, stack)), NO_COLOR: '1' };
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
