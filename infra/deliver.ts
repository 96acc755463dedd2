/** How alerts leave: the alert queue, what could not be delivered, and what the function that delivers may do. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { deliverKeys } from '../handlers/aws/table.ts';
import { awsChannels } from './aws-channels.ts';
import { getAtt, localArn, type Resources, ref, stack, sub } from './intrinsics.ts';
import type { Statement } from './packing.ts';
import { queue, queuePolicy } from './queues.ts';
import { readSecrets, secretsIn } from './secrets.ts';
import { denyDataPlaneBut, onlyOf, own, ownKey, ownLogs, policyIsDeployed, sealsNothing } from './statements.ts';

/** Seconds; deliver's timeout in serverless.yml. */
export const deliverTimeout = 60;

/** Attempts before an alert is given up, the pauses between them growing to a quarter of an hour: about an hour and a half. */
const mostAttempts = 12;

export const alertQueues: Resources = {
  AlertQueue: queue({
    VisibilityTimeout: 6 * deliverTimeout,
    RedrivePolicy: { deadLetterTargetArn: getAtt('AlertDlq', 'Arn'), maxReceiveCount: mostAttempts },
  }),
  // What a channel did not take in all its attempts.
  AlertDlq: queue(),
  AlertQueuePolicy: queuePolicy('AlertQueue'),
  AlertDlqPolicy: queuePolicy('AlertDlq'),
};

/** URL of each dead-letter queue of the home region, by the name that people know it by. */
export const dlqUrls = sub(
  JSON.stringify({ intake: `\${IntakeDlq}`, sweep: `\${SweepDlq}`, target: `\${TargetDlq}`, alert: `\${AlertDlq}`, evidence: `\${EvidenceDlq}` }),
);

const dlqs = ['IntakeDlq', 'SweepDlq', 'TargetDlq', 'AlertDlq', 'EvidenceDlq'].map((name) => localArn('sqs', `${stack}-${name}-*`));

/** It talks to the world outside: it reads the ledger and writes of it nothing but what it has told, and no control's action is its. */
export function deliverRole({ channels }: Pick<CompiledPolicy, 'channels'>): Statement[] {
  const refs = secretsIn(channels);
  return [
    {
      Sid: 'TakeFromQueue',
      Effect: 'Allow',
      Action: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage'],
      Resource: [own.alertQueue],
    },
    { Sid: 'CountDeadLetters', Effect: 'Allow', Action: ['sqs:GetQueueAttributes'], Resource: dlqs },
    { Sid: 'ReadLedger', Effect: 'Allow', Action: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'], Resource: [own.table] },
    {
      Sid: 'NoteWhatIsTold',
      Effect: 'Allow',
      Action: ['dynamodb:ConditionCheckItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      Resource: [own.table],
      Condition: onlyOf(deliverKeys),
    },
    ...awsChannels({ channels }),
    ...readSecrets(refs),
    ownLogs('deliver'),
    ownKey,
    ...denyDataPlaneBut([own.table, own.dataKey, own.alertQueue], refs),
    policyIsDeployed,
    sealsNothing,
  ];
}

export const alertOutputs = {
  AlertQueueUrl: { Description: 'Alerts on their way to the channels', Value: ref('AlertQueue') },
  AlertDlqUrl: { Description: 'Alerts that a channel did not take', Value: ref('AlertDlq') },
};
