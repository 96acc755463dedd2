/** Reads and writes that the controls of classic load balancers share. */
import {
  CreateLoadBalancerListenersCommand,
  DeleteLoadBalancerListenersCommand,
  DescribeLoadBalancersCommand,
  type DescribeLoadBalancersCommandOutput,
  ElasticLoadBalancingClient,
  type LoadBalancerDescription,
  paginateDescribeLoadBalancers,
  SetLoadBalancerPoliciesOfListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { type Aws, type CloudTrailDetail, idsAt, type Listing, leafOf, listed, orUndefined, pagesOf, type ResourceRef, refTo, required } from '../define.ts';

export const eventSource = 'elasticloadbalancing.amazonaws.com';
export const balancerType = 'AWS::ElasticLoadBalancing::LoadBalancer';
export const balancerArn = 'arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{id}';

export const balancerNamed = idsAt('requestParameters.loadBalancerName');

/** The newer load balancers share source and event names; their calls are of API version 2015-12-01, the classic ones of 2012-06-01. */
export const isClassic = ({ apiVersion }: CloudTrailDetail): boolean => apiVersion !== '2015-12-01';

/** https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Listener.html */
export interface Listener {
  readonly port: number;
  readonly protocol: string;
  readonly instancePort: number;
  readonly instanceProtocol: string;
  readonly certificate: string | null;
  /** Names of the policies in force on the listener. */
  readonly policies: readonly string[];
}

const listenersIn = ({ ListenerDescriptions }: LoadBalancerDescription): Listener[] =>
  required(ListenerDescriptions, 'ListenerDescriptions')
    .map(({ Listener: of, PolicyNames = [] }) => {
      const protocol = required(of?.Protocol, 'Protocol').toUpperCase();
      return {
        port: required(of?.LoadBalancerPort, 'LoadBalancerPort'),
        protocol,
        instancePort: required(of?.InstancePort, 'InstancePort'),
        instanceProtocol: of?.InstanceProtocol?.toUpperCase() ?? protocol,
        certificate: of?.SSLCertificateId ?? null,
        policies: [...PolicyNames].sort(),
      };
    })
    .sort((one, other) => one.port - other.port);

/** By port; undefined = there is no such classic load balancer. */
export async function listenersOf(aws: Aws, { id }: ResourceRef): Promise<Listener[] | undefined> {
  const answer = await orUndefined(
    aws.client(ElasticLoadBalancingClient).send(new DescribeLoadBalancersCommand({ LoadBalancerNames: [leafOf({ id })] })),
    'LoadBalancerNotFound',
    'AccessPointNotFoundException',
  );
  return answer && listenersIn(required(answer.LoadBalancerDescriptions?.[0], 'LoadBalancerDescriptions'));
}

export const everyBalancer = (aws: Aws, { from }: Listing) =>
  pagesOf<DescribeLoadBalancersCommandOutput, { listeners: Listener[] }>(
    paginateDescribeLoadBalancers({ client: aws.client(ElasticLoadBalancingClient), startingToken: from }, { PageSize: 400 }),
    ({ NextMarker }) => NextMarker,
    ({ LoadBalancerDescriptions = [] }) =>
      LoadBalancerDescriptions.map((balancer) =>
        listed(refTo({ resourceType: balancerType, arn: balancerArn }, aws, required(balancer.LoadBalancerName, 'LoadBalancerName')), () => ({
          listeners: listenersIn(balancer),
        })),
      ),
  );

/** A port without a listener is no error to AWS. */
export async function removeListeners(aws: Aws, { id }: ResourceRef, listeners: readonly Listener[]): Promise<void> {
  for (const { port } of listeners) {
    await aws.client(ElasticLoadBalancingClient).send(new DeleteLoadBalancerListenersCommand({ LoadBalancerName: leafOf({ id }), LoadBalancerPorts: [port] }));
  }
}

/** A listener that is there in the same form is no error to AWS; in another form it is. */
export async function addListeners(aws: Aws, { id }: ResourceRef, listeners: readonly Listener[]): Promise<void> {
  const client = aws.client(ElasticLoadBalancingClient);
  const LoadBalancerName = leafOf({ id });
  for (const { port, protocol, instancePort, instanceProtocol, certificate, policies } of listeners) {
    const listener = { LoadBalancerPort: port, Protocol: protocol, InstancePort: instancePort, InstanceProtocol: instanceProtocol };
    const Listeners = [{ ...listener, ...(certificate !== null && { SSLCertificateId: certificate }) }];
    await client.send(new CreateLoadBalancerListenersCommand({ LoadBalancerName, Listeners }));
    if (policies.length === 0) continue;
    await client.send(new SetLoadBalancerPoliciesOfListenerCommand({ LoadBalancerName, LoadBalancerPort: port, PolicyNames: [...policies] }));
  }
}
