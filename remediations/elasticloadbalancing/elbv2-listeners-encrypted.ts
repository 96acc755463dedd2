import * as z from 'zod';
import { blocked, change, compliant, defineControl, insufficientData, leafOf, nonCompliant, notApplicable, onCalls } from '../define.ts';
import {
  customRulesOf,
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
  type Protocol,
  redirectsToHttps,
  speech,
} from './elasticloadbalancing.ts';

/** What ModifyListener takes; a plain listener has neither certificate nor policy. */
interface Encryption {
  readonly Protocol: Protocol;
  readonly SslPolicy?: string;
  readonly Certificates?: { readonly CertificateArn: string }[];
}

interface State {
  readonly port: number;
  readonly encryption: Encryption;
  /** No rule serves anything but a redirect to HTTPS. */
  readonly onlyRedirects: boolean;
}

function stateFrom(listener: Listener, onlyRedirects: boolean): State {
  const { protocol: Protocol, port } = speech(listener);
  if (!isEncrypted(Protocol)) return { port, encryption: { Protocol }, onlyRedirects };
  const { SslPolicy, Certificates = [] } = listener;
  return { port, encryption: { Protocol, SslPolicy, Certificates: Certificates.map(({ CertificateArn = '' }) => ({ CertificateArn })) }, onlyRedirects };
}

/** Of an HTTP listener whose default action redirects, only its rules tell the rest. */
const rulesTell = ({ Protocol, DefaultActions }: Listener) => Protocol === 'HTTP' && redirectsToHttps(DefaultActions);

/** The protocol that speaks TLS in place of a plain one; UDP has none. */
const encryptedOf: Readonly<Record<string, 'HTTPS' | 'TLS'>> = { HTTP: 'HTTPS', TCP: 'TLS' };

const overTcpOrUdp = ['TCP', 'UDP', 'TCP_UDP', 'TCP_QUIC'];
const holdingTls = ['HTTPS', 'TLS', 'QUIC'];

export default defineControl({
  id: 'elbv2-listeners-encrypted',
  title: 'Load balancer listeners use HTTPS or TLS',
  rationale: 'A listener without TLS carries ePHI over the network unencrypted.',
  severity: 'HIGH',
  resourceType: listenerType,
  arn: listenerArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(i)', specification: 'addressable', rationale: 'Keeps ePHI from being changed unseen in transit.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit.' },
  ],
  related: {
    securityHub: ['ELB.18'],
    configRule: ['elbv2-listener-encryption-in-transit'],
    prowler: ['elbv2_ssl_listeners', 'elbv2_nlb_tls_termination_enabled'],
  },
  triggers: [
    onCalls(eventSource, ['CreateListener', 'ModifyListener', 'DeleteListener', 'CreateRule', 'ModifyRule', 'DeleteRule'], listenersNamed),
    onLoadBalancerGone,
    { source: 'config', resourceType: listenerType },
  ],
  params: z.strictObject({
    certificateArn: z
      .string()
      .regex(/^$|^arn:aws[a-z-]*:(acm|iam):/, 'must be the ARN of a certificate')
      .default('')
      .describe('Certificate that the fix serves. Empty: no fix'),
    policy: z.string().min(1).default('ELBSecurityPolicy-TLS13-1-2-2021-06').describe('TLS policy that the fix sets'),
    tcpPassthroughPorts: z
      .array(z.int().min(1).max(65_535))
      .default([443, 8443, 6443])
      .describe('Ports where a network load balancer may pass TLS on for the targets to end'),
  }),
  reads: 1,
  writes: ['elbv2:listener-protocol'],
  permissions: {
    inspect: ['elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeRules'],
    remediate: ['elasticloadbalancing:ModifyListener'],
    undo: ['elasticloadbalancing:ModifyListener'],
  },
  impact: 'Clients that speak without TLS on the port are cut off at once; clients whose host name the certificate does not hold refuse it.',
  defaultMode: 'approve',

  list: (aws, how) => everyListener(aws, how, (listener) => (rulesTell(listener) ? undefined : stateFrom(listener, false))),

  async inspect(resource, aws) {
    const listener = await listenerAt(aws, resource);
    if (!listener || !rulesTell(listener)) return listener && stateFrom(listener, false);
    const rules = await customRulesOf(aws, resource.id);
    return (
      rules &&
      stateFrom(
        listener,
        rules.every(({ Actions }) => redirectsToHttps(Actions)),
      )
    );
  },

  evaluate({ encryption: { Protocol: protocol }, port, onlyRedirects }, { tcpPassthroughPorts }) {
    if (protocol === 'GENEVE') return notApplicable('A gateway load balancer passes packets on as they are.');
    if (onlyRedirects) return compliant(`Port ${port} only redirects to HTTPS.`);
    if (overTcpOrUdp.includes(protocol) && tcpPassthroughPorts.includes(port)) return compliant(`Port ${port} passes TLS on to the targets.`);
    if (holdingTls.includes(protocol)) return compliant(`Port ${port} speaks ${protocol}.`);
    if (protocol === 'HTTP' || overTcpOrUdp.includes(protocol)) return nonCompliant(`Port ${port} speaks ${protocol} without TLS.`);
    return insufficientData(`Port ${port} speaks ${protocol}, of which nothing is known here.`);
  },

  plan({ encryption, port }, { certificateArn, policy }) {
    const Protocol = encryptedOf[encryption.Protocol];
    if (!Protocol) return blocked(`${encryption.Protocol} cannot be turned into TLS: a person must move the clients to another listener, or waive this one.`);
    if (certificateArn === '') return blocked('A person must choose a certificate: set certificateArn in the policy.');
    return change<Encryption>({
      action: 'elasticloadbalancing:ModifyListener',
      summary: `Speak ${Protocol} on port ${port} with certificate ${leafOf({ id: certificateArn })}`,
      before: encryption,
      after: { Protocol, SslPolicy: policy, Certificates: [{ CertificateArn: certificateArn }] },
    });
  },

  setting: ({ encryption }) => encryption,
  remediate: (resource, { after }, aws) => modifyListener(aws, resource, after),
  undo: (resource, { before }, aws) => modifyListener(aws, resource, before),
});
