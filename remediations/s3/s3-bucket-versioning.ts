import { GetBucketVersioningCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { blocked, change, compliant, defineControl, nonCompliant, orUndefined } from '../define.ts';
import { bucketArn, bucketOf, bucketsOf, bucketType, onBucketCalls } from './s3.ts';

interface State {
  /** `null` = versions were never kept. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html */
  readonly status: 'Enabled' | 'Suspended' | null;
  readonly mfaDelete: boolean;
}

export default defineControl({
  id: 's3-bucket-versioning',
  title: 'Each S3 bucket keeps versions',
  rationale: 'Without versions ePHI that is overwritten or deleted, by mistake or on purpose, cannot be brought back.',
  severity: 'MEDIUM',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.308(a)(7)(ii)(A)', specification: 'required', rationale: 'Keeps retrievable exact copies of ePHI.' },
    { section: '164.312(c)(1)', specification: 'standard', rationale: 'Guards ePHI against improper alteration and destruction.' },
    { section: '164.308(a)(7)(ii)(B)', specification: 'required', rationale: 'Lets lost data be restored.' },
  ],
  related: { securityHub: ['S3.14'], configRule: ['s3-bucket-versioning-enabled'], prowler: ['s3_bucket_object_versioning'] },
  triggers: [onBucketCalls(['PutBucketVersioning']), { source: 'config', resourceType: bucketType }],
  params: z.strictObject({}),
  reads: 1,
  writes: ['s3:versioning'],
  permissions: { inspect: ['s3:GetBucketVersioning', 's3:ListAllMyBuckets'], remediate: ['s3:PutBucketVersioning'], undo: [] },
  impact: 'Storage grows where objects are overwritten often; a delete only hides an object until a lifecycle rule removes its versions.',
  defaultMode: 'approve',
  // Suspended is another state than never kept: versions stay, and a delete leaves a marker where it used to delete.
  noUndo: 'S3 can suspend versions but never bring back a bucket that has not kept any; suspend them by hand if they cost too much.',

  list: bucketsOf,

  inspect: async (resource, aws): Promise<State | undefined> =>
    orUndefined(
      aws
        .client(S3Client)
        .send(new GetBucketVersioningCommand(bucketOf(aws, resource)))
        .then(({ Status, MFADelete }) => ({ status: Status ?? null, mfaDelete: MFADelete === 'Enabled' })),
      'NoSuchBucket',
    ),

  evaluate({ status }) {
    if (status === 'Enabled') return compliant('Versions are kept.');
    return nonCompliant(status === 'Suspended' ? 'Versions are suspended.' : 'Versions were never kept.');
  },

  plan: ({ status, mfaDelete }) =>
    mfaDelete
      ? blocked('MFA delete is on: only the root user with its MFA device may turn versions back on.')
      : change<'Enabled' | 'Suspended' | null>({ action: 's3:PutBucketVersioning', summary: 'Keep versions', before: status, after: 'Enabled' }),

  setting: ({ status }) => status,
  async remediate(resource, _change, aws) {
    // MFADelete is left out: sending it needs the root user's MFA device.
    await aws.client(S3Client).send(new PutBucketVersioningCommand({ ...bucketOf(aws, resource), VersioningConfiguration: { Status: 'Enabled' } }));
  },
});
