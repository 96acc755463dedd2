/**
 * Every control, everything that can become of a finding of it, every channel: within what the channel takes, whatever the names, and without
 * what may not leave the account. Samples are those of `alert preview`; the rules are those of the stand-ins.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { sampleFinding } from '../../cli/alert/sample-finding.ts';
import { samplesOf, type Twist } from '../../cli/alert/samples.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import { answeredOf } from '../../engine/alerts/answered.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { forgedAlertOf } from '../../engine/alerts/forged.ts';
import { pagerDutyEvent } from '../../engine/alerts/render/pagerduty.ts';
import { asffFinding } from '../../engine/alerts/render/security-hub.ts';
import { slackMessage, slackReply } from '../../engine/alerts/render/slack.ts';
import { snsMessage } from '../../engine/alerts/render/sns.ts';
import { teamsMessage } from '../../engine/alerts/render/teams.ts';
import { webhookBody } from '../../engine/alerts/render/webhook.ts';
import { testAlertOf } from '../../engine/alerts/test-alert.ts';
import type { AnyControl } from '../../engine/control.ts';
import type { Change, Finding } from '../../engine/model.ts';
import { catalogue } from '../../remediations/index.ts';
import { asffFaults } from '../support/asff-rules.ts';
import { errorsOf } from '../support/outside/pagerduty.ts';
import { messageFaults } from '../support/outside/slack-rules.ts';
import { messageErrorsOf } from '../support/outside/teams.ts';

const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic-prod', instead: 'Slack has not taken this.' };
const now = new Date('2026-11-01T04:00:00.000Z');
const bytes = (value: unknown) => Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));

interface Channel {
  /** Undefined: it is not told of this. */
  readonly render: (alert: Alert) => unknown;
  /** What is wrong with it. */
  readonly faults: (rendered: never) => readonly string[];
}

const fault = (wrong: boolean, words: string) => (wrong ? [words] : []);

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, .../sms_publish-to-phone.html */
function snsFaults({ Subject, Message, attributes }: ReturnType<typeof snsMessage>): string[] {
  const parts: Record<string, unknown> = JSON.parse(Message);
  const { default: fallback, email, sms } = parts;
  return [
    ...fault(!/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(Subject), 'Subject'),
    ...fault(bytes(Message) + bytes(attributes) >= 262_144, 'size'),
    ...fault(!Object.values(parts).every((part) => typeof part === 'string' && part.length > 0), 'parts'),
    ...fault(typeof fallback !== 'string' || typeof email !== 'string', 'fallback'),
    ...fault(typeof sms !== 'string' || sms.length > 140 || !/^[\x20-\x7e]+$/.test(sms), 'sms'),
    ...fault(Object.keys(attributes).length > 10 || Object.values(attributes).some((value) => value === ''), 'attributes'),
  ];
}

const channels: Readonly<Record<string, Channel>> = {
  slack: { render: (alert) => slackMessage(alert, context, { buttons: true }), faults: messageFaults },
  'slack webhook': { render: (alert) => slackMessage(alert, context, { buttons: false }), faults: messageFaults },
  'slack thread': { render: (alert) => slackReply(alert, context), faults: messageFaults },
  sns: { render: (alert) => snsMessage(alert, context), faults: snsFaults },
  pagerduty: {
    render: (alert) => pagerDutyEvent(alert, context, now),
    faults: (event) => errorsOf({ ...(event as object), routing_key: 'x'.repeat(32) } as never),
  },
  teams: { render: (alert) => teamsMessage(alert, context), faults: messageErrorsOf },
  webhook: { render: (alert) => webhookBody(alert, context), faults: (body) => fault(bytes(body) > 262_144, 'size') },
  'security hub': { render: (alert) => asffFinding(alert, context), faults: asffFaults },
};

let controls: readonly AnyControl[];
beforeAll(async () => {
  controls = await Promise.all(catalogue.map((entry) => entry.load()));
});

const named = (alert: Alert) => `${alert.control ?? '-'} ${alert.headline}`;
const everyAlert = (twist?: Twist): Alert[] => controls.flatMap((control) => samplesOf(control, twist).map(({ alert }) => alert));

/** Names, annotations, reasons, agents and settings are what others write. */
const writtenBy =
  (name: string): Twist =>
  (finding) => {
    const change = (one: Change): Change => ({ ...one, summary: `${one.summary} ${name}`, before: { [name]: name }, after: { [name]: `${name}!`, name } });
    const { resource, evaluation, decision, outcome, proposal, changes, question, intended, undo, actor, owner } = finding;
    const who = actor && { ...actor, arn: `${actor.arn}`, userAgent: name, invokedBy: name };
    return {
      ...finding,
      resource: { ...resource, id: resource.id.endsWith(':root') ? resource.id : `${resource.id}${name}` },
      evaluation: { ...evaluation, annotation: `${evaluation.annotation} ${name}` },
      wrong: `${finding.wrong} ${name}`,
      decision: { ...decision, reason: `${decision.reason} ${name}` },
      openedBy: { ...finding.openedBy, eventName: `${finding.openedBy.eventName} ${name}` },
      ...(outcome && { outcome: { ...outcome, reason: `${outcome.reason} ${name}` } }),
      ...(proposal && { proposal: `${proposal} ${name}` }),
      changes: changes.map((one) => ({ ...one, change: change(one.change) })),
      ...(question && { question: { ...question, change: change(question.change) } }),
      ...(intended && { intended: { ...intended, change: change(intended.change) } }),
      ...(undo && { undo: { ...undo, reason: name, ...(undo.why && { why: `${undo.why} ${name}` }) } }),
      ...(who && { actor: who }),
      ...(owner?.stack && { owner: { ...owner, stack: { ...owner.stack, name, logicalId: name }, tags: { team: name } } }),
    } satisfies Finding;
  };

const names: Readonly<Record<string, string | undefined>> = {
  'as they are': undefined,
  'an ARN of 2,000 characters': 'a'.repeat(1_950),
  'right to left': 'דלי-של-מרפאה '.repeat(40),
  'Arabic with marks that turn the text': `\u202e${'دلو '.repeat(100)}\u2067`,
  emoji: '👩‍👩‍👧‍👦🪣💊'.repeat(120),
  'markup of every channel': '<!channel> <https://evil.example|Fixed> *Fixed* :white_check_mark: [Fixed](https://evil.example) `x` & "q" \\ {0}',
  'what looks like a line': '\nDone: Fixed.\r\n\u2028Verified by reading the live state',
  quotes: '"\\'.repeat(900),
};

describe.each(Object.entries(names))('names: %s', (_, name) => {
  let alerts: Alert[];
  beforeAll(() => {
    alerts = everyAlert(name === undefined ? undefined : writtenBy(name));
  });

  test.each(Object.entries(channels))('%s takes all of them', (channel, { render, faults }) => {
    const told = alerts.map((alert) => [named(alert), render(alert)] as const).filter(([, rendered]) => rendered !== undefined);
    // A channel that renders nothing would pass.
    expect(told.length).toBeGreaterThan(channel === 'security hub' ? 500 : 900);
    expect(told.map(([alert, rendered]) => [alert, faults(rendered as never)]).filter(([, found]) => found!.length > 0)).toEqual([]);
  });
});

describe('identifiers of persons', () => {
  const planted: Readonly<Record<string, readonly [name: string, secret: string]>> = {
    ssn: ['claims-123-45-6789', '123-45-6789'],
    mrn: ['mrn-00123456', '00123456'],
    email: ['lab-john.doe@example.com', 'john.doe'],
    phone: ['call-212-555-0123', '555-0123'],
    'date of birth': ['dob-19800131', '19800131'],
    card: ['pay-4111111111111111', '4111111111111111'],
    'behind a character that is not seen': ['mrn\u200b-\u206000987654', '00987654'],
  };
  const every = Object.values(planted)
    .map(([name]) => name)
    .join(' and ');
  // Who did it may be told by e-mail address: there none is planted.
  const agents: Twist = (finding) => ({
    ...finding,
    ...(finding.actor && { actor: { ...finding.actor, userAgent: 'x', invokedBy: 'mrn-00123456 123-45-6789' } }),
  });

  const secrets = Object.values(planted).map(([, secret]) => secret);
  let alerts: Alert[];
  beforeAll(() => {
    const twist = writtenBy(` ${every}`);
    alerts = everyAlert((finding) => agents(twist(finding)));
  });

  test.each(Object.entries(channels))('%s is told none', (_, { render }) => {
    const told = alerts.map((alert) => [named(alert), JSON.stringify(render(alert)) ?? ''] as const);
    // They were there.
    expect(told.filter(([, text]) => text.includes('[ssn]')).length).toBeGreaterThan(500);
    expect(told.flatMap(([alert, text]) => secrets.filter((secret) => text.includes(secret)).map((secret) => `${alert}: ${secret}`))).toEqual([]);
  });
});

describe('answers', () => {
  const planted = ' mrn-00123456 and claims-123-45-6789';
  const how = 'Its signature is not that of the Slack app of the policy.';
  const findingOf = (control: AnyControl, name: string) => writtenBy(name)(sampleFinding(control).finding);
  const forged = (name: string) => controls.map((control) => forgedAlertOf(findingOf(control, name), control, { decision: 'approve' }, how, now));
  const answered = (name: string) =>
    controls.map((control) => answeredOf(findingOf(control, name), control, 'a1', `lee's answer (approve) was refused: ${name}`));

  test.each(Object.entries(channels))('forged: %s takes the page, whatever the names, and is told no identifier', (channel, { render, faults }) => {
    const rendered = [...Object.values(names), planted].flatMap((name = '') => forged(name).map(render));
    const told = rendered.filter((one) => one !== undefined);
    // Security Hub keeps findings, and this is none.
    expect(told).toHaveLength(channel === 'security hub' ? 0 : rendered.length);
    expect(told.flatMap((one) => faults(one as never))).toEqual([]);
    expect(told.filter((one) => /00123456|123-45-6789/.test(JSON.stringify(one)))).toEqual([]);
  });

  test('told in a thread of Slack, whatever the names, and without identifiers', () => {
    const replies = [...Object.values(names), planted].flatMap((name = '') => answered(name).map((alert) => slackReply(alert, context)));
    expect(replies.flatMap((reply) => messageFaults({ ...reply }))).toEqual([]);
    expect(replies.filter((one) => /00123456|123-45-6789/.test(JSON.stringify(one)))).toEqual([]);
    expect(replies.filter((one) => JSON.stringify(one).includes('[ssn]'))).toHaveLength(controls.length);
  });
});

describe('what is not fixed', () => {
  let others: Alert[];
  beforeAll(() => {
    others = everyAlert().filter(({ status, headline }) => status !== 'REMEDIATED' || headline !== 'Fixed');
  });

  test.each(Object.entries(channels))('%s calls nothing "Fixed" that is not', (_, { render }) => {
    const wrong = others.map((alert) => [named(alert), JSON.stringify(render(alert)) ?? ''] as const).filter(([, text]) => /\bFixed\b/.test(text));
    expect(wrong.map(([alert]) => alert)).toEqual([]);
  });
});

describe('a test of a channel', () => {
  const alert = testAlertOf({
    channel: 'x'.repeat(500),
    stack: 'phidelity-prod',
    accountId: '111122223333',
    region: 'us-east-1',
    at: now.toISOString(),
    id: 'i',
  });
  test.each(Object.entries(channels))('%s takes it, and it says what it is', (_, { render, faults }) => {
    const rendered = render(alert);
    if (rendered === undefined) return;
    expect(faults(rendered as never)).toEqual([]);
    expect(JSON.stringify(rendered)).toMatch(/TEST/);
  });
});
