import * as z from 'zod';
import { blocked, change, compliant, defineControl, nonCompliant, notApplicable, onCalls, required } from '../define.ts';
import {
  type Action,
  customRulesOf,
  eventSource,
  everyListener,
  type Listener,
  listenerArn,
  listenersNamed,
  listenersOf,
  listenerType,
  loadBalancerOf,
  modifyListener,
  normalisedActions,
  onLoadBalancerGone,
  type Rule,
  redirectsToHttps,
  speech,
} from './elasticloadbalancing.ts';

interface State {
  readonly protocol: string;
  readonly port: number;
  readonly defaultActions: readonly Action[];
  /** Custom rules that do not redirect to HTTPS. */
  readonly inClear: number;
  readonly httpsListeners: readonly { readonly port: number; readonly redirectsToHttp: boolean }[];
}

const redirectTo = (httpsPort: number): Action[] =>
  normalisedActions([{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: String(httpsPort), StatusCode: 'HTTP_301' } }]);

const isHttp = ({ Protocol }: Listener) => Protocol === 'HTTP';

const stateFrom = (listener: Listener, siblings: readonly Listener[], rules: readonly Rule[]): State => ({
  ...speech(listener),
  defaultActions: normalisedActions(listener.DefaultActions),
  inClear: rules.filter(({ Actions }) => !redirectsToHttps(Actions)).length,
  httpsListeners: siblings
    .filter(({ Protocol }) => Protocol === 'HTTPS')
    .map(({ Port, DefaultActions = [] }) => ({
      port: required(Port, 'Port'),
      redirectsToHttp: DefaultActions.some(({ RedirectConfig }) => RedirectConfig?.Protocol === 'HTTP'),
    })),
});

export default defineControl({
  id: 'alb-http-redirects-to-https',
  title: 'HTTP listeners of an Application Load Balancer redirect to HTTPS',
  rationale: 'A listener that forwards plain HTTP carries ePHI over the network unencrypted.',
  severity: 'HIGH',
  resourceType: listenerType,
  arn: listenerArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit.' },
  ],
  related: { securityHub: ['ELB.1'], configRule: ['alb-http-to-https-redirection-check'], prowler: ['elbv2_ssl_listeners'] },
  triggers: [
    onCalls(eventSource, ['CreateListener', 'ModifyListener', 'DeleteListener', 'CreateRule', 'ModifyRule', 'DeleteRule'], listenersNamed),
    onLoadBalancerGone,
    { source: 'config', resourceType: listenerType },
  ],
  params: z.strictObject({ httpsPort: z.int().min(1).max(65_535).default(443).describe('Port that the redirect points to') }),
  reads: 2,
  writes: ['elbv2:listener-default-actions'],
  permissions: {
    inspect: ['elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeRules'],
    remediate: ['elasticloadbalancing:ModifyListener'],
    undo: ['elasticloadbalancing:ModifyListener'],
  },
  impact: 'Clients that do not follow a 301, and POST clients that resend as GET, fail until they call HTTPS.',
  defaultMode: 'approve',

  list: (aws, how) => everyListener(aws, how, (listener, siblings) => (isHttp(listener) ? undefined : stateFrom(listener, siblings, []))),

  async inspect({ id }, aws) {
    const siblings = await listenersOf(aws, loadBalancerOf(id));
    const listener = siblings?.find(({ ListenerArn }) => ListenerArn === id);
    if (!siblings || !listener) return undefined;
    const rules = isHttp(listener) ? await customRulesOf(aws, id) : [];
    return rules && stateFrom(listener, siblings, rules);
  },

  evaluate({ protocol, port, defaultActions, inClear }) {
    if (protocol !== 'HTTP') return notApplicable(`The listener speaks ${protocol}.`);
    return redirectsToHttps(defaultActions) && inClear === 0 ? compliant('Every rule redirects to HTTPS.') : nonCompliant(`Port ${port} serves HTTP in clear.`);
  },

  plan({ port, defaultActions, inClear, httpsListeners }, { httpsPort }) {
    const target = httpsListeners.find((listener) => listener.port === httpsPort);
    if (!target) return blocked(`No HTTPS listener on port ${httpsPort}: a redirect would cut the service off.`);
    if (target.redirectsToHttp) return blocked(`The HTTPS listener on port ${httpsPort} redirects to HTTP: a redirect back would cut the service off.`);
    // A rule can hold a health check or an ACME path; which of them may move is the owner's call.
    if (inClear > 0) return blocked('Custom rules serve HTTP in clear; the fix sets the default action only.');
    return change<readonly Action[]>({
      action: 'elasticloadbalancing:ModifyListener',
      summary: `Redirect port ${port} to HTTPS:${httpsPort}`,
      before: defaultActions,
      after: redirectTo(httpsPort),
    });
  },

  setting: ({ defaultActions }) => defaultActions,
  remediate: (resource, { after }, aws) => modifyListener(aws, resource, { DefaultActions: [...after] }),
  undo: (resource, { before }, aws) => modifyListener(aws, resource, { DefaultActions: [...before] }),
});
