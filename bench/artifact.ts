/** Runs the packaged detect function in fresh processes against the emulator, and counts what it sends. */
import { execFileSync, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unzipSync } from 'fflate';
import { policyFrom } from '../cli/context.ts';
import { type Drifted, scenes } from '../cli/demo/scenes.ts';
import { startEmulator } from '../cli/local-stack/emulator.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import type { Aws } from '../engine/ports.ts';
import { awsAccess } from '../handlers/aws/access.ts';
import { dynamoLedger, tableDefinition } from '../handlers/aws/ledger.ts';
import { countingProxy, type Requests } from './proxy.ts';

export interface Row {
  readonly name: string;
  /** Milliseconds from the start of the process to the answer of the handler. */
  readonly cold: readonly number[];
  /** Milliseconds an event in a process that has handled one. */
  readonly warm: readonly number[];
  /** Of one event in a fresh process. */
  readonly requests: Requests;
}

export const root = fileURLToPath(new URL('..', import.meta.url));
export const place = { accountId: '123456789012', region: 'us-east-1' };
export const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };

export async function coldAndWarm(rounds: { readonly colds: number; readonly warms: number }): Promise<{ zipBytes: number; rows: Row[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const emulator = await startEmulator();
  const proxy = await countingProxy(emulator.endpoint);
  try {
    const zipBytes = unpackArtifact(folder);
    const admin = awsAccess({ endpoint: emulator.endpoint, forcePathStyle: true, credentials: keys })(place, { share: false });
    const { policy } = await policyFrom(join(root, 'cli/demo/policy.yaml'), join(root, 'policies/hipaa.yaml'));
    const { QueueUrl } = await admin.client(SQSClient).send(new CreateQueueCommand({ QueueName: 'alerts' }));
    // Everything pages: a fix is the other function's work.
    const paging = {
      ...policy,
      controls: Object.fromEntries(
        Object.entries(policy.controls).map(([id, control]) => [id, control.mode === 'fix' ? { ...control, mode: 'page' as const } : control]),
      ),
    };

    const drifts = [];
    for (const scene of scenes) drifts.push({ name: `${scene.title}: recorded and paged`, drifted: await scene.drift(admin) });
    const rows: Row[] = [];
    for (const { name, drifted } of [...drifts, { name: 'A bucket event that needs nothing', drifted: await closedBucket(admin) }]) {
      const run = async (endpoint: string, events: number) =>
        sandbox(
          folder,
          environment(endpoint, await freshTable(admin, paging), QueueUrl!),
          Array.from({ length: events }, () => copyOf(drifted)),
        );
      const cold: number[] = [];
      for (let round = 0; round < rounds.colds; round += 1) cold.push((await run(emulator.endpoint, 1))[0]!);
      const [, ...warm] = await run(emulator.endpoint, 1 + rounds.warms);
      proxy.take();
      await run(proxy.endpoint, 1);
      rows.push({ name, cold, warm, requests: proxy.take() });
    }
    return { zipBytes, rows };
  } finally {
    await proxy.stop();
    await emulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Packages as `serverless package` does, and unpacks what would be deployed. */
export function unpackArtifact(folder: string, ...more: readonly string[]): number {
  const packaged = join(folder, 'package');
  execFileSync('npx', ['serverless', 'package', '--package', packaged, ...more], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const zip = readFileSync(join(packaged, readdirSync(packaged).find((file) => file.endsWith('.zip'))!));
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    if (path.endsWith('/')) continue;
    mkdirSync(dirname(join(folder, 'code', path)), { recursive: true });
    writeFileSync(join(folder, 'code', path), content);
  }
  return zip.length;
}

export async function freshTable(admin: Aws, policy: CompiledPolicy): Promise<string> {
  const table = `ledger-${randomUUID()}`;
  const client = admin.client(DynamoDBClient);
  const { TimeToLiveSpecification: _, ...definition } = tableDefinition;
  await client.send(new CreateTableCommand({ TableName: table, ...definition }));
  await dynamoLedger({ client, table, clock: { now: () => new Date() } }).storePolicy(policy);
  return table;
}

async function closedBucket(admin: Aws): Promise<Drifted> {
  const [, bucket] = scenes;
  const drifted = await bucket!.drift(admin);
  const given = drifted.event.detail as { readonly requestParameters: { readonly bucketName: string } };
  const all = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
  await admin.client(S3Client).send(new PutPublicAccessBlockCommand({ Bucket: given.requestParameters.bucketName, PublicAccessBlockConfiguration: all }));
  // A call that has opened nothing: one that has would be news, though its drift were gone.
  const detail = { ...given, requestParameters: { ...given.requestParameters, PublicAccessBlockConfiguration: all } };
  return { ...drifted, event: { ...drifted.event, detail } };
}

const copyOf = ({ event }: Drifted): string =>
  JSON.stringify({
    ...event,
    id: randomUUID(),
    account: place.accountId,
    region: place.region,
    detail: { ...(event.detail as object), eventID: randomUUID() },
  });

const environment = (endpoint: string, table: string, alertQueueUrl: string) => ({
  PATH: process.env.PATH,
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: place.region,
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  ACCOUNT_ID: place.accountId,
  TABLE: table,
  TOPICS: JSON.stringify({ security: 'none: detect leaves alerts in the queue' }),
  // The SDK asks the host of the queue's address, which must be the one that counts.
  ALERT_QUEUE_URL: new URL(new URL(alertQueueUrl).pathname, endpoint).href,
  DETECT_ROLE_ARN: `arn:aws:iam::${place.accountId}:role/detect`,
  REMEDIATE_ROLE_ARN: `arn:aws:iam::${place.accountId}:role/remediate`,
});

/** Milliseconds each event took in one fresh process. */
function sandbox(folder: string, env: NodeJS.ProcessEnv, events: readonly string[]): Promise<number[]> {
  const child = fork(join(root, 'bench/sandbox.ts'), [join(folder, 'code/handlers/detect.mjs'), ...events], {
    env,
    silent: true,
    execPath: join(root, 'node_modules/.bin/node'),
  });
  let said = '';
  child.stdout?.on('data', (chunk) => (said += chunk));
  child.stderr?.on('data', (chunk) => (said += chunk));
  return new Promise((resolve, reject) => {
    child.once('message', (times) => resolve(times as number[]));
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}: ${said}`)));
  });
}
