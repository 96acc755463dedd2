import {
  CreateLBCookieStickinessPolicyCommand,
  CreateLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingClient,
  type Listener,
  SetLoadBalancerPoliciesOfListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { expect, test } from '@jest/globals';
import control from '../../../remediations/elb/clb-listeners-encrypted.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const on = (Protocol: string, LoadBalancerPort: number, InstancePort = 8080): Listener => ({
  Protocol,
  LoadBalancerPort,
  InstancePort,
  // moto shows the listener's protocol in its place.
  InstanceProtocol: Protocol,
  ...(['HTTPS', 'SSL'].includes(Protocol) && { SSLCertificateId: 'arn:aws:iam::123456789012:server-certificate/web' }),
});

/** The policies are put on the first listener. */
const classic =
  (Listeners: Listener[], ...policies: readonly string[]): Arrange =>
  async (admin) => {
    const elb = admin.client(ElasticLoadBalancingClient);
    const LoadBalancerName = 'portal';
    await elb.send(new CreateLoadBalancerCommand({ LoadBalancerName, Listeners, AvailabilityZones: ['us-east-1a'] }));
    for (const PolicyName of policies) await elb.send(new CreateLBCookieStickinessPolicyCommand({ LoadBalancerName, PolicyName }));
    if (policies.length > 0) {
      const LoadBalancerPort = Listeners[0]!.LoadBalancerPort;
      await elb.send(new SetLoadBalancerPoliciesOfListenerCommand({ LoadBalancerName, LoadBalancerPort, PolicyNames: [...policies] }));
    }
    return 'portal';
  };

const shown = (protocol: string, port: number, policies: readonly string[] = []) => ({
  port,
  protocol,
  instancePort: 8080,
  instanceProtocol: protocol,
  certificate: null,
  policies,
});

const newer = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app';

const called = (requestParameters: unknown, apiVersion = '2012-06-01') => ({
  eventSource: 'elasticloadbalancing.amazonaws.com',
  apiVersion,
  requestParameters,
});

testControl(control, {
  compliant: {
    'HTTPS and SSL': classic([on('HTTPS', 443), on('SSL', 8883)]),
    'TCP where the instances end TLS': classic([on('TCP', 443)]),
    'TCP on a port that the owner lets pass': { given: classic([on('TCP', 6443)]), params: { tcpPassthroughPorts: [6443] } },
  },
  remediated: {
    'HTTP beside HTTPS': {
      given: classic([on('HTTP', 80), on('HTTPS', 443)]),
      annotation: 'HTTP:80 without TLS',
      change: { before: [shown('HTTP', 80)], after: [] },
    },
    'HTTP with policies': {
      given: classic([on('HTTP', 80), on('HTTPS', 443)], 'sticky', 'also-sticky'),
      change: { before: [shown('HTTP', 80, ['also-sticky', 'sticky'])] },
    },
    'HTTP and TCP beside SSL': {
      given: classic([on('TCP', 8080), on('SSL', 8443), on('HTTP', 80)]),
      annotation: 'HTTP:80, TCP:8080 without TLS',
      change: { before: [shown('HTTP', 80), shown('TCP', 8080)] },
      then: async (admin) => {
        const { LoadBalancerDescriptions = [] } = await admin.client(ElasticLoadBalancingClient).send(new DescribeLoadBalancersCommand({}));
        expect(LoadBalancerDescriptions[0]!.ListenerDescriptions!.map(({ Listener }) => Listener!.LoadBalancerPort)).toEqual([8443]);
      },
    },
    'HTTP on a pass-through port': { given: classic([on('HTTP', 8443), on('HTTPS', 443)]), annotation: 'HTTP:8443' },
    'protocols in lower case': { given: classic([on('http', 80), on('HTTPS', 443)]) },
  },
  blocked: {
    'nothing encrypted': { given: classic([on('HTTP', 80)]), reason: 'a person must make one with a certificate' },
    'HTTPS leads elsewhere': { given: classic([on('HTTP', 80), on('HTTPS', 443, 9090)]), reason: 'where HTTP:80 leads' },
    'one of two has no counterpart': { given: classic([on('HTTP', 80), on('HTTPS', 443), on('TCP', 5432, 5432)]), reason: 'where TCP:5432 leads' },
    'TCP that passes TLS on is no counterpart': { given: classic([on('HTTP', 80), on('TCP', 443)]), reason: 'where HTTP:80 leads' },
  },
  gone: 'no-such-balancer',
  events: {
    CreateLoadBalancer: {
      detail: called({ loadBalancerName: 'portal', listeners: [{ protocol: 'HTTP', loadBalancerPort: 80, instancePort: 80 }] }),
      ids: ['portal'],
    },
    'CreateLoadBalancer of the newer kind is not for it': { detail: called({ name: 'portal', type: 'application' }, '2015-12-01'), ids: [] },
    CreateLoadBalancerListeners: { detail: called({ loadBalancerName: 'portal', listeners: { protocol: 'HTTP' } }), ids: ['portal'] },
    DeleteLoadBalancer: { detail: called({ loadBalancerName: 'portal' }), ids: ['portal'] },
    'DeleteLoadBalancer of the newer kind is not for it': { detail: called({ loadBalancerArn: `${newer}/portal/50dc6c495c0c9188` }, '2015-12-01'), ids: [] },
    DeleteLoadBalancerListeners: { detail: called({ loadBalancerName: 'portal', loadBalancerPorts: [80] }), ids: ['portal'] },
    SetLoadBalancerPoliciesOfListener: { detail: called({ loadBalancerName: 'portal', loadBalancerPort: 80, policyNames: [] }), ids: ['portal'] },
    'CreateLoadBalancer with null request parameters': { detail: called(null), sweep: true },
  },
});

test('encrypted listeners are no part of the setting: an undo leaves them alone, and is not refused for one that came later', () => {
  const plain = [shown('HTTP', 80), shown('TCP', 5432)];
  expect(control.setting!({ listeners: [...plain, shown('HTTPS', 443), shown('SSL', 8883)] })).toEqual(plain);
});
