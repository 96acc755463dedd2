/**
 * One load balancer with what moto leaves out: AWS shows actions with every default filled in, and takes TLS in ModifyListener.
 * Answers have the SDK's shapes. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
 */
import {
  type Action,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  type Listener,
  ListenerNotFoundException,
  LoadBalancerNotFoundException,
  ModifyListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { mockClient } from 'aws-sdk-client-mock';

const place = 'arn:aws:elasticloadbalancing:us-east-1:123456789012';
export const targetGroup = `${place}:targetgroup/web/6d0ecf831eec9f09`;

export interface FakeBalancer {
  /** Gives the listener's ARN. */
  listen(listener: Listener): string;
  restore(): void;
}

export function fakeBalancer(kind: 'app' | 'net' | 'gwy'): FakeBalancer {
  const balancer = `${place}:loadbalancer/${kind}/web/50dc6c495c0c9188`;
  const listeners = new Map<string, Listener>();
  const elb = mockClient(ElasticLoadBalancingV2Client);
  elb.on(DescribeLoadBalancersCommand).callsFake(async () => ({ LoadBalancers: [{ LoadBalancerArn: balancer }] }));
  elb.on(DescribeListenersCommand).callsFake(async ({ LoadBalancerArn, ListenerArns }) => {
    if (LoadBalancerArn !== undefined && LoadBalancerArn !== balancer) throw new LoadBalancerNotFoundException({ message: 'not found', $metadata: {} });
    const found = [...listeners.values()].filter(({ ListenerArn }) => !ListenerArns || ListenerArns.includes(ListenerArn));
    if (ListenerArns && found.length === 0) throw new ListenerNotFoundException({ message: 'not found', $metadata: {} });
    return { Listeners: found };
  });
  elb.on(DescribeRulesCommand).callsFake(async ({ ListenerArn }) => ({
    Rules: [{ IsDefault: true, Priority: 'default', Actions: listeners.get(ListenerArn)?.DefaultActions }],
  }));
  elb.on(ModifyListenerCommand).callsFake(async ({ ListenerArn, ...input }) => {
    const modified = shown({ ...listeners.get(ListenerArn), ...input });
    listeners.set(ListenerArn, modified);
    return { Listeners: [modified] };
  });
  return {
    listen(listener) {
      const ListenerArn = `${balancer.replace(':loadbalancer/', ':listener/')}/f2f7dc8efc522a${listeners.size}b`;
      listeners.set(ListenerArn, shown({ ...listener, ListenerArn, LoadBalancerArn: balancer }));
      return ListenerArn;
    },
    restore: () => elb.restore(),
  };
}

/** From HTTPS to HTTP or TLS to TCP the certificate and the policy fall away. */
function shown(listener: Listener): Listener {
  const { Certificates, SslPolicy, ...plain } = listener;
  const encrypted = listener.Protocol === 'HTTPS' || listener.Protocol === 'TLS';
  if (encrypted && !Certificates?.length) throw new Error('You must specify a certificate');
  return {
    ...plain,
    ...(encrypted && { Certificates, SslPolicy: SslPolicy ?? 'ELBSecurityPolicy-2016-08' }),
    DefaultActions: listener.DefaultActions?.map(full),
  };
}

function full({ TargetGroupArn, ForwardConfig, RedirectConfig, ...action }: Action): Action {
  const groups = ForwardConfig?.TargetGroups ?? [{ TargetGroupArn }];
  return {
    ...action,
    ...(RedirectConfig && {
      RedirectConfig: { Protocol: '#{protocol}', Port: '#{port}', Host: '#{host}', Path: '/#{path}', Query: '#{query}', ...RedirectConfig },
    }),
    ...(action.Type === 'forward' && {
      ...(groups.length === 1 && { TargetGroupArn: groups[0]!.TargetGroupArn }),
      ForwardConfig: {
        TargetGroups: groups.map(({ TargetGroupArn, Weight = 1 }) => ({ TargetGroupArn, Weight })),
        TargetGroupStickinessConfig: ForwardConfig?.TargetGroupStickinessConfig ?? { Enabled: false },
      },
    }),
  };
}
