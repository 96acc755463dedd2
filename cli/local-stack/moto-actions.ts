/**
 * moto 5.2.1 authorises some calls under another action than AWS does. AWS's name is the one that counts everywhere else;
 * this table says what a role must hold besides it so that moto lets the call through.
 */
import type { IamAction } from '../../engine/model.ts';

const extra: Readonly<Record<string, readonly IamAction[]>> = {
  // On AWS a transaction is allowed by the actions of its items.
  'dynamodb:PutItem': ['dynamodb:TransactWriteItems'],
  'dynamodb:UpdateItem': ['dynamodb:TransactWriteItems'],
  'dynamodb:GetItem': ['dynamodb:TransactGetItems'],
  'sqs:SendMessage': ['sqs:SendMessageBatch'],
  's3:GetBucketPublicAccessBlock': ['s3:GetPublicAccessBlock', 's3:ListBucket'],
  's3:GetAccountPublicAccessBlock': ['s3:GetPublicAccessBlock'],
  's3:PutAccountPublicAccessBlock': ['s3:PutPublicAccessBlock', 's3:DeletePublicAccessBlock'],
  's3:GetBucketOwnershipControls': ['s3:ListBucket'],
  's3:GetEncryptionConfiguration': ['s3:ListBucket'],
  's3:PutEncryptionConfiguration': ['s3:CreateBucket', 's3:DeleteBucket'],
  's3:PutBucketPublicAccessBlock': ['s3:PutPublicAccessBlock', 's3:DeletePublicAccessBlock', 's3:CreateBucket', 's3:DeleteBucket'],
};

export const withMotoNames = (actions: readonly IamAction[]): IamAction[] => [...new Set(actions.flatMap((action) => [action, ...(extra[action] ?? [])]))];
