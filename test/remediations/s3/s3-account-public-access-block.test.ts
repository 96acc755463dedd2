import { PutPublicAccessBlockCommand, S3ControlClient } from '@aws-sdk/client-s3-control';
import { everythingBlocked } from '../../../remediations/s3/s3.ts';
import control from '../../../remediations/s3/s3-account-public-access-block.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';

const root = `arn:aws:iam::${accountId}:root`;

const account =
  (block?: Partial<typeof everythingBlocked>): Arrange =>
  async (admin) => {
    if (block) await admin.client(S3ControlClient).send(new PutPublicAccessBlockCommand({ AccountId: accountId, PublicAccessBlockConfiguration: block }));
    return root;
  };

const called = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', awsRegion: 'eu-central-1', requestParameters });

testControl(control, {
  compliant: { 'all four on': account(everythingBlocked) },
  remediated: {
    'no configuration': { given: account(), annotation: 'are off', change: { before: null, after: everythingBlocked } },
    'one of four off': {
      given: account({ ...everythingBlocked, RestrictPublicBuckets: false }),
      annotation: /^RestrictPublicBuckets is off/,
      change: { before: { ...everythingBlocked, RestrictPublicBuckets: false } },
    },
    'members left out count as off': {
      given: account({ IgnorePublicAcls: true }),
      annotation: 'BlockPublicAcls, BlockPublicPolicy, RestrictPublicBuckets are off',
      change: { before: { BlockPublicAcls: false, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false } },
    },
  },
  events: {
    PutAccountPublicAccessBlock: {
      detail: called({ Host: `${accountId}.s3-control.eu-central-1.amazonaws.com`, accountId, publicAccessBlock: '', PublicAccessBlockConfiguration: {} }),
      ids: [root],
    },
    DeleteAccountPublicAccessBlock: { detail: called({ accountId }), ids: [root] },
    'PutAccountPublicAccessBlock with null request parameters': { detail: called(null), ids: [root] },
  },
});
