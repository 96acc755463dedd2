import { type DBSnapshot, type DescribeDBSnapshotsCommandOutput, paginateDescribeDBSnapshots, RDSClient } from '@aws-sdk/client-rds';
import * as z from 'zod';
import {
  blocked,
  change,
  compliant,
  defineControl,
  idsAt,
  listed,
  nonCompliant,
  notApplicable,
  onCalls,
  pagesOf,
  refTo,
  required,
  valuesAt,
} from '../define.ts';
import { aboutReplacing, alreadyReplaced, type Kept, keepDays, keptVerdict, kmsKeyId, noRoomForTags, type Replaced, tag, tagsOf } from '../replaced.ts';
import { identifierOf, snapshotArn, snapshotNamed, snapshotType } from './rds.ts';
import { copyEncrypted, forgetCopy, keptOf, snapshotAt } from './snapshot-copy.ts';

const snapshots = { resourceType: snapshotType, arn: snapshotArn };

interface State {
  readonly encrypted: boolean;
  /** `manual`, `automated`, `awsbackup`. */
  readonly kind: string;
  readonly status: string;
  readonly noRoomForTags?: string;
  readonly kept?: Kept;
}

const stateOf = ({ Encrypted, SnapshotType, Status, TagList }: DBSnapshot): State => {
  const full = noRoomForTags(tagsOf(TagList));
  return {
    encrypted: required(Encrypted, 'Encrypted'),
    kind: required(SnapshotType, 'SnapshotType'),
    status: required(Status, 'Status'),
    ...(full && { noRoomForTags: full }),
  };
};

const tagsOnSnapshot: (detail: unknown) => boolean = (detail) =>
  valuesAt(detail, 'requestParameters.resourceName').some((name) => String(name).includes(':snapshot:')) &&
  aboutReplacing([...valuesAt(detail, 'requestParameters.tags[].key'), ...valuesAt(detail, 'requestParameters.tagKeys[]')]);

export default defineControl({
  id: 'rds-snapshot-encrypted',
  title: 'RDS instance snapshots are encrypted',
  rationale: 'Whoever gets hold of an unencrypted snapshot can restore it and read the whole database.',
  severity: 'HIGH',
  ...snapshots,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI where it is stored.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers the risk that a copy of a database discloses ePHI.' },
  ],
  related: { securityHub: ['RDS.4'], configRule: ['rds-snapshot-encrypted'], prowler: ['rds_snapshots_encrypted'] },
  triggers: [
    onCalls('rds.amazonaws.com', ['CopyDBSnapshot', 'CreateDBSnapshot', 'DeleteDBSnapshot'], snapshotNamed),
    onCalls('rds.amazonaws.com', ['AddTagsToResource', 'RemoveTagsFromResource'], idsAt('requestParameters.resourceName'), { concerns: tagsOnSnapshot }),
    { source: 'config', resourceType: snapshotType },
  ],
  params: z.strictObject({ kmsKeyId: kmsKeyId('alias/aws/rds', "alias/aws/rds = AWS's own for RDS, which other accounts cannot be given"), keepDays }),
  reads: 1,
  writes: ['rds:snapshot-encryption'],
  permissions: {
    inspect: ['rds:DescribeDBSnapshots'],
    remediate: ['rds:AddTagsToResource', 'rds:CopyDBSnapshot', 'rds:DescribeDBSnapshots', 'rds:RemoveTagsFromResource'],
    undo: ['rds:AddTagsToResource', 'rds:DescribeDBSnapshots', 'rds:RemoveTagsFromResource'],
  },
  impact:
    'An encrypted copy of another name stands beside the snapshot, with its tags and without its shares; who restores by name must use the new one. Both are charged for until a person deletes the old one. The instance, and the snapshots RDS makes of it, stay as they are.',
  defaultMode: 'approve',

  list: (aws, { from: startingToken }) =>
    pagesOf<DescribeDBSnapshotsCommandOutput, State>(
      paginateDescribeDBSnapshots({ client: aws.client(RDSClient), startingToken }, { SnapshotType: 'manual', MaxRecords: 100 }),
      ({ Marker }) => Marker,
      // What has replaced a snapshot is read one by one.
      ({ DBSnapshots = [] }) =>
        DBSnapshots.map((snapshot) =>
          listed(refTo(snapshots, aws, snapshot.DBSnapshotArn), () => (tagsOf(snapshot.TagList)[tag.replacedBy] ? undefined : stateOf(snapshot))),
        ),
    ),

  async inspect(resource, aws): Promise<State | undefined> {
    const snapshot = await snapshotAt(aws, identifierOf(resource));
    if (!snapshot) return undefined;
    const kept = await keptOf(aws, snapshot);
    return { ...stateOf(snapshot), ...(kept && { kept }) };
  },

  evaluate({ encrypted, kind, kept }, { keepDays: days }, now) {
    if (encrypted) return compliant('The snapshot is encrypted.');
    if (kind === 'automated') {
      return notApplicable('RDS made the snapshot of an unencrypted instance and deletes it by itself: restore the instance from an encrypted copy.');
    }
    return (kept && keptVerdict(kept, days, now)) ?? nonCompliant('The snapshot is not encrypted; replace it by an encrypted copy.');
  },

  plan({ kind, status, noRoomForTags: full, kept }, how) {
    if (kind !== 'manual') return blocked(`The snapshot is of the kind ${kind}: the service that made it keeps it, so encrypt what it is made of.`);
    if (full) return blocked(full);
    if (status !== 'available' && status !== 'creating') return blocked(`The snapshot is ${status}: only one that is available can be copied.`);
    return (
      alreadyReplaced(kept) ??
      change<Replaced>({
        action: 'rds:CopyDBSnapshot',
        summary: `Make an encrypted copy of the snapshot, and keep the snapshot for ${how.keepDays} days`,
        before: { replaced: false },
        after: { replaced: true, how },
      })
    );
  },

  setting: ({ kept }): Replaced => ({ replaced: kept?.until !== undefined }),

  remediate: copyEncrypted,
  undo: forgetCopy,
});
