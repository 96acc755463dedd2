import { CreateSnapshotCommand, CreateVolumeCommand, DescribeSnapshotAttributeCommand, EC2Client, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { expect } from '@jest/globals';
import control from '../../../remediations/ec2/ebs-snapshot-not-public.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

interface Shared {
  readonly GroupNames?: string[];
  readonly UserIds?: string[];
  readonly Encrypted?: boolean;
}

const snapshot =
  ({ Encrypted = false, ...shared }: Shared = {}): Arrange =>
  async (admin) => {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8, Encrypted }));
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    if (shared.GroupNames || shared.UserIds) {
      await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission', OperationType: 'add', ...shared }));
    }
    return SnapshotId!;
  };

const ec2 = (requestParameters: unknown) => ({ eventSource: 'ec2.amazonaws.com', requestParameters });
const permission = (createVolumePermission: object) => ec2({ snapshotId: 'snap-1', attributeType: 'CREATE_VOLUME_PERMISSION', createVolumePermission });

testControl(control, {
  compliant: {
    'never shared': snapshot(),
    'shared with one account': snapshot({ UserIds: ['111122223333'] }),
    encrypted: snapshot({ Encrypted: true }),
  },
  remediated: {
    public: { given: snapshot({ GroupNames: ['all'] }), annotation: 'Everybody', change: { before: ['all'], after: [] } },
    'public and shared with one account, which keeps its access': {
      given: snapshot({ GroupNames: ['all'], UserIds: ['111122223333'] }),
      change: { before: ['all'], after: [] },
      async then(admin, id) {
        const attribute = new DescribeSnapshotAttributeCommand({ SnapshotId: id.split('/')[1], Attribute: 'createVolumePermission' });
        expect((await admin.client(EC2Client).send(attribute)).CreateVolumePermissions).toEqual([{ UserId: '111122223333' }]);
      },
    },
  },
  gone: 'snap-0123456789abcdef0',
  events: {
    'ModifySnapshotAttribute makes it public': { detail: permission({ add: { items: [{ group: 'all' }] } }), ids: ['snap-1'] },
    'ModifySnapshotAttribute that repairs': { detail: permission({ remove: { items: [{ group: 'all' }] } }), ids: ['snap-1'] },
    DeleteSnapshot: { detail: ec2({ snapshotId: 'snap-1' }), ids: ['snap-1'] },
    RestoreSnapshotFromRecycleBin: { detail: ec2({ RestoreSnapshotFromRecycleBinRequest: { SnapshotId: 'snap-1' } }), ids: ['snap-1'] },
    ResetSnapshotAttribute: { detail: ec2({ snapshotId: 'snap-1', attributeType: 'CREATE_VOLUME_PERMISSION' }), ids: ['snap-1'] },
    'ModifySnapshotAttribute with null request parameters': { detail: { ...ec2(null), eventName: 'ModifySnapshotAttribute' }, sweep: true },
  },
});
