import * as z from 'zod';
import { change, compliant, defineControl, nonCompliant } from '../define.ts';
import {
  type AccessBlock,
  accessBlockOf,
  bucketArn,
  bucketsOf,
  bucketType,
  everythingBlocked,
  missing,
  onBlockCalls,
  onBucketCalls,
  setAccessBlock,
} from './s3.ts';

export default defineControl({
  id: 's3-bucket-public-access-block',
  title: 'Each S3 bucket blocks public access',
  rationale: 'Without the block one wrong ACL or policy makes every ePHI object of the bucket readable by anybody.',
  severity: 'HIGH',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
    { section: '164.308(a)(4)(ii)(C)', specification: 'addressable', rationale: 'Takes back access that nobody has authorised.' },
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against access by anybody on the network.' },
  ],
  related: {
    securityHub: ['S3.8'],
    configRule: ['s3-bucket-level-public-access-prohibited'],
    prowler: ['s3_bucket_level_public_access_block'],
  },
  triggers: [
    onBucketCalls(['PutBucketPublicAccessBlock', 'DeleteBucketPublicAccessBlock'], ['DeleteBucketPublicAccessBlock']),
    { source: 'config', resourceType: bucketType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['s3:public-access-block'],
  permissions: {
    inspect: ['s3:GetBucketPublicAccessBlock', 's3:ListAllMyBuckets'],
    remediate: ['s3:PutBucketPublicAccessBlock'],
    undo: ['s3:PutBucketPublicAccessBlock'],
  },
  impact: 'A bucket that serves a website or downloads to the public stops to; access from other accounts through a public policy ends too.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: 'while it exists',
  ...onBlockCalls,

  list: bucketsOf,

  async inspect(resource, aws) {
    const block = await accessBlockOf(aws, resource);
    return block === undefined ? undefined : { block };
  },

  evaluate({ block }) {
    const off = missing(block);
    return off.length === 0 ? compliant('All four blocks are on.') : nonCompliant(`${off.join(', ')} ${off.length === 1 ? 'is' : 'are'} off.`);
  },

  plan: ({ block }) =>
    change<AccessBlock | null>({
      action: 's3:PutBucketPublicAccessBlock',
      summary: `Turn on ${missing(block).join(', ')}`,
      before: block,
      after: everythingBlocked,
    }),

  setting: ({ block }) => block,
  remediate: (resource, { after }, aws) => setAccessBlock(aws, resource, after),
  undo: (resource, { before }, aws) => setAccessBlock(aws, resource, before),
});
