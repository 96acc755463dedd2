/**
 * Every control, everything that can become of a finding of it, every channel: within what the channel takes, whatever the names.
 * Samples are those of `alert preview`. That nothing is told which may not leave the account: redaction.test.ts.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { sampleFinding } from '../../cli/alert/sample-finding.ts';
import { samplesOf, type Twist } from '../../cli/alert/samples.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import { answeredOf } from '../../engine/alerts/answered.ts';
import { forgedAlertOf } from '../../engine/alerts/forged.ts';
import { slackReply } from '../../engine/alerts/render/slack.ts';
import { testAlertOf } from '../../engine/alerts/test-alert.ts';
import type { AnyControl } from '../../engine/control.ts';
import { catalogue } from '../../remediations/index.ts';
import { channels, context } from '../support/alert-channels.ts';
import { named as written } from '../support/findings.ts';
import { hostile } from '../support/hostile-names.ts';
import { messageFaults } from '../support/outside/slack-rules.ts';

let controls: readonly AnyControl[];
beforeAll(async () => {
  controls = await Promise.all(catalogue.map((entry) => entry.load()));
});

const named = (alert: Alert) => `${alert.control ?? '-'} ${alert.headline}`;
const everyAlert = (twist?: Twist): Alert[] => controls.flatMap((control) => samplesOf(control, twist).map(({ alert }) => alert));

/** Names are what others write; resources keep their types, or no page of the console would be theirs. */
const writtenBy =
  (name: string): Twist =>
  (finding) => ({
    ...finding,
    ...written(name, finding),
    resource: { ...finding.resource, id: finding.resource.id.endsWith(':root') ? finding.resource.id : `${finding.resource.id}${name}` },
  });

/** One of each kind: here every control is told of under each of them. */
const names = [
  'an ARN of 2,000 characters',
  'a right-to-left name',
  'Arabic with marks that turn the text',
  'a family of emoji',
  'markup of every channel',
  'a line break',
  'quotes without end',
] as const;

describe.each(['as they are', ...names] as const)('names: %s', (name) => {
  let alerts: Alert[];
  beforeAll(() => {
    alerts = everyAlert(name === 'as they are' ? undefined : writtenBy(hostile[name]));
  });

  test.each(Object.entries(channels))('%s takes all of them', (channel, { render, faults }) => {
    const told = alerts.map((alert) => [named(alert), render(alert)] as const).filter(([, rendered]) => rendered !== undefined);
    // A channel that renders nothing would pass.
    expect(told.length).toBeGreaterThan(channel === 'security hub' ? 500 : 900);
    expect(told.map(([alert, rendered]) => [alert, faults(rendered as never)]).filter(([, found]) => found!.length > 0)).toEqual([]);
  });
});

describe('answers', () => {
  const now = new Date('2026-11-01T04:00:00.000Z');
  const planted = ' mrn-00123456 and claims-123-45-6789';
  const how = 'Its signature is not that of the Slack app of the policy.';
  const findingOf = (control: AnyControl, name: string) => writtenBy(name)(sampleFinding(control).finding);
  const forged = (name: string) => controls.map((control) => forgedAlertOf(findingOf(control, name), control, { decision: 'approve' }, how, now));
  const answered = (name: string) =>
    controls.map((control) => answeredOf(findingOf(control, name), control, 'a1', `lee's answer (approve) was refused: ${name}`));

  test.each(Object.entries(channels))('forged: %s takes the page, whatever the names, and is told no identifier', (channel, { render, faults }) => {
    const rendered = [...names.map((name) => hostile[name]), planted].flatMap((name) => forged(name).map(render));
    const told = rendered.filter((one) => one !== undefined);
    // Security Hub keeps findings, and this is none.
    expect(told).toHaveLength(channel === 'security hub' ? 0 : rendered.length);
    expect(told.flatMap((one) => faults(one as never))).toEqual([]);
    expect(told.filter((one) => /00123456|123-45-6789/.test(JSON.stringify(one)))).toEqual([]);
  });

  test('told in a thread of Slack, whatever the names, and without identifiers', () => {
    const replies = [...names.map((name) => hostile[name]), planted].flatMap((name) => answered(name).map((alert) => slackReply(alert, context)));
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
    at: '2026-11-01T04:00:00.000Z',
    id: 'i',
  });
  test.each(Object.entries(channels))('%s takes it, and it says what it is', (_, { render, faults }) => {
    const rendered = render(alert);
    if (rendered === undefined) return;
    expect(faults(rendered as never)).toEqual([]);
    expect(JSON.stringify(rendered)).toMatch(/TEST/);
  });
});
