/** Against a local server that enforces what PagerDuty documents. Neither moto nor aws-sdk-client-mock: nothing of AWS is called. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Secrets } from '../../../handlers/aws/secrets.ts';
import { outsideOf } from '../../../handlers/channels/outside.ts';
import { pagerDuty } from '../../../handlers/channels/pagerduty.ts';
import type { Life } from '../../support/findings.ts';
import { alertIn, context } from '../../support/lamps.ts';
import { failed } from '../../support/outside/failure.ts';
import { fakeOutside, impatiently } from '../../support/outside/fake-outside.ts';
import { type PagerDuty, pagerDutyService } from '../../support/outside/pagerduty.ts';
import { type OutsideWorld, outsideWorld } from '../../support/outside/server.ts';

const key = 'R0123456789abcdefR0123456789abcd';
const channel = { pagerDuty: 'ssm:/phidelity/pagerduty', pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } as const;
let world: OutsideWorld;
let service: PagerDuty;
beforeAll(async () => {
  world = await outsideWorld({ pagerduty: (asked) => service.service(asked) });
});
beforeEach(() => {
  service = pagerDutyService(key);
});
afterAll(() => world.stop());

const send = (life: Life, ...keys: string[]) =>
  pagerDuty(fakeOutside(world.url, { 'ssm:/phidelity/pagerduty': keys.length > 0 ? keys : [key] }))(alertIn(life), channel, context, undefined);

test('an incident is opened, and resolved when it is fixed', async () => {
  await send('a page');
  expect(service.incidents).toEqual([
    { dedupKey: 'f-abcdefghijklmnopqrstuvwxyz', state: 'triggered', severity: 'error', summary: '[HIGH] ACTION NEEDED: lamp-off on hall' },
  ]);
  await send('fixed');
  expect(service.incidents).toMatchObject([{ state: 'resolved' }]);
});

test('an account of the EU region has an address of its own', async () => {
  const europe = pagerDutyService(key);
  const eu = await outsideWorld({ 'pagerduty-eu': (asked) => europe.service(asked) });
  const there = { ...channel, pagerDuty: { key: 'ssm:/phidelity/pagerduty', region: 'eu' } } as const;
  await pagerDuty(fakeOutside(eu.url, { 'ssm:/phidelity/pagerduty': [key] }))(alertIn('a page'), there, context, undefined);
  expect(europe.incidents).toMatchObject([{ state: 'triggered' }]);
  await eu.stop();
  const none = async () => '';
  expect(outsideOf({ read: none, forget: () => {} } as unknown as Secrets).base('pagerduty-eu')).toBe('https://events.eu.pagerduty.com');
});

describe('when PagerDuty does not take it', () => {
  const answers = {
    'too many': [
      { status: 429, headers: { 'retry-after': '90' } },
      { failure: 'again', message: 'PagerDuty answers 429.', retryAfter: 90 },
    ],
    'it is broken': [{ status: 500 }, { failure: 'again', message: 'PagerDuty answers 500.', retryAfter: undefined }],
    'it is forbidden': [{ status: 403 }, { failure: 'refused', message: 'PagerDuty answers 403.', retryAfter: undefined }],
    'it is elsewhere': [
      { status: 302, headers: { location: 'https://example.com' } },
      { failure: 'again', message: 'PagerDuty cannot be reached.', retryAfter: undefined },
    ],
    'it repeats what was sent': [
      { status: 400, body: { errors: [`'${key}' is no key: 'payload.summary'`] } },
      { failure: 'refused', message: 'PagerDuty answers 400, because of summary.', retryAfter: undefined },
    ],
    'it says nothing': [
      { status: 400, body: '<html>' },
      { failure: 'refused', message: 'PagerDuty answers 400.', retryAfter: undefined },
    ],
  } as const;
  for (const [name, [answer, expected]] of Object.entries(answers))
    test(name, async () => {
      world.fail('pagerduty', answer);
      expect(await failed(send('a page'))).toEqual(expected);
      expect(service.incidents).toEqual([]);
    });

  test('it keeps silent', async () => {
    world.fail('pagerduty', 'never');
    const { result, patience } = await impatiently(() => failed(send('a page')));
    expect([result, patience]).toEqual([{ failure: 'again', message: 'PagerDuty has not answered within 10 s.', retryAfter: undefined }, [10_000]]);
  });

  test('a key that is none', async () => {
    expect(await failed(send('a page', 'too-short'))).toEqual({
      failure: 'refused',
      message: 'PagerDuty answers 400, because of routing_key.',
      retryAfter: undefined,
    });
  });

  test('a key that has been changed since it was read', async () => {
    await send('a page', 'too-short', key);
    expect(service.incidents).toHaveLength(1);
  });
});
