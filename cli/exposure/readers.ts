/** What CloudTrail logs of those who read a resource, by its type. Each row names the page of AWS that says so. */
import { leafOf, partitionOf } from '../../engine/arn.ts';
import type { ResourceRef } from '../../engine/model.ts';

export interface Readers {
  /** `service:EventName` of calls that read the resource, or what it is made of. */
  readonly calls: readonly string[];
  /** Those that copy from the resource into another one, which the event is about. */
  readonly copies?: readonly string[];
  /** Some of the calls are management events. */
  readonly management?: true;
  /** Some are data events: what a trail must select besides. */
  readonly data?: { readonly type: string; arn(resource: ResourceRef): string };
  /** How a record names the resource, in lower case. */
  names(resource: ResourceRef): readonly string[];
  /** AWS does not say that calls of other accounts, or without credentials, reach the owner's trail: why nobody found is not nobody. */
  readonly blind?: string;
  readonly page: string;
}

const named = (resource: ResourceRef): readonly string[] => [resource.id, leafOf(resource)].map((name) => name.toLowerCase());
const inAccount = ({ accountId, region }: ResourceRef, service: string, rest: string): string =>
  `arn:${partitionOf(region)}:${service}:${region}:${accountId}:${rest}`;
const functionName = ({ id }: ResourceRef): string => id.split(':')[6] ?? '';

export const readers: Readonly<Record<string, Readers>> = {
  'AWS::S3::Bucket': {
    calls: [
      's3:GetObject',
      's3:HeadObject',
      's3:GetObjectAttributes',
      's3:GetObjectTorrent',
      's3:SelectObjectContent',
      's3:ListObjects',
      's3:ListObjectsV2',
      's3:ListObjectVersions',
      's3:ListMultipartUploads',
      's3:ListParts',
      's3:GetObjectAcl',
      's3:GetObjectTagging',
    ],
    copies: ['s3:CopyObject', 's3:UploadPartCopy'],
    data: { type: 'AWS::S3::Object', arn: ({ id }) => `${id}/` },
    names: (resource) => [leafOf(resource).toLowerCase()],
    page: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html',
  },
  'AWS::EC2::Snapshot': {
    calls: [
      'ebs:GetSnapshotBlock',
      'ebs:ListSnapshotBlocks',
      'ebs:ListChangedBlocks',
      'ec2:CreateVolume',
      'ec2:CopySnapshot',
      'ec2:RunInstances',
      'ec2:SharedSnapshotVolumeCreated',
      'ec2:SharedSnapshotCopyInitiated',
    ],
    management: true,
    data: { type: 'AWS::EC2::Snapshot', arn: ({ id }) => id },
    names: named,
    page: 'https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html#shared-snapshot-cloudtrail-logging',
  },
  'AWS::RDS::DBSnapshot': {
    calls: ['rds:CopyDBSnapshot', 'rds:RestoreDBInstanceFromDBSnapshot', 'rds:StartExportTask'],
    management: true,
    names: named,
    blind: 'AWS does not document that copies and restores which other accounts make of a database snapshot reach the trail of its owner',
    page: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/logging-using-cloudtrail.html',
  },
  'AWS::EC2::Image': {
    calls: ['ec2:RunInstances', 'ec2:CopyImage', 'ec2:CreateStoreImageTask', 'ec2:ExportImage'],
    management: true,
    names: named,
    blind:
      'launches and copies which other accounts make of an image are logged in their accounts; DescribeImageAttribute with lastLaunchedTime tells when it was last launched',
    page: 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-last-launched-time.html',
  },
  'AWS::SNS::Topic': {
    calls: ['sns:Subscribe', 'sns:ConfirmSubscription'],
    management: true,
    names: named,
    blind: 'deliveries to subscribers are not logged; a subscription made meanwhile goes on: look at `aws sns list-subscriptions-by-topic`',
    page: 'https://docs.aws.amazon.com/sns/latest/dg/logging-using-cloudtrail.html',
  },
  'AWS::SQS::Queue': {
    calls: ['sqs:ReceiveMessage'],
    data: { type: 'AWS::SQS::Queue', arn: ({ id }) => id },
    // A request names the queue by its URL, which ends in the account and the name.
    names: ({ id, accountId }) => [id, `/${accountId}/${leafOf({ id })}`].map((name) => name.toLowerCase()),
    page: 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html',
  },
  'AWS::Lambda::Url': {
    calls: ['lambda:Invoke', 'lambda:InvokeFunctionUrl'],
    data: { type: 'AWS::Lambda::Function', arn: (resource) => inAccount(resource, 'lambda', `function:${functionName(resource)}`) },
    names: (resource) =>
      [resource.id, functionName(resource), inAccount(resource, 'lambda', `function:${functionName(resource)}`)].map((name) => name.toLowerCase()),
    blind: 'AWS does not document that calls without credentials through a function URL are logged; the metric UrlRequestCount of the function counts them',
    page: 'https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html',
  },
};

const flowLogs =
  'CloudTrail logs no traffic. Where VPC flow logs record the network, look there: accepted connections to its addresses and ports in the window.';

/** Where else to look, for types that CloudTrail logs no reads of. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html */
export const elsewhere = (type: string): string =>
  /^AWS::(EC2::(SecurityGroup|VPC|Instance)|RDS::DBInstance|ElasticLoadBalancing(V2)?::)/.test(type)
    ? flowLogs
    : 'CloudTrail logs no reads of a resource of this type. Look at the resources that it guards, each of which has its own log.';
