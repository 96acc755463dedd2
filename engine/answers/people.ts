/** Who a principal is, and whether two principals are the same person. Pure. */
import type { Actor, Finding, Principal } from '../model.ts';
import { glob } from '../policy/match.ts';
import type { CompiledPerson, CompiledPolicy } from '../policy/model.ts';
import { slackUserIn } from './member.ts';

export type People = CompiledPolicy['people'];

const sessionForm = /^arn:[^:]+:(?:sts|iam)::(\d{12}):assumed-role\/(?:.*\/)?([^/]+)\/([^/]+)$/;

// Names that SDKs, services and the console give to sessions by themselves: they tell programs apart, not persons.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (RoleSessionName)
const madeUp =
  /^(\d+|i-[0-9a-f]+|AWSCloudFormation|AWSCodeBuild-[0-9a-f-]+|GitHubActions|((aws-?cli|aws-(sdk-)?(js|java|go|go-sdk|python)|botocore|assume-?role|default)([-_]?session)?|session)[-_]?[0-9a-f]*)$/i;

/**
 * The principal without what differs between two logins of one person; undefined: a session of a shared role that bears no name of a person.
 * `arn:aws:sts::111122223333:assumed-role/SecOps/Dana` and `…/dana` are one.
 */
export function identityOf(arn: string): string | undefined {
  const [, account, role, session] = sessionForm.exec(arn) ?? [];
  if (!account) return arn;
  return madeUp.test(session!) ? undefined : `${account}:${role}/${session!.toLowerCase()}`;
}

/** A pattern that leaves the account open means the bot's own: a role of that name can be made in any account. */
function matches(pattern: string, { arn, accountId }: Principal, ownAccount: string): boolean {
  const account = pattern.split(':')[4] ?? '';
  return (/^\d{12}$/.test(account) || accountId === ownAccount) && glob(pattern, arn) && (isLoose(pattern) || partsMatch(pattern, arn));
}

/** A `*` of one part of an ARN does not reach into the next: the path of a user may hold colons, and be anybody's name. */
const partsMatch = (pattern: string, arn: string): boolean => {
  const [wanted, given] = [partsOf(pattern), partsOf(arn)];
  return wanted.every((part, at) => glob(part, given[at] ?? ''));
};
const partsOf = (arn: string): string[] => {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
};
const isLoose = (pattern: string): boolean => pattern.split(':').length < 6;

export interface Person extends CompiledPerson {
  readonly name: string;
}

/** The first person of the policy whom the principal can be; undefined: none. */
export function personOf(principal: Principal, people: People, ownAccount: string): Person | undefined {
  const member = slackUserIn(principal.arn);
  const found = Object.entries(people).find(([, { arns, slack }]) =>
    member === undefined ? arns.some((pattern) => matches(pattern, principal, ownAccount)) : slack === member,
  );
  return found && { name: found[0], ...found[1] };
}

/** Names of those to whom the policy leaves the control; undefined: everybody of the policy. */
export const approversOf = ({ control }: Pick<Finding, 'control'>, { controls }: Pick<CompiledPolicy, 'controls'>): readonly string[] | undefined =>
  controls[control]?.approvers;

/** Whether the policy leaves the control to this person. */
export const mayDecide = (person: string, finding: Pick<Finding, 'control'>, policy: Pick<CompiledPolicy, 'controls'>): boolean =>
  approversOf(finding, policy)?.includes(person) ?? true;

export const principalOf = ({ arn, accountId }: Pick<Actor, 'arn' | 'accountId'>): Principal => ({ arn, accountId: accountId ?? arn.split(':')[4] ?? '' });

/** Whether the one who made the change and this person may be the same: by what the policy says of both, or by the same user or session. */
export function isActor(actor: Actor, person: Person, principal: Principal, people: People, ownAccount: string): boolean {
  const made = principalOf(actor);
  if (personOf(made, people, ownAccount)?.name === person.name) return true;
  // Who may choose the name of a session may choose its case too.
  const plain = { ...made, arn: made.arn.toLowerCase() };
  if (person.arns.some((pattern) => matches(pattern.toLowerCase(), plain, ownAccount))) return true;
  return identityOf(actor.arn) !== undefined && identityOf(actor.arn) === identityOf(principal.arn);
}

/** Nobody can tell which person made the change. */
export const isDoubtful = (actor: Actor | undefined): boolean => actor === undefined || identityOf(actor.arn) === undefined || actor.type === 'AWSService';
