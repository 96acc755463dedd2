/** The way in: rules, the intake queue, and the queues that catch what goes wrong on the way. */
import { getAtt, localArn, logicalId, type Resources, ref, stack, sub } from './intrinsics.ts';
import { queue, queuePolicy, readByDetect } from './queues.ts';
import type { Rule } from './rules.ts';

const ownRules = (queueId: string) => ({
  Sid: 'OwnRules',
  Effect: 'Allow',
  Principal: { Service: 'events.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: getAtt(queueId, 'Arn'),
  // A wildcard: a statement for each rule would outgrow the policy.
  Condition: { ArnLike: { 'aws:SourceArn': localArn('events', `rule/${stack}-*`) }, StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
});

const queues: Resources = {
  IntakeQueue: readByDetect('IntakeDlq'),
  // What detect could not deal with in five tries.
  IntakeDlq: queue(),
  // What EventBridge could not put into a queue. One for all rules and the schedule: each message carries the ARN of its rule or target and the error.
  TargetDlq: queue(),
  IntakeQueuePolicy: queuePolicy('IntakeQueue', [ownRules('IntakeQueue')]),
  IntakeDlqPolicy: queuePolicy('IntakeDlq'),
  TargetDlqPolicy: queuePolicy('TargetDlq', [ownRules('TargetDlq')]),
};

export const ruleId = (name: string): string => `Rule${logicalId(name)}`;

/** EventBridge's longest; it never retries a missing permission or a broken key. */
export const longestRetry = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };

export const intake = (rules: readonly Rule[]): Resources => ({
  ...queues,
  ...Object.fromEntries(
    rules.map((rule): [string, Resources[string]] => [
      ruleId(rule.name),
      {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: sub(`${stack}-${rule.name}`),
          EventPattern: rule.pattern,
          Targets: [
            {
              Id: 'intake',
              Arn: getAtt('IntakeQueue', 'Arn'),
              DeadLetterConfig: { Arn: getAtt('TargetDlq', 'Arn') },
              RetryPolicy: longestRetry,
            },
          ],
        },
      },
    ]),
  ),
});
