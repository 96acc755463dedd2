/** What an approval is bound to. Pure. */
import { fingerprint } from '../canonical.ts';
import { resourceKey } from '../finding.ts';
import type { Change, Finding } from '../model.ts';

/** sha256, hex, of everything that would be written: another resource, action or setting is another plan. */
export const planHash = (
  { control, resource }: Pick<Finding, 'control' | 'resource'>,
  { action, before, after }: Change,
  about: 'fix' | 'undo' = 'fix',
): string => fingerprint({ about, control, resource: resourceKey(resource), action, before, after });
