/**
 * The stack of another region: the rules of home, whose events go to the home bus, and a queue for those that do not arrive.
 * No code, no key. Pure. One alarm: CloudWatch is paid for each metric that an alarm looks at, here times the number of regions.
 */
import { queueDepth } from './alarms.ts';
import { longestRetry, ruleId } from './intake.ts';
import { account, getAtt, localArn, partition, type Resources, ref, sub } from './intrinsics.ts';
import { fourteenDays, queuePolicy } from './queues.ts';
import type { Rule } from './rules.ts';

/** What a forwarder has to know of the stack that it forwards to. */
export interface Home {
  readonly stackName: string;
  readonly region: string;
  /** Output ForwarderRoleArn. */
  readonly forwarderRoleArn: string;
}

export interface ForwarderTemplate {
  readonly AWSTemplateFormatVersion: '2010-09-09';
  /** Tells whose forwarder it is: two bots of one name in two regions must not take each other's. */
  readonly Description: string;
  readonly Resources: Resources;
}

/** CloudFormation takes this many bytes without a bucket. */
export const longestTemplate = 51_200;

export const forwarderName = (stackName: string): string => `${stackName}-forwarder`;

/** An alarm cannot reach a topic of another region: its beginnings and ends travel as events. The first OK of a new alarm is news to nobody. */
const alarmRules = (stackName: string): Rule[] => {
  const stateChange = (detail: object) => ({
    source: ['aws.cloudwatch'],
    'detail-type': ['CloudWatch Alarm State Change'],
    detail: { alarmName: [{ prefix: `${stackName}-` }], ...detail },
  });
  return [
    { name: 'alarms', pattern: stateChange({ state: { value: ['ALARM'] } }) },
    { name: 'alarms-ended', pattern: stateChange({ state: { value: ['OK'] }, previousState: { value: ['ALARM'] } }) },
  ];
};

/**
 * Only what happened here: EventBridge does not send on what came to this bus from another account or region (a second bot at home here,
 * an aggregation of the organisation's); it would end in the dead-letter queue as a third hop.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
const here = { account: [ref('AWS::AccountId')], region: [ref('AWS::Region')] };

// Nobody in this region: see alarmRules.
const tellsNobody = {};

/** The same for every region but home. */
export function forwarderOf(rules: readonly Rule[], { stackName, region, forwarderRoleArn }: Home): ForwarderTemplate {
  const all = [...rules, ...alarmRules(stackName)];
  const nameOf = ({ name }: Rule) => `${stackName}-${name}`;
  const ownRules = {
    Sid: 'OwnRules',
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: getAtt('TargetDlq', 'Arn'),
    Condition: { ArnLike: { 'aws:SourceArn': localArn('events', `rule/${stackName}-*`) }, StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
  };
  const target = {
    Id: 'home',
    Arn: sub(`arn:${partition}:events:${region}:${account}:event-bus/default`),
    RoleArn: forwarderRoleArn,
    DeadLetterConfig: { Arn: getAtt('TargetDlq', 'Arn') },
    RetryPolicy: longestRetry,
  };
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `phidelity: sends events of this region to the stack ${stackName} in ${region}`,
    Resources: {
      // Keys of one region are of no use in another, and a third one is not worth its price: SQS encrypts with its own.
      TargetDlq: {
        Type: 'AWS::SQS::Queue',
        DeletionPolicy: 'Delete',
        UpdateReplacePolicy: 'Delete',
        Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: fourteenDays },
      },
      TargetDlqPolicy: queuePolicy('TargetDlq', [ownRules]),
      ...Object.fromEntries(
        all.map((rule) => [
          ruleId(rule.name),
          { Type: 'AWS::Events::Rule', Properties: { Name: nameOf(rule), EventPattern: { ...rule.pattern, ...here }, Targets: [target] } },
        ]),
      ),
      ...Object.fromEntries([
        queueDepth(
          'TargetDlq',
          'target-dlq',
          'EventBridge could not send an event to the home region. The message carries the rule and the error. Mend the cause, then send them back: npx phidelity dlq redrive --all --stack NAME.',
          tellsNobody,
        ),
      ]),
    },
  };
}
