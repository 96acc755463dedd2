/** What a role may read of secrets: those that the policy names, and with their keys nothing else. */
import type { CompiledChannel, SecretRef } from '../engine/policy/channels.ts';
import { localArn, type Sub } from './intrinsics.ts';
import type { Statement } from './roles.ts';

/** Every reference of the channels, each once. */
export const secretsIn = (channels: Readonly<Record<string, CompiledChannel>>): SecretRef[] => [...new Set(Object.values(channels).flatMap(refsOf))].sort();

const isRef = (text: string): text is SecretRef => /^(ssm:\/|secretsmanager:)/.test(text);

function refsOf(channel: CompiledChannel): SecretRef[] {
  if ('slackApp' in channel) return [channel.slackApp.token, channel.slackApp.signingSecret];
  if ('slackWebhook' in channel) return [channel.slackWebhook];
  if ('pagerDuty' in channel) return [channel.pagerDuty];
  if ('teams' in channel) return [channel.teams];
  if ('webhook' in channel) return [channel.webhook.secret, ...(isRef(channel.webhook.url) ? [channel.webhook.url] : [])];
  return [];
}

/** Secrets Manager adds a hyphen and six characters to a name. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html */
export const secretArn = (ref: SecretRef): Sub =>
  ref.startsWith('ssm:')
    ? localArn('ssm', `parameter${ref.slice('ssm:'.length)}`)
    : localArn('secretsmanager', `secret:${ref.slice('secretsmanager:'.length)}-??????`);

/**
 * The key of a secret may be any of the account: it decrypts for these secrets alone, and through their service alone.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
export function secretReads(refs: readonly SecretRef[]): Statement[] {
  const parameters = refs.filter((ref) => ref.startsWith('ssm:')).map(secretArn);
  const secrets = refs.filter((ref) => !ref.startsWith('ssm:')).map(secretArn);
  const decrypts = (Sid: string, service: string, context: string, arns: readonly Sub[]): Statement => ({
    Sid,
    Effect: 'Allow',
    Action: ['kms:Decrypt'],
    Resource: '*',
    Condition: { StringLike: { 'kms:ViaService': `${service}.*`, [`kms:EncryptionContext:${context}`]: arns } },
  });
  return [
    ...(parameters.length > 0
      ? [
          { Sid: 'ReadParameters', Effect: 'Allow', Action: ['ssm:GetParameter'], Resource: parameters } satisfies Statement,
          decrypts('DecryptParameters', 'ssm', 'PARAMETER_ARN', parameters),
        ]
      : []),
    ...(secrets.length > 0
      ? [
          { Sid: 'ReadSecrets', Effect: 'Allow', Action: ['secretsmanager:GetSecretValue'], Resource: secrets } satisfies Statement,
          decrypts('DecryptSecrets', 'secretsmanager', 'SecretARN', secrets),
        ]
      : []),
  ];
}
