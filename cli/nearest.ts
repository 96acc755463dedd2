/** The word that was probably meant. */
import { closest, distance } from 'fastest-levenshtein';

/** The nearest word, when it is near enough to be a slip of the hand. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const found = closest(word, words);
  return distance(word, found) <= Math.max(2, Math.floor(word.length / 3)) ? found : undefined;
}
