import { EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { blocked, change, compliant, defineControl, idsAt, listKnown, nonCompliant, notApplicable, onCalls } from '../define.ts';
import { nameOf, onDefaultBus, type Rule, ruleOf, rules } from './events.ts';

interface State {
  readonly arn: string;
  /** Absent: there is no such rule. Whether there should be one, the params know. */
  readonly rule?: Rule;
}

const ownRule = z.strictObject({
  arn: z.string().describe('ARN of the rule'),
  pattern: z.string().describe('Fingerprint of its event pattern'),
  targets: z.array(z.string()).describe('ARNs of its targets'),
});

const takesWholeEvents = (arn: string) => arn.includes(':sqs:') || arn.includes(':event-bus/');

/** What keeps events from reaching the bot, in words that follow "The rule". */
function faultsOf(rule: Rule | undefined, { pattern, targets }: z.output<typeof ownRule>): string[] {
  if (!rule) return ['is gone'];
  const lost = targets.filter((wanted) => !rule.targets.some(({ arn }) => arn === wanted));
  const altered = rule.targets.filter(({ arn, whole }) => targets.includes(arn) && takesWholeEvents(arn) && !whole);
  return [
    ...(rule.state === 'DISABLED' ? [disabled] : []),
    ...(rule.pattern === pattern ? [] : ['matches other events than the deployed one']),
    ...lost.map((arn) => `has lost its target ${arn}`),
    ...altered.map(({ arn }) => `no longer hands whole events to ${arn}`),
  ];
}

const disabled = 'is disabled';
const named = idsAt('requestParameters.name');

export default defineControl({
  id: 'eventbridge-bot-rules-on',
  title: 'The rules that feed the bot are enabled, with their patterns and targets',
  rationale: 'What no rule hands on, the bot learns of only from its sweeps, up to a day later.',
  severity: 'CRITICAL',
  ...rules,
  scope: 'regional',
  hipaa: [
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Keeps the review of system activity running.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'An incident that is not heard of is not responded to.' },
    { section: '164.312(b)', specification: 'standard', rationale: 'The rules hand on what the audit trail records.' },
  ],
  related: {},
  triggers: [
    onCalls('events.amazonaws.com', ['DeleteRule', 'DisableRule', 'EnableRule', 'PutRule'], named, {
      concerns: onDefaultBus,
      breaks: ['DeleteRule', 'DisableRule'],
    }),
    onCalls('events.amazonaws.com', ['PutTargets', 'RemoveTargets'], idsAt('requestParameters.rule'), { concerns: onDefaultBus, breaks: ['RemoveTargets'] }),
    { source: 'config', resourceType: rules.resourceType },
  ],
  params: z.strictObject({
    rules: z.array(ownRule).default([]).describe('The rules of the deployed stack in every region; filled in by the deploy'),
  }),
  reads: 2,
  writes: ['events:rule-state'],
  permissions: { inspect: ['events:DescribeRule', 'events:ListTargetsByRule'], remediate: ['events:EnableRule'], undo: [] },
  impact: 'Events reach the bot again. Only rules of its own stack are enabled: its role allows no other.',
  defaultMode: 'fix',
  noUndo: 'To disable the rule again would blind the bot.',
  sweptOften: true,
  deployed: (stack) => ({ rules: stack.rules.map(({ arn, pattern, targets }) => ({ arn, pattern, targets: [...targets] })) }),

  list(aws, { params }) {
    const arns = params.rules.map(({ arn }) => arn);
    return listKnown(rules.resourceType, arns, aws);
  },

  async inspect(resource, aws): Promise<State | undefined> {
    const rule = await ruleOf(aws, resource);
    return { arn: resource.id, ...(rule && { rule }) };
  },

  evaluate({ arn, rule }, { rules: deployed }) {
    if (deployed.length === 0) return notApplicable('No stack is deployed.');
    const own = deployed.find((known) => known.arn === arn);
    if (!own) return notApplicable('The rule does not feed the bot.');
    const faults = faultsOf(rule, own);
    return faults.length === 0
      ? compliant('The rule is enabled and hands on what it was deployed to.')
      : nonCompliant(`The rule ${faults.join(' and ')}: its events do not reach the bot.`);
  },

  plan({ arn, rule }, { rules: deployed }) {
    const faults = faultsOf(rule, deployed.find((known) => known.arn === arn)!);
    if (faults.some((fault) => fault !== disabled)) {
      return blocked(
        `The rule ${faults.join(' and ')}, and the bot may only enable it; put it back with a CloudFormation change set in the mode REVERT_DRIFT, for a plain deploy does not see what was changed by hand.`,
      );
    }
    return change({ action: 'events:EnableRule', summary: 'Enable the rule again', before: 'DISABLED', after: 'ENABLED' });
  },

  setting: ({ rule }) => rule?.state ?? null,

  async remediate(resource, _change, aws) {
    const { name, ...bus } = nameOf(resource);
    await aws.client(EventBridgeClient).send(new EnableRuleCommand({ Name: name, ...bus }));
  },
});
