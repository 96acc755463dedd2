/**
 * Alerts as events of PagerDuty: an incident for each finding.
 * https://developer.pagerduty.com/docs/events-api-v2/trigger-events and .../overview. Pure.
 */
import { createHash } from 'node:crypto';
import type { Severity } from '../../model.ts';
import type { Alert } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { clipped } from '../lines.ts';
import { accountOf, whatOf } from '../names.ts';
import { isEscalation } from '../reminder.ts';
import { commandsOf, linesFor } from './commands.ts';
import { differenceText, sidesText } from './differences.ts';
import { cutWords, fitting, type Shown } from './fitting.ts';

export type PagerDutyAction = 'trigger' | 'acknowledge' | 'resolve';
export type PagerDutySeverity = 'critical' | 'error' | 'warning' | 'info';

/** Without `routing_key`: that is a secret. */
export interface PagerDutyEvent {
  readonly event_action: PagerDutyAction;
  readonly dedup_key: string;
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly severity: PagerDutySeverity;
    /** ISO 8601; undefined: when PagerDuty has heard of it. */
    readonly timestamp?: string;
    readonly component?: string;
    readonly group: string;
    readonly class: string;
    readonly custom_details: Readonly<Record<string, string | readonly string[]>>;
  };
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly client: 'phidelity';
}

const severities: Readonly<Record<Severity, PagerDutySeverity>> = {
  CRITICAL: 'critical',
  HIGH: 'error',
  MEDIUM: 'warning',
  LOW: 'info',
  INFORMATIONAL: 'info',
};

/** PagerDuty takes 512 KB; the routing key and what surrounds it need a little. */
const mostBytes = 511 * 1_024;
/** It takes 1,024 characters, dots included. */
const summaryBytes = 1_000;
const fieldBytes = 250;

/** @param now when it is sent: a snooze that has ended keeps nobody from being called */
export function pagerDutyEvent(alert: Alert, context: Context, now: Date): PagerDutyEvent {
  const { severity, headline, control, accountId, status, finding } = alert;
  const name = finding?.resource.name;
  const event = (shown: Shown): PagerDutyEvent => ({
    event_action: pagerDutyAction(alert, now),
    dedup_key: finding?.id ?? keyOf(alert.id),
    payload: {
      summary: clipped(`[${severity}] ${headline}: ${whatOf(alert)}`, summaryBytes),
      source: clipped(finding?.resource.id ?? `aws:${accountId}`, summaryBytes),
      severity: severities[severity],
      ...(finding && { timestamp: finding.at, component: clipped(name!, fieldBytes) }),
      group: accountOf(alert, context),
      class: control ?? status,
      custom_details: detailsOf(alert, context, shown),
    },
    ...(finding?.console && { links: [{ href: finding.console, text: 'The resource in the AWS console' }] }),
    client: 'phidelity',
  });
  return fitting({ ...alert, lines: linesFor(alert, context) }, (made) => Buffer.byteLength(JSON.stringify(made)) <= mostBytes, event);
}

/**
 * While an incident is acknowledged PagerDuty calls nobody, whatever else is triggered. So the bot acknowledges nothing but what a person has
 * put off, and that only until something new is to be told. An answer acknowledges nothing: the fix that was approved may still fail, and must then call.
 * A finding that is resolved may be open again for people: an undo that is asked for, or has failed, is a page. Of an incident that is not there
 * `acknowledge` and `resolve` are dropped.
 */
export function pagerDutyAction({ id, urgency, finding }: Pick<Alert, 'id' | 'urgency' | 'finding'>, now: Date): PagerDutyAction {
  if (!finding) return 'trigger';
  if (finding.state === 'resolved') return urgency === 'page' ? 'trigger' : 'resolve';
  const { snoozed, snoozedAt, at } = finding;
  // Who is called last is called although somebody snoozes.
  const putOff = !isEscalation({ id }) && snoozed && snoozedAt && Date.parse(snoozed) > now.getTime() && Date.parse(snoozedAt) >= Date.parse(at);
  return putOff ? 'acknowledge' : 'trigger';
}

/** At most 255 characters. */
const keyOf = (alertId: string): string => `phidelity-${createHash('sha256').update(alertId).digest('hex')}`;

function detailsOf(alert: Alert, context: Context, { lines, differences, cut }: Shown): PagerDutyEvent['payload']['custom_details'] {
  const commands = commandsOf(alert, context).map(({ command }) => command);
  const told: (readonly [string, string | readonly string[]])[] = [
    ...(context.instead ? [['Sent here', context.instead] as const] : []),
    ...lines.map(({ label, value }) => [label, value] as const),
    ...(differences.length > 0 ? [[sidesText(alert), differences.map((one) => differenceText(one))] as const] : []),
    ...(commands.length > 0 ? [['Commands', commands] as const] : []),
    ['Sections of 45 CFR', alert.hipaa],
    ['Urgency', alert.urgency],
    ['Status', alert.status],
    ...(cut ? [['Left out', cutWords(context, alert)] as const] : []),
  ];
  const seen = new Map<string, number>();
  // Digests have lines with the same label.
  const numbered = told.map(([label, value]) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return [count === 1 ? label : `${label} (${count})`, value] as const;
  });
  return Object.fromEntries(numbered);
}
