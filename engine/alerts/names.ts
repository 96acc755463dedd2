/** How an alert calls a resource, and itself. Pure. */
import { leafOf } from '../arn.ts';
import type { ResourceRef } from '../model.ts';
import { redact } from '../redact.ts';
import type { Alert } from './alert.ts';
import type { Context } from './delivery.ts';
import { oneLine } from './lines.ts';

/** The account's own ARN ends in `root`, which would read like the root user. */
export function nameOf({ accountId, region, id }: ResourceRef): string {
  if (id.endsWith(':root')) return `account ${accountId}, ${region}`;
  // Redacted while it is whole: what stands before the leaf may be the label of its number. As one line: characters that are not seen may hide a number.
  const told = redact(oneLine(id));
  // Behind a colon or a slash at the end there is no leaf, and channels take no empty name.
  return leafOf({ id: told }) || told;
}

/** What stands behind a headline. The title says what should be: behind "FIX FAILED" a tired person would read it as what is. */
export const whatOf = ({ control, title, finding }: Pick<Alert, 'control' | 'title' | 'finding'>): string =>
  control ? `${control}${finding ? ` on ${finding.resource.name}` : ''}` : title;

/** "clinic (123456789012)". */
export const accountOf = ({ accountId }: Pick<Alert, 'accountId'>, { accountName }: Pick<Context, 'accountName'>): string =>
  accountName ? `${accountName} (${accountId})` : accountId;

/** SNS: printable ASCII, begins with a letter, digit or punctuation, under 100 characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export const subjectOf = (text: string): string => {
  const ascii = redact(oneLine(text)).replace(/[^\x20-\x7e]/gu, '?');
  return ascii.length < 100 ? ascii : `${ascii.slice(0, 96)}...`;
};
