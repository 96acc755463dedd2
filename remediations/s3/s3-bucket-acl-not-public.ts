import * as z from 'zod';
import { type Aws, change, compliant, defineControl, nonCompliant, type ResourceRef } from '../define.ts';
import { accountBlockOf } from './account.ts';
import { aclIn, addGrants, bucketAclOf, type Grant, isPublic, ownershipOf, removeGrants } from './acl.ts';
import { accessBlockOf, blockIn, bucketArn, bucketsOf, bucketType, onAccountBlock, onBucketCalls } from './s3.ts';

interface State {
  readonly publicGrants: readonly Grant[];
  /** What takes the grants their force; undefined when nothing does. */
  readonly disarmedBy?: string;
}

/** Only a public grant is worth the reads that tell whether it has any force. */
async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const acl = await bucketAclOf(aws, resource);
  if (acl === undefined) return undefined;
  const publicGrants = acl.grants.filter(isPublic);
  if (publicGrants.length === 0) return { publicGrants };
  const [ownership, bucketBlock, accountBlock] = await Promise.all([ownershipOf(aws, resource), accessBlockOf(aws, resource), accountBlockOf(aws)]);
  if (ownership === undefined || bucketBlock === undefined) return undefined;
  const disarmedBy =
    ownership === 'BucketOwnerEnforced'
      ? 'Object ownership BucketOwnerEnforced'
      : bucketBlock?.IgnorePublicAcls
        ? 'IgnorePublicAcls of the bucket'
        : accountBlock?.IgnorePublicAcls
          ? 'IgnorePublicAcls of the account'
          : undefined;
  return disarmedBy ? { publicGrants, disarmedBy } : { publicGrants };
}

const inWords = (grants: readonly Grant[]) =>
  grants.map(({ grantee, permission }) => `${permission} to ${grantee.slice(grantee.lastIndexOf('/') + 1)}`).join(', ');

export default defineControl({
  id: 's3-bucket-acl-not-public',
  title: 'No bucket ACL grants anything to everybody',
  rationale: 'A grant to AllUsers or AuthenticatedUsers lets anybody list the bucket, write to it or change its ACL.',
  severity: 'CRITICAL',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
    { section: '164.308(a)(4)(ii)(C)', specification: 'addressable', rationale: 'Takes back access that nobody has authorised.' },
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against access by anybody on the network.' },
  ],
  related: {
    securityHub: ['S3.2', 'S3.3'],
    configRule: ['s3-bucket-public-read-prohibited', 's3-bucket-public-write-prohibited'],
    prowler: ['s3_bucket_public_list_acl', 's3_bucket_public_write_acl', 's3_bucket_public_access'],
  },
  triggers: [
    onBucketCalls(
      ['PutBucketAcl', 'PutBucketOwnershipControls', 'DeleteBucketOwnershipControls', 'PutBucketPublicAccessBlock', 'DeleteBucketPublicAccessBlock'],
      ['DeleteBucketOwnershipControls', 'DeleteBucketPublicAccessBlock'],
    ),
    onAccountBlock,
    { source: 'config', resourceType: bucketType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['s3:acl'],
  permissions: {
    inspect: ['s3:GetAccountPublicAccessBlock', 's3:GetBucketAcl', 's3:GetBucketOwnershipControls', 's3:GetBucketPublicAccessBlock', 's3:ListAllMyBuckets'],
    remediate: ['s3:GetBucketAcl', 's3:PutBucketAcl'],
    undo: ['s3:GetBucketAcl', 's3:PutBucketAcl'],
  },
  impact: 'Public readers and writers of the bucket lose access; grants to accounts and to log delivery stay.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail) => aclIn(detail) === 'public',
  closes: (detail) =>
    detail.eventName === 'DeleteBucket' || (detail.eventName === 'PutBucketAcl' && aclIn(detail) === 'private') || blockIn(detail)?.IgnorePublicAcls === true,

  list: bucketsOf,
  inspect,

  evaluate({ publicGrants, disarmedBy }) {
    if (publicGrants.length === 0) return compliant('The ACL grants nothing to everybody.');
    if (disarmedBy) return compliant(`${disarmedBy} takes the public grants of the ACL their force.`);
    return nonCompliant(`The ACL grants ${inWords(publicGrants)}.`);
  },

  plan: ({ publicGrants }) =>
    change<readonly Grant[]>({
      action: 's3:PutBucketAcl',
      summary: `Take back ${inWords(publicGrants)}`,
      before: publicGrants,
      after: [],
    }),

  setting: ({ publicGrants }) => publicGrants,
  remediate: (resource, { before }, aws) => removeGrants(aws, resource, before),
  undo: (resource, { before }, aws) => addGrants(aws, resource, before),
});
