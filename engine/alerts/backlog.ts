import type { AnyControl } from '../control.ts';
import type { Finding, Place } from '../model.ts';
import type { Alert } from './alert.ts';
import { citations } from './citations.ts';
import { linesOf } from './lines.ts';
import { nameOf, subjectOf } from './names.ts';

/** Drift that was there before the bot, found by the first sweep of a control in a region: one alert for all of it. */
export function backlogAlertOf(
  { id, title, hipaa, severity }: Pick<AnyControl, 'id' | 'title' | 'hipaa' | 'severity'>,
  { accountId, region, began }: Place & { readonly began: string },
  found: readonly Finding[],
): Alert {
  const few = found.slice(0, 10).map(({ resource }) => nameOf(resource));
  return {
    id: `backlog:${id}:${accountId}:${region}:${began}`,
    urgency: 'notify',
    severity,
    control: id,
    accountId,
    status: 'BACKLOG',
    title,
    headline: 'Was there before',
    subject: subjectOf(`[${severity}] Was there before: ${found.length} failing ${id} in ${region}`),
    lines: linesOf([
      ['Control', `${title} (${id}, ${severity})`],
      ['Where', `account ${accountId}, ${region}`],
      [
        'Found',
        `${found.length} ${found.length === 1 ? 'resource fails' : 'resources fail'} by the first sweep: ${few.join(', ')}${found.length > 10 ? ' and more' : ''}`,
      ],
      ['Done', 'Nothing. What was there before the bot is told, not changed.'],
      [
        'Way out',
        'Look with `npx phidelity findings --open --stack NAME`; mend by hand, or have it treated like new drift: `npx phidelity sweep --apply --stack NAME`.',
      ],
      ['HIPAA', citations(hipaa)],
    ]),
    hipaa: hipaa.map(({ section }) => section),
  };
}
