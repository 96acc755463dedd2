/** The deployed bot on the local stack, and what its end-to-end tests do with it. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetPublicAccessBlockCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { type Alerted, type LocalStack, type LocalStackOptions, type StackEvent, startLocalStack, type TopicReader } from '../../cli/local-stack/index.ts';
import type { Finding } from '../../engine/model.ts';
import type { Ledger } from '../../engine/ports.ts';
import { dynamoLedger } from '../../handlers/aws/ledger.ts';

export const open = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
export const closed = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
export const dana = { type: 'AssumedRole', arn: 'arn:aws:sts::123456789012:assumed-role/Developers/dana', accountId: '123456789012' };

const folder = mkdtempSync(join(tmpdir(), 'e2e-'));

/** A policy file on top of the baseline, with everything off that it does not name; by default it looks at the home region alone, which deploys fastest. */
export function policyFile(controls: string, watch: readonly string[] = ['us-east-1'], guards = '{}', people = '{}'): string {
  const file = join(folder, `${randomUUID()}.yaml`);
  writeFileSync(
    file,
    `version: 1\nextends: hipaa\nwatch: [${watch.join(', ')}]\nguards: ${guards}\ncontrols:\n  "*": off\n${controls.replace(/^/gm, '  ')}\npeople: ${people}\n`,
  );
  return file;
}

export interface Deployed {
  readonly stack: LocalStack;
  readonly ledger: Ledger;
  readonly alerts: TopicReader;
  bucket(block?: Partial<typeof open>): Promise<string>;
  blockOf(bucket: string): Promise<unknown>;
  /** As CloudTrail tells of it on EventBridge. */
  event(source: string, eventName: string, detail: Record<string, unknown>): StackEvent;
  opened(bucket: string, detail?: Record<string, unknown>): StackEvent;
  findings(control?: string): Promise<Finding[]>;
  /** Sends, and waits until nothing runs and nothing is queued. */
  settle(...events: StackEvent[]): Promise<void>;
  /** Deploys, waits until the first sweeps are over and denials are no longer laid to the deploy, and gives what was told meanwhile. */
  deploy(policy: string): Promise<readonly Alerted[]>;
}

const soonMs = 17_000;

/** Each control is swept at its own quarter of the day: the next that falls due is hours away, whatever the time at which the tests run. */
const startAt = '12:35';

export async function deployed(policy: string, options: LocalStackOptions = {}): Promise<Deployed> {
  const stack = await startLocalStack({ startAt, ...options, policy });
  const { clients, clock, report, accountId, region } = stack;
  const ledger = dynamoLedger({ client: clients.dynamoDb, table: report.outputs.LedgerTableName!, clock });
  const event: Deployed['event'] = (source, eventName, detail) => ({
    source: `aws.${source}`,
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventVersion: '1.09',
      eventSource: `${source}.amazonaws.com`,
      eventName,
      eventID: randomUUID(),
      eventTime: clock.now().toISOString(),
      awsRegion: region,
      recipientAccountId: accountId,
      userIdentity: dana,
      sourceIPAddress: '192.0.2.7',
      userAgent: 'aws-cli/2.17.0',
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      requestParameters: null,
      responseElements: null,
      ...detail,
    },
  });
  const alerts = await stack.subscribe(report.outputs.ChannelSecurityTopic!);
  const settle: Deployed['settle'] = async (...events) => {
    await stack.putEvents(events);
    for (let retries = 0; ; retries += 1) {
      const { idle, queues, executions } = await stack.drain(180);
      if (!idle) throw new Error(`still busy: ${JSON.stringify(queues)}`);
      // An attempt that met another at the same finding is made again within seconds.
      const soon = executions.flatMap(({ due }) => (due ? [Date.parse(due) - clock.now().getTime()] : [])).filter((wait) => wait < soonMs);
      if (soon.length === 0 || retries === 5) return;
      clock.advance(Math.max(1, Math.ceil(Math.max(...soon) / 1_000)));
    }
  };
  const comeToRest = async () => {
    await settle();
    clock.advance(601);
    await settle();
    // What the sweeps told is no burst any more, in which what comes next would be folded.
    clock.advance(601);
    await settle();
    return alerts.read();
  };
  await comeToRest();
  return {
    stack,
    ledger,
    alerts,
    settle,
    async deploy(policyOfIt) {
      await stack.deploy(policyOfIt);
      return comeToRest();
    },
    event,
    opened: (bucketName, detail = {}) => event('s3', 'PutBucketPublicAccessBlock', { requestParameters: { bucketName, publicAccessBlock: '' }, ...detail }),
    async bucket(block) {
      const Bucket = `records-${randomUUID()}`;
      await clients.s3.send(new CreateBucketCommand({ Bucket }));
      if (block) await clients.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
      return Bucket;
    },
    async blockOf(Bucket) {
      return (await clients.s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration;
    },
    async findings(control) {
      const found: Finding[] = [];
      for await (const finding of ledger.findings({})) if (!control || finding.control === control) found.push(finding);
      return found;
    },
  };
}
