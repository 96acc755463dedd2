/** Reminders and escalations as alerts: what was told of a finding, told once more. Pure. */
import { createHash } from 'node:crypto';
import { spanOf } from '../exposure.ts';
import type { Finding } from '../model.ts';
import type { Alert } from './alert.ts';
import { alertOf, type Told } from './finding.ts';
import { linesOf } from './lines.ts';
import { counted, listed, mostNames, shortName } from './listed.ts';
import { nameOf, subjectOf } from './names.ts';

/** It tells of no new state: where messages are updated it must be seen all the same. */
export const isReminder = ({ id }: Pick<Alert, 'id'>): boolean => /:(reminder:\d+|escalated)$/.test(id);

export const isEscalation = ({ id }: Pick<Alert, 'id'>): boolean => id.endsWith(':escalated');

/** @param nth from 1 */
export function reminderOf(finding: Finding, control: Told, nth: number, now: Date): Alert {
  const alert = alertOf(finding, control);
  return again(finding, alert, `${alert.id}:reminder:${nth}`, `Still open: ${alert.headline}`, ['Reminder', `${nth}. ${openWords(finding, now)}`]);
}

/** Somebody is to be woken who had not heard of it. */
export function escalationOf(finding: Finding, control: Told, now: Date): Alert {
  const alert = alertOf(finding, control);
  const why = `Nobody has ended it in time. ${openWords(finding, now)}`;
  return { ...again(finding, alert, `${alert.id}:escalated`, `ESCALATED: ${alert.headline}`, ['Escalated', why]), urgency: 'page' };
}

function again(finding: Finding, alert: Alert, id: string, headline: string, line: readonly [string, string]): Alert {
  const subject = subjectOf(`[${alert.severity}] ${headline}: ${finding.control} on ${nameOf(finding.resource)}`);
  return { ...alert, id, headline, subject, lines: [...linesOf([line]), ...alert.lines] };
}

/** Of many findings of one control that nobody was paged of: one reminder. */
export function manyRemindersOf(channel: string, reminders: readonly Alert[]): Alert {
  const { severity, control = '', accountId, title, hipaa } = reminders[0]!;
  const names = reminders.map(({ finding, headline }) => `${shortName(finding!.resource.name)} (${headline.replace('Still open: ', '')})`);
  const what = counted(reminders.length, 'finding');
  const since = reminders.map(({ finding }) => finding!.openedAt).sort()[0];
  const hash = createHash('sha256').update(JSON.stringify(reminders.map(({ id }) => id)));
  return {
    id: `reminders:${channel}:${control}:${hash.digest('hex').slice(0, 16)}`,
    urgency: 'notify',
    severity,
    control,
    accountId,
    status: 'FOLDED',
    title,
    headline: 'Still open',
    subject: subjectOf(`[${severity}] Still open: ${what} of ${control}`),
    lines: linesOf([
      ['Control', `${title} (${control}, ${severity})`],
      ['Where', `account ${accountId}`],
      ['Reminder', `${what} of it not found ended, the oldest open since ${since}.`],
      ...listed('Open', names.slice(0, mostNames)),
      ['More', names.length > mostNames ? `and ${names.length - mostNames} more` : undefined],
      ['Look', 'npx phidelity findings --open --stack NAME'],
    ]),
    hipaa,
  };
}

/** No more than is known: that it has not been found ended. */
const openWords = ({ openedAt, lastSeenAt }: Finding, now: Date): string =>
  `Open since ${openedAt}, for ${spanOf(Math.max(0, Math.floor((now.getTime() - Date.parse(openedAt)) / 1_000)))}; last looked at ${lastSeenAt}.`;
