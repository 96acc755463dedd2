import { fingerprint } from '../canonical.ts';
import { resourceKey } from '../finding.ts';
import type { Decided, Finding } from '../model.ts';

/** What an answer is bound to that is about the finding itself, and no plan: sha256, hex. */
export const actionHash = (
  { control, resource }: Pick<Finding, 'control' | 'resource'>,
  about: Extract<Decided, 'end' | 'except' | 'snooze' | 'recheck'>,
): string => fingerprint({ about, control, resource: resourceKey(resource) });
