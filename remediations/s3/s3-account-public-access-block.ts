import * as z from 'zod';
import { accountArn, change, compliant, defineControl, listAccount, nonCompliant, onCalls, theAccount } from '../define.ts';
import { accountBlockOf, setAccountBlock } from './account.ts';
import { type AccessBlock, everythingBlocked, missing, onBlockCalls } from './s3.ts';

const resourceType = 'AWS::S3::AccountPublicAccessBlock';

export default defineControl({
  id: 's3-account-public-access-block',
  title: 'The account blocks public access to all its S3 buckets',
  rationale: 'Without the block each new bucket is one wrong ACL or policy away from showing ePHI to anybody.',
  severity: 'CRITICAL',
  resourceType,
  arn: accountArn,
  scope: 'global',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps people outside the workforce from reading ePHI.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Removes the risk of a public bucket for the account as a whole.' },
  ],
  related: {
    securityHub: ['S3.1'],
    configRule: ['s3-account-level-public-access-blocks', 's3-account-level-public-access-blocks-periodic'],
    prowler: ['s3_account_level_public_access_blocks'],
  },
  triggers: [
    onCalls('s3.amazonaws.com', ['PutAccountPublicAccessBlock', 'DeleteAccountPublicAccessBlock'], theAccount, { breaks: ['DeleteAccountPublicAccessBlock'] }),
    { source: 'config', resourceType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['s3:account-public-access-block'],
  permissions: {
    inspect: ['s3:GetAccountPublicAccessBlock'],
    remediate: ['s3:PutAccountPublicAccessBlock'],
    undo: ['s3:PutAccountPublicAccessBlock'],
  },
  impact: 'Every bucket that serves a website or downloads to the public directly stops to; access from other accounts through a public policy ends too.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: 'while it exists',
  ...onBlockCalls,

  list: listAccount({ resourceType, arn: accountArn }),
  inspect: async (_resource, aws): Promise<{ block: AccessBlock | null } | undefined> => ({ block: await accountBlockOf(aws) }),

  evaluate({ block }) {
    const off = missing(block);
    return off.length === 0 ? compliant('All four blocks are on.') : nonCompliant(`${off.join(', ')} ${off.length === 1 ? 'is' : 'are'} off.`);
  },

  plan: ({ block }) =>
    change<AccessBlock | null>({
      action: 's3:PutAccountPublicAccessBlock',
      summary: `Turn on ${missing(block).join(', ')} for the account`,
      before: block,
      after: everythingBlocked,
    }),

  setting: ({ block }) => block,
  remediate: (_resource, { after }, aws) => setAccountBlock(aws, after),
  undo: (_resource, { before }, aws) => setAccountBlock(aws, before),
});
