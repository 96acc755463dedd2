/** The other way in: the schedule of ticks, and the queue of ticks and sweeps. The hourly digest of evidence has a schedule beside it. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { managedPolicy } from './iam.ts';
import { account, arnOf, getAtt, localArn, type Resources, ref, region, stack, sub } from './intrinsics.ts';
import { queue, queuePolicy, readByDetect } from './queues.ts';

export const tickMinutes = 15;

const queues: Resources = {
  SweepQueue: readByDetect('SweepDlq'),
  // Ticks and sweeps that detect could not deal with in five tries.
  SweepDlq: queue(),
  SweepQueuePolicy: queuePolicy('SweepQueue'),
  SweepDlqPolicy: queuePolicy('SweepDlq'),
};

/** Scheduler acts by this role alone, on its dead-letter queue too: neither queues nor key name the service. */
const role = ({ path: Path, permissionsBoundary: PermissionsBoundary }: CompiledPolicy['iam']): Resources => ({
  ScheduleRole: {
    Type: 'AWS::IAM::Role',
    Properties: {
      Path,
      ...(PermissionsBoundary && { PermissionsBoundary }),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'scheduler.amazonaws.com' },
            Action: 'sts:AssumeRole',
            // Scheduler names the group, never the schedule: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
            Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId'), 'aws:SourceArn': localArn('scheduler', `schedule-group/${stack}`) } },
          },
        ],
      },
      ManagedPolicyArns: [ref('SchedulePolicy')],
    },
  },
  SchedulePolicy: managedPolicy('tick', Path, [
    { Sid: 'Send', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [sub(arnOf('SweepQueue')), sub(arnOf('TargetDlq')), sub(arnOf('EvidenceDlq'))] },
    { Sid: 'Sign', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: [localArn('lambda', `function:${stack}-evidence`)] },
    { Sid: 'OwnKey', Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: [sub(arnOf('DataKey'))] },
  ]),
});

/** The form of an EventBridge event, so that one parser reads every queue. Scheduler fills in what is in angle brackets. */
const tick = {
  source: 'phidelity',
  'detail-type': 'Tick',
  id: '<aws.scheduler.execution-id>',
  account,
  region,
  time: '<aws.scheduler.scheduled-time>',
  detail: {},
};

const schedule: Resources = {
  ScheduleGroup: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: sub(stack) } },
  Tick: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Name: sub(`${stack}-tick`),
      GroupName: ref('ScheduleGroup'),
      Description: 'phidelity looks what is due, and shows that it is alive',
      ScheduleExpression: `rate(${tickMinutes} minutes)`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: getAtt('SweepQueue', 'Arn'),
        RoleArn: getAtt('ScheduleRole', 'Arn'),
        Input: sub(JSON.stringify(tick)),
        DeadLetterConfig: { Arn: getAtt('TargetDlq', 'Arn') },
        // A tick that comes after the next one is of no use.
        RetryPolicy: { MaximumEventAgeInSeconds: tickMinutes * 60, MaximumRetryAttempts: 185 },
      },
    },
  },
};

/** Names, not GetAtt: the function waits for its role, not for what starts it. */
const digests: Resources = {
  Digest: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Name: sub(`${stack}-digest`),
      GroupName: ref('ScheduleGroup'),
      Description: 'phidelity signs the evidence of the last hour',
      ScheduleExpression: 'rate(1 hour)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: localArn('lambda', `function:${stack}-evidence`),
        RoleArn: getAtt('ScheduleRole', 'Arn'),
        Input: JSON.stringify({ digest: '<aws.scheduler.scheduled-time>' }),
        DeadLetterConfig: { Arn: getAtt('EvidenceDlq', 'Arn') },
        RetryPolicy: { MaximumEventAgeInSeconds: 3_600, MaximumRetryAttempts: 185 },
      },
    },
  },
};

export const sweeps = (iam: CompiledPolicy['iam']): Resources => ({ ...queues, ...role(iam), ...schedule, ...digests });
