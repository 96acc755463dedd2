import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../../engine/alerts/alert.ts';
import { backlogAlertOf } from '../../../../engine/alerts/backlog.ts';
import type { CustomNotification } from '../../../../engine/alerts/render/chat.ts';
import type { MachineForm } from '../../../../engine/alerts/render/machine.ts';
import { snsMessage } from '../../../../engine/alerts/render/sns.ts';
import { control, finding, lives, named } from '../../../support/findings.ts';
import { forging, hostile, markup } from '../../../support/hostile-names.ts';
import { context, told } from '../../../support/lamps.ts';

interface Parts {
  readonly default: string;
  readonly email: string;
  readonly sms: string;
  readonly sqs: string;
  readonly lambda: string;
  readonly http: string;
  readonly https: string;
}
const sent = (alert: Alert, more: object = {}) => {
  const { Subject, Message, attributes } = snsMessage(alert, { ...context, ...more });
  const parts = JSON.parse(Message) as Parts;
  return { Subject, Message, attributes, ...parts, machine: JSON.parse(parts.sqs) as MachineForm, chat: JSON.parse(parts.https) as CustomNotification };
};
const asked = told(lives['an approval is asked for']);

/** GSM 03.38: what costs two septets. Printable ASCII but the backtick is in the alphabet. */
const septets = (text: string) => [...text].reduce((sum, one) => sum + (/[\^{}\\[\]~|]/.test(one) ? 2 : 1), 0);

function withinLimits(alert: Alert) {
  const { Subject, Message, attributes, machine, chat, ...parts } = sent(alert, { instead: 'The channel slack cannot be reached.' });
  expect(Subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,98}$/);
  expect(Buffer.byteLength(Message)).toBeLessThanOrEqual(262_144 - 2_048);
  expect(Object.keys(JSON.parse(Message)).sort()).toEqual(['default', 'email', 'http', 'https', 'lambda', 'sms', 'sqs']);
  for (const text of [parts.default, parts.email, parts.sms, parts.sqs, parts.lambda, parts.http, parts.https]) expect(text).toMatch(/\S/);
  expect(parts.sms).toMatch(/^[\x20-\x5f\x61-\x7e]{1,140}$/);
  expect(septets(parts.sms)).toBeLessThanOrEqual(160);
  expect(Buffer.byteLength(JSON.stringify(machine.differences))).toBeLessThanOrEqual(8_192);
  expect(parts.email.isWellFormed()).toBe(true);
  for (const value of Object.values(attributes)) expect(value).toMatch(/^\S.*$/);
  expect(chat.content.description.length).toBeLessThanOrEqual(3_000 + (alert.finding?.console?.length ?? 0));
}

test('the e-mail, in whole', () => {
  expect(sent(asked, { instead: 'The channel slack cannot be reached.' }).email.split('\n')).toEqual([
    'The channel slack cannot be reached.',
    '',
    'Approval needed: lamp-off on hall',
    'HIGH, account clinic (123456789012)',
    '',
    'Control:   Lamps are off (lamp-off, HIGH)',
    'Resource:  arn:aws:lamp:us-east-1:123456789012:lamp/hall',
    'Where:     account 123456789012, us-east-1',
    'Wrong:     The lamp is on.',
    'Done:      Nothing. It waits for a person.',
    'Proposal:  Switch the lamp off',
    'Impact:    It gets dark.',
    'Answer:    By 2026-11-04T03:00:00.000Z, by a person of the policy who did not make the change. Unanswered means denied.',
    'Decided:   approve - The policy says approve.',
    'Drift by:  arn:aws:sts::123456789012:assumed-role/Admin/dana through the AWS CLI from 192.0.2.1',
    'When:      SwitchOn at 2026-11-01T03:00:00.000Z',
    'Exposed:   since 2026-11-01T03:00:00.000Z (SwitchOn); not ended when last read, at 2026-11-01T03:00:00.000Z',
    'HIPAA:     45 CFR 164.312(a)(1) (standard), 45 CFR 164.312(e)(2)(ii) (addressable)',
    'Finding:   f-abcdefghijklmnopqrstuvwxyz, episode 1, seen 1 time',
    '',
    'Observed -> expected:',
    '  on: true -> false',
    '',
    'To answer:',
    '  npx phidelity approve f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
    '  npx phidelity deny f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1',
    '  npx phidelity except f-abcdefghijklmnopqrstuvwxyz --for 30d --reason "..." --stack phidelity-prod --region us-east-1',
    '  npx phidelity snooze f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
    '  npx phidelity recheck f-abcdefghijklmnopqrstuvwxyz --stack phidelity-prod --region us-east-1',
  ]);
});

test('the text message, and the attributes that subscriptions filter by', () => {
  const { sms, attributes } = sent(asked);
  expect(sms).toBe('[HIGH] Approval needed: lamp-off on hall f-abcdefghijklmnopqrstuvwxyz');
  expect(attributes).toEqual({ severity: 'HIGH', control: 'lamp-off', account: '123456789012', status: 'AWAITING_APPROVAL', urgency: 'page' });
});

test('the form for programs', () => {
  const { sqs, lambda, machine } = sent(asked);
  expect(lambda).toBe(sqs);
  expect(machine).toMatchObject({
    version: 1,
    id: asked.id,
    urgency: 'page',
    severity: 'HIGH',
    status: 'AWAITING_APPROVAL',
    control: 'lamp-off',
    account: { id: '123456789012', name: 'clinic' },
    findingId: 'f-abcdefghijklmnopqrstuvwxyz',
    findingVersion: 1,
    resource: { type: 'AWS::Lamp::Lamp', region: 'us-east-1' },
    state: 'open',
    complianceType: 'NON_COMPLIANT',
    verified: false,
    differences: [{ path: 'on', observed: 'true', expected: 'false' }],
    hipaa: ['164.312(a)(1)', '164.312(e)(2)(ii)'],
  });
  expect(machine.answers.map(({ decision, command }) => [decision, command?.split(' ')[2]])).toEqual([
    ['approve', 'approve'],
    ['deny', 'deny'],
    ['except', 'except'],
    ['snooze', 'snooze'],
    ['recheck', 'recheck'],
  ]);
});

test('the form that Amazon Q Developer shows: one finding is one thread', () => {
  const { https, http, chat } = sent(asked);
  expect(http).toBe(https);
  expect(chat).toMatchObject({
    version: '1.0',
    source: 'custom',
    id: asked.id,
    content: { textType: 'client-markdown', title: 'HIGH Approval needed: lamp-off', keywords: ['HIGH', 'AWAITING_APPROVAL', 'lamp-off'] },
    metadata: { threadId: 'f-abcdefghijklmnopqrstuvwxyz', eventType: 'AWAITING_APPROVAL', relatedResources: ['arn:aws:lamp:us-east-1:123456789012:lamp/hall'] },
  });
  expect(chat.content.nextSteps).toEqual(
    expect.arrayContaining(['`npx phidelity approve f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1`']),
  );
  expect(chat.content.description).toContain('*Done:* Nothing. It waits for a person.\n');
  expect(sent(told(lives.fixed)).chat.metadata.threadId).toBe(chat.metadata.threadId);
});

test('what is about many has no finding, no commands, and a thread of its own', () => {
  const alert = backlogAlertOf({ id: 'lamp-off', severity: 'LOW', ...control }, { ...finding().resource, began: 'now' }, [finding()]);
  const { email, machine, chat, sms } = sent(alert);
  expect(email).toContain('npx phidelity sweep --apply --stack phidelity-prod');
  expect([email, sms, JSON.stringify(machine)].join()).not.toMatch(/--stack NAME|To answer|undefined/);
  expect([machine.findingId, machine.answers, chat.metadata.threadId]).toEqual([undefined, [], alert.id]);
  withinLimits(alert);
});

describe('within the limits of SNS, whatever the names', () => {
  for (const [outcome, given] of Object.entries(lives)) {
    test(outcome, () => {
      withinLimits(told(given));
      for (const name of Object.values(hostile)) withinLimits(told(named(name, given)));
    });
  }

  test('any name', () => {
    const anyone = fc.tuple(fc.constantFrom(...Object.values(lives)), fc.string({ unit: 'binary', maxLength: 2_000 }));
    fc.assert(
      fc.property(anyone, ([given, name]) => withinLimits(told(named(`x${name}`, given)))),
      { numRuns: 60 },
    );
  });

  test('a digest of a thousand lines is cut, and says where the rest is', () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => ({ label: `Line ${index}`, value: '"\\'.repeat(200) }));
    const alert: Alert = { ...asked, lines, finding: undefined };
    withinLimits(alert);
    const { email, machine } = sent(alert);
    expect(email).toMatch(/More: {6}npx phidelity findings --stack phidelity-prod --region us-east-1$/);
    expect(machine.lines.at(-1)).toEqual({ label: 'More', value: 'npx phidelity findings --stack phidelity-prod --region us-east-1' });
  });

  test('a diff past 8 KB is cut, and says where the rest is', () => {
    const differences = Array.from({ length: 60 }, (_, index) => ({ path: `rule[${index}]`, observed: 'o'.repeat(120), expected: 'e'.repeat(120) }));
    const alert: Alert = { ...asked, finding: { ...asked.finding!, differences } };
    withinLimits(alert);
    const { email, machine } = sent(alert);
    expect(machine.differencesCut).toBe(true);
    expect(machine.differences).toHaveLength(28);
    expect(email).toContain(
      `rule[27]: ${'o'.repeat(120)} -> ${'e'.repeat(120)}\n  and more: npx phidelity findings --stack phidelity-prod --region us-east-1\n`,
    );
    expect(email).not.toContain('rule[28]');
  });
});

describe('names are no markup in a chat', () => {
  /** What is left when what stands in code is taken out. */
  const outside = (text: string) => text.replace(/`[^`\n]*`/g, '');

  for (const [name, text] of Object.entries({ ...markup, ...forging })) {
    test(name, () => {
      for (const given of Object.values(lives)) {
        const { content, metadata } = sent(told(named(text, given))).chat;
        expect(JSON.stringify([content, metadata])).not.toMatch(/[<>]/);
        const lines = content.description.split('\n');
        for (const line of lines) {
          expect(line.split('`').length % 2).toBe(1);
          const console = line.startsWith('https://us-east-1.console.aws.amazon.com/s3/');
          const words = outside(line).replace(/^\*[A-Za-z ]+:\*|^\*[A-Z][a-z]+ → [a-z ]+:\*$/, '');
          expect(words).not.toMatch(console ? /[*_~@[\]|]/ : /[*_~@[\]|]|evil/);
        }
        expect(lines.filter((line) => line.startsWith('*Done:*'))).toHaveLength(1);
      }
    });
  }
});

test('a backtick in a name does not turn the text message into one of 70 characters', () => {
  const { sms } = sent(told(named('a`b{c}'.repeat(40), lives['a page'])));
  expect(sms).not.toContain('`');
  expect(septets(sms)).toBeLessThanOrEqual(160);
  expect(sms).toMatch(/ f-[a-z]{26}$/);
});
