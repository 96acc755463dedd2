import type { Action, CreateListenerCommandInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect, test } from '@jest/globals';
import control from '../../../remediations/elasticloadbalancing/alb-http-redirects-to-https.ts';
import { normalisedActions } from '../../../remediations/elasticloadbalancing/elasticloadbalancing.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';
import { type FakeBalancer, fakeBalancer, targetGroup } from '../../support/fakes/elasticloadbalancing.ts';
import { balancer } from '../../support/load-balancers.ts';
import { listener, listenerEvents, ruleEvents } from './listener-events.ts';

const redirect = (Port = '443', Protocol: 'HTTPS' | 'HTTP' = 'HTTPS'): Action => ({
  Type: 'redirect',
  RedirectConfig: { Protocol, Port, Host: '#{host}', Path: '/#{path}', Query: '#{query}', StatusCode: 'HTTP_301' },
});
const shortRedirect: Action = { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_302' } };
const teapot: Action = { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'nothing here' } };
const forwardTo = (...groups: readonly string[]): Action => ({
  Type: 'forward',
  ForwardConfig: { TargetGroups: groups.map((TargetGroupArn) => ({ TargetGroupArn, Weight: 1 })), TargetGroupStickinessConfig: { Enabled: false } },
});
const toHttps = { after: [redirect()] };

interface Given {
  readonly listener?: Partial<CreateListenerCommandInput>;
  readonly actions?: readonly Action[];
  /** Actions of custom rules. */
  readonly rules?: readonly (Action | 'forward')[];
  /** Ports of HTTPS listeners beside it, with the default action of each. */
  readonly https?: Readonly<Record<number, Action | 'forward'>>;
}

const http =
  ({ listener, actions, rules = [], https = { 443: 'forward' } }: Given): Arrange =>
  async (admin) => {
    const web = await balancer(admin);
    const forward: Action = { Type: 'forward', TargetGroupArn: web.targetGroup };
    const real = (action: Action | 'forward') => (action === 'forward' ? forward : action);
    for (const [port, action] of Object.entries(https)) await web.listen({ Protocol: 'HTTPS', Port: Number(port), DefaultActions: [real(action)] });
    const arn = await web.listen({ Protocol: 'HTTP', Port: 80, ...(actions && { DefaultActions: [...actions] }), ...listener });
    for (const [index, action] of rules.entries()) await web.rule(arn, index + 1, [real(action)]);
    return arn;
  };

const events = { ...listenerEvents, ...ruleEvents };

testControl(control, {
  compliant: {
    'default action redirects': http({ actions: [redirect()] }),
    'redirects with no HTTPS listener beside it': http({ actions: [redirect('8443')], https: {} }),
    'every rule redirects': http({ actions: [redirect()], rules: [shortRedirect, redirect()] }),
  },
  notApplicable: {
    'an HTTPS listener': async (admin) => (await balancer(admin)).listen({ Protocol: 'HTTPS', Port: 443 }),
    'a TCP listener': async (admin) => (await balancer(admin, 'network')).listen({ Protocol: 'TCP', Port: 80 }),
  },
  remediated: {
    'forwards in clear': { given: http({}), annotation: 'Port 80 serves HTTP in clear', change: toHttps },
    'forwards in clear on another port': { given: http({ listener: { Port: 8080 } }), annotation: 'Port 8080', change: toHttps },
    'answers in clear': { given: http({ actions: [teapot] }), change: { before: [teapot], ...toHttps } },
    'redirects to HTTP': { given: http({ actions: [redirect('8080', 'HTTP')] }), change: { before: [redirect('8080', 'HTTP')] } },
    'HTTPS on a port of its own': { given: http({ https: { 8443: 'forward' } }), params: { httpsPort: 8443 }, change: { after: [redirect('8443')] } },
    'custom rules redirect, the default action does not': { given: http({ rules: [shortRedirect] }) },
  },
  blocked: {
    'nothing listens on HTTPS': { given: http({ https: {} }), reason: 'cut the service off' },
    'HTTPS listens on another port': { given: http({ https: { 8443: 'forward' } }), reason: 'No HTTPS listener on port 443' },
    'HTTPS redirects back to HTTP': { given: http({ https: { 443: redirect('80', 'HTTP') } }), reason: 'redirects to HTTP' },
    'a custom rule forwards in clear': { given: http({ actions: [redirect()], rules: [redirect(), 'forward'] }), reason: 'Custom rules' },
    'a custom rule and the default action': { given: http({ rules: ['forward'] }), reason: 'Custom rules' },
  },
  gone: async (admin) => `${(await http({})(admin)).slice(0, -4)}0000`,
  events,
});

let fake: FakeBalancer;
const asAws =
  (actions: readonly Action[]): Arrange =>
  async () => {
    fake.listen({
      Protocol: 'HTTPS',
      Port: 443,
      Certificates: [{ CertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/web' }],
      DefaultActions: [forwardTo(targetGroup)],
    });
    return fake.listen({ Protocol: 'HTTP', Port: 80, DefaultActions: [...actions] });
  };

// AWS shows redirects and forwards with every default filled in; moto shows what was sent.
testControl(control, {
  fake: () => {
    fake = fakeBalancer('app');
    return fake;
  },
  compliant: { 'a redirect that names little': asAws([shortRedirect]) },
  remediated: {
    'one target group': {
      given: asAws([{ Type: 'forward', TargetGroupArn: targetGroup, Order: 1 }]),
      change: { before: [forwardTo(targetGroup)], after: [redirect()] },
    },
    'two target groups by weight, with stickiness': {
      given: asAws([
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: `${targetGroup}b`, Weight: 9 },
              { TargetGroupArn: targetGroup, Weight: 0 },
            ],
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 3600 },
          },
        },
      ]),
    },
  },
  gone: listener,
  events,
});

test('a forward is one setting in each form that AWS takes or shows', () => {
  const shown: Action = { ...forwardTo(targetGroup), TargetGroupArn: targetGroup, Order: 1 };
  for (const form of [{ Type: 'forward', TargetGroupArn: targetGroup } as const, forwardTo(targetGroup)]) {
    expect(normalisedActions([form])).toEqual(normalisedActions([shown]));
  }
  expect(normalisedActions([forwardTo('b', 'a')])).toEqual(normalisedActions([forwardTo('a', 'b')]));
});
