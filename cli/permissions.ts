/** What a plan lets each role do, as lists that a person reads and two policies can be compared by. Pure. */
import type { Catalogue, CatalogueEntry } from '../engine/control.ts';
import type { IamAction } from '../engine/model.ts';
import { routed, writes } from '../engine/policy/match.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import type { Statement } from '../infra/packing.ts';
import { type Roles, rolesOf } from '../infra/roles.ts';

/** The role of Slack's endpoint hangs on no control. */
export type RoleName = Exclude<keyof Roles, 'slack'>;
export const roleNames: readonly RoleName[] = ['detect', 'remediate', 'evidence', 'deliver'];

/** One action that a policy lets a role call. */
export interface Grant {
  readonly action: IamAction;
  /** Empty: every resource of the account. */
  readonly resource: string;
  /** Controls that ask for it; empty when something else of the policy does, such as exceptions by tag. */
  readonly controls: readonly string[];
}

export interface RolePermissions {
  /** By action. */
  readonly grants: readonly Grant[];
  /** The bot's own work on its own stack; the same under every policy. */
  readonly runtime: readonly Statement[];
  readonly refused: readonly Statement[];
}

export function permissionsOf(roles: Roles, policy: CompiledPolicy, catalogue: Catalogue): Record<RoleName, RolePermissions> {
  const bare = rolesOf({ ...policy, controls: {} }, catalogue, []);
  const of = (ids: readonly string[]) => catalogue.filter(({ id }) => ids.includes(id));
  const asking: Record<RoleName, (action: IamAction) => CatalogueEntry[]> = {
    detect: (action) => of(routed(policy)).filter(({ permissions }) => permissions.inspect.includes(action)),
    remediate: (action) => of(writes(policy)).filter(({ fix, permissions }) => fix && Object.values(permissions).some((phase) => phase.includes(action))),
    evidence: () => [],
    deliver: () => [],
  };
  const permissions = (role: RoleName): RolePermissions => {
    const own = new Set(bare[role].map(({ Sid }) => Sid));
    const allowed = roles[role].filter(({ Effect }) => Effect === 'Allow');
    const grants = allowed
      .filter(({ Sid }) => !own.has(Sid))
      .flatMap(({ Action, Resource }) => Action.map((action) => ({ action, resource: resourceWords(Resource), controls: idsOf(asking[role](action)) })));
    return {
      grants: grants.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
      runtime: allowed.filter(({ Sid }) => own.has(Sid)),
      refused: roles[role].filter(({ Effect }) => Effect === 'Deny'),
    };
  };
  return { detect: permissions('detect'), remediate: permissions('remediate'), evidence: permissions('evidence'), deliver: permissions('deliver') };
}

const idsOf = (entries: readonly CatalogueEntry[]) => entries.map(({ id }) => id);

export const resourceWords = (resource: Statement['Resource']): string =>
  resource === undefined || resource === '*' ? '' : resource.map((one) => (typeof one === 'string' ? one : one['Fn::Sub'])).join(', ');

const keyOf = ({ action, resource }: Grant): string => `${action} ${resource}`;

/** The grants that `others` does not hold. */
export function without(grants: readonly Grant[], others: readonly Grant[]): Grant[] {
  const known = new Set(others.map(keyOf));
  return grants.filter((grant) => !known.has(keyOf(grant)));
}

/** Each action once. */
export const actionsOf = (grants: readonly Grant[]): IamAction[] => [...new Set(grants.map(({ action }) => action))];
