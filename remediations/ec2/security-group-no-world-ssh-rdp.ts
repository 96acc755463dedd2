import { EC2Client, paginateDescribeSecurityGroups, paginateGetManagedPrefixListEntries } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  type Aws,
  blocked,
  type CloudTrailDetail,
  change,
  compliant,
  defineControl,
  listed,
  nonCompliant,
  pagesOf,
  refTo,
  required,
  unnamed,
  valuesAt,
} from '../define.ts';
import { againstPublicAccess, groupArn, groupAt, groupNamed, groupRules, groupType, inWords, onEc2Calls, type Rule, setRules, some } from './ec2.ts';

const groups = { resourceType: groupType, arn: groupArn };

interface State {
  readonly ingress: readonly Rule[];
  /** Prefix lists in these rules that hold the world. */
  readonly worldLists: readonly string[];
}

// 0.0.0.0/1 with 128.0.0.0/1 is the world as well; no owner of a network has more than a /8. fc00::/7 is the private range of IPv6.
const isWorld = (cidr = '') => Number(cidr.split('/')[1]) < 8 && !/^f[cd]/i.test(cidr);

const listsIn = ({ PrefixListIds = [] }: Rule) => PrefixListIds.map(({ PrefixListId = '' }) => PrefixListId);

const fromWorld = (rule: Rule, worldLists: readonly string[]) =>
  isWorld(rule.IpRanges?.[0]?.CidrIp) || isWorld(rule.Ipv6Ranges?.[0]?.CidrIpv6) || listsIn(rule).some((list) => worldLists.includes(list));

const covers = ({ IpProtocol = '', FromPort = -1, ToPort = -1 }: Rule, port: number) =>
  IpProtocol === '-1' || (['tcp', '6'].includes(IpProtocol) && (FromPort === -1 || (FromPort <= port && port <= ToPort)));

/** A rule cannot be revoked in part. */
const reachesOthers = (rule: Rule, ports: readonly number[]) => {
  const { IpProtocol, FromPort = -1, ToPort = -1 } = rule;
  return IpProtocol === '-1' || FromPort === -1 || ToPort - FromPort + 1 > new Set(ports.filter((port) => covers(rule, port))).size;
};

const offending = ({ ingress, worldLists }: State, ports: readonly number[]) =>
  ingress.filter((rule) => fromWorld(rule, worldLists) && ports.some((port) => covers(rule, port)));

/**
 * Rules that a call has made or changed, as CloudTrail logs them: those that it answers with, and what it asked for. A prefix list is not among
 * them, as a call does not tell what it holds. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
 */
function rulesIn(detail: CloudTrailDetail): Rule[] {
  const answered = valuesAt(detail, 'responseElements.securityGroupRuleSet.items[]');
  const changed = valuesAt(detail, 'requestParameters.ModifySecurityGroupRulesRequest.SecurityGroupRule[].SecurityGroupRule');
  const asked = valuesAt(detail, 'requestParameters.ipPermissions.items[]');
  return [...answered, ...changed, ...asked].flatMap((rule) => {
    const [IpProtocol] = textsAt(rule, 'ipProtocol');
    const traffic = { IpProtocol, FromPort: portAt(rule, 'fromPort'), ToPort: portAt(rule, 'toPort') };
    const narrow = [...textsAt(rule, 'cidrIpv4'), ...textsAt(rule, 'ipRanges.items[].cidrIp')].map((CidrIp) => ({ ...traffic, IpRanges: [{ CidrIp }] }));
    const wide = [...textsAt(rule, 'cidrIpv6'), ...textsAt(rule, 'ipv6Ranges.items[].cidrIpv6')].map((CidrIpv6) => ({
      ...traffic,
      Ipv6Ranges: [{ CidrIpv6 }],
    }));
    return IpProtocol === undefined || valuesAt(rule, 'isEgress').includes(true) ? [] : [...narrow, ...wide];
  });
}

const textsAt = (value: unknown, path: string): string[] => valuesAt(value, path).filter((text): text is string => typeof text === 'string');
const portAt = (rule: unknown, path: string): number | undefined => valuesAt(rule, path).map(Number).find(Number.isInteger);

async function holdsWorld(aws: Aws, PrefixListId: string): Promise<boolean> {
  for await (const { Entries } of paginateGetManagedPrefixListEntries({ client: aws.client(EC2Client) }, { PrefixListId })) {
    if (required(Entries, 'Entries').some(({ Cidr }) => isWorld(required(Cidr, 'Cidr')))) return true;
  }
  return false;
}

async function stateOf(aws: Aws, { ingress }: Pick<State, 'ingress'>): Promise<State> {
  const worldLists: string[] = [];
  for (const list of new Set(ingress.flatMap(listsIn))) if (await holdsWorld(aws, list)) worldLists.push(list);
  return { ingress, worldLists };
}

export default defineControl({
  id: 'security-group-no-world-ssh-rdp',
  title: 'No security group opens SSH or RDP to the world',
  rationale: 'An administrator port that the whole internet can reach is where break-ins into systems with ePHI begin.',
  severity: 'CRITICAL',
  ...groups,
  scope: 'regional',
  hipaa: againstPublicAccess,
  related: {
    securityHub: ['EC2.13', 'EC2.14'],
    configRule: ['incoming-ssh-disabled', 'restricted-ssh'],
    prowler: ['ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22', 'ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389'],
  },
  triggers: [
    onEc2Calls(['AuthorizeSecurityGroupIngress', 'DeleteSecurityGroup', 'ModifySecurityGroupRules', 'RevokeSecurityGroupIngress'], groupNamed, [
      'AuthorizeSecurityGroupIngress',
    ]),
    // Takes its default group along.
    onEc2Calls(['DeleteVpc'], unnamed),
    // A list does not say which groups use it.
    onEc2Calls(['ModifyManagedPrefixList', 'RestoreManagedPrefixListVersion'], unnamed),
    { source: 'config', resourceType: groupType },
  ],
  params: z.strictObject({
    ports: z.array(z.int().min(0).max(65_535)).min(1).default([22, 3389]).describe('TCP ports that the world must not reach'),
    revokeWideRules: z.boolean().default(false).describe('Revoke also rules that open other ports or protocols besides: their traffic stops'),
  }),
  reads: 1,
  writes: ['ec2:security-group-ingress'],
  permissions: {
    inspect: ['ec2:DescribeSecurityGroups', 'ec2:GetManagedPrefixListEntries'],
    remediate: ['ec2:DescribeSecurityGroups', 'ec2:RevokeSecurityGroupIngress'],
    undo: ['ec2:DescribeSecurityGroups', 'ec2:AuthorizeSecurityGroupIngress'],
  },
  impact:
    'Administrators who come in from anywhere are locked out; with revokeWideRules a rule goes whole, other ports in it too. Session Manager needs no open port. Undo gives the rules new ids, without tags.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail, { ports }) =>
    ['AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules'].includes(detail.eventName) &&
    offending({ ingress: rulesIn(detail), worldLists: [] }, ports).length > 0,
  // A call that revokes one rule does not tell of the others.
  closes: ({ eventName }) => eventName === 'DeleteSecurityGroup',

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeSecurityGroups({ client: aws.client(EC2Client), startingToken }, { MaxResults: 1_000 }),
      ({ NextToken }) => NextToken,
      ({ SecurityGroups }) =>
        required(SecurityGroups, 'SecurityGroups').map((group) =>
          listed(refTo(groups, aws, group.GroupId), () => {
            const { ingress } = groupRules(group);
            return ingress.some((rule) => listsIn(rule).length > 0) ? undefined : { ingress, worldLists: [] };
          }),
        ),
    ),

  async inspect(resource, aws) {
    const group = await groupAt(aws, resource);
    return group && stateOf(aws, group);
  },

  evaluate(state, { ports }) {
    const open = offending(state, ports);
    return open.length === 0
      ? compliant(`The world reaches none of the ports ${ports.join(', ')}.`)
      : nonCompliant(`The world is let in: ${some(open.map(inWords))}.`);
  },

  plan(state, { ports, revokeWideRules }) {
    const open = offending(state, ports);
    const wide = open.filter((rule) => reachesOthers(rule, ports));
    if (wide.length > 0 && !revokeWideRules) {
      return blocked(`The rule goes whole, and what it opens besides would be cut off: split ${some(wide.map(inWords))}, or set revokeWideRules.`);
    }
    return change<readonly Rule[]>({
      action: 'ec2:RevokeSecurityGroupIngress',
      summary: `Revoke ${some(open.map(inWords))}`,
      before: open,
      after: [],
    });
  },

  setting: ({ ingress, worldLists }): readonly Rule[] => ingress.filter((rule) => fromWorld(rule, worldLists)),
  remediate: (resource, { before }, aws) => setRules(aws, resource, 'revoke', 'ingress', before),
  undo: (resource, { before }, aws) => setRules(aws, resource, 'authorize', 'ingress', before),
});
