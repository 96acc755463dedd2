/** Data as text that does not depend on the order in which its members were written. */
import { createHash } from 'node:crypto';

/** JSON with sorted keys: the same text for the same data. Lists keep their order. */
export const canonical = (data: unknown): string =>
  JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** sha256 of the canonical JSON, hex. */
export const fingerprint = (data: unknown): string => createHash('sha256').update(canonical(data)).digest('hex');
