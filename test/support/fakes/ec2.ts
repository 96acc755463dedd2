/** Block public access for snapshots, which moto lacks. Answers have the SDK's shapes; snapshots are only public or not. */
import {
  DescribeSnapshotsCommand,
  DisableSnapshotBlockPublicAccessCommand,
  EC2Client,
  EC2ServiceException,
  EnableSnapshotBlockPublicAccessCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  type GetSnapshotBlockPublicAccessStateResult,
  type Snapshot,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';

export interface FakeSnapshotSharing {
  /** The region's setting and the ids of its public snapshots. */
  set(setting: GetSnapshotBlockPublicAccessStateResult, ...published: readonly string[]): void;
  restore(): void;
}

export function fakeSnapshotSharing(): FakeSnapshotSharing {
  let setting: GetSnapshotBlockPublicAccessStateResult = { State: 'unblocked', ManagedBy: 'account' };
  let published: readonly string[] = [];
  const ec2 = mockClient(EC2Client);
  const move = (State: GetSnapshotBlockPublicAccessStateResult['State']) => {
    if (setting.ManagedBy === 'declarative-policy') {
      throw new EC2ServiceException({ name: 'DeclarativePolicyViolation', message: 'managed by a declarative policy', $fault: 'client', $metadata: {} });
    }
    setting = { ...setting, State };
    return { State };
  };
  ec2.on(GetSnapshotBlockPublicAccessStateCommand).callsFake(async () => setting);
  ec2.on(EnableSnapshotBlockPublicAccessCommand).callsFake(async ({ State }) => move(State));
  ec2.on(DisableSnapshotBlockPublicAccessCommand).callsFake(async () => move('unblocked'));
  ec2.on(DescribeSnapshotsCommand).callsFake(async ({ NextToken }): Promise<{ Snapshots: Snapshot[]; NextToken?: string }> => {
    // A filtered listing may begin with empty pages.
    if (!NextToken) return { Snapshots: [], NextToken: 'second' };
    return { Snapshots: published.map((SnapshotId) => ({ SnapshotId, Encrypted: false, OwnerId: '123456789012', State: 'completed' })) };
  });
  return {
    set(next, ...ids) {
      setting = next;
      published = ids;
    },
    restore: () => ec2.restore(),
  };
}
