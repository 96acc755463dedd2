/** What a policy means that says nothing of guards, evidence and backlog. Apart from the schema of the file, which the handlers do not load. */
import type { CompiledApprovals, CompiledGuards, CompiledPolicy } from './model.ts';

export const defaultGuards: CompiledGuards = {
  fixesPerHour: 50,
  fixesPerControlPerHour: 20,
  repeat: { limit: 3, within: 24 * 3_600 },
  ramp: { fixes: 25, hours: 24 },
};

export const defaultEvidence: CompiledPolicy['evidence'] = { lock: 'governance', years: 6 };

export const defaultBacklog: CompiledPolicy['backlog'] = 'tell';

export const defaultApprovals: CompiledApprovals = { expires: 72 * 3_600 };
