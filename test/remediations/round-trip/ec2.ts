/** Images, snapshots, account settings and flow logs of EC2. */
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFlowLogsCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  DescribeFlowLogsCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DisableEbsEncryptionByDefaultCommand,
  EC2Client,
  GetEbsEncryptionByDefaultCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  type LaunchPermission,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { own, partners } from '../../support/arbitraries.ts';
import { type FakeSnapshotSharing, fakeSnapshotSharing } from '../../support/fakes/ec2.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

const root = `arn:aws:iam::${own}:root`;
/** Accounts that the resource is shared with by number. */
const accounts = fc.subarray(partners.slice(0, 2));
const late = partners[2]!;

const allow = (aws: Aws, ImageId: string, Add: LaunchPermission[]) =>
  aws.client(EC2Client).send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add } }));

const image: RoundTrip<readonly string[]> = {
  prior: accounts,
  async arrange(aws, accounts, name) {
    const { ImageId } = await aws.client(EC2Client).send(new RegisterImageCommand({ Name: name, RootDeviceName: '/dev/xvda' }));
    await allow(aws, ImageId!, [...accounts.map((UserId) => ({ UserId })), { Group: 'all' }]);
    return ImageId!;
  },
  async told(aws, ImageId) {
    const ec2 = aws.client(EC2Client);
    const { LaunchPermissions = [] } = await ec2.send(new DescribeImageAttributeCommand({ ImageId, Attribute: 'launchPermission' }));
    const { Public, ...image } = (await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }))).Images![0]!;
    const groups = LaunchPermissions.flatMap(({ Group }) => Group ?? []);
    return { own: { Public, groups }, other: { image, accounts: LaunchPermissions.flatMap(({ UserId }) => UserId ?? []).sort() } };
  },
  async meanwhile(aws, ImageId) {
    await allow(aws, ImageId, [{ UserId: late }]);
  },
};

const share = (aws: Aws, SnapshotId: string, to: { readonly UserIds?: string[]; readonly GroupNames?: string[] }) =>
  aws.client(EC2Client).send(new ModifySnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission', OperationType: 'add', ...to }));

const snapshot: RoundTrip<readonly string[]> = {
  prior: accounts,
  async arrange(aws, accounts) {
    const ec2 = aws.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8 }));
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId, Description: 'records' }));
    await share(aws, SnapshotId!, { GroupNames: ['all'] });
    if (accounts.length > 0) await share(aws, SnapshotId!, { UserIds: [...accounts] });
    return SnapshotId!;
  },
  async told(aws, SnapshotId) {
    const ec2 = aws.client(EC2Client);
    const { CreateVolumePermissions = [] } = await ec2.send(new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission' }));
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
    const userIds = CreateVolumePermissions.flatMap(({ UserId }) => UserId ?? []).sort();
    return { own: CreateVolumePermissions.flatMap(({ Group }) => Group ?? []), other: { userIds, snapshot: Snapshots![0] } };
  },
  async meanwhile(aws, SnapshotId) {
    await share(aws, SnapshotId, { UserIds: [late] });
  },
};

const encryptionByDefault: RoundTrip<null> = {
  prior: fc.constant(null),
  async arrange(aws) {
    await aws.client(EC2Client).send(new DisableEbsEncryptionByDefaultCommand({}));
    return root;
  },
  async told(aws) {
    return { own: (await aws.client(EC2Client).send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault, other: null };
  },
  async clear(aws) {
    await aws.client(EC2Client).send(new DisableEbsEncryptionByDefaultCommand({}));
  },
};

interface Sharing {
  readonly published: readonly string[];
  readonly state: 'block-all-sharing' | 'block-new-sharing';
}

let sharing: FakeSnapshotSharing;
const blockedSharing: RoundTrip<Sharing> = {
  prior: fc.oneof(
    fc.record({ published: fc.constant([]), state: fc.constantFrom<Sharing['state']>('block-all-sharing', 'block-new-sharing') }),
    fc.record({ published: fc.constant(['snap-1', 'snap-2']), state: fc.constant<Sharing['state']>('block-new-sharing') }),
  ),
  fake() {
    sharing = fakeSnapshotSharing();
    return sharing;
  },
  params: ({ state }) => ({ state }),
  async arrange(_aws, { published }) {
    sharing.set({ State: 'unblocked', ManagedBy: 'account' }, ...published);
    return root;
  },
  async told(aws) {
    const { State, ManagedBy } = await aws.client(EC2Client).send(new GetSnapshotBlockPublicAccessStateCommand({}));
    const { Snapshots } = await aws.client(EC2Client).send(new DescribeSnapshotsCommand({ NextToken: 'second' }));
    return { own: State, other: { ManagedBy, Snapshots } };
  },
};

interface Logged {
  /** Flow logs that do not suffice. */
  readonly traffic: readonly ('ACCEPT' | 'REJECT')[];
  readonly to: 'bucket' | 'group';
}

const role = `arn:aws:iam::${own}:role/flow-logs`;
const archive = 'flow-log-archive';

async function flowLog(aws: Aws, VpcId: string, TrafficType: 'ACCEPT' | 'REJECT', LogGroupName: string): Promise<void> {
  await aws.client(CloudWatchLogsClient).send(new CreateLogGroupCommand({ logGroupName: LogGroupName }));
  const of = { ResourceType: 'VPC' as const, ResourceIds: [VpcId] };
  await aws.client(EC2Client).send(new CreateFlowLogsCommand({ ...of, TrafficType, LogGroupName, DeliverLogsPermissionArn: role }));
}

const flowLogs: RoundTrip<Logged> = {
  prior: fc.record({ traffic: fc.subarray(['ACCEPT', 'REJECT'] as const), to: fc.constantFrom('bucket', 'group') }),
  params: ({ to }) => ({ acceptTraffic: [], ...(to === 'bucket' ? { s3DestinationArn: `arn:aws:s3:::${archive}` } : { deliverLogsPermissionArn: role }) }),
  async arrange(aws, { traffic }, name) {
    await aws.client(S3Client).send(new CreateBucketCommand({ Bucket: archive }));
    const VpcId = (await aws.client(EC2Client).send(new CreateVpcCommand({ CidrBlock: '10.1.0.0/16' }))).Vpc!.VpcId!;
    for (const type of traffic) await flowLog(aws, VpcId, type, `${name}-${type}`);
    return VpcId;
  },
  // The log group that the fix makes stays, for logs may be in it; the control says so.
  async told(aws, VpcId) {
    const { FlowLogs = [] } = await aws.client(EC2Client).send(new DescribeFlowLogsCommand({ Filter: [{ Name: 'resource-id', Values: [VpcId] }] }));
    const [own, other] = [true, false].map((all) => FlowLogs.filter(({ TrafficType }) => (TrafficType === 'ALL') === all));
    return { own, other };
  },
  meanwhile: (aws, VpcId) => flowLog(aws, VpcId, 'REJECT', `late-${VpcId}`),
};

export const ec2 = {
  'ami-not-public': image,
  'ebs-snapshot-not-public': snapshot,
  'ebs-encryption-by-default': encryptionByDefault,
  'ebs-snapshot-block-public-access': blockedSharing,
  'vpc-flow-logs-enabled': flowLogs,
};
