/** What a deploy creates for a policy: which events reach the bot and what its roles may do. */
import type { AnyControl, Catalogue } from '../engine/control.ts';
import { writes } from '../engine/policy/match.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { type Roles, rolesOf } from './roles.ts';
import { type Rule, rulesOf } from './rules.ts';

export interface DeployPlan {
  readonly rules: readonly Rule[];
  readonly roles: Roles;
}

/** @param controls the loaded controls that the policy lets write, see `writers`. */
export const planOf = (policy: CompiledPolicy, catalogue: Catalogue, controls: readonly AnyControl[]): DeployPlan => ({
  rules: rulesOf(policy, catalogue),
  roles: rolesOf(policy, catalogue, controls),
});

/** The controls that may write under the policy: the only ones a plan has to load. */
export const writers = (policy: CompiledPolicy, catalogue: Catalogue): Promise<AnyControl[]> =>
  Promise.all(catalogue.filter(({ id }) => writes(policy).includes(id)).map((entry) => entry.load()));
