/** What the deployed stack is made of, read back after the deploy: the measure of the controls that guard the bot itself. */
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand, type Rule } from '@aws-sdk/client-eventbridge';
import { IAMClient, paginateListAttachedRolePolicies } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import { fingerprint } from '../../engine/canonical.ts';
import type { OwnStack } from '../../engine/control.ts';
import { forwarderName } from '../forwarders.ts';
import { type ConfigOf, inEach } from './regions.ts';
import type { Outputs } from './words.ts';

export interface StackPlace {
  readonly name: string;
  readonly region: string;
  readonly outputs: Outputs;
  /** Regions with a forwarder. */
  readonly forwarders: readonly string[];
}

/** Physical ids of the resources of a type. */
async function idsOf(StackName: string, type: string, client: CloudFormationClient): Promise<string[]> {
  const ids: string[] = [];
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName })) {
    for (const { ResourceType, PhysicalResourceId } of StackResourceSummaries) if (ResourceType === type && PhysicalResourceId) ids.push(PhysicalResourceId);
  }
  return ids;
}

async function rulesIn(region: string, { name, region: home }: StackPlace, configOf: ConfigOf): Promise<OwnStack['rules'][number][]> {
  const config = await configOf(region);
  const client = new EventBridgeClient(config);
  const names = new Set(await idsOf(region === home ? name : forwarderName(name), 'AWS::Events::Rule', new CloudFormationClient(config)));
  const live: Rule[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListRulesCommand({ NamePrefix: `${name}-`, NextToken }));
    live.push(...(page.Rules ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  const own = live.filter(({ Name = '' }) => names.has(Name)).toSorted((a, b) => (a.Name! < b.Name! ? -1 : 1));
  const rules: OwnStack['rules'][number][] = [];
  for (const { Name, Arn = '', EventPattern = '{}' } of own) {
    const { Targets = [] } = await client.send(new ListTargetsByRuleCommand({ Rule: Name }));
    rules.push({ arn: Arn, pattern: fingerprint(JSON.parse(EventPattern)), targets: Targets.map((target) => target.Arn!).sort() });
  }
  return rules;
}

async function functionsOf({ name, region }: StackPlace, configOf: ConfigOf): Promise<OwnStack['functions']> {
  const config = await configOf(region);
  const lambda = new LambdaClient(config);
  const iam = new IAMClient(config);
  const ids = await idsOf(name, 'AWS::Lambda::Function', new CloudFormationClient(config));
  return Promise.all(
    ids.sort().map(async (FunctionName) => {
      const { FunctionArn = '', CodeSha256 = '', Role = '' } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      const policies: string[] = [];
      for await (const { AttachedPolicies = [] } of paginateListAttachedRolePolicies({ client: iam }, { RoleName: Role.split('/').at(-1) }))
        policies.push(...AttachedPolicies.map(({ PolicyArn }) => PolicyArn!));
      const sources: string[] = [];
      for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client: lambda }, { FunctionName }))
        sources.push(...EventSourceMappings.map(({ EventSourceArn }) => EventSourceArn!));
      return { arn: FunctionArn, codeSha256: CodeSha256, roleArn: Role, policies: policies.sort(), sources: sources.sort() };
    }),
  );
}

export async function factsOf(place: StackPlace, configOf: ConfigOf): Promise<OwnStack> {
  const { name, region, outputs, forwarders } = place;
  const perRegion = await inEach([region, ...forwarders], (each) => rulesIn(each, place, configOf));
  const rules = [...perRegion.values()].flatMap((found) => {
    if (found instanceof Error) throw found;
    return found;
  });
  const keys = [outputs.DataKeyArn, outputs.AlarmKeyArn].filter((arn) => arn !== undefined);
  return { name, region, rules, functions: await functionsOf(place, configOf), keys };
}
