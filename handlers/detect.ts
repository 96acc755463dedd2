/** Events from the intake queue through the line. What cannot be dealt with now goes back to the queue, message by message. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type Detection, detect, type Line, preload } from '../engine/detect.ts';
import { waitFor } from '../engine/errors.ts';
import { normalise } from '../engine/normalise.ts';
import { routerOf } from '../engine/route.ts';
import { catalogue } from '../remediations/index.ts';
import { environmentOf, runtimeOf } from './runtime.ts';

const environment = environmentOf(process.env);
/** A policy that a deploy has just stored is in force within a minute. */
const { ports, log, forgetPolicy } = runtimeOf(environment, 'detect', 60_000);
const router = routerOf(catalogue);
const own = { accountId: environment.accountId, roleArns: [environment.remediateRoleArn], self: environment.detectRoleArn };

/** Milliseconds kept back for answering the queue. */
const reserve = 10_000;

export const handler = middy<SQSEvent, SQSBatchResponse, Error, Context>()
  .onError(() => log.flush())
  .handler(async ({ Records }, context) => {
    const events = Records.map(eventOf);
    // A deploy sends one: it is to be met with the policy that the deploy has stored.
    if (events.some(isTick)) forgetPolicy();
    const [policy] = await Promise.all([ports.ledger.policy(), preload(events, { router, own })]);
    if (!policy) throw new Error('no policy is stored yet: the deploy has not finished');
    const detection: Detection = {
      ports,
      router,
      policy,
      own,
      dryRun: false,
      queued: true,
      deadline: new Date(ports.clock.now().getTime() + context.getRemainingTimeInMillis() - reserve),
      signal: AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - reserve / 2)),
    };
    const reports = await detect(events, detection, Records.map(firstSeen));
    for (const { lines } of reports) for (const line of lines) if (tells(line)) log.info('Work item', loggable(line));
    const failed = Records.filter((_, index) => reports[index]!.errors.length > 0);
    for (const { errors } of reports) for (const error of errors) log.error('Event returned to the queue', { error });
    await Promise.all(failed.map((record) => comesBack(record, reports[Records.indexOf(record)]!.errors)));
    log.flush();
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });

/** A body that is not JSON is no event: it is dropped with a count, since no retry will mend it. */
function eventOf({ body }: SQSRecord): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const isTick = (event: unknown): boolean => normalise(event, own).triggers.some(({ source }) => source === 'tick');

const firstSeen = ({ attributes }: SQSRecord): Date => new Date(Number(attributes.ApproximateFirstReceiveTimestamp));

/** Sooner than the queue's own wait, where the error says when; left to that wait should this fail. */
async function comesBack({ eventSourceARN, receiptHandle, attributes }: SQSRecord, errors: readonly unknown[]): Promise<void> {
  const seconds = waitFor(errors, Number(attributes.ApproximateReceiveCount));
  if (!seconds || !environment.sweepQueueUrl) return;
  const { showAgain } = await import('./aws/queue.ts');
  await showAgain(eventSourceARN, environment.sweepQueueUrl, receiptHandle, seconds, ports.aws(environment, { share: false })).catch((error: unknown) =>
    log.warn('Message comes back late', { error }),
  );
}

/** Most events need nothing: they are counted, not logged. */
const tells = ({ decision, findingId }: Line): boolean => findingId !== null || !['none', 'off'].includes(decision.action);

/** No resource id, no change: logs leave the account's raw zone. */
const loggable = ({ eventId, eventName, control, evaluation, decision, outcome, findingId, calls }: Line) => ({
  eventId,
  eventName,
  control,
  complianceType: evaluation?.complianceType,
  decision: decision.action,
  status: outcome.status,
  findingId,
  calls,
});
