/** Where a resource is in the AWS console. Pure. */
import { leafOf, partitionOf, resourcePart } from '../arn.ts';
import type { ResourceRef } from '../model.ts';
import { redact } from '../redact.ts';
import { oneLine } from './lines.ts';

const hosts: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
  'aws-cn': 'console.amazonaws.cn',
};

/** The page, behind `https://REGION.HOST/`. `id` is the ARN, `leaf` its end, both encoded. */
type Page = (resource: { readonly id: string; readonly leaf: string; readonly region: string; readonly part: string }) => string;

const ec2 =
  (fragment: string): Page =>
  ({ leaf, region }) =>
    `ec2/home?region=${region}#${fragment}=${leaf}`;

/** By Config type. What has no page of its own has none here. */
const pages: Readonly<Record<string, Page>> = {
  'AWS::CloudTrail::Trail': ({ id, region }) => `cloudtrailv2/home?region=${region}#/trails/${id}`,
  'AWS::EC2::Volume': ec2('VolumeDetails:volumeId'),
  'AWS::EC2::Snapshot': ec2('SnapshotDetails:snapshotId'),
  'AWS::EC2::Image': ec2('ImageDetails:imageId'),
  'AWS::EC2::SecurityGroup': ec2('SecurityGroup:groupId'),
  'AWS::EC2::VPC': ({ leaf, region }) => `vpcconsole/home?region=${region}#VpcDetails:VpcId=${leaf}`,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ({ id, region }) => `ec2/home?region=${region}#LoadBalancer:loadBalancerArn=${id}`,
  'AWS::ElasticLoadBalancingV2::Listener': ({ id, region }) => `ec2/home?region=${region}#ELBListenerV2:listenerArn=${id}`,
  'AWS::ElasticLoadBalancing::LoadBalancer': ({ leaf, region }) => `ec2/home?region=${region}#LoadBalancers:search=${leaf}`,
  'AWS::KMS::Key': ({ leaf, region }) => `kms/home?region=${region}#/kms/keys/${leaf}`,
  'AWS::Lambda::Function': ({ leaf, region }) => `lambda/home?region=${region}#/functions/${leaf}`,
  'AWS::Lambda::Url': ({ leaf, region }) => `lambda/home?region=${region}#/functions/${leaf}`,
  'AWS::RDS::DBInstance': ({ leaf, region }) => `rds/home?region=${region}#database:id=${leaf};is-cluster=false`,
  'AWS::RDS::DBSnapshot': ({ leaf, region }) => `rds/home?region=${region}#db-snapshot:engine=;id=${leaf}`,
  'AWS::S3::Bucket': ({ leaf, region }) => `s3/buckets/${leaf}?region=${region}&tab=permissions`,
  'AWS::SNS::Topic': ({ id, region }) => `sns/v3/home?region=${region}#/topic/${id}`,
  'AWS::SQS::Queue': ({ region }) => `sqs/v3/home?region=${region}#/queues`,
};

/** Undefined: no page is known, or its address would hold what may not leave the account. */
export function consoleOf(resource: ResourceRef): string | undefined {
  const { type, id, region } = resource;
  const host = hosts[partitionOf(region)];
  const page = pages[type];
  if (!host || !page || !id.startsWith('arn:') || !id.isWellFormed() || oneLine(id) !== id || redact(id) !== id) return undefined;
  const path = page({ id: encodeURIComponent(id), leaf: encodeURIComponent(leafOf(resource)), region, part: resourcePart(resource) });
  const url = `https://${region}.${host}/${path}`;
  return url.length <= longest ? url : undefined;
}

/** Slack takes 3,000 characters in a link, other channels fewer. */
const longest = 2_000;
