/** Reads that the controls of EventBridge rules share. */
import { DescribeRuleCommand, EventBridgeClient, ListTargetsByRuleCommand, type Target } from '@aws-sdk/client-eventbridge';
import { fingerprint } from '../../engine/canonical.ts';
import { type Aws, type CloudTrailDetail, idsAt, orUndefined, type ResourceRef, resourcePart } from '../define.ts';

/** A rule of another bus than the default one has the bus before its name. */
export const rules = { resourceType: 'AWS::Events::Rule', arn: 'arn:{partition}:events:{region}:{account}:rule/{id}' };

const busIn = idsAt('requestParameters.eventBusName');

/** AWS tells of its own calls on the default bus alone. Callers name a bus, or its ARN, or none for the default one. */
export const onDefaultBus = (detail: CloudTrailDetail): boolean => [...busIn(detail)].every((bus) => bus === 'default' || bus?.endsWith(':event-bus/default'));

export interface RuleTarget {
  readonly arn: string;
  /** The target gets the event as it came, not what somebody made of it. */
  readonly whole: boolean;
}

export interface Rule {
  /** ENABLED, DISABLED or ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS. */
  readonly state: string;
  /** Fingerprint of the pattern. */
  readonly pattern: string;
  readonly targets: readonly RuleTarget[];
}

const targetOf = ({ Arn: arn = '', Input, InputPath, InputTransformer }: Target): RuleTarget => ({
  arn,
  whole: Input === undefined && InputPath === undefined && InputTransformer === undefined,
});

/** What a request calls the rule. */
export function nameOf(resource: ResourceRef): { readonly name: string; readonly EventBusName?: string } {
  const path = resourcePart(resource).replace(/^rule\//, '');
  const end = path.lastIndexOf('/');
  return end < 0 ? { name: path } : { name: path.slice(end + 1), EventBusName: path.slice(0, end) };
}

/** Undefined: there is no such rule. */
export async function ruleOf(aws: Aws, resource: ResourceRef): Promise<Rule | undefined> {
  const client = aws.client(EventBridgeClient);
  const { name, ...bus } = nameOf(resource);
  const rule = await orUndefined(client.send(new DescribeRuleCommand({ Name: name, ...bus })), 'ResourceNotFoundException');
  // A rule has five targets at most, a page a hundred.
  const found = rule && (await orUndefined(client.send(new ListTargetsByRuleCommand({ Rule: name, ...bus })), 'ResourceNotFoundException'));
  if (!found) return undefined;
  return {
    state: rule.State ?? 'DISABLED',
    pattern: fingerprint(JSON.parse(rule.EventPattern ?? 'null')),
    targets: (found.Targets ?? []).map(targetOf),
  };
}
