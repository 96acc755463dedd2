/** Tells each channel what the alert queue holds for it. A channel that fails delays no other: its message comes back by itself. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type AttendPorts, attend } from '../engine/alerts/attend.ts';
import { comesBackIn, deliver } from '../engine/alerts/deliver.ts';
import type { DeliverPorts, Told } from '../engine/alerts/deliver-ports.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { catalogue } from '../remediations/index.ts';
import { awsAccess } from './aws/access.ts';
import type { Letter } from './aws/alerts.ts';
import { clockOf } from './aws/clock.ts';
import { dynamoLedger } from './aws/ledger.ts';
import { lambdaLog } from './aws/log.ts';
import { secretsOf } from './aws/secrets.ts';
import { sendTo } from './channels/index.ts';
import { outsideOf } from './channels/outside.ts';
import { environmentOf, given, roleCredentials } from './runtime.ts';

const environment = environmentOf(process.env);
const queueUrl = given('ALERT_QUEUE_URL', environment.alertQueueUrl);
/** Queue URL by the name that people know the dead-letter queue by. */
const dlqs: Readonly<Record<string, string>> = JSON.parse(given('DLQS', process.env.DLQS));
const log = lambdaLog('deliver');
const aws = awsAccess({ credentials: roleCredentials })(environment, { share: false });
const clock = clockOf(environment.clockFile);
const ledger = dynamoLedger({ client: aws.client(DynamoDBClient), table: environment.table, clock });
const ways = { topics: environment.topics, outside: outsideOf(secretsOf(aws), process.env.PHIDELITY_OUTSIDE_URL), aws };

const ports: DeliverPorts & AttendPorts = {
  ledger,
  clock,
  log,
  catalogue,
  stack: given('STACK', process.env.STACK),
  accountId: environment.accountId,
  region: environment.region,
  send: (name, channel, alert, context, kept) => sendTo(name, channel, alert, context, kept, ways),
  // Most alerts are taken at once: the client of the queue is loaded when one is not.
  async enqueue(deliveries) {
    const { enqueueAt } = await import('./aws/alerts.ts');
    await enqueueAt(queueUrl, deliveries, aws);
  },
  async dlqDepths() {
    const { depthOf } = await import('./aws/queue.ts');
    const depths = await Promise.all(Object.entries(dlqs).map(async ([name, url]) => [name, await depthOf(url, aws).catch(() => undefined)] as const));
    return Object.fromEntries(depths);
  },
};

/** Before the first deploy has ended there is no policy: every topic is told. */
const onlyTopics: Told = {
  accounts: {},
  channels: Object.fromEntries(
    Object.keys(environment.topics).map((name) => [name, { sns: true, pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' }]),
  ),
};

export const handler = async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
  // Who is to be told is read anew each time: alerts are few, and a channel that a deploy took out must not be told.
  const policy = await ledger.policy();
  const failed = await Promise.all(Records.map((record) => unlessFailed(record, policy)));
  log.flush();
  return { batchItemFailures: failed.flatMap((itemIdentifier) => (itemIdentifier ? [{ itemIdentifier }] : [])) };
};

/** @returns the id of a message that must come back */
async function unlessFailed(
  { messageId, body, receiptHandle, eventSourceARN, attributes }: SQSRecord,
  policy: CompiledPolicy | undefined,
): Promise<string | undefined> {
  const attempt = Number(attributes.ApproximateReceiveCount);
  try {
    const letter = JSON.parse(body) as Letter;
    if (!('attend' in letter)) await deliver(letter, attempt, policy ?? onlyTopics, ports);
    // Without a policy there is nothing to be reminded of.
    else if (policy) await attend(policy, catalogue, ports);
    return undefined;
  } catch (error) {
    log.error('Alert returned to the queue', { error, attempt });
    const { showAgain } = await import('./aws/queue.ts');
    await showAgain(eventSourceARN, queueUrl, receiptHandle, comesBackIn(error, attempt), aws).catch((cause: unknown) =>
      log.warn('Message comes back late', { error: cause }),
    );
    return messageId;
  }
}
