/** What a deploy leaves in the ledger: the policy, completed with what only the deployed stack knows, and when it was put there. */
import { fingerprint } from '../../engine/canonical.ts';
import { type AnyControl, isEventControl, type OwnStack } from '../../engine/control.ts';
import { reachable } from '../../engine/policy/match.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Deployment } from '../../engine/ports.ts';

/** The policy with the params that name the stack itself; its id is taken anew. Doing it again with other facts replaces them. */
export function withFacts({ id: _, ...policy }: CompiledPolicy, controls: readonly AnyControl[], stack: OwnStack): CompiledPolicy {
  const told = controls.flatMap((control): [string, CompiledPolicy['controls'][string]][] => {
    const settings = policy.controls[control.id];
    if (!settings || isEventControl(control) || !control.deployed) return [];
    return [[control.id, { ...settings, params: { ...(settings.params as object), ...(control.deployed(stack) as object) } }]];
  });
  const body = { ...policy, controls: { ...policy.controls, ...Object.fromEntries(told) } };
  return { ...body, id: fingerprint(body) };
}

export interface Coverage {
  /** Regions whose events reach the bot, home among them. */
  readonly covered: readonly string[];
  /** And why not. */
  readonly unreached: Readonly<Record<string, string>>;
}

/** A control keeps its first day in a mode that fixes for as long as it stays in one. */
export function deploymentOf(policy: CompiledPolicy, { covered, unreached }: Coverage, now: Date, before: Deployment | undefined): Deployment {
  const at = now.toISOString();
  const fixing = Object.entries(policy.controls).filter(([, control]) => reachable(control).has('fix'));
  return {
    at,
    policyId: policy.id,
    regions: covered,
    unreached,
    fixSince: Object.fromEntries(fixing.map(([id]) => [id, before?.fixSince[id] ?? at])),
  };
}
