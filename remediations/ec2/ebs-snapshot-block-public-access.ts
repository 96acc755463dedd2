import {
  DisableSnapshotBlockPublicAccessCommand,
  EC2Client,
  EnableSnapshotBlockPublicAccessCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  paginateDescribeSnapshots,
  type SnapshotBlockPublicAccessState,
} from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  type Aws,
  accountArn,
  blocked,
  type CloudTrailDetail,
  change,
  compliant,
  defineControl,
  listAccount,
  nonCompliant,
  required,
  theAccount,
  wordAt,
} from '../define.ts';
import { againstPublicAccess, onEc2Calls } from './ec2.ts';

const account = { resourceType: 'AWS::EC2::SnapshotBlockPublicAccess', arn: accountArn };

interface State {
  readonly sharing: SnapshotBlockPublicAccessState;
  /** An Organizations declarative policy holds the setting; the account cannot change it. */
  readonly declared: boolean;
  /** Some snapshot is public now. Asked only while nothing is blocked. */
  readonly published: boolean;
}

async function stateOf(aws: Aws): Promise<State> {
  const { State: sharing, ManagedBy } = await aws.client(EC2Client).send(new GetSnapshotBlockPublicAccessStateCommand({}));
  return { sharing: required(sharing, 'State'), declared: ManagedBy === 'declarative-policy', published: sharing === 'unblocked' && (await anyPublished(aws)) };
}

async function anyPublished(aws: Aws): Promise<boolean> {
  const pages = paginateDescribeSnapshots({ client: aws.client(EC2Client) }, { OwnerIds: ['self'], RestorableByUserIds: ['all'], MaxResults: 1_000 });
  for await (const { Snapshots } of pages) if (required(Snapshots, 'Snapshots').length > 0) return true;
  return false;
}

const asked = (detail: CloudTrailDetail) => wordAt(detail, 'requestParameters.EnableSnapshotBlockPublicAccessRequest.State');

export default defineControl({
  id: 'ebs-snapshot-block-public-access',
  title: 'Public sharing of EBS snapshots is blocked for the account',
  rationale: 'With the block on, no single wrong call can publish a disk that holds ePHI.',
  severity: 'HIGH',
  ...account,
  scope: 'regional',
  hipaa: againstPublicAccess,
  related: { securityHub: ['EC2.182'], configRule: ['ebs-snapshot-block-public-access'], prowler: ['ec2_ebs_snapshot_account_block_public_access'] },
  triggers: [
    // Enable can weaken as well: from all sharing to new sharing.
    onEc2Calls(['DisableSnapshotBlockPublicAccess', 'EnableSnapshotBlockPublicAccess'], theAccount, ['DisableSnapshotBlockPublicAccess']),
    { source: 'config', resourceType: account.resourceType },
  ],
  params: z.strictObject({
    state: z
      .enum(['block-all-sharing', 'block-new-sharing'])
      .default('block-all-sharing')
      .describe('block-all-sharing also hides snapshots that are public already; block-new-sharing accepts either state'),
  }),
  reads: 1,
  writes: ['ec2:snapshot-block-public-access'],
  permissions: {
    inspect: ['ec2:GetSnapshotBlockPublicAccessState', 'ec2:DescribeSnapshots'],
    remediate: ['ec2:EnableSnapshotBlockPublicAccess'],
    undo: ['ec2:DisableSnapshotBlockPublicAccess'],
  },
  impact: 'Nobody in the account can publish a snapshot. Where some are public, a person decides what becomes of them first.',
  defaultMode: 'fix',
  endsPublicExposure: true,
  reportTransient: 'while it exists',
  opens: (detail, { state }) =>
    detail.eventName === 'DisableSnapshotBlockPublicAccess' || (state === 'block-all-sharing' && asked(detail) === 'block-new-sharing'),
  closes: (detail, { state }) => ['block-all-sharing', state].includes(asked(detail) ?? ''),

  list: listAccount(account),
  inspect: (_, aws) => stateOf(aws),

  evaluate({ sharing }, { state }) {
    if (sharing === 'unblocked') return nonCompliant('Snapshots can be shared with everybody.');
    return sharing === 'block-all-sharing' || sharing === state
      ? compliant(`The setting is ${sharing}.`)
      : nonCompliant('Only new public sharing is blocked; snapshots that were public before still are.');
  },

  plan({ sharing, declared, published }, { state }) {
    if (declared) return blocked('A declarative policy of AWS Organizations holds this setting: change it there.');
    // Block-new-sharing is a choice somebody made for snapshots that are to stay public.
    if (sharing !== 'unblocked') return blocked('Snapshots published before would vanish for others: make them private, then enable block-all-sharing.');
    if (published && state === 'block-all-sharing') {
      return blocked('Some snapshots are public and would vanish for others: make them private first, or set the parameter state to block-new-sharing.');
    }
    return change<SnapshotBlockPublicAccessState>({
      action: 'ec2:EnableSnapshotBlockPublicAccess',
      summary: `Set public sharing of snapshots to ${state}`,
      before: sharing,
      after: state,
    });
  },

  setting: ({ sharing }) => sharing,
  async remediate(_, { after }, aws) {
    await aws.client(EC2Client).send(new EnableSnapshotBlockPublicAccessCommand({ State: after }));
  },
  // The plan starts from "unblocked" only, so that is what undo comes back to.
  async undo(_, __, aws) {
    await aws.client(EC2Client).send(new DisableSnapshotBlockPublicAccessCommand({}));
  },
});
