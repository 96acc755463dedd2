import * as z from 'zod';
import { blocked, change, compliant, defineControl, nonCompliant, notApplicable, onCalls, required } from '../define.ts';
import {
  eventSource,
  everyListener,
  isEncrypted,
  type Listener,
  listenerArn,
  listenerAt,
  listenersNamed,
  listenerType,
  modifyListener,
  onLoadBalancerGone,
  speech,
} from './elasticloadbalancing.ts';

interface State {
  readonly protocol: string;
  readonly port: number;
  readonly policy: string;
}

const stateOf = (listener: Listener): State => {
  const { protocol, port } = speech(listener);
  return { protocol, port, policy: isEncrypted(protocol) ? required(listener.SslPolicy, 'SslPolicy') : '' };
};

const isFips = (policy: string) => policy.includes('-FIPS-');

/** TLS 1.2 and later with forward secrecy. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html */
const policies = [
  'ELBSecurityPolicy-TLS13-1-2-2021-06',
  'ELBSecurityPolicy-TLS13-1-2-PQ-2025-09',
  'ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
  'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
  'ELBSecurityPolicy-TLS13-1-3-2021-06',
  'ELBSecurityPolicy-TLS13-1-3-PQ-2025-09',
  'ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04',
  'ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09',
  'ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04',
  'ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09',
  'ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04',
  'ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09',
];

export default defineControl({
  id: 'elbv2-tls-policy',
  title: 'Load balancer listeners use a TLS policy without old protocols',
  rationale: 'TLS 1.0 and 1.1 and weak ciphers let somebody on the network read or change ePHI in transit.',
  severity: 'HIGH',
  resourceType: listenerType,
  arn: listenerArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(i)', specification: 'addressable', rationale: 'Keeps ePHI from being changed unseen in transit.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit with ciphers that hold.' },
  ],
  related: { securityHub: ['ELB.17'], configRule: ['elbv2-predefined-security-policy-ssl-check'], prowler: ['elbv2_insecure_ssl_ciphers'] },
  triggers: [
    onCalls(eventSource, ['CreateListener', 'ModifyListener', 'DeleteListener'], listenersNamed),
    onLoadBalancerGone,
    { source: 'config', resourceType: listenerType },
  ],
  params: z
    .strictObject({
      policy: z.string().min(1).default('ELBSecurityPolicy-TLS13-1-2-2021-06').describe('Policy that the fix sets'),
      allowedPolicies: z.array(z.string().min(1)).min(1).default(policies).describe('Policies that are good enough'),
    })
    .refine(({ policy, allowedPolicies }) => allowedPolicies.includes(policy), { path: ['policy'], error: 'must be one of allowedPolicies' }),
  reads: 1,
  writes: ['elbv2:listener-tls-policy'],
  permissions: {
    inspect: ['elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeLoadBalancers'],
    remediate: ['elasticloadbalancing:ModifyListener'],
    undo: ['elasticloadbalancing:ModifyListener'],
  },
  impact: 'Clients that speak nothing newer than TLS 1.1, or only ciphers without forward secrecy, cannot connect any more.',
  defaultMode: 'approve',

  list: (aws, how) => everyListener(aws, how, stateOf),

  async inspect(resource, aws) {
    const listener = await listenerAt(aws, resource);
    return listener && stateOf(listener);
  },

  evaluate({ protocol, port, policy }, { allowedPolicies }) {
    if (!isEncrypted(protocol)) return notApplicable(`The listener speaks ${protocol}.`);
    return allowedPolicies.includes(policy) ? compliant(`Port ${port} uses ${policy}.`) : nonCompliant(`Port ${port} uses ${policy}, which is not allowed.`);
  },

  plan({ port, policy }, params) {
    if (isFips(policy) && !isFips(params.policy)) {
      return blocked(`${policy} is a FIPS policy and ${params.policy} is not: set a FIPS policy by hand, or as params.policy.`);
    }
    return change({ action: 'elasticloadbalancing:ModifyListener', summary: `Use ${params.policy} on port ${port}`, before: policy, after: params.policy });
  },

  setting: ({ policy }) => policy,
  remediate: (resource, { after }, aws) => modifyListener(aws, resource, { SslPolicy: after }),
  undo: (resource, { before }, aws) => modifyListener(aws, resource, { SslPolicy: before }),
});
