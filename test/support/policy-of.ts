/** Policies of the real catalogue for tests, without a file. */
import { loadPolicy } from '../../engine/policy/load.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { baseline } from '../../infra/generate/baseline.ts';
import { catalogue } from '../../remediations/index.ts';

/** A policy that extends the baseline. `text` is YAML from `controls:` on, or any other top-level keys. */
export async function policyOf(text: string): Promise<CompiledPolicy> {
  const read = (path: string) => (path === 'hipaa.yaml' ? baseline(catalogue) : `version: 1\nextends: hipaa\n${text}\n`);
  const { policy } = await loadPolicy({ file: 'test.yaml', read, catalogue, today: '2026-11-01', baseline: 'hipaa.yaml' });
  return policy;
}
