import * as z from 'zod';
import { blocked, change, compliant, defineControl, nonCompliant, onCalls } from '../define.ts';
import {
  addListeners,
  balancerArn,
  balancerNamed,
  balancerType,
  eventSource,
  everyBalancer,
  isClassic,
  type Listener,
  listenersOf,
  removeListeners,
} from './elb.ts';

const isEncrypted = ({ protocol }: Listener) => protocol === 'HTTPS' || protocol === 'SSL';

const inWords = (listeners: readonly Listener[]) => listeners.map(({ port, protocol }) => `${protocol}:${port}`).join(', ');

const plainAmong = (listeners: readonly Listener[], passthroughPorts: readonly number[]) =>
  listeners.filter((listener) => !isEncrypted(listener) && !(listener.protocol === 'TCP' && passthroughPorts.includes(listener.port)));

export default defineControl({
  id: 'clb-listeners-encrypted',
  title: 'Classic load balancers listen on HTTPS or TLS only',
  rationale: 'A listener without TLS carries ePHI over the network unencrypted.',
  severity: 'HIGH',
  resourceType: balancerType,
  arn: balancerArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(i)', specification: 'addressable', rationale: 'Keeps ePHI from being changed unseen in transit.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit.' },
  ],
  related: { securityHub: ['ELB.3'], configRule: ['elb-tls-https-listeners-only'], prowler: ['elb_ssl_listeners'] },
  triggers: [
    onCalls(
      eventSource,
      ['CreateLoadBalancer', 'CreateLoadBalancerListeners', 'DeleteLoadBalancer', 'DeleteLoadBalancerListeners', 'SetLoadBalancerPoliciesOfListener'],
      balancerNamed,
      { concerns: isClassic },
    ),
    { source: 'config', resourceType: balancerType },
  ],
  params: z.strictObject({
    tcpPassthroughPorts: z
      .array(z.int().min(1).max(65_535))
      .default([443, 8443])
      .describe('Ports where a TCP listener may pass TLS on for the instances to end'),
  }),
  reads: 1,
  writes: ['elb:listeners'],
  permissions: {
    inspect: ['elasticloadbalancing:DescribeLoadBalancers'],
    remediate: ['elasticloadbalancing:DeleteLoadBalancerListeners'],
    undo: ['elasticloadbalancing:CreateLoadBalancerListeners', 'elasticloadbalancing:SetLoadBalancerPoliciesOfListener'],
  },
  impact: 'Clients on the plain port are cut off: a classic load balancer cannot redirect them.',
  defaultMode: 'approve',

  list: everyBalancer,

  async inspect(resource, aws) {
    const listeners = await listenersOf(aws, resource);
    return listeners && { listeners };
  },

  evaluate({ listeners }, { tcpPassthroughPorts }) {
    const plain = plainAmong(listeners, tcpPassthroughPorts);
    return plain.length === 0 ? compliant('No listener carries plain traffic.') : nonCompliant(`${inWords(plain)} without TLS.`);
  },

  plan({ listeners }, { tcpPassthroughPorts }) {
    const plain = plainAmong(listeners, tcpPassthroughPorts);
    const alone = plain.filter(({ instancePort }) => !listeners.some((listener) => isEncrypted(listener) && listener.instancePort === instancePort));
    if (alone.length > 0) {
      return blocked(`No HTTPS or SSL listener leads where ${inWords(alone)} leads: a person must make one with a certificate first.`);
    }
    return change<readonly Listener[]>({
      action: 'elasticloadbalancing:DeleteLoadBalancerListeners',
      summary: `Remove ${inWords(plain)}`,
      before: plain,
      after: [],
    });
  },

  setting: ({ listeners }): readonly Listener[] => listeners.filter((listener) => !isEncrypted(listener)),
  remediate: (resource, { before }, aws) => removeListeners(aws, resource, before),
  undo: (resource, { before }, aws) => addListeners(aws, resource, before),
});
