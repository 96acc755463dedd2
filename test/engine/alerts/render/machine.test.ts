import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { machineForm } from '../../../../engine/alerts/render/machine.ts';
import { at, everyLife } from '../../../support/findings.ts';
import { alertIn, alertNamed, context, digest } from '../../../support/lamps.ts';

const bucket = { accountId: '123456789012', region: 'eu-west-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::lamps' };

test('in whole', () => {
  const alert = alertIn('an approval is asked for', {
    resource: bucket,
    owner: { tags: { team: 'night' } },
    snoozed: { until: '2026-11-02T00:00:00.000Z', by: 'dana', at },
  });
  expect(machineForm(alert, { ...context, instead: 'Slack cannot be reached.' })).toEqual({
    version: 1,
    id: alert.id,
    urgency: 'page',
    severity: 'HIGH',
    status: 'AWAITING_APPROVAL',
    control: 'lamp-off',
    title: 'Lamps are off',
    headline: 'Approval needed',
    subject: '[HIGH] Approval needed: lamp-off on lamps',
    account: { id: '123456789012', name: 'clinic' },
    bot: { stack: 'phidelity-prod', region: 'us-east-1' },
    instead: 'Slack cannot be reached.',
    findingId: 'f-abcdefghijklmnopqrstuvwxyz',
    findingVersion: 1,
    resource: {
      id: 'arn:aws:s3:::lamps',
      name: 'lamps',
      type: 'AWS::S3::Bucket',
      region: 'eu-west-1',
      console: 'https://eu-west-1.console.aws.amazon.com/s3/buckets/lamps?region=eu-west-1&tab=permissions',
    },
    state: 'open',
    episode: 1,
    complianceType: 'NON_COMPLIANT',
    verified: false,
    confirmed: false,
    openedAt: at,
    at,
    snoozed: '2026-11-02T00:00:00.000Z',
    tags: { team: 'night' },
    lines: alert.lines.filter(({ label }) => label !== 'Command'),
    differences: [{ path: 'on', observed: 'true', expected: 'false' }],
    hipaa: ['164.312(a)(1)', '164.312(e)(2)(ii)'],
    answers: [
      ...['approve', 'deny'].map((decision) => ({
        decision,
        command: `npx phidelity ${decision} f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1`,
      })),
      ...['except', 'snooze', 'recheck'].map((decision) => ({
        decision,
        command: `npx phidelity ${decision} f-abcdefghijklmnopqrstuvwxyz${decision === 'except' ? ' --for 30d --reason "..."' : ''} --stack phidelity-prod --region us-east-1`,
      })),
    ],
  });
});

test('what was fixed may be undone', () => {
  expect(machineForm(alertIn('fixed'), context).answers).toEqual([
    { decision: 'undo', command: 'npx phidelity undo f-abcdefghijklmnopqrstuvwxyz --for 30d --reason "..." --stack phidelity-prod --region us-east-1' },
  ]);
});

test('what is about many has nothing of a finding', () => {
  const alert = digest();
  expect(machineForm(alert, { stack: 'phidelity-prod', region: 'us-east-1' })).toEqual({
    version: 1,
    id: alert.id,
    urgency: 'notify',
    severity: 'LOW',
    status: 'DIGEST',
    title: 'What stands',
    headline: 'Daily digest',
    subject: '[LOW] Daily digest',
    account: { id: '123456789012' },
    bot: { stack: 'phidelity-prod', region: 'us-east-1' },
    lines: alert.lines,
    differences: [],
    hipaa: [],
    answers: [],
  });
});

test('what is not known is absent, never null, and it is JSON that comes back as it was, whatever the name', () => {
  const always = Object.keys(machineForm(digest(), { stack: 's', region: 'r' }));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_500 }), fc.constantFrom(...everyLife), (name, life) => {
      const form = machineForm(alertNamed(life, `x${name}`), context);
      expect(Object.keys(form)).toEqual(expect.arrayContaining(always));
      expect(JSON.stringify(form)).not.toContain(':null');
      // toEqual would take an undefined member for an absent one.
      expect(JSON.parse(JSON.stringify(form))).toStrictEqual(form);
    }),
    { numRuns: 100 },
  );
});
