/** Secrets by reference (aws-sdk-client-mock, and what a reader is told). */
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { proveSlack } from '../../../handlers/aws/proof-of-slack.ts';
import { type Secrets, secretsOf } from '../../../handlers/aws/secrets.ts';
import { blockActions, signed, slackSecret } from '../../support/slack-signer.ts';
import { policyOf } from '../../support/world.ts';

const ssm = mockClient(SSMClient);
const manager = mockClient(SecretsManagerClient);
let secrets: Secrets;

beforeEach(() => {
  ssm.reset();
  manager.reset();
  ssm.on(GetParameterCommand, { Name: '/slack/secret', WithDecryption: true }).resolves({ Parameter: { Value: 'one\n' } });
  manager.on(GetSecretValueCommand, { SecretId: 'slack/token' }).resolves({ SecretString: 'two' });
  secrets = secretsOf(
    awsAccess({ credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })({ accountId: '123456789012', region: 'us-east-1' }, { share: false }),
  );
});

test('from Parameter Store, decrypted, and from Secrets Manager', async () => {
  expect(await secrets.read('ssm:/slack/secret')).toBe('one');
  expect(await secrets.read('secretsmanager:slack/token')).toBe('two');
});

test('kept, until it is to be forgotten', async () => {
  await secrets.read('ssm:/slack/secret');
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: 'new' } });
  expect(await secrets.read('ssm:/slack/secret')).toBe('one');
  secrets.forget('ssm:/slack/secret');
  expect(await secrets.read('ssm:/slack/secret')).toBe('new');
});

test('what cannot be read is named with the way out, and is asked for again next time', async () => {
  manager.on(GetSecretValueCommand).rejects(new ResourceNotFoundException({ message: 'hush', $metadata: {} }));
  const failed = await secrets.read('secretsmanager:slack/token').catch((error: Error) => error.message);
  expect(failed).toMatch(/^secretsmanager:slack\/token cannot be read \(ResourceNotFoundException\): .*aws secretsmanager create-secret --name slack\/token/);
  expect(failed).not.toContain('hush');
  manager.on(GetSecretValueCommand).resolves({ SecretString: 'there' });
  expect(await secrets.read('secretsmanager:slack/token')).toBe('there');
});

test('an empty one is none: it would be a key that everybody has', async () => {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: ' \n' } });
  await expect(secrets.read('ssm:/slack/secret')).rejects.toThrow('ssm:/slack/secret is empty');
});

test('a signature is looked at with the secret of the policy of now, read anew where the kept one does not fit', async () => {
  const slackApp = { token: 'ssm:/slack/token', signingSecret: 'ssm:/slack/secret', channel: 'C0123' } as const;
  const channels = { slack: { slackApp, pages: false, minSeverity: 'LOW', timezone: 'UTC' } } as const;
  const payload = blockActions('U012LEE', 'phidelity:approve', 'f-xwbinqbqetctjjm4kahh23q2pm|0123456789abcdef');
  const proof = { kind: 'slack', ...signed(slackSecret, payload, new Date()) } as const;
  expect(await proveSlack(proof, { channels }, secrets)).toBeUndefined();
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: slackSecret } });
  expect(await proveSlack(proof, { channels }, secrets)).toEqual({ arn: 'slack:U012LEE', accountId: '' });
  expect(await proveSlack(proof, policyOf({}), secrets)).toBeUndefined();
  expect(await proveSlack(proof, undefined, secrets)).toBeUndefined();
});
