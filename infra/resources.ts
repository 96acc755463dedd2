/** The stack but for its functions: pure, from a policy and its plan. */

import type { CompiledPolicy } from '../engine/policy/model.ts';
import { slackAppOf } from '../engine/policy/slack-app.ts';
import { tableDefinition } from '../handlers/aws/table.ts';
import { alarms } from './alarms.ts';
import { alertOutputs, alertQueues } from './deliver.ts';
import { evidence } from './evidence.ts';
import { forwardedAlarms, forwarderHome } from './forwarder-home.ts';
import { iam, roleId } from './iam.ts';
import { intake } from './intake.ts';
import { getAtt, type Resources, ref, sub } from './intrinsics.ts';
import { alarmKeyArn, dataKeyArn, keys, signingKeyArn } from './keys.ts';
import { killSwitch } from './kill-switch.ts';
import type { DeployPlan } from './plan.ts';
import { slack, slackOutputs } from './slack.ts';
import { sweeps } from './sweeps.ts';
import { topicId, topicNames, topics } from './topics.ts';

/** The ledger outlives the stack: it holds the evidence, 45 CFR 164.316(b)(2)(i). */
const ledger: Resources = {
  Ledger: {
    Type: 'AWS::DynamoDB::Table',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      ...tableDefinition,
      // Each new line of evidence goes on to the bucket.
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: dataKeyArn },
    },
  },
};

// The framework makes the log groups; this adds to them.
const encryptedLogs = Object.fromEntries(
  ['DetectLogGroup', 'RemediateLogGroup', 'EvidenceLogGroup', 'DeliverLogGroup'].map((name) => [
    name,
    { Type: 'AWS::Logs::LogGroup', Properties: { KmsKeyId: dataKeyArn } },
  ]),
);

export const resourcesOf = (policy: CompiledPolicy, { rules, roles }: DeployPlan) => ({
  Resources: {
    ...keys,
    ...ledger,
    ...evidence(policy.evidence),
    ...intake(rules),
    ...sweeps(policy.iam),
    ...killSwitch,
    ...topics(policy),
    ...alertQueues,
    ...forwarderHome(policy.iam),
    ...alarms([...rules.map(({ name }) => name), forwardedAlarms], { slack: slackAppOf(policy) !== undefined }),
    ...iam(roles, policy.iam),
    ...encryptedLogs,
    ...slack(policy),
  },
  Outputs: {
    LedgerTableName: { Description: 'The table of findings, evidence and the policy', Value: ref('Ledger') },
    LedgerStreamArn: { Description: 'Brings each entry of evidence to its function', Value: getAtt('Ledger', 'StreamArn') },
    DataKeyArn: { Description: 'The key of table, queues, topics, evidence and logs', Value: dataKeyArn },
    AlarmKeyArn: { Description: 'The key of the own-health topic', Value: alarmKeyArn },
    EvidenceBucketName: { Description: 'Entries of evidence and the digests that sign them', Value: ref('EvidenceBucket') },
    SigningKeyArn: { Description: 'The key that signs the digests', Value: signingKeyArn },
    IntakeQueueUrl: { Description: 'Events on their way to detect', Value: ref('IntakeQueue') },
    SweepQueueUrl: { Description: 'Ticks and sweeps on their way to detect', Value: ref('SweepQueue') },
    IntakeDlqUrl: { Description: 'Events that detect could not deal with', Value: ref('IntakeDlq') },
    SweepDlqUrl: { Description: 'Ticks and sweeps that detect could not deal with', Value: ref('SweepDlq') },
    TargetDlqUrl: { Description: 'What EventBridge could not put into a queue', Value: ref('TargetDlq') },
    EvidenceDlqUrl: { Description: 'Where entries stand in the stream that could not be put into the bucket', Value: ref('EvidenceDlq') },
    ...alertOutputs,
    KillSwitchParameter: { Description: 'Set it to on, and nothing is written', Value: ref('KillSwitch') },
    ForwarderRoleArn: { Description: 'The role that rules of other regions put events on the home bus with', Value: getAtt('ForwarderRole', 'Arn') },
    ...slackOutputs(policy),
    OwnHealthTopic: { Description: 'Alarms about the bot itself: subscribe to it', Value: ref('OwnHealth') },
    ...Object.fromEntries(
      topicNames(policy.channels).map((channel) => [
        `${topicId(channel)}Topic`,
        { Description: `Alerts of the channel ${channel}: subscribe to it`, Value: ref(topicId(channel)) },
      ]),
    ),
  },
});

/** What all functions find in their environment. */
export const environmentOf = ({ channels }: Pick<CompiledPolicy, 'channels'>) => ({
  TABLE: ref('Ledger'),
  TOPICS: sub(JSON.stringify(Object.fromEntries(topicNames(channels).map((channel) => [channel, `\${${topicId(channel)}}`])))),
  SWEEP_QUEUE_URL: ref('SweepQueue'),
  ALERT_QUEUE_URL: ref('AlertQueue'),
  SEAL_KEY: dataKeyArn,
  KILL_SWITCH: ref('KillSwitch'),
  ACCOUNT_ID: ref('AWS::AccountId'),
  DETECT_ROLE_ARN: getAtt(roleId('detect'), 'Arn'),
  REMEDIATE_ROLE_ARN: getAtt(roleId('remediate'), 'Arn'),
});
