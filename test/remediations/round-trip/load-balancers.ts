/** Listeners: of classic load balancers and TLS policies on moto, actions and protocols on a shaped fake that shows them as AWS does. */
import {
  type Listener as ClassicListener,
  CreateLBCookieStickinessPolicyCommand,
  CreateLoadBalancerCommand,
  CreateLoadBalancerListenersCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingClient,
  SetLoadBalancerPoliciesOfListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { type Action, DescribeListenersCommand, ElasticLoadBalancingV2Client, type Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { own } from '../../support/arbitraries.ts';
import { type FakeBalancer, fakeBalancer, targetGroup } from '../../support/fakes/elasticloadbalancing.ts';
import { balancer } from '../../support/load-balancers.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

const certificate = `arn:aws:acm:us-east-1:${own}:certificate/web`;

const weighted = fc.record({
  groups: fc.subarray(['', 'b', 'c'], { minLength: 1 }),
  weights: fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)),
  sticky: fc.option(fc.integer({ min: 1, max: 604_800 }), { nil: undefined }),
});

/** Default actions that serve in clear, written as people write them. */
const inClear: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom<Action>({ Type: 'forward', TargetGroupArn: targetGroup }, { Type: 'forward', TargetGroupArn: targetGroup, Order: 1 }),
  weighted.map(
    ({ groups, weights, sticky }): Action => ({
      Type: 'forward',
      ForwardConfig: {
        TargetGroups: groups.map((suffix, index) => ({ TargetGroupArn: targetGroup + suffix, Weight: weights[index] })),
        ...(sticky !== undefined && { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: sticky } }),
      },
    }),
  ),
  fc
    .record({
      StatusCode: fc.constantFrom('200', '404', '503'),
      ContentType: fc.constantFrom('text/plain', 'application/json'),
      MessageBody: fc.string({ maxLength: 20 }),
    })
    .map((FixedResponseConfig): Action => ({ Type: 'fixed-response', FixedResponseConfig })),
  fc
    .record(
      { StatusCode: fc.constantFrom('HTTP_301' as const, 'HTTP_302' as const), Port: fc.constant('8080'), Host: fc.constant('www.example.com') },
      { requiredKeys: ['StatusCode'] },
    )
    .map((RedirectConfig): Action => ({ Type: 'redirect', RedirectConfig: { Protocol: 'HTTP', ...RedirectConfig } })),
);

let fake: FakeBalancer;
const toldOf = async (aws: Aws, arn: string): Promise<Listener> =>
  (await aws.client(ElasticLoadBalancingV2Client).send(new DescribeListenersCommand({ ListenerArns: [arn] }))).Listeners![0]!;

/** What AWS tells of targets has no order. */
const unordered = (actions: readonly Action[] = []) =>
  actions.map(({ ForwardConfig, ...action }) => ({
    ...action,
    ForwardConfig: ForwardConfig && {
      ...ForwardConfig,
      TargetGroups: [...(ForwardConfig.TargetGroups ?? [])].sort((one, other) => (one.TargetGroupArn! < other.TargetGroupArn! ? -1 : 1)),
    },
  }));

const redirects: RoundTrip<Action> = {
  prior: inClear,
  fake() {
    fake = fakeBalancer('app');
    return fake;
  },
  async arrange(_aws, action) {
    fake.listen({
      Protocol: 'HTTPS',
      Port: 443,
      Certificates: [{ CertificateArn: certificate }],
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroup }],
    });
    return fake.listen({ Protocol: 'HTTP', Port: 80, DefaultActions: [action] });
  },
  async told(aws, arn) {
    const { DefaultActions, ...other } = await toldOf(aws, arn);
    // One action needs no order, and AWS shows one or none.
    return { own: unordered(DefaultActions).map(({ Order: _, ...action }) => action), other };
  },
};

interface Plain {
  readonly kind: 'app' | 'net';
  readonly port: number;
  readonly action: Action;
  readonly policy?: string;
}

const encrypted: RoundTrip<Plain> = {
  prior: fc.record(
    { kind: fc.constantFrom('app', 'net'), port: fc.constantFrom(80, 8080, 5432), action: inClear, policy: fc.constant('ELBSecurityPolicy-TLS13-1-3-2021-06') },
    { requiredKeys: ['kind', 'port', 'action'] },
  ),
  // `arrange` makes the one that the prior setting asks for.
  fake: () => ({ restore: () => fake.restore() }),
  params: ({ policy }) => ({ certificateArn: certificate, ...(policy && { policy }) }),
  async arrange(_aws, { kind, port, action }) {
    fake = fakeBalancer(kind);
    return fake.listen({
      Protocol: kind === 'app' ? 'HTTP' : 'TCP',
      Port: port,
      DefaultActions: [kind === 'app' ? action : { Type: 'forward', TargetGroupArn: targetGroup }],
    });
  },
  async told(aws, arn) {
    const { Protocol, SslPolicy, Certificates, DefaultActions, ...other } = await toldOf(aws, arn);
    return { own: { Protocol, SslPolicy, Certificates }, other: { ...other, actions: unordered(DefaultActions) } };
  },
};

const tlsPolicy: RoundTrip<{ readonly network: boolean; readonly policy?: string }> = {
  prior: fc.record(
    {
      network: fc.boolean(),
      policy: fc.constantFrom('ELBSecurityPolicy-TLS13-1-0-2021-06', 'ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06', 'ELBSecurityPolicy-TLS-1-1-2017-01'),
    },
    { requiredKeys: ['network'] },
  ),
  arrange: async (aws, { network, policy }, name) =>
    (await balancer(aws, network ? 'network' : 'application', name)).listen({ Protocol: network ? 'TLS' : 'HTTPS', Port: 443, SslPolicy: policy }),
  async told(aws, arn) {
    const { SslPolicy, ...other } = await toldOf(aws, arn);
    return { own: SslPolicy, other };
  },
};

interface Classic {
  readonly plain: readonly ClassicListener[];
  readonly secure: readonly ClassicListener[];
  readonly sticky: boolean;
}

const on = (Protocol: string, LoadBalancerPort: number, InstancePort: number): ClassicListener => ({
  Protocol,
  LoadBalancerPort,
  InstancePort,
  InstanceProtocol: Protocol,
  ...(['HTTPS', 'SSL'].includes(Protocol) && { SSLCertificateId: `arn:aws:iam::${own}:server-certificate/web` }),
});

const isPlain = ({ Protocol = '', LoadBalancerPort }: { readonly Protocol: string | undefined; readonly LoadBalancerPort?: number | undefined }) =>
  /^(http|tcp)$/i.test(Protocol) && LoadBalancerPort !== 443;
const late = on('HTTPS', 9443, 8080);

const classic: RoundTrip<Classic> = {
  moto: 'moto shows the protocol of the listener as that of the instances',
  prior: fc.record({
    plain: fc.subarray([on('HTTP', 80, 8080), on('http', 8000, 8080), on('TCP', 8081, 9090), on('HTTP', 8082, 9090)], { minLength: 1 }),
    secure: fc.constantFrom([on('HTTPS', 444, 8080), on('SSL', 8883, 9090)], [on('HTTPS', 444, 8080), on('SSL', 8883, 9090), on('TCP', 443, 7070)]),
    sticky: fc.boolean(),
  }),
  async arrange(aws, { plain, secure, sticky }, LoadBalancerName) {
    const elb = aws.client(ElasticLoadBalancingClient);
    await elb.send(new CreateLoadBalancerCommand({ LoadBalancerName, Listeners: [...secure, ...plain], AvailabilityZones: ['us-east-1a'] }));
    if (!sticky) return LoadBalancerName;
    for (const PolicyName of ['one', 'two']) await elb.send(new CreateLBCookieStickinessPolicyCommand({ LoadBalancerName, PolicyName }));
    for (const { LoadBalancerPort } of [plain[0]!, secure[0]!]) {
      await elb.send(new SetLoadBalancerPoliciesOfListenerCommand({ LoadBalancerName, LoadBalancerPort, PolicyNames: ['two', 'one'] }));
    }
    return LoadBalancerName;
  },
  async told(aws, name) {
    const answer = await aws.client(ElasticLoadBalancingClient).send(new DescribeLoadBalancersCommand({ LoadBalancerNames: [name] }));
    const { ListenerDescriptions = [], ...balancer } = answer.LoadBalancerDescriptions![0]!;
    const listeners = ListenerDescriptions.map(({ Listener, PolicyNames = [] }) => ({
      ...Listener,
      Protocol: Listener?.Protocol?.toUpperCase(),
      InstanceProtocol: Listener?.InstanceProtocol?.toUpperCase(),
      policies: [...PolicyNames].sort(),
    })).sort((one, other) => one.LoadBalancerPort! - other.LoadBalancerPort!);
    return { own: listeners.filter(isPlain), other: { listeners: listeners.filter((listener) => !isPlain(listener)), balancer } };
  },
  async meanwhile(aws, LoadBalancerName) {
    await aws.client(ElasticLoadBalancingClient).send(new CreateLoadBalancerListenersCommand({ LoadBalancerName, Listeners: [late] }));
  },
};

export const loadBalancers = {
  'alb-http-redirects-to-https': redirects,
  'elbv2-listeners-encrypted': encrypted,
  'elbv2-tls-policy': tlsPolicy,
  'clb-listeners-encrypted': classic,
};
