/** CloudTrail records of the calls on listeners and their rules, as far as controls look into them. */
import type { EventCase } from '../../support/control-tester.ts';

export const listener = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2';
const rule = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee';

const called = (eventName: string, requestParameters: unknown, responseElements: unknown = null, apiVersion = '2015-12-01') => ({
  eventSource: 'elasticloadbalancing.amazonaws.com',
  apiVersion,
  eventName,
  requestParameters,
  responseElements,
});

export const listenerEvents: Readonly<Record<string, EventCase>> = {
  CreateListener: {
    detail: called('CreateListener', { port: 80, protocol: 'HTTP' }, { listeners: [{ listenerArn: listener, port: 80, protocol: 'HTTP' }] }),
    ids: [listener],
  },
  'ModifyListener, a lone object in place of the list': {
    detail: called('ModifyListener', { listenerArn: listener }, { listeners: { listenerArn: listener } }),
    ids: [listener],
  },
  'ModifyListener without response elements': { detail: called('ModifyListener', { listenerArn: listener, port: 80 }), ids: [listener] },
  DeleteListener: { detail: called('DeleteListener', { listenerArn: listener }), ids: [listener] },
  'DeleteLoadBalancer names none of its listeners': {
    detail: called('DeleteLoadBalancer', { loadBalancerArn: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188' }),
    sweep: true,
  },
  'DeleteLoadBalancer of the classic kind is not for it': { detail: called('DeleteLoadBalancer', { loadBalancerName: 'web' }, null, '2012-06-01'), ids: [] },
  'CreateListener with null request parameters': { detail: called('CreateListener', null), sweep: true },
};

export const ruleEvents: Readonly<Record<string, EventCase>> = {
  CreateRule: { detail: called('CreateRule', { listenerArn: listener, priority: 1 }, { rules: [{ ruleArn: rule, priority: '1' }] }), ids: [listener] },
  'ModifyRule tells the rule alone': { detail: called('ModifyRule', { ruleArn: rule }, { rules: [{ ruleArn: rule, isDefault: false }] }), ids: [listener] },
  DeleteRule: { detail: called('DeleteRule', { ruleArn: rule }), ids: [listener] },
};
