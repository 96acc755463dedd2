/** Rules of security groups. */
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateManagedPrefixListCommand,
  CreateSecurityGroupCommand,
  CreateVpcCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  type IpPermission,
  RevokeSecurityGroupEgressCommand,
} from '@aws-sdk/client-ec2';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { own } from '../../support/arbitraries.ts';
import type { RoundTrip, Told } from '../../support/round-trip.ts';

type Source = Pick<IpPermission, 'IpRanges' | 'Ipv6Ranges' | 'PrefixListIds' | 'UserIdGroupPairs'>;
type Rule = IpPermission & Source;

/** Stand for ids that only AWS gives. */
const ids = { world: 'LIST-WORLD', offices: 'LIST-OFFICES', group: 'GROUP' };

const sources = (kind: 'world' | 'known'): readonly Source[] =>
  kind === 'world'
    ? [
        { IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
        { IpRanges: [{ CidrIp: '128.0.0.0/1' }] },
        { Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
        { Ipv6Ranges: [{ CidrIpv6: '2000::/3' }] },
        { PrefixListIds: [{ PrefixListId: ids.world }] },
      ]
    : [
        { IpRanges: [{ CidrIp: '198.51.100.7/32' }] },
        { IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
        { Ipv6Ranges: [{ CidrIpv6: '2001:db8::/32' }] },
        { PrefixListIds: [{ PrefixListId: ids.offices }] },
        { UserIdGroupPairs: [{ GroupId: ids.group, UserId: own }] },
      ];

const described = (source: Source, Description: string | undefined): Source =>
  Description === undefined || source.PrefixListIds
    ? source
    : (Object.fromEntries(Object.entries(source).map(([name, [of]]) => [name, [{ ...of, Description }]])) as Source);

type Traffic = Pick<IpPermission, 'IpProtocol' | 'FromPort' | 'ToPort'>;
const tcp = (FromPort: number, ToPort = FromPort): Traffic => ({ IpProtocol: 'tcp', FromPort, ToPort });

const rules = (traffic: readonly Traffic[], kind: 'world' | 'known', minLength: number): fc.Arbitrary<readonly Rule[]> =>
  fc
    .subarray(
      traffic.flatMap((of) => sources(kind).map((source) => ({ of, source }))),
      { minLength, maxLength: 4 },
    )
    .chain((list) =>
      fc.tuple(
        ...list.map(({ of, source }) => fc.constantFrom(undefined, 'temporary', 'asked for by Dana').map((text) => ({ ...of, ...described(source, text) }))),
      ),
    );

const list = async (aws: Aws, PrefixListName: string, ...cidrs: readonly string[]) => {
  const Entries = cidrs.map((Cidr) => ({ Cidr }));
  const { PrefixList } = await aws
    .client(EC2Client)
    .send(new CreateManagedPrefixListCommand({ PrefixListName, AddressFamily: 'IPv4', MaxEntries: 5, Entries }));
  return PrefixList!.PrefixListId!;
};

/** The rules with real ids in them. */
async function real(aws: Aws, rules: readonly Rule[], name: string, group: string): Promise<IpPermission[]> {
  const text = JSON.stringify(rules);
  const world = text.includes(ids.world) ? await list(aws, `${name}-world`, '203.0.113.0/24', '0.0.0.0/0') : '';
  const offices = text.includes(ids.offices) ? await list(aws, `${name}-offices`, '203.0.113.0/24') : '';
  return JSON.parse(text.replaceAll(ids.world, world).replaceAll(ids.offices, offices).replaceAll(ids.group, group));
}

const groupOf = async (aws: Aws, id: string) => (await aws.client(EC2Client).send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }))).SecurityGroups![0]!;

/** One text a rule, whichever way AWS groups them; the description too. */
const asTexts = (permissions: readonly IpPermission[] = []): string[] =>
  permissions
    .flatMap(({ IpProtocol, FromPort, ToPort, IpRanges = [], Ipv6Ranges = [], PrefixListIds = [], UserIdGroupPairs = [] }) =>
      [...IpRanges, ...Ipv6Ranges, ...PrefixListIds, ...UserIdGroupPairs].map(
        (source) => `${IpProtocol} ${FromPort}-${ToPort} ${JSON.stringify(source, Object.keys(source).sort())}`,
      ),
    )
    .sort();

const late: IpPermission = { IpProtocol: 'tcp', FromPort: 8443, ToPort: 8443, IpRanges: [{ CidrIp: '192.0.2.0/24', Description: 'late' }] };
const authorize = (aws: Aws, GroupId: string, IpPermissions: IpPermission[]) =>
  aws.client(EC2Client).send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));

const forgets = 'moto forgets what a rule with a prefix list is described as';

interface Ingress {
  readonly open: readonly Rule[];
  readonly others: readonly Rule[];
  readonly wide: boolean;
}

const worldPorts = [tcp(22), tcp(3389)];
const wideTraffic: readonly Traffic[] = [tcp(0, 65_535), tcp(20, 30), { IpProtocol: '-1' }];
const harmless: readonly Traffic[] = [tcp(443), { IpProtocol: 'udp', FromPort: 1, ToPort: 65_535 }, { IpProtocol: 'icmp', FromPort: -1, ToPort: -1 }];

const noWorldSsh: RoundTrip<Ingress> = {
  moto: forgets,
  prior: fc.boolean().chain((wide) =>
    fc.record({
      open: rules(wide ? [...worldPorts, ...wideTraffic] : worldPorts, 'world', 1),
      others: fc.tuple(rules(harmless, 'world', 0), rules([tcp(22), tcp(443)], 'known', 0)).map((lists) => lists.flat()),
      wide: fc.constant(wide),
    }),
  ),
  params: ({ wide }) => ({ revokeWideRules: wide }),
  async arrange(aws, { open, others }, name) {
    const { GroupId } = await aws.client(EC2Client).send(new CreateSecurityGroupCommand({ GroupName: name, Description: 'bastion' }));
    await authorize(aws, GroupId!, await real(aws, [...others, ...open], name, GroupId!));
    return GroupId!;
  },
  async told(aws, id, { open }): Promise<Told> {
    const { IpPermissions, ...group } = await groupOf(aws, id);
    const of = new Set(asTexts(open).map((text) => text.replace(/LIST-WORLD/, 'pl')));
    const isOpen = (text: string) => of.has(text.replace(/pl-\w+/, 'pl'));
    const texts = asTexts(IpPermissions);
    return { own: texts.filter(isOpen), other: { rules: texts.filter((text) => !isOpen(text)), group } };
  },
  async meanwhile(aws, id) {
    await authorize(aws, id, [late]);
  },
};

interface Both {
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

const anything: readonly Traffic[] = [{ IpProtocol: '-1' }, tcp(443), tcp(0, 65_535)];
const anyRules = (least: number) => fc.tuple(rules(anything, 'world', 0), rules(anything, 'known', least)).map((lists) => lists.flat());

const defaultClosed: RoundTrip<Both> = {
  moto: forgets,
  drifts: true,
  prior: fc.oneof(fc.record({ ingress: anyRules(1), egress: anyRules(0) }), fc.record({ ingress: fc.constant([]), egress: anyRules(1) })),
  async arrange(aws, { ingress, egress }, name) {
    const ec2 = aws.client(EC2Client);
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.1.0.0/16', AmazonProvidedIpv6CidrBlock: true }));
    const Filters = [
      { Name: 'vpc-id', Values: [Vpc!.VpcId!] },
      { Name: 'group-name', Values: ['default'] },
    ];
    const made = (await ec2.send(new DescribeSecurityGroupsCommand({ Filters }))).SecurityGroups![0]!;
    const GroupId = made.GroupId!;
    await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: made.IpPermissionsEgress }));
    if (ingress.length > 0) await authorize(aws, GroupId, await real(aws, ingress, name, GroupId));
    const IpPermissions = await real(aws, egress, `${name}-out`, GroupId);
    if (egress.length > 0) await ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
    return GroupId;
  },
  async told(aws, id) {
    const { IpPermissions, IpPermissionsEgress, ...group } = await groupOf(aws, id);
    const isLate = (text: string) => text.includes('"late"');
    const ingress = asTexts(IpPermissions);
    return { own: { ingress: ingress.filter((text) => !isLate(text)), egress: asTexts(IpPermissionsEgress) }, other: { late: ingress.filter(isLate), group } };
  },
  async meanwhile(aws, id) {
    await authorize(aws, id, [late]);
  },
};

export const securityGroups = { 'security-group-no-world-ssh-rdp': noWorldSsh, 'vpc-default-security-group-closed': defaultClosed };
