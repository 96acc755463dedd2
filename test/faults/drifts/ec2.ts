import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotAttributeCommand,
  DescribeVolumesCommand,
  DisableEbsEncryptionByDefaultCommand,
  EC2Client,
  EnableEbsEncryptionByDefaultCommand,
  GetEbsEncryptionByDefaultCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { plain, type Scenario } from './model.ts';

export const worldSsh: Scenario = {
  name: 'SSH from the world',
  controls: ['security-group-no-world-ssh-rdp'],
  fixes: true,
  async make(admin, GroupName) {
    const ec2 = admin.client(EC2Client);
    const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName, Description: 'bastion' }));
    const again = async () =>
      void (await ec2.send(
        new AuthorizeSecurityGroupIngressCommand({
          GroupId,
          IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'temporary' }] }],
        }),
      ));
    await again();
    return {
      broken: [
        {
          control: 'security-group-no-world-ssh-rdp',
          id: `arn:aws:ec2:${admin.region}:${admin.accountId}:security-group/${GroupId}`,
          region: admin.region,
          right: (live) => (live as unknown[]).length === 0,
        },
      ],
      told: { source: 'ec2', eventName: 'AuthorizeSecurityGroupIngress', detail: { requestParameters: { groupId: GroupId } } },
      marks: [GroupId!],
      again,
      read: async () => (await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }))).SecurityGroups![0]!.IpPermissions ?? [],
    };
  },
};

export const publicVolumeSnapshot: Scenario = {
  name: 'public snapshot of a volume',
  controls: ['ebs-snapshot-not-public'],
  fixes: true,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 8 }));
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    const Attribute = 'createVolumePermission';
    const again = async () =>
      void (await ec2.send(
        new ModifySnapshotAttributeCommand({ SnapshotId, Attribute, OperationType: 'add', GroupNames: ['all'], UserIds: ['111122223333'] }),
      ));
    await again();
    return {
      broken: [
        {
          control: 'ebs-snapshot-not-public',
          id: `arn:aws:ec2:${admin.region}::snapshot/${SnapshotId}`,
          region: admin.region,
          right: (live) => plain(live) === plain([{ UserId: '111122223333' }]),
        },
      ],
      told: {
        source: 'ec2',
        eventName: 'ModifySnapshotAttribute',
        detail: {
          requestParameters: {
            snapshotId: SnapshotId,
            attributeType: 'CREATE_VOLUME_PERMISSION',
            createVolumePermission: { add: { items: [{ group: 'all' }] } },
          },
        },
      },
      marks: [SnapshotId!],
      again,
      read: async () => (await ec2.send(new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }))).CreateVolumePermissions ?? [],
    };
  },
};

export const clearVolume: Scenario = {
  name: 'volume in clear, whose swap is left to a person',
  controls: ['ebs-volume-encrypted'],
  fixes: false,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 8, Encrypted: false }));
    return {
      broken: [
        {
          control: 'ebs-volume-encrypted',
          id: `arn:aws:ec2:${admin.region}:${admin.accountId}:volume/${VolumeId}`,
          region: admin.region,
          right: (live) => live === true,
        },
      ],
      told: {
        source: 'ec2',
        eventName: 'CreateVolume',
        detail: { requestParameters: { size: '8', encrypted: false }, responseElements: { volumeId: VolumeId, encrypted: false } },
      },
      marks: [VolumeId!],
      again: async () => undefined,
      read: async () => (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }))).Volumes![0]!.Encrypted,
    };
  },
};

export const defaultEncryption: Scenario = {
  name: 'default encryption of volumes off in a region',
  controls: ['ebs-encryption-by-default'],
  fixes: true,
  alone: true,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const again = async () => void (await ec2.send(new DisableEbsEncryptionByDefaultCommand({})));
    await again();
    return {
      broken: [{ control: 'ebs-encryption-by-default', id: `arn:aws:iam::${admin.accountId}:root`, region: admin.region, right: (live) => live === true }],
      told: { source: 'ec2', eventName: 'DisableEbsEncryptionByDefault', detail: { requestParameters: {} } },
      marks: ['EnableEbsEncryptionByDefault'],
      again,
      repair: async () => void (await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))),
      read: async () => (await ec2.send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault,
    };
  },
};
