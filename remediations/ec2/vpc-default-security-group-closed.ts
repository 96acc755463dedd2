import { EC2Client, paginateDescribeNetworkInterfaces, paginateDescribeSecurityGroups } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  type Aws,
  blocked,
  change,
  compliant,
  defineControl,
  leafOf,
  listed,
  nonCompliant,
  notApplicable,
  pagesOf,
  type ResourceRef,
  refTo,
  required,
  unnamed,
} from '../define.ts';
import { type GroupRules, groupArn, groupAt, groupNamed, groupRules, groupType, onEc2Calls, type Rule, setRules, some } from './ec2.ts';

const groups = { resourceType: groupType, arn: groupArn };

interface State extends GroupRules {
  /** Ids of network interfaces in the group; read only where rules are left. */
  readonly users: readonly string[];
}

const isOpenDefault = ({ name, ingress, egress }: GroupRules) => name === 'default' && ingress.length + egress.length > 0;

async function stateOf(aws: Aws, resource: ResourceRef, group: GroupRules): Promise<State> {
  const users: string[] = [];
  if (isOpenDefault(group)) {
    const query = { Filters: [{ Name: 'group-id', Values: [leafOf(resource)] }], MaxResults: 1_000 };
    for await (const { NetworkInterfaces } of paginateDescribeNetworkInterfaces({ client: aws.client(EC2Client) }, query)) {
      users.push(...required(NetworkInterfaces, 'NetworkInterfaces').map(({ NetworkInterfaceId = '' }) => NetworkInterfaceId));
    }
  }
  return { ...group, users };
}

export default defineControl({
  id: 'vpc-default-security-group-closed',
  title: 'The default security group of each VPC has no rules',
  rationale: 'What is launched without a group of its own lands in the default group; its first rules let all of its members reach each other.',
  severity: 'HIGH',
  ...groups,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI on the network against whoever lands in the group by accident.' },
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only systems that have been granted access.' },
  ],
  related: { securityHub: ['EC2.2'], configRule: ['vpc-default-security-group-closed'], prowler: ['ec2_securitygroup_default_restrict_traffic'] },
  triggers: [
    onEc2Calls(
      ['AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'ModifySecurityGroupRules', 'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress'],
      groupNamed,
      ['AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress'],
    ),
    // A VPC brings its default group along and takes it with it; the event names the VPC only.
    onEc2Calls(['CreateVpc', 'CreateDefaultVpc', 'DeleteVpc'], unnamed),
    { source: 'config', resourceType: groupType },
  ],
  params: z.strictObject({
    revokeWhenInUse: z.boolean().default(false).describe('Close the group although network interfaces use it: their traffic stops'),
  }),
  reads: 1,
  writes: ['ec2:security-group-ingress', 'ec2:security-group-egress'],
  permissions: {
    inspect: ['ec2:DescribeSecurityGroups', 'ec2:DescribeNetworkInterfaces'],
    remediate: ['ec2:DescribeSecurityGroups', 'ec2:RevokeSecurityGroupIngress', 'ec2:RevokeSecurityGroupEgress'],
    undo: ['ec2:DescribeSecurityGroups', 'ec2:AuthorizeSecurityGroupIngress', 'ec2:AuthorizeSecurityGroupEgress'],
  },
  impact: 'What is launched into the default group later has no network until it gets a group of its own. Undo gives the rules new ids, without tags.',
  defaultMode: 'approve',
  endsPublicExposure: true,

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeSecurityGroups(
        { client: aws.client(EC2Client), startingToken },
        { Filters: [{ Name: 'group-name', Values: ['default'] }], MaxResults: 1_000 },
      ),
      ({ NextToken }) => NextToken,
      ({ SecurityGroups }) =>
        required(SecurityGroups, 'SecurityGroups').map((group) =>
          listed(refTo(groups, aws, group.GroupId), () => {
            const rules = groupRules(group);
            return isOpenDefault(rules) ? undefined : { ...rules, users: [] };
          }),
        ),
    ),

  async inspect(resource, aws) {
    const group = await groupAt(aws, resource);
    return group && stateOf(aws, resource, group);
  },

  evaluate(state) {
    if (state.name !== 'default') return notApplicable('It is not the default group of a VPC.');
    return isOpenDefault(state)
      ? nonCompliant(`The default group has ${state.ingress.length} inbound and ${state.egress.length} outbound rules.`)
      : compliant('The default group has no rules.');
  },

  plan({ ingress, egress, users }, { revokeWhenInUse }) {
    if (users.length > 0 && !revokeWhenInUse) {
      return blocked(`${users.length} network interfaces use the default group and would lose their traffic: give ${some(users)} a group of their own first.`);
    }
    return change<{ readonly ingress: readonly Rule[]; readonly egress: readonly Rule[] }>({
      action: ingress.length > 0 ? 'ec2:RevokeSecurityGroupIngress' : 'ec2:RevokeSecurityGroupEgress',
      summary: `Revoke ${ingress.length} inbound and ${egress.length} outbound rules of the default group`,
      before: { ingress, egress },
      after: { ingress: [], egress: [] },
    });
  },

  setting: ({ ingress, egress }) => ({ ingress, egress }),
  async remediate(resource, { before }, aws) {
    await setRules(aws, resource, 'revoke', 'ingress', before.ingress);
    await setRules(aws, resource, 'revoke', 'egress', before.egress);
  },
  async undo(resource, { before }, aws) {
    await setRules(aws, resource, 'authorize', 'ingress', before.ingress);
    await setRules(aws, resource, 'authorize', 'egress', before.egress);
  },
});
