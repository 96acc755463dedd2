/** The event fixtures, as EventBridge delivers them. Their sources are in test/fixtures/events/README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { eventsIn } from '../../engine/normalise.ts';

type Json = Record<string, unknown>;

const folder = new URL('../fixtures/events/', import.meta.url);

const detailTypes: Readonly<Record<string, string>> = {
  AwsApiCall: 'AWS API Call via CloudTrail',
  AwsConsoleSignIn: 'AWS Console Sign In via CloudTrail',
  AwsServiceEvent: 'AWS Service Event via CloudTrail',
};

/** A CloudTrail record in its envelope. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
export const onBus = (record: Json): Json => ({
  version: '0',
  id: `bus-${record.eventID}`,
  'detail-type': detailTypes[String(record.eventType)],
  source: `aws.${String(record.eventSource).split('.')[0]}`,
  account: record.recipientAccountId,
  time: record.eventTime,
  region: record.awsRegion,
  resources: [],
  detail: record,
});

/** The events of one fixture file; bare CloudTrail records are put into their envelope. */
export const fixture = (name: string): Json[] => {
  const events = eventsIn(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))) as Json[];
  return events.map((event) => ('detail-type' in event ? event : onBus(event)));
};

export const fixtureNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -5))
  .sort();

/** One event by `FILE` or `FILE/EventName`. */
export const eventNamed = (name: string): Json => {
  const [file, eventName] = name.split('/');
  const events = fixture(file!);
  const event = eventName ? events.find(({ detail }) => (detail as Json).eventName === eventName) : events[0];
  if (!event) throw new Error(`no event ${name}`);
  return event;
};

/** A copy of the event with parts of `detail` (or of the envelope) replaced. */
export const changed = (event: Json, detail: Json, envelope: Json = {}): Json => ({ ...event, ...envelope, detail: { ...(event.detail as Json), ...detail } });

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    {},
    [],
    0,
    false,
    'arn:aws:s3:::x',
    'arn:aws:kms:us-east-1:999999999999:key/k',
    '$&',
    '__proto__',
    'constructor',
    'toString',
  ),
  fc.jsonValue(),
);

function pathsIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((inner, index) => (String(index) === key ? replaced(inner, rest, by) : inner));
  return { ...(value as Json), [key]: replaced((value as Json)[key], rest, by) };
}

/** A fixture with up to four of its parts, however deep, made into something else or left out. */
export const mutatedFixture: fc.Arbitrary<unknown> = fc.constantFrom(...fixtureNames.flatMap(fixture)).chain((event) => {
  const paths = pathsIn(event).slice(1);
  return fc
    .array(fc.record({ path: fc.constantFrom(...paths), by: fc.option(strange, { nil: undefined }) }), { minLength: 1, maxLength: 4 })
    .map((mutations) => mutations.reduce<unknown>((mutated, { path, by }) => (reaches(mutated, path) ? replaced(mutated, path, by) : mutated), event));
});

function reaches(value: unknown, path: readonly (string | number)[]): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Json)[key];
  }
  return true;
}
