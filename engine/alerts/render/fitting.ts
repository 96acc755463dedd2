/** Alerts in channels that take only so much. Pure. */
import type { Alert, Difference, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { pointer } from './commands.ts';

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

/** As many from the beginning as have room together. */
export function beginning<One>(all: readonly One[], room: number, size: (one: One) => number): readonly One[] {
  let left = room;
  const past = all.findIndex((one) => {
    left -= size(one);
    return left < 0;
  });
  return past === -1 ? all : all.slice(0, past);
}

/** Said where something is left out. */
export const cutWords = (context: Pick<Context, 'stack' | 'region'>, { finding }: Pick<Alert, 'finding'>): string =>
  `More than is shown here: \`${pointer(context)}\`${finding ? `, finding ${finding.id}` : ''}.`;
