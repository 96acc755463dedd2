/** What zod found wrong, in words for the person who wrote the file. */
import * as z from 'zod';
import { type At, type Path, valueAt } from './source.ts';

/** The word of a list that was probably meant. */
export type Nearest = (word: string, words: readonly string[]) => string | undefined;

export interface Complaint {
  readonly path: Path;
  readonly at: At;
  readonly message: string;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

/** A value of the file, shortened; on one line. */
export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}

/** The first of many. */
export const few = (ids: readonly string[]): string => (ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', '));

export function hint(word: unknown, words: readonly string[], nearest: Nearest): string {
  const meant = typeof word === 'string' ? nearest(word, words) : undefined;
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** The keys a schema knows at a path; none where it takes any. */
export function wordsAt(schema: unknown, path: Path): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return wordsAt(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => wordsAt(option, path));
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) return step === undefined ? Object.keys(schema.shape) : wordsAt(schema.shape[String(step)], rest);
  if (step === undefined) return [];
  if (schema instanceof z.ZodRecord) return wordsAt(schema.valueType, rest);
  return schema instanceof z.ZodArray ? wordsAt(schema.element, rest) : [];
}

type Issue = z.core.$ZodIssue;

// How far the value is from what a branch of a union takes: another type, another value, or only something inside.
const distance = (issues: readonly Issue[]): number =>
  Math.max(0, ...issues.filter(({ path }) => path.length === 0).map(({ code }) => (code === 'invalid_type' ? 2 : code === 'invalid_value' ? 1 : 0)));

/**
 * Complaints about `value`, one a fault.
 */
export function explain(schema: z.ZodType, value: unknown, issues: readonly Issue[], nearest: Nearest): readonly Complaint[] {
  const complain = (issue: Issue, before: Path): readonly Complaint[] => {
    const path = [...before, ...issue.path];
    const found = valueAt(value, path);
    const one = (message: string, at: At = 'value'): readonly Complaint[] => [{ path, at, message }];

    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => ({
          path: [...path, key],
          at: 'key',
          message: `unknown key "${key}"${hint(key, wordsAt(schema, path), nearest)}`,
        }));
      case 'invalid_key':
        return one(issue.issues[0]?.message ?? issue.message, 'key');
      case 'invalid_union': {
        const branch = issue.errors.toSorted((a, b) => distance(a) - distance(b))[0] ?? [];
        if (distance(branch) > 0 && issue.message !== 'Invalid input') return one(issue.message);
        return branch.flatMap((inner) => complain(inner, path));
      }
      case 'invalid_type':
      case 'invalid_value': {
        if (found === undefined) return one(`"${String(path.at(-1))}" is missing`);
        if (issue.code === 'invalid_type') {
          const quotes = issue.expected === 'string' && (typeof found === 'number' || typeof found === 'boolean') ? '; put it in quotes' : '';
          return one(`expected ${typeNames[issue.expected] ?? issue.expected}, found ${show(found)}${quotes}`);
        }
        const words = issue.values.map(String);
        return one(
          words.length === 1 ? `expected ${words[0]}, found ${show(found)}` : `${show(found)} is not one of ${words.join(', ')}${hint(found, words, nearest)}`,
        );
      }
      default:
        return one(issue.message);
    }
  };
  return issues.flatMap((issue) => complain(issue, []));
}
