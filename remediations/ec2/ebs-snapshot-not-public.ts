import { DescribeSnapshotAttributeCommand, EC2Client, ModifySnapshotAttributeCommand, paginateDescribeSnapshots } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { type Aws, defineControl, leafOf, orUndefined, pagesOf, refTo, required } from '../define.ts';
import { againstPublicAccess, notPublic, onEc2Calls, type PublicGroups, requested } from './ec2.ts';

// The ARN of a snapshot holds no account:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-resources-for-iam-policies
const snapshots = { resourceType: 'AWS::EC2::Snapshot', arn: 'arn:{partition}:ec2:{region}::snapshot/{id}' };

async function groupsOf(aws: Aws, SnapshotId: string): Promise<{ groups: PublicGroups } | undefined> {
  const attribute = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission' });
  const answer = await orUndefined(aws.client(EC2Client).send(attribute), 'InvalidSnapshot.NotFound');
  return answer && { groups: required(answer.CreateVolumePermissions, 'CreateVolumePermissions').flatMap(({ Group }) => Group ?? []) };
}

export default defineControl({
  id: 'ebs-snapshot-not-public',
  title: 'EBS snapshots are not public',
  rationale: 'Anybody with an AWS account can make a disk of a public snapshot and read it; only unencrypted ones can be public.',
  severity: 'CRITICAL',
  ...snapshots,
  scope: 'regional',
  hipaa: againstPublicAccess,
  related: { securityHub: ['EC2.1'], configRule: ['ebs-snapshot-public-restorable-check'], prowler: ['ec2_ebs_public_snapshot'] },
  triggers: [
    onEc2Calls(
      ['DeleteSnapshot', 'ModifySnapshotAttribute', 'ResetSnapshotAttribute', 'RestoreSnapshotFromRecycleBin'],
      requested('SnapshotId', 'RestoreSnapshotFromRecycleBin'),
    ),
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['ec2:create-volume-permission'],
  permissions: {
    inspect: ['ec2:DescribeSnapshots', 'ec2:DescribeSnapshotAttribute'],
    remediate: ['ec2:ModifySnapshotAttribute'],
    undo: ['ec2:ModifySnapshotAttribute'],
  },
  impact: 'A data set published on purpose stops being public; accounts it is shared with by number keep their access.',
  defaultMode: 'fix',
  endsPublicExposure: true,
  reportTransient: true,

  // AWS refuses to make an encrypted snapshot public: no need to ask. RestorableByUserIds=all would be one call,
  // but nothing says that it still shows what "block all sharing" merely hides.
  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeSnapshots({ client: aws.client(EC2Client), startingToken }, { OwnerIds: ['self'], MaxResults: 100 }),
      ({ NextToken }) => NextToken,
      ({ Snapshots }) =>
        required(Snapshots, 'Snapshots')
          .filter(({ OwnerId }) => OwnerId === aws.accountId)
          .map(({ SnapshotId, Encrypted }) => (Encrypted ? [refTo(snapshots, aws, SnapshotId), { groups: [] }] : [refTo(snapshots, aws, SnapshotId)])),
    ),
  inspect: (resource, aws) => groupsOf(aws, leafOf(resource)),

  ...notPublic({
    exposure: 'Everybody with an AWS account may make volumes from the snapshot.',
    action: 'ec2:ModifySnapshotAttribute',
    member: 'createVolumePermission',
    ending: ['DeleteSnapshot', 'ResetSnapshotAttribute'],
    allow: (aws, SnapshotId, OperationType) =>
      aws.client(EC2Client).send(new ModifySnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission', OperationType, GroupNames: ['all'] })),
  }),
});
