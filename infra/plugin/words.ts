/** What a deploy and a removal tell the person who ran them. Pure. */
import type { AnyControl, Catalogue } from '../../engine/control.ts';
import { reachable, writes } from '../../engine/policy/match.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { actionsOf, isWrite, passRoles } from '../roles.ts';
import type { Forwarding } from './coverage.ts';

/** Outputs of the stack. */
export type Outputs = Readonly<Record<string, string>>;

interface Grant {
  readonly action: string;
  /** Of the control. */
  readonly id: string;
}

/** The write actions that a policy gives the bot, with the controls that ask for each. */
function granted(policy: CompiledPolicy, catalogue: Catalogue, controls: readonly AnyControl[]): Map<string, readonly string[]> {
  const ids = new Set(writes(policy));
  const pairs = catalogue
    .filter(({ id, fix }) => fix && ids.has(id))
    .flatMap(({ id, permissions }) => actionsOf([...permissions.remediate, ...permissions.undo].filter(isWrite)).map((action): Grant => ({ action, id })));
  const passed = controls.flatMap((control) =>
    passRoles(policy, [control]).map(({ Resource }): Grant => ({ action: `iam:PassRole of ${Resource}`, id: control.id })),
  );
  return new Map([...Map.groupBy([...pairs, ...passed], ({ action }) => action)].map(([action, found]) => [action, [...new Set(found.map(({ id }) => id))]]));
}

const lines = (actions: ReadonlyMap<string, readonly string[]>, sign = ' '): string[] =>
  [...actions].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([action, ids]) => `  ${sign} ${action}  (${ids.join(', ')})`);

const without = (actions: ReadonlyMap<string, readonly string[]>, others: ReadonlyMap<string, unknown>) =>
  new Map([...actions].filter(([action]) => !others.has(action)));

/**
 * Which write permissions the policy gives, and what is different from the policy stored before.
 * @param controls loaded; only their `passRole` is asked
 */
export function grantWords(policy: CompiledPolicy, before: CompiledPolicy | undefined, catalogue: Catalogue, controls: readonly AnyControl[]): string[] {
  const now = granted(policy, catalogue, controls);
  const fixing = catalogue.filter(({ id, fix }) => fix && policy.controls[id] && reachable(policy.controls[id]).has('fix')).length;
  const asking = catalogue.filter(({ id, fix }) => fix && writes(policy).includes(id)).length - fixing;
  const head =
    now.size === 0
      ? ['With this policy the bot cannot write to any resource of the account.']
      : [`With this policy the bot may fix ${fixing} controls by itself and ${asking} after an approval. Its role may call:`, ...lines(now)];
  if (!before) return head;
  const then = granted(before, catalogue, controls);
  const added = without(now, then);
  const taken = without(then, now);
  if (added.size + taken.size === 0) return [...head, 'The permissions are the same as before.'];
  return [...head, 'Compared with the policy stored before:', ...lines(added, '+'), ...lines(taken, '-')];
}

const each = (reasons: Readonly<Record<string, string>>): string[] => Object.entries(reasons).map(([region, reason]) => `  ${region}  ${reason}`);

/** Where the bot sees what happens, and where it does not. */
export function coverageWords({ covered, unreached, removed, left }: Forwarding): string[] {
  return [
    `The bot sees what happens in ${covered.length} ${covered.length === 1 ? 'region' : 'regions'}: ${covered.join(', ')}`,
    ...(Object.keys(unreached).length > 0 ? ['It does not see what happens in these:', ...each(unreached)] : []),
    ...removedWords({ removed, left }),
  ];
}

export function removedWords({ removed, left }: Pick<Forwarding, 'removed' | 'left'>): string[] {
  return [
    ...(removed.length > 0 ? [`Forwarders removed: ${removed.join(', ')}`] : []),
    ...(Object.keys(left).length > 0 ? ['Forwarders that could not be removed, or may be there still:', ...each(left)] : []),
  ];
}

/** What is left to do after a deploy. */
export function nextWords(outputs: Outputs): string[] {
  const { SlackEndpoint } = outputs;
  const topics = Object.entries(outputs).filter(([name]) => name.endsWith('Topic'));
  return [
    'A topic tells nobody until somebody has subscribed and confirmed. For each:',
    ...topics.map(([, arn]) => `  aws sns subscribe --topic-arn ${arn} --protocol email --notification-endpoint you@example.com`),
    ...(SlackEndpoint ? ['The buttons of Slack work once the app has this Request URL, under Interactivity & Shortcuts:', `  ${SlackEndpoint}`] : []),
  ];
}

/** What outlives the stack. */
export function keptWords({ LedgerTableName, EvidenceBucketName, DataKeyArn, AlarmKeyArn, SigningKeyArn }: Outputs): string[] {
  if (!LedgerTableName) return [];
  return [
    'Kept, because they hold the findings and their evidence, and because what is kept cannot be read without its key:',
    `  table  ${LedgerTableName}`,
    ...(EvidenceBucketName ? [`  bucket ${EvidenceBucketName}`] : []),
    ...[DataKeyArn, AlarmKeyArn, SigningKeyArn].filter((arn) => arn !== undefined).map((arn) => `  key    ${arn}`),
    'Export what you must keep (45 CFR 164.316(b)(2)(i): six years) before you delete the table or schedule a key for deletion.',
  ];
}
