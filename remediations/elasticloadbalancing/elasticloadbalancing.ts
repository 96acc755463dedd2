/** Reads that the controls of listeners of application and network load balancers share. */
import {
  type Action,
  DescribeListenersCommand,
  type DescribeLoadBalancersCommandOutput,
  ElasticLoadBalancingV2Client,
  type Listener,
  ModifyListenerCommand,
  type ModifyListenerCommandInput,
  paginateDescribeListeners,
  paginateDescribeLoadBalancers,
  paginateDescribeRules,
  type RedirectActionConfig,
  type Rule,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  type Aws,
  idsAt,
  type Listing,
  listed,
  onCalls,
  orUndefined,
  pagesOf,
  type ResourceIds,
  type ResourceRef,
  refTo,
  required,
  unnamed,
} from '../define.ts';

export type { Action, Listener, Rule };

export const eventSource = 'elasticloadbalancing.amazonaws.com';
export const listenerType = 'AWS::ElasticLoadBalancingV2::Listener';
export const listenerArn = 'arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{id}';

/** `…:listener-rule/app/web/LB/LISTENER/RULE` belongs to `…:listener/app/web/LB/LISTENER`. */
const listenerOfRule = (ruleArn: string) => ruleArn.replace(':listener-rule/', ':listener/').replace(/\/[^/]*$/, '');
/** `…:listener/app/web/LB/LISTENER` belongs to `…:loadbalancer/app/web/LB`. */
export const loadBalancerOf = (arn: string): string => arn.replace(':listener/', ':loadbalancer/').replace(/\/[^/]*$/, '');

const listenersAt = idsAt('responseElements.listeners[].listenerArn', 'requestParameters.listenerArn');
const rulesAt = idsAt('responseElements.rules[].ruleArn', 'requestParameters.ruleArn');

/** Only application, network and gateway load balancers have calls on listeners and rules by these names. */
export const listenersNamed: ResourceIds = function* (detail) {
  yield* listenersAt(detail);
  for (const arn of rulesAt(detail)) if (arn !== undefined) yield listenerOfRule(arn);
};

/** A load balancer takes its listeners with it unnamed. Classic ones share source and name; their calls are of API version 2012-06-01. */
export const onLoadBalancerGone = onCalls(eventSource, ['DeleteLoadBalancer'], unnamed, { concerns: ({ apiVersion }) => apiVersion !== '2012-06-01' });

const goneListener = ['ListenerNotFound', 'ListenerNotFoundException'] as const;
const goneBalancer = ['LoadBalancerNotFound', 'LoadBalancerNotFoundException'] as const;

const collected = async <Page, Item>(pages: AsyncIterable<Page>, itemsOf: (page: Page) => readonly Item[]): Promise<Item[]> => {
  const items: Item[] = [];
  for await (const page of pages) items.push(...itemsOf(page));
  return items;
};

export async function listenerAt(aws: Aws, { id }: ResourceRef): Promise<Listener | undefined> {
  const answer = await orUndefined(aws.client(ElasticLoadBalancingV2Client).send(new DescribeListenersCommand({ ListenerArns: [id] })), ...goneListener);
  return answer && required(answer.Listeners?.[0], 'Listeners');
}

/** All listeners of one load balancer. */
export const listenersOf = (aws: Aws, LoadBalancerArn: string): Promise<Listener[] | undefined> =>
  orUndefined(
    collected(paginateDescribeListeners({ client: aws.client(ElasticLoadBalancingV2Client) }, { LoadBalancerArn }), ({ Listeners }) =>
      required(Listeners, 'Listeners'),
    ),
    ...goneBalancer,
  );

/** The rules before the default one. */
export const customRulesOf = async (aws: Aws, ListenerArn: string): Promise<Rule[] | undefined> => {
  const pages = paginateDescribeRules({ client: aws.client(ElasticLoadBalancingV2Client) }, { ListenerArn });
  const rules = await orUndefined(
    collected(pages, ({ Rules }) => required(Rules, 'Rules')),
    ...goneListener,
  );
  return rules?.filter(({ IsDefault }) => !IsDefault);
};

/**
 * Every listener of the place, a page = those of up to 50 load balancers, each of which is a request of its own. A listener without a
 * state in `inBulk` needs more reads than these.
 */
export const everyListener = <State>(aws: Aws, { from }: Listing, inBulk: (listener: Listener, siblings: readonly Listener[]) => State | undefined) =>
  pagesOf<DescribeLoadBalancersCommandOutput, State>(
    paginateDescribeLoadBalancers({ client: aws.client(ElasticLoadBalancingV2Client), startingToken: from }, { PageSize: 50 }),
    ({ NextMarker }) => NextMarker,
    async ({ LoadBalancers = [] }) => {
      const resources: (readonly [ResourceRef, State?])[] = [];
      for (const { LoadBalancerArn } of LoadBalancers) {
        // A load balancer deleted meanwhile has none.
        const siblings = (await listenersOf(aws, LoadBalancerArn!)) ?? [];
        for (const listener of siblings) {
          const resource = refTo({ resourceType: listenerType, arn: listenerArn }, aws, required(listener.ListenerArn, 'ListenerArn'));
          resources.push(listed(resource, () => inBulk(listener, siblings)));
        }
      }
      return resources;
    },
  );

/** What the input does not name stays as it is. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html */
export async function modifyListener(aws: Aws, { id }: ResourceRef, input: Omit<ModifyListenerCommandInput, 'ListenerArn'>): Promise<void> {
  await aws.client(ElasticLoadBalancingV2Client).send(new ModifyListenerCommand({ ListenerArn: id, ...input }));
}

export type Protocol = NonNullable<Listener['Protocol']>;

/** Only listeners of gateway load balancers have neither protocol nor port: they pass on every packet, in GENEVE. */
export const speech = ({ ListenerArn, Protocol, Port }: Listener): { readonly protocol: Protocol; readonly port: number } =>
  ListenerArn?.includes(':listener/gwy/') ? { protocol: 'GENEVE', port: 0 } : { protocol: required(Protocol, 'Protocol'), port: required(Port, 'Port') };

export const isEncrypted = (protocol: string): boolean => protocol === 'HTTPS' || protocol === 'TLS';

export const redirectsToHttps = (actions: readonly Action[] = []): boolean =>
  actions.length > 0 && actions.every(({ Type, RedirectConfig }) => Type === 'redirect' && RedirectConfig?.Protocol === 'HTTPS');

/** What AWS fills in where a redirect leaves it out: the request's own. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html */
const asRequested: Omit<RedirectActionConfig, 'StatusCode'> = {
  Protocol: '#{protocol}',
  Port: '#{port}',
  Host: '#{host}',
  Path: '/#{path}',
  Query: '#{query}',
};

/** The same for actions that do the same, and fit to be sent: defaults filled in, one form for a forward, no order where there is one action. */
export const normalisedActions = (actions: readonly Action[] = []): Action[] =>
  [...actions]
    .sort((one, other) => (one.Order ?? 0) - (other.Order ?? 0))
    .map(({ Order, TargetGroupArn, ForwardConfig, RedirectConfig, ...action }, index, { length }) => ({
      ...action,
      ...(length > 1 && { Order: index + 1 }),
      ...((ForwardConfig || TargetGroupArn) && { ForwardConfig: normalisedForward(ForwardConfig, TargetGroupArn) }),
      ...(RedirectConfig && { RedirectConfig: { ...asRequested, ...RedirectConfig } }),
    }));

function normalisedForward(
  { TargetGroups = [], TargetGroupStickinessConfig: sticky }: NonNullable<Action['ForwardConfig']> = {},
  only: string | undefined,
): NonNullable<Action['ForwardConfig']> {
  const groups = TargetGroups.length === 0 ? [{ TargetGroupArn: only }] : TargetGroups;
  return {
    TargetGroups: groups
      .map(({ TargetGroupArn, Weight = 1 }) => ({ TargetGroupArn, Weight }))
      .sort((one, other) => (String(one.TargetGroupArn) < String(other.TargetGroupArn) ? -1 : 1)),
    TargetGroupStickinessConfig: sticky?.Enabled ? { Enabled: true, DurationSeconds: sticky.DurationSeconds } : { Enabled: false },
  };
}
