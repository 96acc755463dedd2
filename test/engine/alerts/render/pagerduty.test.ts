import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pagerDutyEvent } from '../../../../engine/alerts/render/pagerduty.ts';
import { severities } from '../../../../engine/model.ts';
import { at, everyLife, type Life } from '../../../support/findings.ts';
import { hostile } from '../../../support/hostile-names.ts';
import { alertIn, alertNamed, context, digest } from '../../../support/lamps.ts';
import { errorsOf, type Incident, pagerDutyService } from '../../../support/outside/pagerduty.ts';

const key = 'k'.repeat(32);
const now = new Date('2026-11-01T06:00:00.000Z');
const eventIn = (life: Life, changes = {}) => pagerDutyEvent(alertIn(life, changes), context, now);
const snoozed = { snoozed: { until: '2026-11-02T00:00:00.000Z', by: 'dana', at: '2026-11-01T05:00:00.000Z' } };

const actions: Readonly<Record<Life, 'trigger' | 'resolve'>> = {
  drift: 'trigger',
  'a page': 'trigger',
  'a page that was told': 'trigger',
  'the bot cannot see': 'trigger',
  'an approval is asked for': 'trigger',
  'one of two has approved': 'trigger',
  'a fix under way': 'trigger',
  'a fix planned': 'trigger',
  'a fix that waits for its stack': 'trigger',
  'a fix that failed': 'trigger',
  'a fix to be tried again': 'trigger',
  fixed: 'resolve',
  'fixed and confirmed': 'resolve',
  'put right by somebody': 'resolve',
  'not applicable any more': 'resolve',
  gone: 'resolve',
  'gone already': 'resolve',
  excepted: 'resolve',
  'excepted, though read as compliant': 'resolve',
  'switched off': 'resolve',
  'an undo is asked for': 'trigger',
  'an undo under way': 'resolve',
  undone: 'resolve',
  'not undone': 'resolve',
  'an undo that failed': 'trigger',
};

describe('what becomes of the incident', () => {
  for (const [life, action] of Object.entries(actions) as [Life, string][])
    test(life, () => {
      expect(eventIn(life)).toMatchObject({ event_action: action, dedup_key: 'f-abcdefghijklmnopqrstuvwxyz', client: 'phidelity' });
    });

  const later = { lastSeenAt: '2026-11-01T05:30:00.000Z' };
  const snoozes: Readonly<Record<string, readonly [Life, object, string]>> = {
    'a person has put it off': ['a page', snoozed, 'acknowledge'],
    'put off, and it has failed since': [
      'a fix that failed',
      { ...snoozed, outcome: { status: 'REMEDIATION_FAILED', reason: 'x', at: later.lastSeenAt } },
      'trigger',
    ],
    'put off, and something new is known since': ['a page', { ...snoozed, ...later }, 'trigger'],
    'the time is over': ['a page', { snoozed: { ...snoozed.snoozed, until: '2026-11-01T05:59:00.000Z' } }, 'trigger'],
    'put off, and put right': ['put right by somebody', snoozed, 'resolve'],
  };
  for (const [name, [life, changes, action]] of Object.entries(snoozes)) test(name, () => expect(eventIn(life, changes).event_action).toBe(action));

  test('put off, and escalated all the same: whoever is called last is called', () => {
    const escalated = (id: string) => pagerDutyEvent({ ...alertIn('a page', snoozed), id }, context, now).event_action;
    expect([escalated('f-1:open:PAGED:escalated'), escalated('f-1:open:PAGED:reminder:1')]).toEqual(['trigger', 'acknowledge']);
  });

  const stories: Readonly<Record<string, { readonly told: readonly Life[]; readonly states: readonly Incident['state'][]; readonly called: number }>> = {
    'fixed without anybody': { told: ['fixed'], states: [], called: 0 },
    'asked, then fixed': { told: ['an approval is asked for', 'one of two has approved', 'fixed'], states: ['resolved'], called: 1 },
    'approved, and the fix fails': { told: ['an approval is asked for', 'a fix that failed'], states: ['triggered'], called: 1 },
    'an undo by one person': { told: ['fixed', 'an undo under way', 'undone'], states: [], called: 0 },
    'an undo that needs a second person, and fails': {
      told: ['a page', 'fixed', 'an undo is asked for', 'an undo under way', 'an undo that failed'],
      states: ['resolved', 'resolved', 'triggered'],
      called: 3,
    },
  };
  for (const [name, { told, states, called }] of Object.entries(stories))
    test(`at PagerDuty: ${name}`, () => {
      const pagerDuty = pagerDutyService(key);
      for (const life of told) {
        const body = JSON.stringify({ routing_key: key, ...eventIn(life) });
        expect(pagerDuty.service({ method: 'POST', path: '/v2/enqueue', headers: {}, body }).status).toBe(202);
      }
      expect([pagerDuty.incidents.map(({ state }) => state), pagerDuty.called()]).toEqual([states, called]);
    });
});

describe('what is told', () => {
  test('in whole', () => {
    const event = pagerDutyEvent(alertIn('an approval is asked for'), { ...context, instead: 'Slack cannot be reached.' }, now);
    const lines = alertIn('an approval is asked for').lines.filter(({ label }) => label !== 'Command');
    expect(event.payload).toEqual({
      summary: '[HIGH] Approval needed: lamp-off on hall',
      source: 'arn:aws:lamp:us-east-1:123456789012:lamp/hall',
      severity: 'error',
      timestamp: at,
      component: 'hall',
      group: 'clinic (123456789012)',
      class: 'lamp-off',
      custom_details: {
        'Sent here': 'Slack cannot be reached.',
        ...Object.fromEntries(lines.map(({ label, value }) => [label, value])),
        'Observed -> expected': ['on: true -> false'],
        Commands: [
          'npx phidelity approve f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
          'npx phidelity deny f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
          'npx phidelity except f-abcdefghijklmnopqrstuvwxyz --for 30d --reason "..." --stack phidelity-prod --region us-east-1',
          'npx phidelity snooze f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
          'npx phidelity recheck f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
        ],
        'Sections of 45 CFR': ['164.312(a)(1)', '164.312(e)(2)(ii)'],
        Urgency: 'page',
        Status: 'AWAITING_APPROVAL',
      },
    });
  });

  test('severities', () => {
    expect(severities.map((severity) => eventIn('a page', { severity }).payload.severity)).toEqual(['info', 'info', 'warning', 'error', 'critical']);
  });

  test('the console, where a page is known', () => {
    const bucket = { accountId: '123456789012', region: 'eu-west-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::lamps' };
    expect(eventIn('a page', { resource: bucket }).links).toEqual([
      { href: expect.stringContaining('/s3/buckets/lamps'), text: 'The resource in the AWS console' },
    ]);
    expect(eventIn('a page').links).toBeUndefined();
  });

  test('what is about no finding has a key of its own, and every line of it', () => {
    const [one, same, other] = [digest(), digest(), { ...digest(), id: 'another' }].map((alert) => pagerDutyEvent(alert, context, now));
    expect([one!.dedup_key === same!.dedup_key, one!.dedup_key === other!.dedup_key]).toEqual([true, false]);
    expect(Object.keys(one!.payload.custom_details)).toEqual(expect.arrayContaining(['Open', 'Open (2)', 'Open (3)']));
  });

  test('more lines than 512 KB hold are cut, and it says where the rest is', () => {
    const event = pagerDutyEvent(digest(2_000), context, now);
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(511 * 1_024);
    expect(event.payload.custom_details['Left out']).toMatch(/npx phidelity findings --stack phidelity-prod/);
  });
});

describe('PagerDuty takes it', () => {
  for (const [name, text] of Object.entries(hostile))
    test(name, () => {
      for (const life of everyLife) {
        const event = pagerDutyEvent(alertNamed(life, text), context, now);
        expect([life, errorsOf({ routing_key: key, ...event })]).toEqual([life, []]);
        expect(event.payload.summary).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }
    });

  test('whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_500 }), fc.constantFrom(...everyLife), (name, life) => {
        expect(errorsOf({ routing_key: key, ...pagerDutyEvent(alertNamed(life, `x${name}`), context, now) })).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
