/** EventBridge's PutEvents on default buses: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html. Everything else of EventBridge is the emulator's. */
import { randomUUID } from 'node:crypto';
import type { Authorise } from './authorise.ts';
import type { BusEvent, Buses } from './buses.ts';
import type { StackClock } from './clock.ts';
import { type Answer, type Call, json, parse, signerOf } from './wire.ts';

interface Entry {
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: string;
  /** Seconds since 1970. */
  readonly Time?: number;
  readonly Resources?: readonly string[];
  readonly EventBusName?: string;
}

interface EventsApiOptions {
  readonly authorise: Authorise;
  readonly buses: Buses;
  readonly clock: Pick<StackClock, 'now'>;
  readonly accountId: string;
}

const isDefault = ({ EventBusName = 'default' }: Entry) => EventBusName === 'default' || EventBusName.endsWith(':event-bus/default');

export function eventsApi({ authorise, buses, clock, accountId }: EventsApiOptions) {
  const read = ({ Source, DetailType, Detail, Time, Resources = [] }: Entry, region: string): BusEvent | { ErrorCode: string; ErrorMessage: string } => {
    if (!Source || !DetailType || !Detail) return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Source, DetailType and Detail are required.' };
    try {
      const detail: unknown = JSON.parse(Detail);
      const time = (Time === undefined ? clock.now() : new Date(Time * 1_000)).toISOString().replace(/\.\d+Z$/, 'Z');
      // On AWS nobody can put an event whose source begins with `aws.`; here CloudTrail has no other way in.
      return { version: '0', id: randomUUID(), source: Source, 'detail-type': DetailType, account: accountId, region, time, resources: Resources, detail };
    } catch {
      return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    }
  };

  return async (call: Call): Promise<Answer | undefined> => {
    if (call.headers['x-amz-target'] !== 'AWSEvents.PutEvents') return undefined;
    const { Entries = [] } = parse<{ Entries?: readonly Entry[] }>(call.body);
    if (!Entries.every(isDefault)) return undefined;
    await authorise(call, 'events:PutEvents');
    const { region } = signerOf(call.headers);
    const results = Entries.map((entry) => read(entry, region));
    const events = results.filter((result): result is BusEvent => 'id' in result);
    await buses.put(region, events);
    const answers = results.map((result) => ('id' in result ? { EventId: result.id } : result));
    return json({ FailedEntryCount: Entries.length - events.length, Entries: answers });
  };
}
