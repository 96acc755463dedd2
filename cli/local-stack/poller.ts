/**
 * What Lambda's event source mappings do for SQS queues.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, services-sqs-errorhandling.html
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type EventSourceMappingConfiguration,
  type LambdaClient,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { codeOf } from '../../engine/errors.ts';
import { failedIds, toRecord } from './batches.ts';
import type { StackClock } from './clock.ts';
import type { InvocationResult } from './invoke.ts';

export interface PollerOptions {
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly clock: StackClock;
  readonly region: string;
  readonly invoke: (functionArn: string, event: unknown) => Promise<InvocationResult>;
  /** Messages of two lanes never share a batch, and all that is there goes into as few as can be: what one batch holds does not hang on chance. */
  readonly laneOf?: (body: string) => string;
  /** True: the function cannot be run now, or its queue not be read: the messages stay where they are. */
  readonly closed: (functionArn: string, queueUrl: string) => Promise<boolean>;
  /** When the consumer wants a failed message back, by the stack's clock. */
  readonly wantedAt: (receiptHandle: string) => number | undefined;
  readonly log?: (line: string) => void;
}

export interface Poller {
  /** Whether the event source mapping is one of those polled here. */
  polls(uuid: string): boolean;
  /** Reads the mappings from the emulator and polls those. Returns the sources it does not know how to poll. */
  refresh(): Promise<{ readonly notPolled: string[] }>;
  /** Queues that are polled, by URL; none whose function cannot be run now. */
  queues(): string[];
  /** Batches under way. */
  readonly busy: number;
  /** Messages that failed and come back when their visibility timeout has passed by the stack's clock. */
  readonly waiting: number;
  stop(): Promise<void>;
}

interface Failed {
  readonly queueUrl: string;
  readonly receiptHandle: string;
  readonly visibleAt: number;
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: five pollers to begin with.
const defaultConcurrency = 5;
const maxReceive = 10;
// Removed with its stack; the next refresh ends the polling.
const missing = new Set(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']);

export function createPoller({ sqs, lambda, clock, region, invoke, closed, wantedAt, laneOf, log = () => undefined }: PollerOptions): Poller {
  const mappings = new Map<string, { configuration: EventSourceMappingConfiguration; queueUrl: string; abort: AbortController; done: Promise<void> }>();
  const failed = new Set<Failed>();
  const waiting = new Set<string>();
  let busy = 0;

  const show = (queueUrl: string, ReceiptHandle: string) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }));

  const showDue = async () => {
    for (const message of [...failed]) {
      if (message.visibleAt > clock.now().getTime()) continue;
      failed.delete(message);
      // Neither waiting nor in the queue yet: whoever looks now must not find the stack idle.
      busy += 1;
      try {
        await show(message.queueUrl, message.receiptHandle);
      } catch (error) {
        // Visible by real time already, received again or gone with its queue.
        log(`a failed message could not be shown again: ${(error as Error).message}`);
      } finally {
        busy -= 1;
      }
    }
  };
  const stopListening = clock.onAdvance(() => void showDue());

  /** A batch: what is there, and what comes while the batching window is open. */
  const receive = async (queueUrl: string, configuration: EventSourceMappingConfiguration, signal: AbortSignal): Promise<Message[]> => {
    const size = laneOf ? Number.POSITIVE_INFINITY : (configuration.BatchSize ?? maxReceive);
    const messages: Message[] = [];
    let until = 0;
    let last = 0;
    const some = () =>
      sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(maxReceive, size - messages.length),
          // Where many schedules share the emulator, asking ten times a second would be half of its work.
          WaitTimeSeconds: laneOf && messages.length === 0 ? 1 : 0,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
        { abortSignal: signal },
      );
    try {
      do {
        const { Messages = [] } = await some();
        last = Messages.length;
        if (messages.length === 0 && Messages.length > 0) {
          busy += 1;
          until = Date.now() + (configuration.MaximumBatchingWindowInSeconds ?? 0) * 1000;
        }
        messages.push(...Messages);
        if (Messages.length === 0 && !laneOf) await pause(100, undefined, { signal });
      } while (laneOf ? last > 0 : messages.length < size && Date.now() < until);
    } catch (error) {
      if (messages.length > 0) busy -= 1;
      throw error;
    }
    return messages;
  };

  const handle = async (queueUrl: string, configuration: EventSourceMappingConfiguration, messages: readonly Message[]) => {
    const arn = configuration.EventSourceArn!;
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] }));
    const visibleAt = clock.now().getTime() + Number(Attributes?.VisibilityTimeout ?? 30) * 1000;
    const result = await invoke(configuration.FunctionArn!, { Records: messages.map((message) => toRecord(message, arn, region)) }).catch(
      (error: Error): InvocationResult => ({ ok: false, errorType: error.name, errorMessage: error.message }),
    );
    if (!result.ok) log(`${configuration.FunctionArn}: ${result.errorType}: ${result.errorMessage}`);
    const stay = failedIds(
      result,
      messages.map(({ MessageId }) => MessageId!),
      configuration.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    );
    for (const { MessageId, ReceiptHandle } of messages)
      if (stay.has(MessageId!)) failed.add({ queueUrl, receiptHandle: ReceiptHandle!, visibleAt: wantedAt(ReceiptHandle!) ?? visibleAt });
    const gone = messages.filter(({ MessageId }) => !stay.has(MessageId!));
    for (let from = 0; from < gone.length; from += maxReceive)
      await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: gone.slice(from, from + maxReceive).map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle: ReceiptHandle! })),
        }),
      );
    // The clock may have moved past the timeout while the function ran.
    await showDue();
  };

  const inLanes = (messages: readonly Message[], size: number): (readonly Message[])[] =>
    laneOf
      ? [...Map.groupBy(messages, ({ Body }) => laneOf(Body!)).values()].flatMap((lane) =>
          Array.from({ length: Math.ceil(lane.length / size) }, (_, part) => lane.slice(part * size, (part + 1) * size)),
        )
      : [messages];

  const poll = async (queueUrl: string, configuration: EventSourceMappingConfiguration, signal: AbortSignal) => {
    const limit = configuration.ScalingConfig?.MaximumConcurrency ?? defaultConcurrency;
    const batches = new Set<Promise<void>>();
    while (!signal.aborted) {
      try {
        const messages = await receive(queueUrl, configuration, signal);
        if (messages.length === 0) continue;
        // Where it cannot be told, the invocation will tell.
        const isClosed = () => closed(configuration.FunctionArn!, queueUrl).catch(() => false);
        if (await isClosed()) {
          for (const { ReceiptHandle } of messages) await show(queueUrl, ReceiptHandle!);
          waiting.add(queueUrl);
          busy -= 1;
          while (await isClosed()) await pause(300, undefined, { signal });
          waiting.delete(queueUrl);
          continue;
        }
        const parts = inLanes(messages, configuration.BatchSize ?? maxReceive);
        busy += parts.length - 1;
        for (const part of parts) {
          const batch = handle(queueUrl, configuration, part)
            .catch((error: Error) => log(`${configuration.FunctionArn}: ${error.message}`))
            .finally(() => {
              busy -= 1;
              batches.delete(batch);
            });
          batches.add(batch);
          if (batches.size >= limit) await Promise.race(batches);
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!missing.has(codeOf(error))) log(`${configuration.EventSourceArn}: ${(error as Error).message}`);
        await pause(500);
      }
    }
    await Promise.all(batches);
  };

  const stopMapping = async (id: string) => {
    const mapping = mappings.get(id);
    mappings.delete(id);
    mapping?.abort.abort();
    await mapping?.done;
  };

  const urlOf = async (arn: string) => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: arn.split(':').at(-1)!, QueueOwnerAWSAccountId: arn.split(':')[4] }));
    return QueueUrl!;
  };

  return {
    async refresh() {
      const seen = new Set<string>();
      const notPolled: string[] = [];
      for await (const { EventSourceMappings } of paginateListEventSourceMappings({ client: lambda }, {})) {
        for (const configuration of EventSourceMappings ?? []) {
          const id = configuration.UUID!;
          seen.add(id);
          // The emulator would run the function itself, in a container. What it says to be disabled is so by this line, from an earlier refresh.
          if (configuration.State !== 'Disabled') await lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: false }));
          else if (!mappings.has(id)) continue;
          if (configuration.EventSourceArn!.split(':')[2] !== 'sqs') {
            notPolled.push(configuration.EventSourceArn!);
            continue;
          }
          await stopMapping(id);
          const queueUrl = await urlOf(configuration.EventSourceArn!);
          const abort = new AbortController();
          mappings.set(id, { configuration, queueUrl, abort, done: poll(queueUrl, configuration, abort.signal) });
        }
      }
      for (const id of [...mappings.keys()]) if (!seen.has(id)) await stopMapping(id);
      return { notPolled };
    },
    polls: (uuid) => mappings.has(uuid),
    queues: () => [...mappings.values()].map(({ queueUrl }) => queueUrl).filter((url) => !waiting.has(url)),
    get busy() {
      return busy;
    },
    get waiting() {
      return failed.size;
    },
    async stop() {
      stopListening();
      await Promise.all([...mappings.keys()].map(stopMapping));
    },
  };
}
