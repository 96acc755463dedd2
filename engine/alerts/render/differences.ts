/** Observed against expected, for people and programs. Pure. */
import type { Alert, Difference } from '../alert.ts';
import { sizeOf } from './commands.ts';

/** Bytes of UTF-8: what is longer nobody reads in a message. */
export const longestDiff = 8_192;

/** Those that fit. `cut`: there are more, the finding has them. */
export function differencesWithin({ finding }: Alert, bytes: number): { readonly differences: readonly Difference[]; readonly cut: boolean } {
  const all = finding?.differences ?? [];
  let left = Math.min(bytes, longestDiff);
  const past = all.findIndex((difference) => {
    left -= sizeOf(JSON.stringify(difference)) + 1;
    return left < 0;
  });
  return past === -1 ? { differences: all, cut: finding?.differencesCut ?? false } : { differences: all.slice(0, past), cut: true };
}

/** "BlockPublicAcls: false -> true". */
export const differenceText = ({ path, observed = absent, expected = absent }: Difference, arrow = '->'): string => `${path}: ${observed} ${arrow} ${expected}`;
const absent = '(not there)';
