import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { webhookBody } from '../../../../engine/alerts/render/webhook.ts';
import { alertIn, alertNamed, at, context, digest, type Life, lives } from '../../../support/lamps.ts';

test('in whole', () => {
  const alert = alertIn('an approval is asked for');
  expect(webhookBody(alert, context)).toEqual({
    version: 1,
    id: alert.id,
    urgency: 'page',
    severity: 'HIGH',
    status: 'AWAITING_APPROVAL',
    headline: 'Approval needed',
    title: 'Lamps are off',
    subject: '[HIGH] Approval needed: lamp-off on hall',
    control: 'lamp-off',
    account: { id: '123456789012', name: 'clinic' },
    bot: { stack: 'phidelity-prod', region: 'us-east-1' },
    instead: null,
    lines: alert.lines.filter(({ label }) => label !== 'Command'),
    hipaa: ['164.312(a)(1)', '164.312(e)(2)(ii)'],
    finding: {
      id: 'f-abcdefghijklmnopqrstuvwxyz',
      version: 1,
      state: 'open',
      episode: 1,
      resource: { id: 'arn:aws:lamp:us-east-1:123456789012:lamp/hall', name: 'hall', type: 'AWS::Lamp::Lamp', region: 'us-east-1' },
      console: null,
      complianceType: 'NON_COMPLIANT',
      verified: false,
      confirmed: false,
      openedAt: at,
      at,
      snoozed: null,
      differences: [{ path: 'on', observed: 'true', expected: 'false' }],
      differencesCut: false,
      tags: {},
    },
    answers: ['approve', 'deny'].map((decision) => ({
      decision,
      command: `npx phidelity ${decision} f-abcdefghijklmnopqrstuvwxyz --plan ab12ab12ab12ab12 --stack phidelity-prod --region us-east-1`,
    })),
  });
});

test('what was fixed may be undone, what is about many has no finding', () => {
  expect(webhookBody(alertIn('fixed'), context).answers).toEqual([
    { decision: 'undo', command: 'npx phidelity undo f-abcdefghijklmnopqrstuvwxyz --for 30d --reason "..." --stack phidelity-prod --region us-east-1' },
  ]);
  expect(webhookBody(digest(), { ...context, instead: 'Slack cannot be reached.' })).toMatchObject({
    control: null,
    finding: null,
    answers: [],
    instead: 'Slack cannot be reached.',
  });
});

test('every body has the same fields, and is JSON that comes back as it was, whatever the name', () => {
  const fields = Object.keys(webhookBody(alertIn('drift'), context));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_500 }), fc.constantFrom(...(Object.keys(lives) as Life[])), (name, life) => {
      const body = webhookBody(alertNamed(life, `x${name}`), context);
      expect(Object.keys(body)).toEqual(fields);
      expect(JSON.parse(JSON.stringify(body))).toEqual(body);
    }),
    { numRuns: 100 },
  );
});
