/** What the home stack holds for its forwarders: the role that events and alarms travel with, and where the alarms go. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { managedPolicy } from './iam.ts';
import { longestRetry, ruleId } from './intake.ts';
import { arnOf, getAtt, localArn, type Resources, ref, stack, sub } from './intrinsics.ts';

/** Name of the rule that puts alarms of other regions on the own-health topic. */
export const forwardedAlarms = 'forwarded-alarms';

/** Alarms of the home stack reach the topic by themselves: none is named like this. */
const forwarderAlarm = sub(`${stack}-forwarder-`);

/**
 * EventBridge asks for a role when the target is a bus of another region. A topic could let EventBridge in by its policy, but neither
 * that policy nor the key's can then say whose rule it must be: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
const role = ({ path: Path, permissionsBoundary: PermissionsBoundary }: CompiledPolicy['iam']): Resources => ({
  ForwarderRole: {
    Type: 'AWS::IAM::Role',
    Properties: {
      Path,
      ...(PermissionsBoundary && { PermissionsBoundary }),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
          },
        ],
      },
      ManagedPolicyArns: [ref('ForwarderPolicy')],
    },
  },
  ForwarderPolicy: managedPolicy('forwarder', Path, [
    { Sid: 'HomeBus', Effect: 'Allow', Action: ['events:PutEvents'], Resource: [localArn('events', 'event-bus/default')] },
    { Sid: 'OwnHealth', Effect: 'Allow', Action: ['sns:Publish'], Resource: [sub(`\${OwnHealth}`)] },
    { Sid: 'OwnHealthKey', Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: [sub(arnOf('AlarmKey'))] },
  ]),
});

export const forwarderHome = (iam: CompiledPolicy['iam']): Resources => ({
  ...role(iam),
  [ruleId(forwardedAlarms)]: {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: sub(`${stack}-${forwardedAlarms}`),
      EventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        account: [ref('AWS::AccountId')],
        detail: { alarmName: [{ prefix: forwarderAlarm }] },
      },
      Targets: [
        {
          Id: 'own-health',
          Arn: ref('OwnHealth'),
          RoleArn: getAtt('ForwarderRole', 'Arn'),
          DeadLetterConfig: { Arn: getAtt('TargetDlq', 'Arn') },
          RetryPolicy: longestRetry,
          InputTransformer: {
            InputPathsMap: {
              alarm: '$.detail.alarmName',
              region: '$.region',
              state: '$.detail.state.value',
              time: '$.detail.state.timestamp',
              says: '$.detail.configuration.description',
            },
            InputTemplate: '"<state>: alarm <alarm> in <region>, <time>. <says>"',
          },
        },
      ],
    },
  },
});
