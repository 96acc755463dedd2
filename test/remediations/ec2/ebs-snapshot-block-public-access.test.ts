import type { GetSnapshotBlockPublicAccessStateResult } from '@aws-sdk/client-ec2';
import control from '../../../remediations/ec2/ebs-snapshot-block-public-access.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';
import { type FakeSnapshotSharing, fakeSnapshotSharing } from '../../support/fakes/ec2.ts';

let fake: FakeSnapshotSharing;

const region =
  (
    State: GetSnapshotBlockPublicAccessStateResult['State'],
    published: string[] = [],
    ManagedBy: GetSnapshotBlockPublicAccessStateResult['ManagedBy'] = 'account',
  ): Arrange =>
  async () => {
    fake.set({ State, ManagedBy }, ...published);
    return `arn:aws:iam::${accountId}:root`;
  };

const ec2 = (requestParameters: unknown) => ({ eventSource: 'ec2.amazonaws.com', requestParameters });
const newOnly = { state: 'block-new-sharing' } as const;

testControl(control, {
  fake: () => {
    fake = fakeSnapshotSharing();
    return fake;
  },
  compliant: {
    'all sharing blocked': region('block-all-sharing'),
    'more blocked than asked for': { given: region('block-all-sharing'), params: newOnly },
    'new sharing blocked, where that is enough': { given: region('block-new-sharing', ['snap-1']), params: newOnly },
  },
  remediated: {
    'unblocked, nothing published': {
      given: region('unblocked'),
      annotation: 'with everybody',
      change: { before: 'unblocked', after: 'block-all-sharing' },
    },
    'unblocked with public snapshots, which stay public': {
      given: region('unblocked', ['snap-1']),
      params: newOnly,
      change: { before: 'unblocked', after: 'block-new-sharing' },
    },
  },
  blocked: {
    'unblocked with public snapshots that would vanish': { given: region('unblocked', ['snap-1']), reason: 'make them private first' },
    'somebody chose to block new sharing only': { given: region('block-new-sharing'), annotation: 'Only new', reason: 'make them private' },
    'a declarative policy holds the setting': { given: region('unblocked', [], 'declarative-policy'), reason: 'AWS Organizations' },
  },
  events: {
    DisableSnapshotBlockPublicAccess: { detail: ec2({ DisableSnapshotBlockPublicAccessRequest: '' }), ids: [''] },
    EnableSnapshotBlockPublicAccess: { detail: ec2({ EnableSnapshotBlockPublicAccessRequest: { State: 'block-new-sharing' } }), ids: [''] },
    'DisableSnapshotBlockPublicAccess with null request parameters': { detail: ec2(null), ids: [''] },
  },
});
