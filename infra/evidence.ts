/**
 * Where evidence is kept: a bucket in which nothing can be overwritten, and, as the policy locks it, nothing deleted for years.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { arnOf, getAtt, type Resources, ref, sub } from './intrinsics.ts';
import { dataKeyArn } from './keys.ts';
import { queue, queuePolicy } from './queues.ts';

const lockOf = ({ lock, years }: CompiledPolicy['evidence']) => ({
  ObjectLockEnabled: 'Enabled',
  ...(lock !== 'none' && { Rule: { DefaultRetention: { Mode: lock.toUpperCase(), Years: years } } }),
});

export const evidence = (policy: CompiledPolicy['evidence']): Resources => ({
  EvidenceBucket: {
    Type: 'AWS::S3::Bucket',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      // Also without a lock: it cannot be left out now and be asked for later.
      ObjectLockEnabled: true,
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockConfiguration: lockOf(policy),
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: dataKeyArn } }],
      },
    },
  },
  EvidenceBucketPolicy: {
    Type: 'AWS::S3::BucketPolicy',
    // Evidence outlives the stack; so does what guards it.
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      Bucket: ref('EvidenceBucket'),
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'TlsOnly',
            Effect: 'Deny',
            Principal: '*',
            Action: 's3:*',
            Resource: [getAtt('EvidenceBucket', 'Arn'), sub(`${arnOf('EvidenceBucket')}/*`)],
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    },
  },
  // What the stream gave up names shard and number, not the entry; and digests that could not be asked for.
  EvidenceDlq: queue(),
  EvidenceDlqPolicy: queuePolicy('EvidenceDlq'),
});
