/** What differs between two settings, in words for a person. Pure. */
import { canonical } from './canonical.ts';

const shown = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : canonical(value);
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `setting.path was A, is B`, one for each place; none where they are the same. Lists are compared whole: their entries have no names. */
export function differences(was: unknown, is: unknown, verb = 'is', path = 'setting'): string[] {
  if (canonical(was ?? null) === canonical(is ?? null)) return [];
  if (!isMap(was) || !isMap(is)) return [`${path} was ${shown(was)}, ${verb} ${shown(is)}`];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].sort().flatMap((key) => differences(was[key], is[key], verb, `${path}.${key}`));
}

const most = 10;

/** As one sentence may hold them. */
export const differenceWords = (lines: readonly string[]): string =>
  [...lines.slice(0, most), ...(lines.length > most ? [`and ${lines.length - most} more`] : [])].join('; ');
