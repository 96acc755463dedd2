import * as z from 'zod';
import { type CloudTrailDetail, change, compliant, defineControl, nonCompliant, notApplicable, onCalls, valuesAt, wordAt } from '../define.ts';
import { manualSnapshotsOf, type RestoredBy, restoredBy, setRestoredBy, snapshotArn, snapshotNamed, snapshotType } from './rds.ts';

const everybody = (by: RestoredBy): readonly string[] => (by?.includes('all') ? ['all'] : []);

const restores = (detail: CloudTrailDetail) => wordAt(detail, 'requestParameters.attributeName') === 'restore';

export default defineControl({
  id: 'rds-snapshot-not-public',
  title: 'RDS instance snapshots are not public',
  rationale: 'Anybody with an AWS account can restore a public snapshot and read the whole database, and keeps the copy for good.',
  severity: 'CRITICAL',
  resourceType: snapshotType,
  arn: snapshotArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets only accounts that were granted access restore the data.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps people without a need away from ePHI.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Takes a plain risk of disclosure away as soon as it appears.' },
  ],
  related: { securityHub: ['RDS.1'], configRule: ['rds-snapshots-public-prohibited'], prowler: ['rds_snapshots_public_access'] },
  triggers: [
    onCalls('rds.amazonaws.com', ['CopyDBSnapshot', 'CreateDBSnapshot', 'DeleteDBSnapshot', 'ModifyDBSnapshotAttribute'], snapshotNamed),
    { source: 'config', resourceType: snapshotType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['rds:snapshot-restore-attribute'],
  permissions: {
    inspect: ['rds:DescribeDBSnapshotAttributes', 'rds:DescribeDBSnapshots'],
    remediate: ['rds:ModifyDBSnapshotAttribute'],
    undo: ['rds:ModifyDBSnapshotAttribute'],
  },
  impact: 'Whoever restored from the public snapshot no longer can. Copies that others have made stay with them: assess it as a possible breach.',
  defaultMode: 'fix',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail) => valuesAt(detail, 'requestParameters.valuesToAdd[]').includes('all') && restores(detail),
  closes: (detail) => detail.eventName === 'DeleteDBSnapshot' || (valuesAt(detail, 'requestParameters.valuesToRemove[]').includes('all') && restores(detail)),

  list: manualSnapshotsOf,

  async inspect(resource, aws) {
    const by = await restoredBy(aws, resource);
    return by === undefined ? undefined : { by };
  },

  evaluate({ by }) {
    if (by === null) return notApplicable('RDS made the snapshot by itself; such a snapshot cannot be shared.');
    return everybody(by).length > 0 ? nonCompliant('Any AWS account can restore the snapshot.') : compliant('The snapshot is not public.');
  },

  // Accounts that the snapshot is shared with by id stay: who they are is another control's question.
  plan: ({ by }) => change({ action: 'rds:ModifyDBSnapshotAttribute', summary: 'End public access to the snapshot', before: everybody(by), after: [] }),

  setting: ({ by }) => everybody(by),
  remediate: (resource, { before }, aws) => setRestoredBy(aws, resource, { remove: before }),
  undo: (resource, { before }, aws) => setRestoredBy(aws, resource, { add: before }),
});
