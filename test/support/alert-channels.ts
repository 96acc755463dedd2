/** Every way out that an alert has, and what each of them takes: the rules are those of the stand-ins. */
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { machineForm } from '../../engine/alerts/render/machine.ts';
import { pagerDutyEvent } from '../../engine/alerts/render/pagerduty.ts';
import { asffFinding } from '../../engine/alerts/render/security-hub.ts';
import { slackMessage, slackReply } from '../../engine/alerts/render/slack.ts';
import { snsMessage } from '../../engine/alerts/render/sns.ts';
import { teamsMessage } from '../../engine/alerts/render/teams.ts';
import { asffFaults } from './asff-rules.ts';
import { errorsOf } from './outside/pagerduty.ts';
import { messageFaults } from './outside/slack-rules.ts';
import { messageErrorsOf } from './outside/teams.ts';

export const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic-prod', instead: 'Slack has not taken this.' };
const now = new Date('2026-11-01T04:00:00.000Z');
const bytes = (value: unknown) => Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));

export interface Channel {
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

export const channels: Readonly<Record<string, Channel>> = {
  slack: { render: (alert) => slackMessage(alert, context, { buttons: true }), faults: messageFaults },
  'slack webhook': { render: (alert) => slackMessage(alert, context, { buttons: false }), faults: messageFaults },
  'slack thread': { render: (alert) => slackReply(alert, context), faults: messageFaults },
  sns: { render: (alert) => snsMessage(alert, context), faults: snsFaults },
  pagerduty: {
    render: (alert) => pagerDutyEvent(alert, context, now),
    faults: (event) => errorsOf({ ...(event as object), routing_key: 'x'.repeat(32) } as never),
  },
  teams: { render: (alert) => teamsMessage(alert, context), faults: messageErrorsOf },
  webhook: { render: (alert) => machineForm(alert, context), faults: (body) => fault(bytes(body) > 262_144, 'size') },
  'security hub': { render: (alert) => asffFinding(alert, context), faults: asffFaults },
};
