/** Application, network and gateway load balancers on moto, with a target group to forward to and a certificate to serve. */
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  type Action,
  CreateListenerCommand,
  type CreateListenerCommandInput,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  type LoadBalancerTypeEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { IAMClient, UploadServerCertificateCommand } from '@aws-sdk/client-iam';
import type { Aws } from '../../engine/ports.ts';

export interface Balancer {
  readonly targetGroup: string;
  readonly certificate: string;
  /** Gives the listener's ARN. */
  listen(input: Partial<CreateListenerCommandInput>): Promise<string>;
  /** A custom rule for one path. */
  rule(listener: string, priority: number, actions: Action[]): Promise<void>;
}

export async function balancer(admin: Aws, type: LoadBalancerTypeEnum = 'application', name = 'web'): Promise<Balancer> {
  const elb = admin.client(ElasticLoadBalancingV2Client);
  const { Subnets = [] } = await admin.client(EC2Client).send(new DescribeSubnetsCommand({}));
  const subnets = Subnets.slice(0, 2).map(({ SubnetId }) => SubnetId!);
  const { LoadBalancers } = await elb.send(new CreateLoadBalancerCommand({ Name: name, Type: type, Subnets: subnets }));
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({ Name: name, Protocol: type === 'application' ? 'HTTP' : 'TCP', Port: 8080, VpcId: Subnets[0]!.VpcId }),
  );
  const targetGroup = TargetGroups![0]!.TargetGroupArn!;
  const { ServerCertificateMetadata } = await admin
    .client(IAMClient)
    .send(new UploadServerCertificateCommand({ ServerCertificateName: name, CertificateBody: 'body', PrivateKey: 'key' }));
  return {
    targetGroup,
    certificate: ServerCertificateMetadata!.Arn!,
    async listen(input) {
      const { Listeners } = await elb.send(
        new CreateListenerCommand({
          LoadBalancerArn: LoadBalancers![0]!.LoadBalancerArn,
          DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroup }],
          ...(['HTTPS', 'TLS'].includes(input.Protocol ?? '') && { Certificates: [{ CertificateArn: ServerCertificateMetadata!.Arn }] }),
          ...input,
        }),
      );
      return Listeners![0]!.ListenerArn!;
    },
    async rule(listener, priority, actions) {
      const Conditions = [{ Field: 'path-pattern', Values: [`/path-${priority}`] }];
      await elb.send(new CreateRuleCommand({ ListenerArn: listener, Priority: priority, Conditions, Actions: actions }));
    },
  };
}
