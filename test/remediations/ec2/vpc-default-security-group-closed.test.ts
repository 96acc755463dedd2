import {
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  RevokeSecurityGroupEgressCommand,
} from '@aws-sdk/client-ec2';
import type { Aws } from '../../../engine/ports.ts';
import control from '../../../remediations/ec2/vpc-default-security-group-closed.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';

async function newVpc(admin: Aws) {
  const ec2 = admin.client(EC2Client);
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.1.0.0/16' }));
  const filters = [
    { Name: 'vpc-id', Values: [Vpc!.VpcId!] },
    { Name: 'group-name', Values: ['default'] },
  ];
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: filters }));
  return { ec2, VpcId: Vpc!.VpcId!, GroupId: SecurityGroups![0]!.GroupId! };
}

/** As AWS makes it: moto leaves out the rule that lets the group's members reach each other. */
const asAwsMakesIt: Arrange = async (admin) => {
  const { ec2, GroupId } = await newVpc(admin);
  const members = { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId, UserId: accountId }] };
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [members] }));
  return GroupId;
};

const outboundOnly: Arrange = async (admin) => (await newVpc(admin)).GroupId;

const closed: Arrange = async (admin) => {
  const { ec2, GroupId } = await newVpc(admin);
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] }));
  return GroupId;
};

const inUse: Arrange = async (admin) => {
  const { ec2, VpcId, GroupId } = await newVpc(admin);
  const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: '10.1.0.0/24' }));
  await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId: Subnet!.SubnetId, Groups: [GroupId] }));
  return GroupId;
};

const another: Arrange = async (admin) => {
  const { ec2, VpcId } = await newVpc(admin);
  return (await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'web', Description: 'web', VpcId }))).GroupId!;
};

const everywhere = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
const ec2 = (parts: object) => ({ eventSource: 'ec2.amazonaws.com', ...parts });
const onGroup = ec2({ requestParameters: { groupId: 'sg-1', ipPermissions: {} }, responseElements: { _return: true } });

testControl(control, {
  compliant: { 'no rules': closed },
  notApplicable: { 'a group of another name': { given: another, annotation: 'not the default group' } },
  remediated: {
    'as AWS makes it': {
      given: asAwsMakesIt,
      annotation: '1 inbound and 1 outbound',
      change: { action: 'ec2:RevokeSecurityGroupIngress', after: { ingress: [], egress: [] } },
    },
    'outbound rules only': { given: outboundOnly, change: { action: 'ec2:RevokeSecurityGroupEgress', before: { ingress: [], egress: [everywhere] } } },
    'in use, where the policy says to close it all the same': { given: inUse, params: { revokeWhenInUse: true } },
  },
  blocked: { 'in use': { given: inUse, reason: /^1 network interfaces use the default group and would lose their traffic: give eni-\w+ a group/ } },
  gone: 'sg-0123456789abcdef0',
  events: {
    AuthorizeSecurityGroupIngress: { detail: onGroup, ids: ['sg-1'] },
    AuthorizeSecurityGroupEgress: { detail: onGroup, ids: ['sg-1'] },
    RevokeSecurityGroupIngress: { detail: onGroup, ids: ['sg-1'] },
    RevokeSecurityGroupEgress: { detail: onGroup, ids: ['sg-1'] },
    ModifySecurityGroupRules: { detail: ec2({ requestParameters: { ModifySecurityGroupRulesRequest: { GroupId: 'sg-1' } } }), ids: ['sg-1'] },
    'AuthorizeSecurityGroupEgress with null request parameters': { detail: ec2({ requestParameters: null }), sweep: true },
    CreateVpc: { detail: ec2({ responseElements: { vpc: { vpcId: 'vpc-1', ownerId: accountId } } }), sweep: true },
    DeleteVpc: { detail: ec2({ requestParameters: { vpcId: 'vpc-1' } }), sweep: true },
    CreateDefaultVpc: { detail: ec2({ responseElements: { vpc: { vpcId: 'vpc-1', isDefault: true } } }), sweep: true },
  },
});
