/** The rules that feed the bot, in each region it covers. */
import { EventBridgeClient, ListRulesCommand, type Rule } from '@aws-sdk/client-eventbridge';
import type { Aws } from '../../engine/ports.ts';
import { forwarderName } from '../../infra/forwarders.ts';
import { partsOf } from '../stack.ts';
import { type Check, look, lookIn, some, wrong } from './check.ts';
import { coveredBy, lost, type StackGroup, type StackScene } from './scene.ts';

const check = 'rules';

export const rules: StackGroup = (scene) =>
  look(check, async () => {
    const covered = await coveredBy(scene);
    return lookIn(check, covered, `all rules are enabled in ${covered.join(', ')}`, (region) => inRegion(region, scene));
  });

async function inRegion(region: string, { stack, aws, parts, deploy }: StackScene): Promise<Check[]> {
  const home = region === stack.region;
  const there = aws.in(region);
  const owner = home ? stack.name : forwarderName(stack.name);
  const [expected, live] = await Promise.all([home ? parts() : partsOf(owner, there), rulesOf(`${stack.name}-`, there)]);
  const names = expected.filter(({ type }) => type === 'AWS::Events::Rule').map(({ id }) => id);
  if (names.length === 0) return [wrong(check, `${owner} has no rules, no event reaches the bot`, deploy)];
  const missing = names.filter((name) => !live.has(name));
  const disabled = names.filter((name) => live.get(name)?.State === 'DISABLED');
  return [
    ...disabled.map((name) => wrong(check, `${name} is disabled`, `aws events enable-rule --name ${name} --region ${region}`)),
    ...(missing.length > 0 ? [home ? lost(check, missing, stack) : wrong(check, `deleted: ${some(missing)}`, renew(owner, region, deploy))] : []),
  ];
}

async function rulesOf(NamePrefix: string, aws: Aws): Promise<Map<string, Rule>> {
  const found = new Map<string, Rule>();
  let NextToken: string | undefined;
  do {
    const page = await aws.client(EventBridgeClient).send(new ListRulesCommand({ NamePrefix, NextToken }));
    for (const rule of page.Rules ?? []) if (rule.Name) found.set(rule.Name, rule);
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** A forwarder holds nothing that could be lost; CloudFormation does not notice what was deleted behind its back. */
const renew = (name: string, region: string, deploy: string): string =>
  `aws cloudformation delete-stack --stack-name ${name} --region ${region} && aws cloudformation wait stack-delete-complete --stack-name ${name} --region ${region} && ${deploy}`;
