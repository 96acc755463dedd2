import {
  AuthorizeSecurityGroupIngressCommand,
  CreateManagedPrefixListCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  type IpPermission,
} from '@aws-sdk/client-ec2';
import { expect, test } from '@jest/globals';
import control from '../../../remediations/ec2/security-group-no-world-ssh-rdp.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const group =
  (...IpPermissions: IpPermission[]): Arrange =>
  async (admin) => {
    const ec2 = admin.client(EC2Client);
    const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'bastion', Description: 'bastion' }));
    if (IpPermissions.length > 0) await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
    return GroupId!;
  };

/** The group's one rule lets a prefix list in. */
const listed =
  (...cidrs: string[]): Arrange =>
  async (admin) => {
    const { PrefixList } = await admin
      .client(EC2Client)
      .send(new CreateManagedPrefixListCommand({ PrefixListName: 'offices', AddressFamily: 'IPv4', MaxEntries: 5, Entries: cidrs.map((Cidr) => ({ Cidr })) }));
    return group({ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, PrefixListIds: [{ PrefixListId: PrefixList!.PrefixListId }] })(admin);
  };

const tcp = (FromPort: number, ToPort: number, ...cidrs: string[]): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort,
  ToPort,
  IpRanges: cidrs.map((CidrIp) => ({ CidrIp })),
});
const tcp6 = (port: number, CidrIpv6: string): IpPermission => ({ IpProtocol: 'tcp', FromPort: port, ToPort: port, Ipv6Ranges: [{ CidrIpv6 }] });
const one = (port: number, CidrIp: string): IpPermission => tcp(port, port, CidrIp);

const ec2 = (parts: object) => ({ eventSource: 'ec2.amazonaws.com', ...parts });
const rule = {
  items: [{ groupId: 'sg-1', groupOwnerId: '123456789012', securityGroupRuleId: 'sgr-1', isEgress: false, ipProtocol: 'tcp', cidrIpv4: '0.0.0.0/0' }],
};

testControl(control, {
  compliant: {
    'no rules': group(),
    'HTTPS from the world': group(one(443, '0.0.0.0/0')),
    'SSH from a private range of /8': group(one(22, '10.0.0.0/8')),
    'SSH from the private IPv6 range, /7': group(tcp6(22, 'fc00::/7')),
    'UDP over the ports': group({ IpProtocol: 'udp', FromPort: 1, ToPort: 65_535, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }),
    'ping from the world': group({ IpProtocol: 'icmp', FromPort: -1, ToPort: -1, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }),
    'SSH open, but only RDP is asked for': { given: group(one(22, '0.0.0.0/0')), params: { ports: [3389] } },
    'a prefix list of offices': listed('203.0.113.0/24', '198.51.100.0/24'),
  },
  remediated: {
    'SSH from the world, the description kept for undo': {
      given: group(
        { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'temporary' }, { CidrIp: '198.51.100.7/32' }] },
        one(443, '0.0.0.0/0'),
      ),
      annotation: 'The world is let in: tcp 22 from 0.0.0.0/0.',
      change: {
        summary: 'Revoke tcp 22 from 0.0.0.0/0',
        before: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'temporary' }] }],
        after: [],
      },
      async then(admin, id) {
        const { SecurityGroups } = await admin.client(EC2Client).send(new DescribeSecurityGroupsCommand({ GroupIds: [id.split('/')[1]!] }));
        expect(SecurityGroups![0]!.IpPermissions!.map(({ FromPort, IpRanges }) => ({ FromPort, IpRanges }))).toEqual([
          { FromPort: 22, IpRanges: [{ CidrIp: '198.51.100.7/32' }] },
          { FromPort: 443, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
        ]);
      },
    },
    'RDP over IPv6': { given: group(tcp6(3389, '::/0')), change: { before: [tcp6(3389, '::/0')] } },
    'all of the public IPv6 range': { given: group(tcp6(22, '2000::/3')), annotation: '2000::/3' },
    'the world cut in two': {
      given: group(one(22, '0.0.0.0/1'), one(22, '128.0.0.0/1')),
      change: { before: [one(22, '0.0.0.0/1'), one(22, '128.0.0.0/1')] },
    },
    'a range of ports that covers one, where wide rules may go': {
      given: group(tcp(0, 65_535, '0.0.0.0/0')),
      params: { revokeWideRules: true },
      annotation: 'tcp 0-65535 from',
    },
    'a range of exactly the ports': { given: group(tcp(22, 23, '0.0.0.0/0')), params: { ports: [22, 23] } },
    'all traffic, where wide rules may go': {
      given: group({ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }),
      params: { revokeWideRules: true },
      annotation: 'all traffic from 0.0.0.0/0',
      change: { before: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] },
    },
    'another port, by parameter': { given: group(one(5432, '0.0.0.0/0')), params: { ports: [5432] } },
    'a prefix list that holds the world': { given: listed('203.0.113.0/24', '0.0.0.0/0'), annotation: 'tcp 22 from pl-' },
  },
  blocked: {
    'a range that opens HTTPS too': { given: group(tcp(0, 65_535, '0.0.0.0/0')), reason: 'would be cut off: split tcp 0-65535' },
    'all traffic, at once with SSH alone': {
      given: group({ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }, one(22, '0.0.0.0/0')),
      reason: 'split all traffic from 0.0.0.0/0',
    },
  },
  gone: 'sg-0123456789abcdef0',
  events: {
    AuthorizeSecurityGroupIngress: {
      detail: ec2({
        requestParameters: { groupId: 'sg-1', cidrIp: '0.0.0.0/0', fromPort: 22, toPort: 22, ipProtocol: 'tcp', ipPermissions: {} },
        responseElements: { _return: true, securityGroupRuleSet: rule },
      }),
      ids: ['sg-1'],
    },
    'AuthorizeSecurityGroupIngress by the name of the group': {
      detail: ec2({ requestParameters: { groupName: 'default', ipPermissions: { items: [] } }, responseElements: { securityGroupRuleSet: rule } }),
      ids: ['sg-1'],
    },
    'AuthorizeSecurityGroupIngress by name, from before rules had ids': {
      detail: ec2({ requestParameters: { groupName: 'default' }, responseElements: { _return: true } }),
      sweep: true,
    },
    DeleteSecurityGroup: { detail: ec2({ requestParameters: { groupId: 'sg-1' }, responseElements: { _return: true } }), ids: ['sg-1'] },
    'DeleteSecurityGroup by name': { detail: ec2({ requestParameters: { groupName: 'web' }, responseElements: { _return: true } }), sweep: true },
    DeleteVpc: { detail: ec2({ requestParameters: { vpcId: 'vpc-1' }, responseElements: { _return: true } }), sweep: true },
    RevokeSecurityGroupIngress: { detail: ec2({ requestParameters: { groupId: 'sg-1', ipPermissions: {} } }), ids: ['sg-1'] },
    ModifySecurityGroupRules: {
      detail: ec2({
        requestParameters: {
          ModifySecurityGroupRulesRequest: {
            GroupId: 'sg-1',
            SecurityGroupRule: { tag: 1, SecurityGroupRuleId: 'sgr-1', SecurityGroupRule: { CidrIpv4: '0.0.0.0/0' } },
          },
        },
      }),
      ids: ['sg-1'],
    },
    'ModifySecurityGroupRules with null request parameters': { detail: ec2({ requestParameters: null }), sweep: true },
    ModifyManagedPrefixList: { detail: ec2({ requestParameters: { ModifyManagedPrefixListRequest: { PrefixListId: 'pl-1' } } }), sweep: true },
    RestoreManagedPrefixListVersion: { detail: ec2({ requestParameters: { RestoreManagedPrefixListVersionRequest: { PrefixListId: 'pl-1' } } }), sweep: true },
  },
});

test('rules that let in somebody known are no part of the setting: an undo leaves them alone, and is not refused for one that came later', () => {
  const lists = [{ PrefixListId: 'pl-world' }, { PrefixListId: 'pl-offices' }].map((list) => ({ ...tcp(22, 22), IpRanges: undefined, PrefixListIds: [list] }));
  const open = [one(22, '0.0.0.0/0'), tcp6(443, '::/0'), lists[0]!];
  const state = { ingress: [...open, one(22, '198.51.100.7/32'), one(443, '10.0.0.0/8'), lists[1]!], worldLists: ['pl-world'] };
  expect(control.setting!(state)).toEqual(open);
});
