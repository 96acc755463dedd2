/** What every queue of the stack has: the data key, the longest retention, TLS only. */
import { getAtt, type Resources, ref } from './intrinsics.ts';
import { dataKeyArn } from './keys.ts';

/** Seconds; detect's timeout in serverless.yml. */
export const detectTimeout = 60;
export const fourteenDays = 14 * 24 * 60 * 60;

export const queue = (more: object = {}): Resources[string] => ({
  Type: 'AWS::SQS::Queue',
  DeletionPolicy: 'Delete',
  UpdateReplacePolicy: 'Delete',
  Properties: { KmsMasterKeyId: dataKeyArn, MessageRetentionPeriod: fourteenDays, ...more },
});

/** A queue that detect reads: a message comes back after six timeouts, five times. */
export const readByDetect = (dlqId: string): Resources[string] =>
  queue({ VisibilityTimeout: 6 * detectTimeout, RedrivePolicy: { deadLetterTargetArn: getAtt(dlqId, 'Arn'), maxReceiveCount: 5 } });

export const queuePolicy = (queueId: string, statements: readonly object[] = []): Resources[string] => ({
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
