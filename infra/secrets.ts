/** Secrets that the policy names: which they are, and what a role may read of them. Pure. */
import { type CompiledChannel, isSecretRef, pagerDutyOf, type SecretRef } from '../engine/policy/ways.ts';
import { localArn, region, type Sub, sub } from './intrinsics.ts';
import type { Statement } from './packing.ts';

/** Every reference of the channels, each once. */
export const secretsIn = (channels: Readonly<Record<string, CompiledChannel>>): SecretRef[] => [...new Set(Object.values(channels).flatMap(refsOf))].sort();

const isParameter = (ref: SecretRef): boolean => ref.startsWith('ssm:');

function refsOf(channel: CompiledChannel): SecretRef[] {
  if ('slackApp' in channel) return [channel.slackApp.token, channel.slackApp.signingSecret];
  if ('slackWebhook' in channel) return [channel.slackWebhook];
  if ('pagerDuty' in channel) return [pagerDutyOf(channel).key];
  if ('teams' in channel) return [channel.teams];
  if ('webhook' in channel) return [channel.webhook.secret, ...(isSecretRef(channel.webhook.url) ? [channel.webhook.url] : [])];
  return [];
}

/** Secrets Manager ends ARNs in a hyphen and six characters of its own. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html */
export const secretArn = (ref: SecretRef): Sub =>
  isParameter(ref)
    ? localArn('ssm', `parameter${ref.slice('ssm:'.length)}`)
    : localArn('secretsmanager', `secret:${ref.slice('secretsmanager:'.length)}-??????`);

/** What the services say to KMS of what they decrypt. https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html and services-secrets-manager.html */
export function contextsOf(refs: readonly SecretRef[]): Readonly<Record<string, readonly Sub[]>> {
  const [parameters, secrets] = divided(refs);
  return {
    ...(parameters.length > 0 && { 'kms:EncryptionContext:PARAMETER_ARN': parameters.map(secretArn) }),
    ...(secrets.length > 0 && { 'kms:EncryptionContext:SecretARN': secrets.map(secretArn) }),
  };
}

const divided = (refs: readonly SecretRef[]) => [refs.filter(isParameter), refs.filter((ref) => !isParameter(ref))] as const;

/** Of these parameters and secrets, and of no others; their keys are whoever's, but for nothing else. */
export function readSecrets(given: readonly SecretRef[]): Statement[] {
  const [parameters, secrets] = divided([...new Set(given)]);
  return [...reading('Parameters', 'ssm:GetParameter', 'ssm', parameters), ...reading('Secrets', 'secretsmanager:GetSecretValue', 'secretsmanager', secrets)];
}

function reading(what: string, action: 'ssm:GetParameter' | 'secretsmanager:GetSecretValue', service: string, refs: readonly SecretRef[]): Statement[] {
  if (refs.length === 0) return [];
  const through = sub(`${service}.${region}.\${AWS::URLSuffix}`);
  return [
    { Sid: `Read${what}`, Effect: 'Allow', Action: [action], Resource: refs.map(secretArn) },
    {
      Sid: `Decrypt${what}`,
      Effect: 'Allow',
      Action: ['kms:Decrypt'],
      Resource: [localArn('kms', 'key/*')],
      Condition: { StringEquals: { 'kms:ViaService': through }, StringLike: contextsOf(refs) },
    },
  ];
}
