/** An alert that says it is none: whether a channel is reached. Pure. */
import type { Alert } from './alert.ts';
import { linesOf } from './lines.ts';
import { subjectOf } from './names.ts';

export interface TestOf {
  readonly channel: string;
  readonly stack: string;
  readonly accountId: string;
  readonly region: string;
  /** ISO 8601. */
  readonly at: string;
  /** Unique: channels may drop repeats. */
  readonly id: string;
}

/** Not a page: nobody is to be woken, and nothing reminds of it. */
export const testAlertOf = ({ channel, stack, accountId, region, at, id }: TestOf): Alert => ({
  id: `test:${id}`,
  urgency: 'notify',
  severity: 'INFORMATIONAL',
  accountId,
  status: 'TEST',
  title: 'A test of this channel',
  headline: 'TEST',
  subject: subjectOf(`[TEST] Nothing has happened: a test of channel ${channel} of ${stack}`),
  lines: linesOf([
    ['Test', 'Nothing has happened, and there is nothing to do. Somebody tests whether this channel is reached.'],
    ['Channel', `${channel} of stack ${stack}`],
    ['Where', `account ${accountId}, ${region}`],
    ['When', at],
  ]),
  hipaa: [],
});
