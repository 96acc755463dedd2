/** What the function behind Slack's endpoint may do: leave an answer, wake remediate, read the secrets of its app. No control's action is among it. */

import type { IamAction } from '../engine/model.ts';
import type { SecretRef } from '../engine/policy/channels.ts';
import { localArn, region, type Sub, sub } from './intrinsics.ts';
import type { Statement } from './roles.ts';
import { isParameter, secretArn } from './slack.ts';

const through = (service: string): Sub => sub(`${service}.${region}.\${AWS::URLSuffix}`);

/** What the services say to KMS of what they decrypt. https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html and services-secrets-manager.html */
export function contextsOf(references: readonly SecretRef[]): Readonly<Record<string, readonly Sub[]>> {
  const [parameters, secrets] = [references.filter(isParameter), references.filter((reference) => !isParameter(reference))];
  return {
    ...(parameters.length > 0 && { 'kms:EncryptionContext:PARAMETER_ARN': parameters.map(secretArn) }),
    ...(secrets.length > 0 && { 'kms:EncryptionContext:SecretARN': secrets.map(secretArn) }),
  };
}

const unique = (references: readonly SecretRef[]): SecretRef[] => [...new Set(references)];

/** Of these parameters and secrets, and of no others; their keys are whoever's, but for nothing else. */
export function readSecrets(given: readonly SecretRef[]): Statement[] {
  const references = unique(given);
  const of = (action: IamAction, wanted: readonly SecretRef[], Sid: string): Statement[] =>
    wanted.length > 0 ? [{ Sid, Effect: 'Allow', Action: [action], Resource: wanted.map(secretArn) }] : [];
  const [parameters, secrets] = [references.filter(isParameter), references.filter((reference) => !isParameter(reference))];
  const decrypt = (Sid: string, service: string, wanted: readonly SecretRef[]): Statement[] =>
    wanted.length > 0
      ? [
          {
            Sid,
            Effect: 'Allow',
            Action: ['kms:Decrypt'],
            Resource: [localArn('kms', 'key/*')],
            Condition: { StringEquals: { 'kms:ViaService': through(service) }, StringLike: contextsOf(wanted) },
          },
        ]
      : [];
  return [
    ...of('ssm:GetParameter', parameters, 'ReadSlackParameters'),
    ...of('secretsmanager:GetSecretValue', secrets, 'ReadSlackSecrets'),
    ...decrypt('DecryptSlackParameters', 'ssm', parameters),
    ...decrypt('DecryptSlackSecrets', 'secretsmanager', secrets),
  ];
}
