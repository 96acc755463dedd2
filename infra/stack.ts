/** What serverless.yml takes from the policy: the resources of the stack and the environment of its functions. */
import { PolicyError } from '../engine/errors.ts';
import { catalogue } from '../remediations/index.ts';
import { dlqUrls } from './deliver.ts';
import { loadProjectPolicy } from './load-policy.ts';
import { planOf, writers } from './plan.ts';
import { environmentOf, resourcesOf } from './resources.ts';

export async function stackOf(policyFile: string, now: Date) {
  try {
    const { policy } = await loadProjectPolicy(policyFile, now);
    const plan = planOf(policy, catalogue, await writers(policy, catalogue));
    return { resources: resourcesOf(policy, plan), environment: environmentOf(policy), dlqs: dlqUrls };
  } catch (error) {
    // The plugin loads the policy too and refuses to package it, with the faults alone; here they would drown in the framework's traces.
    // `remove` and `info` need no policy.
    if (error instanceof PolicyError) return { resources: {}, environment: {}, dlqs: '' };
    throw error;
  }
}
