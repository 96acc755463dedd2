/** Observed against expected, for people and programs. Pure. */
import type { Alert, Difference } from '../alert.ts';
import { sidesOf } from '../differences.ts';
import { sizeOf } from './commands.ts';
import { beginning } from './fitting.ts';

/** Bytes of UTF-8: what is longer nobody reads in a message. */
export const longestDiff = 8_192;

/** Those that fit. `cut`: there are more, the finding has them. */
export function differencesWithin({ finding }: Alert, bytes: number): { readonly differences: readonly Difference[]; readonly cut: boolean } {
  const all = finding?.differences ?? [];
  const differences = beginning(all, Math.min(bytes, longestDiff), (one) => sizeOf(JSON.stringify(one)) + 1);
  return { differences, cut: differences.length < all.length || (finding?.differencesCut ?? false) };
}

/** What stands on both sides of the arrow: "Observed -> expected". */
export const sidesText = ({ finding }: Pick<Alert, 'finding'>, arrow = '->'): string => (finding ? sidesOf(finding).join(` ${arrow} `) : '');

/** "BlockPublicAcls: false -> true". */
export const differenceText = ({ path, observed = absent, expected = absent }: Difference, arrow = '->'): string => `${path}: ${observed} ${arrow} ${expected}`;
const absent = '(not there)';
