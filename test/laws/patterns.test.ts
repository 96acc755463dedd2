/** Every generated pattern takes its own events and leaves its neighbours'; together they take what the router would. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CatalogueEntry } from '../../engine/control.ts';
import { normalise } from '../../engine/normalise.ts';
import { matchesPattern } from '../../engine/pattern.ts';
import { routerOf } from '../../engine/route.ts';
import { forwarderOf } from '../../infra/forwarders.ts';
import { type Rule, rulesOf } from '../../infra/rules.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

const detailTypes = { api: 'AWS API Call via CloudTrail', signin: 'AWS Console Sign In via CloudTrail', service: 'AWS Service Event via CloudTrail' };
type Kind = keyof typeof detailTypes;

interface Call {
  readonly kind?: Kind;
  readonly eventSource: string;
  readonly eventName: string;
  readonly more?: Record<string, unknown>;
}

/** As EventBridge delivers it: `source` is the event source with another prefix. */
const callEvent = ({ kind = 'api', eventSource, eventName, more = {} }: Call) => ({
  version: '0',
  id: 'e-1',
  'detail-type': detailTypes[kind],
  source: `aws.${eventSource.replace('.amazonaws.com', '')}`,
  account: '123456789012',
  region: 'us-east-1',
  detail: {
    eventID: 'e-1',
    eventSource,
    eventName,
    awsRegion: 'us-east-1',
    recipientAccountId: '123456789012',
    readOnly: false,
    userIdentity: { type: 'AssumedRole' },
    ...more,
  },
});

const anyName = (name: string) => name.replace('*', 'Something');
const anySource = (source: string) => (source === '*' ? 'glue.amazonaws.com' : source);

/** An event that the extra pattern of a trigger lets through: each leaf gets a value it takes. */
const satisfying = (pattern: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(pattern).flatMap(([name, inner]) => {
      if (!Array.isArray(inner)) return [[name, satisfying(inner as Record<string, unknown>)]];
      const [first] = inner as unknown[];
      return typeof first === 'object' ? [] : [[name, first]];
    }),
  );

let rules: Rule[];
const taking = (event: unknown) => rules.filter(({ pattern }) => matchesPattern(pattern, event)).map(({ name }) => name);
const isWide = ({ pattern }: Rule) => typeof pattern.source[0] === 'object';

beforeAll(async () => {
  rules = rulesOf(await policyOf('controls: { "*": page }'), catalogue);
});

test('every pattern pins where it comes from, tells calls by their name and is short enough', () => {
  expect(rules.length).toBeGreaterThan(0);
  for (const { name, pattern } of rules) {
    expect({ name, source: pattern.source, types: pattern['detail-type'] }).toEqual({ name, source: [expect.anything()], types: [expect.any(String)] });
    expect({ name, characters: JSON.stringify(pattern).length < 2_048 }).toEqual({ name, characters: true });
    if (pattern['detail-type'][0]!.endsWith('CloudTrail')) {
      expect({ name, detail: pattern.detail }).toEqual({
        name,
        detail: expect.objectContaining({ eventSource: [expect.anything()], eventName: expect.arrayContaining([expect.anything()]) }),
      });
    }
  }
});

test('names are unique and fit into the 64 characters of a rule name beside the name of the stack', () => {
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  for (const { name } of rules) expect(`phidelity-dev-${name}`).toMatch(/^[\w.-]{1,64}$/);
});

test('in another region: every pattern is short enough, every rule has the prefix of the stack, and of what happens there the rules take what they take at home', () => {
  const { Resources } = forwarderOf(rules, { stackName: 'phidelity-dev', region: 'us-east-2', forwarderRoleArn: 'arn:aws:iam::123456789012:role/f' });
  const there = Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::Events::Rule')
    .map(({ Properties }) => {
      const { account, region } = callEvent(callOf(calls[0]!));
      const filledIn = JSON.stringify(Properties).replace('{"Ref":"AWS::AccountId"}', `"${account}"`).replace('{"Ref":"AWS::Region"}', `"${region}"`);
      return JSON.parse(filledIn) as { Name: string; EventPattern: Rule['pattern'] };
    });
  expect(there.length).toBeGreaterThan(rules.length);
  expect(new Set(there.map(({ Name }) => Name)).size).toBe(there.length);
  for (const { Name, EventPattern } of there) {
    expect(Name).toMatch(/^phidelity-dev-[\w.-]{1,50}$/);
    expect({ Name, characters: JSON.stringify(EventPattern).length < 2_048 }).toEqual({ Name, characters: true });
    expect({ Name, source: EventPattern.source, types: EventPattern['detail-type'] }).toEqual({
      Name,
      source: [expect.anything()],
      types: [expect.any(String)],
    });
  }
  for (const call of calls) {
    const event = callEvent(callOf(call));
    const taken = there.filter(({ EventPattern }) => matchesPattern(EventPattern, event)).map(({ Name }) => Name.slice('phidelity-dev-'.length));
    expect(taken).toEqual(taking(event));
    for (const passing of [
      { ...event, region: 'eu-west-1' },
      { ...event, account: '999999999999' },
    ])
      expect(there.filter(({ EventPattern }) => matchesPattern(EventPattern, passing))).toEqual([]);
  }
});

type CloudTrail = Extract<CatalogueEntry['triggers'][number], { source: 'cloudtrail' }>;
const calls = catalogue.flatMap(({ id, triggers }) =>
  triggers.flatMap((trigger) =>
    trigger.source === 'cloudtrail'
      ? (trigger.kinds ?? ['api']).flatMap((kind) => trigger.eventNames.map((eventName) => ({ id, trigger, kind: kind as Kind, eventName })))
      : [],
  ),
);
const callOf = ({ trigger, kind, eventName }: { trigger: CloudTrail; kind: Kind; eventName: string }): Call => ({
  kind,
  eventSource: anySource(trigger.eventSource),
  eventName: anyName(eventName),
  more: { ...satisfying(trigger.pattern), ...(trigger.outcome === 'failed' && { errorCode: 'AccessDenied' }) },
});

describe('calls', () => {
  test.each(calls)('$id: $kind $eventName is taken', (call) => {
    expect(taking(callEvent(callOf(call)))).not.toEqual([]);
  });

  test.each(calls.filter(({ trigger }) => (trigger.outcome ?? 'succeeded') === 'succeeded'))('$id: a failed $eventName is left', (call) => {
    const { more, ...rest } = callOf(call);
    const failed = callEvent({ ...rest, more: { ...more, errorCode: 'AccessDenied' } });
    const wanted = catalogue.some(({ triggers }) =>
      triggers.some((trigger) => trigger.source === 'cloudtrail' && trigger.outcome !== undefined && trigger.outcome !== 'succeeded'),
    );
    const found = rules.filter(({ pattern }) => matchesPattern(pattern, failed));
    expect(found.filter((rule) => !(wanted && isWide(rule))).map(({ name }) => name)).toEqual([]);
  });

  test('a call of the same service that no control names is left', () => {
    for (const eventSource of new Set(calls.map(({ trigger }) => trigger.eventSource).filter((source) => source !== '*'))) {
      expect({ eventSource, taken: taking(callEvent({ eventSource, eventName: 'DescribeNothing' })) }).toEqual({ eventSource, taken: [] });
    }
  });

  test('the same name from another service is left to the rules of every service', () => {
    for (const call of calls.filter(({ trigger }) => trigger.eventSource !== '*')) {
      const event = callEvent({ ...callOf(call), eventSource: 'workmail.amazonaws.com' });
      expect(rules.filter((rule) => !isWide(rule) && matchesPattern(rule.pattern, event)).map(({ name }) => name)).toEqual([]);
    }
  });

  test('an event put by an application, not by AWS, is left', () => {
    for (const call of calls) expect(taking({ ...callEvent(callOf(call)), source: 'my.application' })).toEqual([]);
  });
});

describe('fixtures', () => {
  const envelopes = readdirSync('test/fixtures/events')
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, event: JSON.parse(readFileSync(`test/fixtures/events/${file}`, 'utf8')) }))
    .filter(({ event }) => 'detail-type' in event && event.source !== 'phidelity');
  const router = routerOf(catalogue);
  /** Controls that name the event, rather than every event. */
  const named = (event: unknown) =>
    normalise(event).triggers.flatMap((trigger) =>
      trigger.source === 'cloudtrail' && trigger.outcome === 'failed'
        ? []
        : router
            .select(trigger)
            .filter(
              ({ triggers }) =>
                trigger.source !== 'cloudtrail' ||
                triggers.some(
                  (one) => one.source === 'cloudtrail' && one.eventNames.includes(trigger.eventName) && one.eventSource === trigger.eventSource && !one.pattern,
                ),
            ),
    );

  test.each(envelopes)('$file: taken when the router has controls for it', ({ event }) => {
    if (named(event).length > 0) expect(taking(event)).not.toEqual([]);
  });

  test.each(envelopes.filter(({ event }) => event.source !== 'aws.signin'))('$file: left when normalise drops it or no control names it', ({ event }) => {
    if (named(event).length === 0) expect(rules.filter((rule) => !isWide(rule) && matchesPattern(rule.pattern, event)).map(({ name }) => name)).toEqual([]);
  });

  test('the fixtures hold both: some are taken, some are left', () => {
    const taken = envelopes.filter(({ event }) => taking(event).length > 0);
    expect(taken.length).toBeGreaterThan(3);
    expect(taken.length).toBeLessThan(envelopes.length);
  });
});

describe('what a policy leaves out', () => {
  test('everything off: no rule', async () => {
    expect(rulesOf(await policyOf('controls: { "*": "off" }'), catalogue)).toEqual([]);
  });

  test('one control on: only its calls are taken, though its service has more', async () => {
    rules = rulesOf(await policyOf('controls: { "*": "off", s3-bucket-public-access-block: notify }'), catalogue);
    expect(taking(callEvent({ eventSource: 's3.amazonaws.com', eventName: 'DeleteBucketPublicAccessBlock' }))).toEqual(['s3-api']);
    expect(taking(callEvent({ eventSource: 's3.amazonaws.com', eventName: 'PutBucketVersioning' }))).toEqual([]);
  });

  test('off, but on for one actor: its calls are taken', async () => {
    rules = rulesOf(
      await policyOf('controls: { "*": "off", s3-bucket-public-access-block: { mode: "off", when: [{ actor: "*terraform*", mode: page }] } }'),
      catalogue,
    );
    expect(taking(callEvent({ eventSource: 's3.amazonaws.com', eventName: 'CreateBucket' }))).toEqual(['s3-api']);
  });
});

describe('long lists', () => {
  const names = Array.from({ length: 300 }, (_, index) => `MakeSomethingWithALongName${index}`);
  const entry: CatalogueEntry = {
    ...catalogue.find(({ id }) => id === 's3-bucket-public-access-block')!,
    related: {},
    triggers: [{ source: 'cloudtrail', eventSource: 's3.amazonaws.com', eventNames: names }],
  };

  test('are split, each name in one rule, the condition on errors in all', async () => {
    const parts = rulesOf(await policyOf('controls: { s3-bucket-public-access-block: page }'), [entry]);
    expect(parts.length).toBeGreaterThan(3);
    for (const { pattern } of parts) {
      expect(JSON.stringify(pattern).length).toBeLessThan(2_048);
      expect(pattern.detail.errorCode).toEqual([{ exists: false }]);
    }
    for (const eventName of names) {
      expect(parts.filter(({ pattern }) => matchesPattern(pattern, callEvent({ eventSource: 's3.amazonaws.com', eventName })))).toHaveLength(1);
    }
  });

  test('one that cannot be split is refused', async () => {
    const pattern = { requestParameters: { name: [{ 'anything-but': names }] } };
    const negated = { ...entry, triggers: [{ source: 'cloudtrail' as const, eventSource: 's3.amazonaws.com', eventNames: ['PutObject'], pattern }] };
    const policy = await policyOf('controls: { s3-bucket-public-access-block: page }');
    expect(() => rulesOf(policy, [negated])).toThrow('too long for EventBridge');
  });
});
