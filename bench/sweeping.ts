/** Sweeps of a large account: what they send, and how long they take, beside the bare listing of the same resources. */
import { CreateVolumeCommand, EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, GetPublicAccessBlockCommand, PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { sweepTrigger } from '../cli/commands/sweep.ts';
import { policyFrom } from '../cli/context.ts';
import { startEmulator } from '../cli/local-stack/emulator.ts';
import { sqliteLedger } from '../cli/state/sqlite-ledger.ts';
import type { Detection } from '../engine/batch.ts';
import type { Ports } from '../engine/ports.ts';
import { routerOf } from '../engine/route.ts';
import { sweepPages } from '../engine/sweep.ts';
import { awsAccess } from '../handlers/aws/access.ts';
import { catalogue } from '../remediations/index.ts';
import { countingProxy } from './proxy.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };

export interface Swept {
  readonly name: string;
  readonly resources: number;
  /** To the resources' APIs. */
  readonly requests: number;
  readonly seconds: number;
  /** The same requests, sent one after the other without this project. */
  readonly bareSeconds: number;
}

export async function sweeping({ volumes, buckets }: { readonly volumes: number; readonly buckets: number }): Promise<Swept[]> {
  const emulator = await startEmulator();
  const proxy = await countingProxy(emulator.endpoint);
  const ledger = sqliteLedger({ directory: undefined, clock: { now: () => new Date() } });
  try {
    const admin = awsAccess({ endpoint: emulator.endpoint, forcePathStyle: true, credentials })(place, { share: false });
    const ec2 = admin.client(EC2Client);
    const s3 = admin.client(S3Client);
    for (let made = 0; made < volumes; made += 1) await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1, Encrypted: true }));
    const closed = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    for (let made = 0; made < buckets; made += 1) {
      await s3.send(new CreateBucketCommand({ Bucket: `bucket-${made}` }));
      await s3.send(new PutPublicAccessBlockCommand({ Bucket: `bucket-${made}`, PublicAccessBlockConfiguration: closed }));
    }
    const bare = {
      'ebs-volume-encrypted': async () => {
        for await (const _ of paginateDescribeVolumes({ client: ec2 }, { MaxResults: 500 }));
      },
      's3-bucket-public-access-block': async () => {
        for (let read = 0; read < buckets; read += 1) await s3.send(new GetPublicAccessBlockCommand({ Bucket: `bucket-${read}` }));
      },
    };
    const { policy } = await policyFrom('policies/hipaa.yaml');
    const access = (endpoint: string) => awsAccess({ endpoint, forcePathStyle: true, credentials });
    const none = async () => {
      throw new Error('nothing fails here: nothing is to be done');
    };
    const portsTo = (endpoint: string): Ports => ({
      ledger,
      aws: access(endpoint),
      clock: { now: () => new Date(), sleep: async () => {} },
      log: { info() {}, warn() {}, error() {}, count() {} },
      tags: async () => ({}),
      alert: none,
      attendAlerts: none,
      dispatch: none,
      resumeUndo: none,
      stopExecution: none,
      stackStatus: none,
      requestSweeps: none,
      prove: async () => undefined,
      seal: async (words: string) => words,
      isSealed: async () => false,
      killSwitch: async () => false,
    });
    const own = { accountId: place.accountId, roleArns: [], self: 'bench' };
    const sweep = async (name: string, endpoint: string): Promise<number> => {
      const detection: Detection = { ports: portsTo(endpoint), router: routerOf(catalogue), policy, own, dryRun: false, queued: false };
      const control = await catalogue.find(({ id }) => id === name)!.load();
      let resources = 0;
      for await (const { report } of sweepPages({ trigger: sweepTrigger(name, place, new Date().toISOString()), control, place }, detection)) {
        if (report.errors.length > 0) throw report.errors[0];
        resources += report.lines.length;
      }
      return resources;
    };
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const started = performance.now();
      await work();
      return (performance.now() - started) / 1_000;
    };
    const swept: Swept[] = [];
    for (const [name, list] of Object.entries(bare)) {
      const seconds = await timed(() => sweep(name, emulator.endpoint));
      const bareSeconds = await timed(list);
      proxy.take();
      const resources = await sweep(name, proxy.endpoint);
      swept.push({ name, resources, requests: proxy.take().resource, seconds, bareSeconds });
    }
    return swept;
  } finally {
    ledger.close();
    await proxy.stop();
    await emulator.stop();
  }
}
