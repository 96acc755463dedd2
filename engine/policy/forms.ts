/** Forms of values that several parts of the policy file share. */
import * as z from 'zod';

export const text = z.string().min(1, { error: 'must not be empty' });
export const glob = (over: string) => text.optional().describe(`Glob over ${over}: * is any run of characters, ? is one character`);

const secondsPer = { m: 60, h: 3_600, d: 86_400 } as const;
const longest = 30 * secondsPer.d;
const durationForm = /^(\d+)([mhd])$/;

/** Seconds of `30m`, `1h`, `2d`; NaN for any other text. */
export function seconds(duration: string): number {
  const [, count, unit] = durationForm.exec(duration) ?? [];
  return Number(count) * secondsPer[unit as keyof typeof secondsPer];
}

export const duration = z
  .string()
  .regex(durationForm, { error: ({ input }) => `${JSON.stringify(input)} is not a duration such as 30m, 1h or 2d`, abort: true })
  .refine((given) => seconds(given) <= longest, { error: 'must be at most 30d' });

export const tag = z.union(
  [
    z.strictObject({
      key: text.describe('Key of the tag'),
      value: z.string().optional().describe('Value of the tag; left out: any value'),
    }),
    z.string().regex(/^[^=]+=/, { error: 'expected key=value or a map with key and value' }),
  ],
  { error: 'expected key=value or a map with key and value' },
);

export function tagOf(given: z.output<typeof tag>): { readonly key: string; readonly value?: string } {
  if (typeof given !== 'string') return given;
  const equals = given.indexOf('=');
  return { key: given.slice(0, equals), value: given.slice(equals + 1) };
}
