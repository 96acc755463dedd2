/** Alerts in channels that take only so much. Pure. */
import type { Alert, Difference, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';

/** What of an alert is shown. `cut`: something is left out that the finding has. */
export interface Shown {
  readonly lines: readonly Line[];
  readonly differences: readonly Difference[];
  readonly cut: boolean;
}

/**
 * The fullest form of an alert that fits: differences are left out first, then lines, from the end. What people need most stands first.
 * @param render must fit when nothing is shown
 */
export function fitting<Message>(alert: Pick<Alert, 'lines' | 'finding'>, fits: (message: Message) => boolean, render: (shown: Shown) => Message): Message {
  const { lines, finding } = alert;
  const differences = finding?.differences ?? [];
  const already = finding?.differencesCut ?? false;
  for (let left = differences.length; left > 0; left -= 1) {
    const message = render({ lines, differences: differences.slice(0, left), cut: already || left < differences.length });
    if (fits(message)) return message;
  }
  for (let left = lines.length; left > 0; left -= 1) {
    const message = render({ lines: lines.slice(0, left), differences: [], cut: already || differences.length > 0 || left < lines.length });
    if (fits(message)) return message;
  }
  return render({ lines: [], differences: [], cut: already || differences.length > 0 || lines.length > 0 });
}

/** Said where something is left out. */
export const cutWords = ({ stack, region }: Pick<Context, 'stack' | 'region'>, { finding }: Pick<Alert, 'finding'>): string =>
  `More than is shown here: \`npx phidelity findings --stack ${stack} --region ${region}\`${finding ? `, finding ${finding.id}` : ''}.`;

const absent = 'not there';

/** "PublicAccessBlock.BlockPublicAcls: false -> true" */
export const differenceWords = ({ path, observed = absent, expected = absent }: Difference): string => `${path}: ${observed} -> ${expected}`;
