/** `plan`: what a deploy would create, and which permissions a policy adds to another. */
import type { Command } from 'commander';
import type { IamAction } from '../../engine/model.ts';
import { pack, type Statement } from '../../infra/packing.ts';
import { type DeployPlan, planOf, writers } from '../../infra/plan.ts';
import { isWrite } from '../../infra/roles.ts';
import { longestPattern, type Rule } from '../../infra/rules.ts';
import { colors } from '../colors.ts';
import { catalogue, defaultPolicy, policyFrom, print, say } from '../context.ts';
import { type ExitCode, faultLine } from '../errors.ts';
import { actionsOf, type Grant, permissionsOf, type RoleName, type RolePermissions, resourceWords, roleNames, without } from '../permissions.ts';

interface Options {
  readonly policy: string;
  readonly against?: string;
  readonly json?: true;
}

export function addPlan(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('plan')
    .description('show what a deploy would create: the rules that catch events, and what its roles may do')
    .option('--policy <file>', 'policy to plan for', defaultPolicy)
    .option('--against <file>', 'also show the permissions that the policy adds to, and takes away from, those of this one')
    .option('--json', 'one JSON document: {rules, roles} and, with --against, {added, removed} as lists of actions per role')
    .addHelpText(
      'after',
      '\nExample: what would this change let the bot do?\n  npx phidelity plan --policy policies/restore-and-close.yaml --against policies/account.yaml',
    )
    .action(async (options: Options) => {
      await plan(options);
      exit(0);
    });
}

type Permissions = Readonly<Record<RoleName, RolePermissions>>;

async function plan({ policy: file, against, json }: Options): Promise<void> {
  const now = await planned(file);
  const then = against === undefined ? undefined : await planned(against);
  const added = then && difference(now.permissions, then.permissions);
  const removed = then && difference(then.permissions, now.permissions);
  if (json) {
    const actions = (grants: Record<RoleName, Grant[]>) => ({
      detect: actionsOf(grants.detect),
      remediate: actionsOf(grants.remediate),
      evidence: actionsOf(grants.evidence),
    });
    const { rules, roles } = now.plan;
    return print(JSON.stringify({ rules, roles, ...(added && removed && { added: actions(added), removed: actions(removed) }) }, null, 2));
  }
  printRules(now.plan.rules);
  for (const name of roleNames) printRole(name, now.plan.roles[name], now.permissions[name]);
  const { slack } = now.plan.roles;
  const of = (effect: Statement['Effect']) => slack?.filter(({ Effect }) => Effect === effect) ?? [];
  if (slack) printRole('slack', slack, { grants: [], runtime: of('Allow'), refused: of('Deny') });
  if (against !== undefined && added && removed) printDifference(against, added, removed);
}

async function planned(file: string): Promise<{ readonly plan: DeployPlan; readonly permissions: Permissions }> {
  const { policy, warnings } = await policyFrom(file);
  for (const warning of warnings) say(`${faultLine(warning)} (warning)`);
  const deployPlan = planOf(policy, catalogue, await writers(policy, catalogue));
  return { plan: deployPlan, permissions: permissionsOf(deployPlan.roles, policy, catalogue) };
}

const difference = (one: Permissions, other: Permissions): Record<RoleName, Grant[]> => ({
  detect: without(one.detect.grants, other.detect.grants),
  remediate: without(one.remediate.grants, other.remediate.grants),
  evidence: without(one.evidence.grants, other.evidence.grants),
  deliver: without(one.deliver.grants, other.deliver.grants),
});

function printRules(rules: readonly Rule[]): void {
  print(colors.bold(`${rules.length} rules catch events (EventBridge takes patterns of up to ${longestPattern} characters)`));
  const width = Math.max(0, ...rules.map(({ name }) => name.length));
  for (const { name, pattern } of rules) {
    print(`  ${name.padEnd(width)}  ${String(JSON.stringify(pattern).length).padStart(5)} characters  ${colors.dim(pattern['detail-type'].join(', '))}`);
  }
}

function printRole(name: string, statements: readonly Statement[], { grants, runtime, refused }: RolePermissions): void {
  const writing = grants.filter(({ action }) => isWrite(action)).length;
  const documents = pack(statements).length;
  print('');
  print(
    colors.bold(
      `Role ${name}, ${documents} managed ${documents === 1 ? 'policy' : 'policies'}: ${grants.length - writing} read and ${writing} write actions for the controls`,
    ),
  );
  printGrants(grants, ' ');
  print('  for its own work, on its own stack:');
  for (const statement of runtime) print(colors.dim(`    ${statement.Sid}: ${shortly(statement.Action)}`));
  if (refused.length > 0) print('  never, whatever else is allowed:');
  for (const statement of refused) print(colors.dim(`    ${statement.Sid}: ${shortly(statement.Action)} ${extent(statement)}`));
}

const extent = ({ Resource, NotResource }: Statement): string => (NotResource ? 'except on its own stack' : resourceWords(Resource) ? 'on its own stack' : '');

/** A long list is cut: `--json` has all of it. */
const shortly = (actions: readonly IamAction[]): string =>
  actions.length <= 4 ? actions.join(', ') : `${actions.slice(0, 3).join(', ')} and ${actions.length - 3} more`;

function printDifference(file: string, added: Record<RoleName, Grant[]>, removed: Record<RoleName, Grant[]>): void {
  print('');
  print(colors.bold(`Compared with ${file}`));
  for (const name of roleNames) {
    const [more, less] = [added[name], removed[name]];
    print(
      more.length + less.length > 0
        ? `  role ${name}`
        : `  role ${name}: the same permissions${name === 'remediate' ? ' (approve and fix need the same ones)' : ''}`,
    );
    printGrants(more, '+');
    printGrants(less, '-');
  }
}

const paint = { '+': colors.green, '-': colors.red, ' ': String };

function printGrants(grants: readonly Grant[], sign: keyof typeof paint): void {
  const width = Math.max(0, ...grants.map(({ action }) => action.length));
  for (const { action, resource, controls } of grants) {
    const kind = isWrite(action) ? 'write' : 'read ';
    const why = [resource && `on ${resource}`, controls.length > 0 && controls.join(', ')].filter(Boolean).join('; ');
    print(`  ${paint[sign](`${sign} ${kind}  ${action.padEnd(width)}`)}  ${colors.dim(why)}`.trimEnd());
  }
}
