/** What is deployed in the emulator: a function's configuration, its unpacked code, its role's keys and what that role may do. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  type IAMClient,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
} from '@aws-sdk/client-iam';
import { GetFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { unzipSync } from 'fflate';
import { codeOf } from '../../engine/errors.ts';
import type { Emulator, Keys } from './emulator.ts';
import type { DeployedFunction } from './invoke.ts';

/** Admin clients that reach the emulator itself. */
export interface AdminClients {
  readonly lambda: LambdaClient;
  readonly iam: IAMClient;
  readonly sts: STSClient;
  readonly s3: S3Client;
}

async function readCode({ s3 }: AdminClients, key: string): Promise<Uint8Array> {
  const { Buckets } = await s3.send(new ListBucketsCommand());
  for (const { Name: Bucket } of Buckets ?? []) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
      return await Body!.transformToByteArray();
    } catch (error) {
      // The emulator tells a function's key, not its bucket: the next one then.
      if (codeOf(error) !== 'NoSuchKey') throw error;
    }
  }
  throw new Error(`no bucket of the emulator holds ${key}; functions for the local stack are created from S3`);
}

function unpack(zip: Uint8Array, folder: string): void {
  const half = `${folder}.${process.pid}`;
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    if (path.endsWith('/')) continue;
    mkdirSync(dirname(join(half, path)), { recursive: true });
    writeFileSync(join(half, path), content);
  }
  if (existsSync(folder)) rmSync(half, { recursive: true });
  else renameSync(half, folder);
}

/** `NAME`, `NAME:QUALIFIER` or an ARN with or without one. */
export function splitName(nameOrArn: string): { name: string; qualifier?: string } {
  const parts = nameOrArn.split(':');
  const at = parts[0] === 'arn' ? 6 : 0;
  return { name: parts[at]!, qualifier: parts[at + 1] };
}

export interface Functions {
  /** Undefined when there is no such function or version. */
  describe(nameOrArn: string, qualifier?: string): Promise<DeployedFunction | undefined>;
}

/** Reads what is deployed, each time afresh; packages are unpacked once. */
export function deployedFunctions(clients: AdminClients, emulator: Emulator, directory: string): Functions {
  const folders = new Map<string, Promise<string>>();
  const folderOf = (key: string) => {
    const folder = join(directory, 'code', createHash('sha256').update(key).digest('hex').slice(0, 16));
    // moto miscalculates the signature of a key with a colon, and the framework's keys hold a time.
    const unpacked = emulator
      .unchecked(() => readCode(clients, key))
      .then((zip) => {
        if (!existsSync(folder)) unpack(zip, folder);
        return folder;
      });
    folders.set(key, unpacked);
    unpacked.catch(() => folders.delete(key));
    return unpacked;
  };
  return {
    async describe(nameOrArn, qualifier) {
      try {
        const { Configuration: configuration, Code } = await clients.lambda.send(new GetFunctionCommand({ FunctionName: nameOrArn, Qualifier: qualifier }));
        const key = decodeURIComponent(new URL(Code!.Location!).pathname.slice(1));
        return {
          name: configuration!.FunctionName!,
          version: configuration!.Version!,
          arn: configuration!.FunctionArn!,
          handler: configuration!.Handler!,
          roleArn: configuration!.Role!,
          timeoutSeconds: configuration!.Timeout!,
          memoryMb: configuration!.MemorySize!,
          environment: configuration!.Environment?.Variables ?? {},
          folder: await (folders.get(key) ?? folderOf(key)),
        };
      } catch (error) {
        if (codeOf(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
  };
}

export interface Roles {
  keysOf(roleArn: string): Promise<Keys>;
  /** The role a key was issued to by `keysOf`. */
  roleOf(accessKeyId: string): string | undefined;
  /** What the emulator would say for a Lambda action: the action is matched, the resource is not. */
  allows(roleName: string, action: string): Promise<boolean>;
}

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value as T]);
const matches = (pattern: string, action: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  ).test(action);

export async function rolePolicies(iam: IAMClient, RoleName: string): Promise<{ readonly arn?: string; readonly name: string; readonly document: string }[]> {
  const policies = [];
  for await (const { AttachedPolicies } of paginateListAttachedRolePolicies({ client: iam }, { RoleName }))
    for (const { PolicyArn, PolicyName } of AttachedPolicies ?? []) {
      const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
      const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId }));
      policies.push({ arn: PolicyArn!, name: PolicyName!, document: decodeURIComponent(PolicyVersion!.Document!) });
    }
  for await (const { PolicyNames } of paginateListRolePolicies({ client: iam }, { RoleName }))
    for (const PolicyName of PolicyNames ?? []) {
      const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
      policies.push({ name: PolicyName, document: decodeURIComponent(PolicyDocument!) });
    }
  return policies;
}

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
}

export const statementsOf = (document: string): readonly Statement[] => listOf((JSON.parse(document) as { Statement: Statement | Statement[] }).Statement);

export function deployedRoles(clients: AdminClients, emulator: Emulator): Roles {
  const keys = new Map<string, Promise<Keys>>();
  const roles = new Map<string, string>();
  const known = new Map<string, { readonly until: number; readonly statements: Promise<readonly Statement[]> }>();
  const assume = async (roleArn: string): Promise<Keys> => {
    // The roles trust the Lambda service alone, and nobody can be the Lambda service here.
    const { Credentials } = await emulator.unchecked(() =>
      clients.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: roleArn.split('/').at(-1)!.slice(0, 64) })),
    );
    roles.set(Credentials!.AccessKeyId!, roleArn);
    return { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! };
  };
  /** Kept for a second: a durable function asks at each checkpoint, and a policy that has changed is in force as soon as on AWS. */
  const statementsFor = (roleName: string): Promise<readonly Statement[]> => {
    const kept = known.get(roleName);
    if (kept && kept.until > Date.now()) return kept.statements;
    const statements = rolePolicies(clients.iam, roleName).then((policies) => policies.flatMap(({ document }) => statementsOf(document)));
    known.set(roleName, { until: Date.now() + 1_000, statements });
    statements.catch(() => known.delete(roleName));
    return statements;
  };
  return {
    keysOf(roleArn) {
      const kept = keys.get(roleArn);
      if (kept) return kept;
      const assumed = assume(roleArn);
      keys.set(roleArn, assumed);
      assumed.catch(() => keys.delete(roleArn));
      return assumed;
    },
    roleOf: (accessKeyId) => roles.get(accessKeyId),
    async allows(roleName, action) {
      const statements = await statementsFor(roleName);
      const named = ({ Action, NotAction }: Statement) =>
        NotAction === undefined ? listOf(Action).some((pattern) => matches(pattern, action)) : !listOf(NotAction).some((pattern) => matches(pattern, action));
      return (
        statements.some((statement) => statement.Effect === 'Allow' && named(statement)) &&
        !statements.some((statement) => statement.Effect === 'Deny' && named(statement))
      );
    },
  };
}
