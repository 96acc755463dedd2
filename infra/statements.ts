/** What several roles may do, or may not: on what is the stack's own, and on data that is not. Pure. */

import { digestsPrefix, entriesPrefix } from '../engine/evidence/form.ts';
import type { IamAction } from '../engine/model.ts';
import type { SecretRef } from '../engine/policy/channels.ts';
import { sealContext } from '../handlers/aws/seal.ts';
import { deployedKeys, type memoKey } from '../handlers/aws/table.ts';
import { dataPlaneReads } from './data-plane.ts';
import { account, arnOf, localArn, partition, type Sub, stack, sub } from './intrinsics.ts';
import { killSwitchName } from './kill-switch.ts';
import type { Statement } from './packing.ts';
import { contextsOf, secretArn } from './secrets.ts';

export const anyRegion = (service: string, rest: string): Sub => sub(`arn:${partition}:${service}:*:${account}:${rest}`);

// Names, not GetAtt: a role that waits for the function that waits for the role is a circle.
export const own = {
  table: localArn('dynamodb', `table/${stack}-*`),
  stream: localArn('dynamodb', `table/${stack}-*/stream/*`),
  evidenceDlq: localArn('sqs', `${stack}-EvidenceDlq-*`),
  queues: [localArn('sqs', `${stack}-IntakeQueue-*`), localArn('sqs', `${stack}-SweepQueue-*`)],
  sweepQueue: localArn('sqs', `${stack}-SweepQueue-*`),
  alertQueue: localArn('sqs', `${stack}-AlertQueue-*`),
  killSwitch: localArn('ssm', `parameter${killSwitchName}`),
  topics: localArn('sns', `${stack}-Channel*`),
  remediateExecutions: localArn('lambda', `function:${stack}-remediate:*/durable-execution/*/*`),
  remediate: localArn('lambda', `function:${stack}-remediate`),
  remediateVersions: localArn('lambda', `function:${stack}-remediate:*`),
  logs: (name: string) => localArn('logs', `log-group:/aws/lambda/${stack}-${name}:*`),
  // A key has no name; it waits for nothing but itself.
  dataKey: sub(arnOf('DataKey')),
  alarmKey: sub(arnOf('AlarmKey')),
  signingKey: sub(arnOf('SigningKey')),
  // Nor does a bucket: its name is in lower case, whatever the stack's is.
  bucket: sub(arnOf('EvidenceBucket')),
  entries: sub(`${arnOf('EvidenceBucket')}/${entriesPrefix}*`),
  digests: sub(`${arnOf('EvidenceBucket')}/${digestsPrefix}*`),
};

export const named = { Null: { 'dynamodb:LeadingKeys': 'false' } };
export const leading = (...items: readonly ReturnType<typeof memoKey>[]) => items.map(({ pk }) => pk!.S!);
/** On these partitions, and on nothing that names none: a condition for all values holds where there is no value. */
export const onlyOf = (keys: readonly string[]) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys }, ...named });

export const ownLogs = (name: string): Statement => ({
  Sid: 'OwnLogs',
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: [own.logs(name)],
});

export const ownKey: Statement = {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  Sid: 'OwnKey',
  Effect: 'Allow',
  Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  Resource: [own.dataKey],
};

/** @param NotResource what of its own the role reads */
export const denyDataPlane = (NotResource: readonly Sub[]): Statement => ({ Sid: 'NoDataPlaneReads', Effect: 'Deny', Action: dataPlaneReads, NotResource });

/**
 * A fix that has EC2 or RDS make an encrypted copy needs the key to be usable by them in the role's name, decryption included; the role itself
 * sees nothing of it. Only the key's own policy can allow it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
 */
export const copies = { 'kms:ViaService': ['ec2.*', 'rds.*'] };

/** Conditions of one statement hold together: denied is what neither comes through one of these services nor is one of these secrets. */
export function denyDataPlaneBut(
  NotResource: readonly Sub[],
  secrets: readonly SecretRef[],
  through: Readonly<Record<string, readonly string[]>> = {},
): Statement[] {
  const but = { ...through, ...contextsOf(secrets) };
  if (Object.keys(but).length === 0) return [denyDataPlane(NotResource)];
  const Action = dataPlaneReads.filter((action) => action !== decrypt);
  return [
    { ...denyDataPlane([...NotResource, ...secrets.map(secretArn)]), Action },
    { Sid: 'NoDecryption', Effect: 'Deny', Action: [decrypt], NotResource, Condition: { StringNotLike: but } },
  ];
}
const decrypt: IamAction = 'kms:Decrypt';

/**
 * Remediate does what the stored policy says: who could write it would have all that remediate may. Only a deploy stores it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export const policyIsDeployed: Statement = {
  Sid: 'PolicyIsDeployed',
  Effect: 'Deny',
  Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
  Resource: [own.table],
  Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': deployedKeys } },
};

/**
 * Detect writes the table: could it make a seal, it could approve. Only remediate, which has verified who answers, may.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
 */
export const sealsNothing: Statement = {
  Sid: 'SealsNothing',
  Effect: 'Deny',
  Action: ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  Resource: [own.dataKey],
  Condition: { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': [sealContext] } },
};
