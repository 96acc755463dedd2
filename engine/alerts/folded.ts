/** The alert that stands for many. Pure. */
import { createHash } from 'node:crypto';
import { type Severity, severities } from '../model.ts';
import type { Alert } from './alert.ts';
import type { Group, Item } from './held.ts';
import { linesOf, type Told } from './lines.ts';
import { counted, listed, mostNames } from './listed.ts';
import { subjectOf } from './names.ts';

/** @param zone time zone of the channel */
export function foldedAlertOf(channel: string, group: Group, zone: string): Alert {
  const { control, burst, accountId, items, more, worst } = group;
  const severity = worstOf([...items, ...(worst ? [{ severity: worst }] : [])]);
  // What has no room in the list was counted by notifications.
  const what = counted(items.length + more, control === undefined || more > 0 ? 'notification' : 'finding');
  const headline = control === undefined ? 'Held back in quiet hours' : 'Many at once';
  const title = control === undefined ? 'What came in quiet hours' : (burst?.title ?? control);
  return {
    id: idOf(channel, group),
    urgency: 'notify',
    severity,
    ...(control !== undefined && { control }),
    accountId,
    status: 'FOLDED',
    title,
    headline,
    subject: subjectOf(`[${severity}] ${headline}: ${what}${control === undefined ? '' : ` of ${control}`}`),
    lines: linesOf([
      ['Control', control === undefined ? undefined : `${title} (${control})`],
      ['Where', `account ${accountId}`],
      [
        'Folded',
        `${what} told as one${spanOf(items)}: ${control === undefined ? `quiet hours (${zone})` : 'too many in ten minutes'}. Each with its last state.`,
      ],
      ...namesOf(group),
      ['Look', 'npx phidelity findings --stack NAME'],
      ['HIPAA', burst?.hipaa.map((section) => `45 CFR ${section}`).join(', ')],
    ]),
    hipaa: burst?.hipaa ?? [],
  };
}

const worstOf = (items: readonly { readonly severity: Severity }[]): Severity =>
  severities.findLast((severity) => items.some((item) => item.severity === severity)) ?? 'INFORMATIONAL';

const spanOf = (items: readonly Item[]): string => {
  const times = items.map(({ since }) => since).sort();
  return times.length > 0 ? `, from ${times[0]} to ${times.at(-1)}` : '';
};

/** The worst are named, under what has become of them. */
function namesOf({ control, items, more }: Group): Told[] {
  const worst = [...items].sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
  const named = Map.groupBy(worst.slice(0, mostNames), ({ headline }) => headline);
  const all = Map.groupBy(items, ({ headline }) => headline);
  const rest = items.length - mostNames;
  return [
    ...[...named].flatMap(([headline, some]) =>
      listed(
        `${headline} (${all.get(headline)!.length})`,
        some.map((item) => (control === undefined && item.control ? `${item.name} (${item.control})` : item.name)),
      ),
    ),
    ...(rest > 0 ? [['More', `and ${rest} more`] as const] : []),
    ...(more > 0 ? [['Not listed', `${counted(more, 'notification')} past what is kept of such a storm`] as const] : []),
  ];
}

/** The same for the same contents, so that a channel drops it when it comes twice. */
const idOf = (channel: string, { control = 'quiet', items, more }: Group): string =>
  `folded:${channel}:${control}:${createHash('sha256')
    .update(JSON.stringify([items.map(({ key, alertId, since }) => [key, alertId, since]), more]))
    .digest('hex')
    .slice(0, 16)}`;
