/** What the roles of the bot may really call: boundaries and service control policies take away what their policies give. */
import { type EvaluationResult, IAMClient, paginateSimulatePrincipalPolicy } from '@aws-sdk/client-iam';
import type { IamAction } from '../../engine/model.ts';
import { planOf, writers } from '../../infra/plan.ts';
import type { Roles } from '../../infra/roles.ts';
import { catalogue } from '../context.ts';
import { actionsOf, permissionsOf } from '../permissions.ts';
import { type Check, look, ok, some, wrong } from './check.ts';
import type { StackGroup, StackScene } from './scene.ts';

const check = 'roles';
/** Actions asked for at once. */
const batch = 100;

export const roles: StackGroup = async (scene) => {
  // What the others may do hangs on no control.
  const acting = ['detect', 'remediate'] as const;
  const lines = await Promise.all(acting.map((name) => look(check, () => judged(name, scene), `role of ${name}: `)));
  return lines.flat();
};

async function judged(name: keyof Roles, { aws, parts, stored, stack, deploy }: StackScene): Promise<readonly Check[]> {
  const policy = await stored();
  if (!policy) return [];
  const logicalId = `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
  const role = (await parts()).find((part) => part.logicalId === logicalId);
  if (!role) return [wrong(check, `${stack.name} has no ${logicalId}`, deploy)];
  const plan = planOf(policy, catalogue, await writers(policy, catalogue));
  // On every resource: what is allowed on one ARN only is the bot's own work, or a role that it hands on.
  const wanted = actionsOf(permissionsOf(plan.roles, policy, catalogue)[name].grants.filter(({ resource }) => resource === ''));
  const arn = `arn:${aws.partition}:iam::${aws.accountId}:role${policy.iam.path}${role.id}`;
  const denied = (await simulated(arn, wanted, aws.client(IAMClient))).filter(({ EvalDecision }) => EvalDecision !== 'allowed');
  if (denied.length === 0) return [ok(check, `${role.id} may call all ${wanted.length} actions of its controls`)];
  return [...Map.groupBy(denied, blamed)].map(([cause, results]) => {
    const names = results.map(({ EvalActionName = '' }) => EvalActionName);
    return wrong(check, `${role.id} may not call ${some(names)}: ${cause}`, causes[cause](aws.accountId, policy.iam.permissionsBoundary, deploy));
  });
}

async function simulated(PolicySourceArn: string, actions: readonly IamAction[], client: IAMClient): Promise<EvaluationResult[]> {
  const results: EvaluationResult[] = [];
  for (let from = 0; from < actions.length; from += batch) {
    const ActionNames = actions.slice(from, from + batch);
    for await (const { EvaluationResults = [] } of paginateSimulatePrincipalPolicy({ client }, { PolicySourceArn, ActionNames }))
      results.push(...EvaluationResults);
  }
  return results;
}

type Cause = keyof typeof causes;

const blamed = ({ OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail }: EvaluationResult): Cause => {
  if (OrganizationsDecisionDetail?.AllowedByOrganizations === false) return 'a service control policy of the organization forbids it';
  return PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false
    ? 'its permissions boundary does not allow it'
    : 'its own policies do not allow it';
};

const causes = {
  'a service control policy of the organization forbids it': (account: string) =>
    `aws organizations list-policies-for-target --target-id ${account} --filter SERVICE_CONTROL_POLICY`,
  'its permissions boundary does not allow it': (_: string, boundary = '') => `aws iam get-policy --policy-arn ${boundary}`,
  'its own policies do not allow it': (_: string, __: string | undefined, deploy: string) => deploy,
};
