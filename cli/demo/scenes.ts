/** The three drifts of the demo: made in the emulator, told to the bot as CloudTrail would, read back afterwards. */
import { randomUUID } from 'node:crypto';
import { CreateSubnetCommand, CreateVolumeCommand, CreateVpcCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { IAMClient, UploadServerCertificateCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Aws } from '../../engine/ports.ts';
import type { StackEvent } from '../local-stack/index.ts';

export interface Drifted {
  readonly event: StackEvent;
  readonly control: string;
  /** The setting as it is now, in words and values just read. */
  readBack(): Promise<string>;
}

export interface Scene {
  readonly title: string;
  drift(admin: Aws): Promise<Drifted>;
}

const dana = 'arn:aws:sts::{account}:assumed-role/Developers/dana';
const pipeline = 'arn:aws:sts::{account}:assumed-role/terraform/deploy-142';

/** The `detail` has the members that CloudTrail writes for a call by an assumed role. */
function called(
  aws: Aws,
  by: { readonly arn: string; readonly userAgent: string },
  call: { source: string; name: string; request: unknown; response?: unknown },
): StackEvent {
  const now = new Date().toISOString();
  return {
    source: `aws.${call.source}`,
    'detail-type': 'AWS API Call via CloudTrail',
    time: now,
    detail: {
      eventVersion: '1.09',
      userIdentity: { type: 'AssumedRole', arn: by.arn.replace('{account}', aws.accountId), accountId: aws.accountId },
      eventTime: now,
      eventSource: `${call.source}.amazonaws.com`,
      eventName: call.name,
      awsRegion: aws.region,
      sourceIPAddress: '192.0.2.44',
      userAgent: by.userAgent,
      requestParameters: call.request,
      responseElements: call.response ?? null,
      eventID: randomUUID(),
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: aws.accountId,
      eventCategory: 'Management',
    },
  };
}

const volume: Scene = {
  title: 'An unencrypted volume',
  async drift(admin) {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 20, Encrypted: false }));
    return {
      control: 'ebs-volume-encrypted',
      event: called(
        admin,
        { arn: pipeline, userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.5' },
        { source: 'ec2', name: 'CreateVolume', request: { size: '20', encrypted: false }, response: { volumeId: VolumeId, encrypted: false } },
      ),
      async readBack() {
        const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }));
        return `DescribeVolumes: ${VolumeId} Encrypted=${Volumes?.[0]?.Encrypted}`;
      },
    };
  },
};

const bucket: Scene = {
  title: 'A public bucket',
  async drift(admin) {
    const s3 = admin.client(S3Client);
    const Bucket = `lab-results-${randomUUID().slice(0, 8)}`;
    const open = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    const Policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }] };
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(Policy) }));
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: open }));
    return {
      control: 's3-bucket-public-access-block',
      event: called(
        admin,
        { arn: dana, userAgent: '[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12, console.amazonaws.com]' },
        { source: 's3', name: 'PutBucketPublicAccessBlock', request: { bucketName: Bucket, PublicAccessBlockConfiguration: open, publicAccessBlock: '' } },
      ),
      async readBack() {
        const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
        const { Policy: text = '{}' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
        const statements = (JSON.parse(text) as typeof Policy).Statement.map(({ Effect, Action, Principal }) => `${Effect} ${Action} to ${Principal}`);
        return `GetBucketPolicy: ${statements.join(', ')}; GetPublicAccessBlock: ${Object.entries(PublicAccessBlockConfiguration ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}`;
      },
    };
  },
};

const listener: Scene = {
  title: 'A plain-HTTP listener',
  async drift(admin) {
    const ec2 = admin.client(EC2Client);
    const elb = admin.client(ElasticLoadBalancingV2Client);
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.20.0.0/16' }));
    const subnets = await Promise.all(
      ['a', 'b'].map((zone, index) =>
        ec2.send(new CreateSubnetCommand({ VpcId: Vpc!.VpcId, CidrBlock: `10.20.${index}.0/24`, AvailabilityZone: `${admin.region}${zone}` })),
      ),
    );
    const name = `portal-${randomUUID().slice(0, 8)}`;
    const { LoadBalancers } = await elb.send(new CreateLoadBalancerCommand({ Name: name, Subnets: subnets.map(({ Subnet }) => Subnet!.SubnetId!) }));
    const LoadBalancerArn = LoadBalancers![0]!.LoadBalancerArn!;
    const { TargetGroups } = await elb.send(new CreateTargetGroupCommand({ Name: name, Protocol: 'HTTP', Port: 8080, VpcId: Vpc!.VpcId }));
    const forward = { Type: 'forward', TargetGroupArn: TargetGroups![0]!.TargetGroupArn! } as const;
    // The emulator does not look into certificates; it wants one to be there.
    const { ServerCertificateMetadata } = await admin
      .client(IAMClient)
      .send(new UploadServerCertificateCommand({ ServerCertificateName: name, CertificateBody: 'demo', PrivateKey: 'demo' }));
    await elb.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Protocol: 'HTTPS',
        Port: 443,
        Certificates: [{ CertificateArn: ServerCertificateMetadata!.Arn }],
        DefaultActions: [forward],
      }),
    );
    const { Listeners } = await elb.send(new CreateListenerCommand({ LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: [forward] }));
    const listenerArn = Listeners![0]!.ListenerArn!;
    return {
      control: 'alb-http-redirects-to-https',
      event: called(
        admin,
        { arn: dana, userAgent: 'aws-cli/2.17.0 md/prompt#off' },
        {
          source: 'elasticloadbalancing',
          name: 'CreateListener',
          request: { loadBalancerArn: LoadBalancerArn, port: 80, protocol: 'HTTP' },
          response: { listeners: [{ listenerArn, port: 80, protocol: 'HTTP' }] },
        },
      ),
      async readBack() {
        const { Listeners: live } = await elb.send(new DescribeListenersCommand({ ListenerArns: [listenerArn] }));
        const [action] = live![0]!.DefaultActions!;
        const { Protocol, Port, StatusCode } = action!.RedirectConfig ?? {};
        return `DescribeListeners: port 80 ${action!.Type}${Protocol ? ` to ${Protocol}:${Port} (${StatusCode})` : ''}`;
      },
    };
  },
};

export const scenes: readonly Scene[] = [volume, bucket, listener];
