import * as z from 'zod';
import { type Aws, change, compliant, defineControl, nonCompliant, type ResourceRef } from '../define.ts';
import { isPublicStatement } from '../public-statement.ts';
import { normalised, type Policy } from '../resource-policy.ts';
import { accountBlockOf } from './account.ts';
import { bucketPolicyOf, exchangeStatements, policyIn } from './bucket-policy.ts';
import { accessBlockOf, blockIn, bucketArn, bucketsOf, bucketType, onAccountBlock, onBucketCalls } from './s3.ts';

interface State {
  /** The policy with its public statements alone; `null` when it has none. */
  readonly open: Policy | null;
  /** Whose RestrictPublicBuckets is on: S3 then lets nobody from outside in by a public policy. */
  readonly restrictedBy?: 'bucket' | 'account';
}

const counted = (count: number) => `${count} public statement${count === 1 ? '' : 's'}`;

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const policy = await bucketPolicyOf(aws, resource);
  if (policy === undefined) return undefined;
  const open = normalised(policy?.Statement.filter((statement) => isPublicStatement(statement)) ?? []);
  if (open.length === 0) return { open: null };
  // Asked only when it matters: most policies are not public.
  const [block, accountBlock] = await Promise.all([accessBlockOf(aws, resource), accountBlockOf(aws)]);
  if (block === undefined) return undefined;
  const restrictedBy = block?.RestrictPublicBuckets ? 'bucket' : accountBlock?.RestrictPublicBuckets ? 'account' : undefined;
  return { open: { ...policy, Statement: open }, ...(restrictedBy && { restrictedBy }) };
}

export default defineControl({
  id: 's3-bucket-policy-not-public',
  title: 'No bucket policy lets in the public',
  rationale: 'A statement that names everybody hands the ePHI of the bucket to anyone who knows its address, without a login.',
  severity: 'CRITICAL',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps those without authorisation from reaching ePHI.' },
    { section: '164.308(a)(4)(ii)(C)', specification: 'addressable', rationale: 'Takes back access that nobody has authorised.' },
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against access by anybody on the network.' },
  ],
  related: {
    securityHub: ['S3.2', 'S3.3'],
    configRule: ['s3-bucket-public-read-prohibited', 's3-bucket-public-write-prohibited'],
    prowler: ['s3_bucket_public_access', 's3_bucket_policy_public_write_access'],
  },
  triggers: [
    onBucketCalls(['PutBucketPolicy', 'DeleteBucketPolicy', 'PutBucketPublicAccessBlock', 'DeleteBucketPublicAccessBlock'], ['DeleteBucketPublicAccessBlock']),
    onAccountBlock,
    { source: 'config', resourceType: bucketType },
  ],
  params: z.strictObject({}),
  reads: 3,
  writes: ['s3:bucket-policy'],
  permissions: {
    inspect: ['s3:GetAccountPublicAccessBlock', 's3:GetBucketPolicy', 's3:GetBucketPublicAccessBlock', 's3:ListAllMyBuckets'],
    remediate: ['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy'],
    // While BlockPublicPolicy is on, S3 refuses to take a public statement back.
    undo: ['s3:GetBucketPolicy', 's3:PutBucketPolicy'],
  },
  impact: 'Whoever came in by the public statements alone is refused: visitors of a website or of downloads, and accounts that have no statement of their own.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail) => policyIn(detail)?.some((statement) => isPublicStatement(statement)) === true,
  closes: (detail) =>
    ['DeleteBucket', 'DeleteBucketPolicy'].includes(detail.eventName) ||
    policyIn(detail)?.some((statement) => isPublicStatement(statement)) === false ||
    blockIn(detail)?.RestrictPublicBuckets === true,

  list: bucketsOf,
  inspect,

  evaluate({ open, restrictedBy }) {
    if (!open) return compliant('No statement of the bucket policy lets in the public.');
    return restrictedBy
      ? compliant(`The bucket policy is public, but RestrictPublicBuckets of the ${restrictedBy} lets in nobody from outside the account.`)
      : nonCompliant(`${counted(open.Statement.length)} of the bucket policy ${open.Statement.length === 1 ? 'lets' : 'let'} in the public.`);
  },

  plan: ({ open }) =>
    change<Policy | null>({
      action: 's3:PutBucketPolicy',
      summary: `Remove ${counted(open?.Statement.length ?? 0)} from the bucket policy`,
      before: open,
      after: null,
    }),

  setting: ({ open }) => open,
  remediate: (resource, { before }, aws) => exchangeStatements(aws, resource, before?.Statement ?? [], []),
  undo: (resource, { before }, aws) => exchangeStatements(aws, resource, [], before?.Statement ?? [], before ?? undefined),
});
