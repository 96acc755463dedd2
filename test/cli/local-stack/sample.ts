/** Puts the sample functions of the local stack's tests into an emulator, as a deploy would. */
import { fileURLToPath } from 'node:url';
import { AttachRolePolicyCommand, CreatePolicyCommand, CreateRoleCommand } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, PublishVersionCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import { zipSync } from 'fflate';
import type { Clients } from '../../../cli/local-stack/clients.ts';

const service = fileURLToPath(new URL('./service/', import.meta.url));

async function bundle(name: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [`${service}${name}.ts`],
    outdir: '/out',
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return zipSync(Object.fromEntries(outputFiles.map(({ path, contents }) => [path.slice('/out/'.length), contents])), { level: 1 });
}

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

export async function createRole({ iam }: Clients, RoleName: string, actions: readonly string[]): Promise<string> {
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: RoleName, PolicyDocument }));
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy!.Arn! }));
  return Role!.Arn!;
}

const bundles = new Map<string, Promise<Uint8Array>>();

/** The ARN of its first version. */
export async function createFunction(
  { s3, lambda }: Clients,
  name: string,
  { source, role, timeout = 20, environment }: { source: 'steps' | 'intake'; role: string; timeout?: number; environment: Record<string, string> },
): Promise<string> {
  const Bucket = 'packages';
  if (!bundles.has(source)) bundles.set(source, bundle(source));
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: `${source}.zip`, Body: await bundles.get(source) }));
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Handler: `${source}.handler`,
      Runtime: 'nodejs24.x',
      Timeout: timeout,
      Environment: { Variables: environment },
      Code: { S3Bucket: Bucket, S3Key: `${source}.zip` },
    }),
  );
  const { FunctionArn } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  return FunctionArn!;
}
