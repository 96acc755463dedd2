/**
 * Three KMS keys: one for what the bot stores and sends, one for the alarms about the bot itself, which must come through
 * when the first is broken, one that signs evidence (docs/decisions/0010-a-key-that-signs.md). All outlive the stack: what is retained could not be read without them.
 */
import { account, getAtt, partition, type Resources, ref, region, stack, sub } from './intrinsics.ts';

export const dataKeyArn = getAtt('DataKey', 'Arn');
export const alarmKeyArn = getAtt('AlarmKey', 'Arn');
export const signingKeyArn = getAtt('SigningKey', 'Arn');

const key = (Description: string, statements: readonly object[], kind: object = { EnableKeyRotation: true }): Resources[string] => ({
  Type: 'AWS::KMS::Key',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    Description,
    ...kind,
    KeyPolicy: {
      Version: '2012-10-17',
      Statement: [
        // Delegates to IAM. Naming the roles here instead would make a circle.
        { Sid: 'Account', Effect: 'Allow', Principal: { AWS: sub(`arn:${partition}:iam::${account}:root`) }, Action: 'kms:*', Resource: '*' },
        ...statements,
      ],
    },
  },
});

const sends = (Sid: string, Service: string) => ({
  Sid,
  Effect: 'Allow',
  Principal: { Service },
  Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
  Resource: '*',
  Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
});

export const keys: Resources = {
  DataKey: key('phidelity: queues, table, topics, evidence, logs', [
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    sends('EventBridgeToQueues', 'events.amazonaws.com'),
    {
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
      Sid: 'Logs',
      Effect: 'Allow',
      Principal: { Service: sub(`logs.${region}.\${AWS::URLSuffix}`) },
      Action: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      Resource: '*',
      Condition: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': ['lambda', 'vendedlogs'].map((kind) =>
            sub(`arn:${partition}:logs:${region}:${account}:log-group:/aws/${kind}/${stack}-*`),
          ),
        },
      },
    },
  ]),
  AlarmKey: key('phidelity: alarms about the bot itself', [
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    sends('AlarmsToTopic', 'cloudwatch.amazonaws.com'),
  ]),
  // What verified once must verify for as long as evidence is kept: such keys are never rotated by AWS.
  SigningKey: key('phidelity: signs the digests of evidence', [], { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
};
