/** Names in the lines of an alert about many. Pure. */
import { clipped, oneLine, type Told } from './lines.ts';

/** As many are named; of the rest it is said how many they are. */
export const mostNames = 20;

/** Bytes. A line takes 500, and the redactor may make a name longer. */
const nameBytes = 80;
const lineBytes = 400;

export const shortName = (name: string): string => clipped(oneLine(name), nameBytes);

/** As many lines as it takes: none of the names is cut off at the end of one. */
export function listed(label: string, names: readonly string[]): Told[] {
  const lines: string[] = [];
  for (const name of names.map(shortName)) {
    const last = lines.at(-1);
    if (last !== undefined && Buffer.byteLength(`${last}, ${name}`) <= lineBytes) lines[lines.length - 1] = `${last}, ${name}`;
    else lines.push(name);
  }
  return lines.map((line) => [label, line]);
}

/** `1 finding`, `2 findings`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
