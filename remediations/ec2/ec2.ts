/** Reads, rules and one family that the controls of EC2, EBS and VPC share. */
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  type IpPermission,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import {
  type Aws,
  type Change,
  type Citation,
  type CloudTrailDetail,
  change,
  compliant,
  type Evaluation,
  type IamAction,
  idsAt,
  leafOf,
  nonCompliant,
  onCalls,
  orUndefined,
  type Plan,
  type ResourceIds,
  type ResourceRef,
  required,
  valuesAt,
} from '../define.ts';
import { aboutReplacing } from '../replaced.ts';

export const groupArn = 'arn:{partition}:ec2:{region}:{account}:security-group/{id}';
export const groupType = 'AWS::EC2::SecurityGroup';

export const onEc2Calls = <Name extends string>(eventNames: readonly Name[], resourceIds: ResourceIds, breaks: readonly NoInfer<Name>[] = []) =>
  onCalls('ec2.amazonaws.com', eventNames, resourceIds, { breaks });

const taggedIds = (detail: unknown, prefix: string): string[] =>
  valuesAt(detail, 'requestParameters.resourcesSet.items[].resourceId').filter((id): id is string => typeof id === 'string' && id.startsWith(prefix));

/** Calls that set or remove the tags by which the bot knows what it has replaced, of resources whose ids begin so. No tag named = all of them. */
export const onTags = (prefix: string) =>
  onCalls('ec2.amazonaws.com', ['CreateTags', 'DeleteTags'], (detail) => taggedIds(detail, prefix), {
    concerns: (detail) => {
      const keys = valuesAt(detail, 'requestParameters.tagSet.items[].key');
      return taggedIds(detail, prefix).length > 0 && (keys.length === 0 || aboutReplacing(keys));
    },
  });

/** The id in a request: younger calls of EC2 log the whole request under its name, as the API spells it. */
export const requested = (member: string, ...calls: readonly string[]): ResourceIds =>
  idsAt(`requestParameters.${member}`, ...calls.map((call) => `requestParameters.${call}Request.${member}`));

export const againstPublicAccess: readonly Citation[] = [
  { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
  { section: '164.308(a)(4)(ii)(C)', specification: 'addressable', rationale: 'Takes back access that nobody has authorised.' },
  { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers the risk of a disclosure to the whole world.' },
];

/** `['all']` when everybody may use the resource, else empty. Accounts it is shared with are no concern of this family. */
export type PublicGroups = readonly string[];

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html, API_ModifyImageAttribute.html, as CloudTrail logs them. */
const namesAll = (detail: CloudTrailDetail, member: string, operation: 'add' | 'remove'): boolean =>
  valuesAt(detail, `requestParameters.${member}.${operation}.items[].group`).includes('all');

/** The parts of a control that takes the group `all` out of a resource's permissions. Adding or removing it twice is no error. */
export const notPublic = (words: {
  readonly exposure: string;
  readonly action: IamAction;
  /** Where a request holds the permission. */
  readonly member: string;
  /** Calls after which nobody else may use it. */
  readonly ending: readonly string[];
  readonly allow: (aws: Aws, id: string, operation: 'add' | 'remove') => Promise<unknown>;
}) => ({
  evaluate: ({ groups }: { readonly groups: PublicGroups }): Evaluation =>
    groups.length === 0 ? compliant('It is not public.') : nonCompliant(words.exposure),
  plan: ({ groups }: { readonly groups: PublicGroups }): Plan<PublicGroups> =>
    change<PublicGroups>({ action: words.action, summary: 'Take back the permission of everybody', before: groups, after: [] }),
  setting: ({ groups }: { readonly groups: PublicGroups }): PublicGroups => groups,
  opens: (detail: CloudTrailDetail): boolean => namesAll(detail, words.member, 'add'),
  closes: (detail: CloudTrailDetail): boolean => words.ending.includes(detail.eventName) || namesAll(detail, words.member, 'remove'),
  async remediate(resource: ResourceRef, _: Change<PublicGroups>, aws: Aws): Promise<void> {
    await words.allow(aws, leafOf(resource), 'remove');
  },
  async undo(resource: ResourceRef, _: Change<PublicGroups>, aws: Aws): Promise<void> {
    await words.allow(aws, leafOf(resource), 'add');
  },
});

/** One rule: an IpPermission with exactly one source (ingress) or destination (egress), as the API takes it back. */
export type Rule = IpPermission;

/** Rules in a fixed order, without what AWS fills in (names of groups, state of peerings). */
export const rulesOf = (permissions: readonly IpPermission[]): Rule[] =>
  permissions
    .flatMap(({ IpRanges = [], Ipv6Ranges = [], PrefixListIds = [], UserIdGroupPairs = [], IpProtocol, FromPort, ToPort }): Rule[] => {
      const traffic = known({ IpProtocol: required(IpProtocol, 'the protocol of a rule'), FromPort, ToPort });
      const rules: Rule[] = [
        ...IpRanges.map((range) => ({ ...traffic, IpRanges: [known(range)] })),
        ...Ipv6Ranges.map((range) => ({ ...traffic, Ipv6Ranges: [known(range)] })),
        ...PrefixListIds.map((list) => ({ ...traffic, PrefixListIds: [known(list)] })),
        ...UserIdGroupPairs.map(({ GroupId, UserId, VpcPeeringConnectionId, Description }) => ({
          ...traffic,
          UserIdGroupPairs: [known({ GroupId, UserId, VpcPeeringConnectionId, Description })],
        })),
      ];
      for (const rule of rules) required(sourceOf(rule), 'the source of a rule');
      required(rules[0], 'any source of a rule');
      return rules;
    })
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));

const known = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== '')) as Value;

const sourceOf = ({ IpRanges, Ipv6Ranges, PrefixListIds, UserIdGroupPairs }: Rule): string | undefined =>
  IpRanges?.[0]?.CidrIp ?? Ipv6Ranges?.[0]?.CidrIpv6 ?? PrefixListIds?.[0]?.PrefixListId ?? UserIdGroupPairs?.[0]?.GroupId;

// AWS tells rules apart by traffic and source alone; a description can differ and it is still the same rule.
const keyOf = (rule: Rule) => [rule.IpProtocol, rule.FromPort, rule.ToPort, sourceOf(rule)].join(' ');

/** "tcp 22-23 from 0.0.0.0/0" */
export const inWords = (rule: Rule): string => {
  const ports = rule.FromPort === undefined || rule.FromPort === rule.ToPort ? rule.FromPort : `${rule.FromPort}-${rule.ToPort}`;
  return [rule.IpProtocol === '-1' ? 'all traffic' : rule.IpProtocol, ports, 'from', sourceOf(rule)].filter((word) => word !== undefined).join(' ');
};

/** The first few, so that a sentence stays one. */
export const some = (words: readonly string[], most = 5): string => words.slice(0, most).join(', ') + (words.length > most ? ' and others' : '');

export interface GroupRules {
  readonly name: string;
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

export const groupRules = ({ GroupName, IpPermissions, IpPermissionsEgress }: SecurityGroup): GroupRules => ({
  name: required(GroupName, 'GroupName'),
  ingress: rulesOf(required(IpPermissions, 'IpPermissions')),
  egress: rulesOf(required(IpPermissionsEgress, 'IpPermissionsEgress')),
});

/** Undefined = there is no such group. */
export async function groupAt(aws: Aws, resource: ResourceRef): Promise<GroupRules | undefined> {
  const answer = await orUndefined(aws.client(EC2Client).send(new DescribeSecurityGroupsCommand({ GroupIds: [leafOf(resource)] })), 'InvalidGroup.NotFound');
  return answer && required(answer.SecurityGroups, 'SecurityGroups').map(groupRules)[0];
}

export const groupNamed = idsAt(
  'requestParameters.groupId',
  'requestParameters.ModifySecurityGroupRulesRequest.GroupId',
  'responseElements.securityGroupRuleSet.items[].groupId',
);

type Direction = 'ingress' | 'egress';

type RulesInput = { GroupId: string; IpPermissions: Rule[] };

const calls = {
  revoke: {
    ingress: (ec2: EC2Client, input: RulesInput) => ec2.send(new RevokeSecurityGroupIngressCommand(input)),
    egress: (ec2: EC2Client, input: RulesInput) => ec2.send(new RevokeSecurityGroupEgressCommand(input)),
  },
  authorize: {
    ingress: (ec2: EC2Client, input: RulesInput) => ec2.send(new AuthorizeSecurityGroupIngressCommand(input)),
    egress: (ec2: EC2Client, input: RulesInput) => ec2.send(new AuthorizeSecurityGroupEgressCommand(input)),
  },
};

/**
 * Revokes or authorises rules by their content; rule ids change with every undo. Rules that are already as wanted are left out:
 * AWS refuses the whole request for one duplicate or one missing rule. Needs ec2:DescribeSecurityGroups.
 */
export async function setRules(aws: Aws, resource: ResourceRef, move: keyof typeof calls, direction: Direction, rules: readonly Rule[]): Promise<void> {
  if (rules.length === 0) return;
  const live = new Set((await groupAt(aws, resource))?.[direction].map(keyOf));
  const left = rules.filter((rule) => live.has(keyOf(rule)) === (move === 'revoke'));
  if (left.length > 0) await calls[move][direction](aws.client(EC2Client), { GroupId: leafOf(resource), IpPermissions: left });
}
