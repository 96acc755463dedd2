/** What each kind of channel would be sent, as `alert preview` names them. */
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { machineForm } from '../../engine/alerts/render/machine.ts';
import { pagerDutyEvent } from '../../engine/alerts/render/pagerduty.ts';
import { asffFinding } from '../../engine/alerts/render/security-hub.ts';
import { slackMessage } from '../../engine/alerts/render/slack.ts';
import { snsMessage } from '../../engine/alerts/render/sns.ts';
import { teamsMessage } from '../../engine/alerts/render/teams.ts';

/** What is sent: JSON, or text that people read as it is. Undefined: this channel is not told of such an alert. */
export type Rendered = { readonly json: unknown } | { readonly text: string } | undefined;
export type Renderer = (alert: Alert, context: Context) => Rendered;

const sent = (json: unknown): Rendered => (json === undefined ? undefined : { json });

/** SNS hands each protocol its own part. https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html */
const partOf = (alert: Alert, context: Context, protocol: string): string => {
  const parts: Readonly<Record<string, string>> = JSON.parse(snsMessage(alert, context).Message);
  return parts[protocol] ?? parts.default ?? '';
};

export const renderers = {
  slack: (alert, context) => sent(slackMessage(alert, context, { buttons: true })),
  'slack-webhook': (alert, context) => sent(slackMessage(alert, context, { buttons: false })),
  sns: (alert, context) => sent(snsMessage(alert, context)),
  email: (alert, context) => ({ text: `Subject: ${snsMessage(alert, context).Subject}\n\n${partOf(alert, context, 'email')}` }),
  sms: (alert, context) => ({ text: partOf(alert, context, 'sms') }),
  pagerduty: (alert, context) => sent(pagerDutyEvent(alert, context, new Date(alert.finding?.at ?? 0))),
  teams: (alert, context) => sent(teamsMessage(alert, context)),
  webhook: (alert, context) => sent(machineForm(alert, context)),
  securityhub: (alert, context) => sent(asffFinding(alert, context)),
} as const satisfies Readonly<Record<string, Renderer>>;

export type ChannelName = keyof typeof renderers;
export const channelNames = Object.keys(renderers) as readonly ChannelName[];
