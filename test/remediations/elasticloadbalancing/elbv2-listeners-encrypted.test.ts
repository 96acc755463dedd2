import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import control from '../../../remediations/elasticloadbalancing/elbv2-listeners-encrypted.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';
import { type FakeBalancer, fakeBalancer, targetGroup } from '../../support/fakes/elasticloadbalancing.ts';
import { balancer } from '../../support/load-balancers.ts';
import { listener, listenerEvents, ruleEvents } from './listener-events.ts';

const events = { ...listenerEvents, ...ruleEvents };
// The IAM server certificate that test/support/load-balancers.ts uploads.
const certificateArn = 'arn:aws:iam::123456789012:server-certificate/web';
const policy = 'ELBSecurityPolicy-TLS13-1-2-2021-06';
const params = { certificateArn };
const redirect: Action = { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } };

const app =
  (Protocol: 'HTTP' | 'HTTPS', Port: number, actions?: Action[], rules: readonly Action[] = []): Arrange =>
  async (admin) => {
    const web = await balancer(admin);
    const arn = await web.listen({ Protocol, Port, ...(actions && { DefaultActions: actions }) });
    for (const [index, action] of rules.entries()) await web.rule(arn, index + 1, [action]);
    return arn;
  };

const net =
  (Protocol: 'TCP' | 'UDP' | 'TCP_UDP' | 'TLS', Port: number): Arrange =>
  async (admin) =>
    (await balancer(admin, 'network')).listen({ Protocol, Port });

const answer: Action = { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } };

testControl(control, {
  params,
  compliant: {
    HTTPS: app('HTTPS', 443),
    TLS: net('TLS', 8883),
    'HTTP that only redirects': { given: app('HTTP', 80, [redirect]), annotation: 'only redirects' },
    'HTTP that only redirects, rules too': app('HTTP', 80, [redirect], [redirect]),
    'TCP on a port where the targets end TLS': { given: net('TCP', 6443), annotation: 'passes TLS on' },
    'UDP on such a port': net('UDP', 443),
  },
  remediated: {
    HTTP: {
      given: app('HTTP', 80),
      annotation: 'Port 80 speaks HTTP without TLS',
      change: { before: { Protocol: 'HTTP' }, after: { Protocol: 'HTTPS', SslPolicy: policy, Certificates: [{ CertificateArn: certificateArn }] } },
    },
    'HTTP on a pass-through port of network load balancers': { given: app('HTTP', 8443) },
    'HTTP whose custom rule answers in clear': { given: app('HTTP', 80, [redirect], [redirect, answer]) },
    'with a policy of the owner': {
      given: app('HTTP', 80),
      params: { ...params, policy: 'ELBSecurityPolicy-TLS13-1-3-2021-06' },
      change: { after: { Protocol: 'HTTPS', SslPolicy: 'ELBSecurityPolicy-TLS13-1-3-2021-06', Certificates: [{ CertificateArn: certificateArn }] } },
    },
  },
  blocked: {
    'HTTP, no certificate chosen': { given: app('HTTP', 80), params: {}, reason: 'A person must choose a certificate' },
    'TCP, no certificate chosen': { given: net('TCP', 5432), params: {}, reason: 'A person must choose a certificate' },
    'TCP on 443 where nothing may pass through': { given: net('TCP', 443), params: { tcpPassthroughPorts: [] }, reason: 'certificate' },
    UDP: { given: net('UDP', 514), reason: 'UDP cannot be turned into TLS' },
    'TCP and UDP': { given: net('TCP_UDP', 53), reason: 'TCP_UDP cannot be turned into TLS' },
  },
  gone: listener,
  events,
});

let fake: FakeBalancer;

// moto's ModifyListener knows no TLS, and its network load balancers no QUIC.
testControl(control, {
  fake: () => {
    fake = fakeBalancer('net');
    return fake;
  },
  params,
  compliant: {
    TLS: async () => fake.listen({ Protocol: 'TLS', Port: 8883, Certificates: [{ CertificateArn: certificateArn }] }),
    'HTTP that only redirects': async () => fake.listen({ Protocol: 'HTTP', Port: 80, DefaultActions: [redirect] }),
    'QUIC, which holds TLS': async () => fake.listen({ Protocol: 'QUIC', Port: 443 }),
  },
  remediated: {
    TCP: {
      given: async () => fake.listen({ Protocol: 'TCP', Port: 5432, DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroup }] }),
      change: { before: { Protocol: 'TCP' }, after: { Protocol: 'TLS', SslPolicy: policy, Certificates: [{ CertificateArn: certificateArn }] } },
    },
    'HTTP whose only rule redirects to HTTP': {
      given: async () =>
        fake.listen({ Protocol: 'HTTP', Port: 80, DefaultActions: [{ Type: 'redirect', RedirectConfig: { Port: '8080', StatusCode: 'HTTP_301' } }] }),
    },
  },
  blocked: { 'TCP beside QUIC': { given: async () => fake.listen({ Protocol: 'TCP_QUIC', Port: 8080 }), reason: 'TCP_QUIC cannot' } },
  gone: listener,
  events,
});
