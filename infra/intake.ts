/** The way in: rules, the intake queue, and the queues that catch what goes wrong on the way. */
import { getAtt, localArn, logicalId, type Resources, ref, stack, sub } from './intrinsics.ts';
import { dataKeyArn } from './keys.ts';
import type { Rule } from './rules.ts';

/** Seconds; detect's timeout in serverless.yml. */
export const detectTimeout = 60;
const fourteenDays = 14 * 24 * 60 * 60;

const queue = (more: object = {}): Resources[string] => ({
  Type: 'AWS::SQS::Queue',
  DeletionPolicy: 'Delete',
  UpdateReplacePolicy: 'Delete',
  Properties: { KmsMasterKeyId: dataKeyArn, MessageRetentionPeriod: fourteenDays, ...more },
});

const ownRules = (queueId: string) => ({
  Sid: 'OwnRules',
  Effect: 'Allow',
  Principal: { Service: 'events.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: getAtt(queueId, 'Arn'),
  // A wildcard: a statement for each rule would outgrow the policy.
  Condition: { ArnLike: { 'aws:SourceArn': localArn('events', `rule/${stack}-*`) }, StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
});

const queuePolicy = (queueId: string, statements: readonly object[]): Resources[string] => ({
  Type: 'AWS::SQS::QueuePolicy',
  Properties: {
    Queues: [ref(queueId)],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        ...statements,
        {
          Sid: 'TlsOnly',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: getAtt(queueId, 'Arn'),
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    },
  },
});

const queues: Resources = {
  IntakeQueue: queue({ VisibilityTimeout: 6 * detectTimeout, RedrivePolicy: { deadLetterTargetArn: getAtt('IntakeDlq', 'Arn'), maxReceiveCount: 5 } }),
  // What detect could not deal with in five tries.
  IntakeDlq: queue(),
  // What EventBridge could not put into the intake queue. One for all rules: each message carries its rule's ARN and the error.
  TargetDlq: queue(),
  IntakeQueuePolicy: queuePolicy('IntakeQueue', [ownRules('IntakeQueue')]),
  IntakeDlqPolicy: queuePolicy('IntakeDlq', []),
  TargetDlqPolicy: queuePolicy('TargetDlq', [ownRules('TargetDlq')]),
};

const ruleId = ({ name }: Rule): string => `Rule${logicalId(name)}`;

export const intake = (rules: readonly Rule[]): Resources => ({
  ...queues,
  ...Object.fromEntries(
    rules.map((rule): [string, Resources[string]] => [
      ruleId(rule),
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
              // EventBridge's longest; it never retries a missing permission or a broken key.
              RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
            },
          ],
        },
      },
    ]),
  ),
});
