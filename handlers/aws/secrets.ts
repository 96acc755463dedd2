/** Secrets by the reference that a policy holds, from Parameter Store or Secrets Manager. What is read is kept for five minutes, in this process alone. */
import { codeOf, isDenied, TerminalError } from '../../engine/errors.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';

/** Milliseconds, by real time: a process that lives on must not keep a secret longer because its clock was moved. */
const keptMs = 5 * 60_000;

export interface Secrets {
  /** @throws TerminalError when there is none or it may not be read, what AWS answers otherwise; it names the reference, never the value */
  read(reference: SecretRef): Promise<string>;
  /** It may have been changed since: it is read anew next time. */
  forget(reference: SecretRef): void;
}

const ways = {
  ssm: (name: string) => `aws ssm put-parameter --type SecureString --name ${name} --value …`,
  secretsmanager: (name: string) => `aws secretsmanager create-secret --name ${name} --secret-string …`,
};

export function secretsOf(aws: Pick<Aws, 'client'>): Secrets {
  const kept = new Map<SecretRef, { readonly at: number; readonly value: Promise<string> }>();
  return {
    read(reference) {
      const known = kept.get(reference);
      if (known && performance.now() - known.at < keptMs) return known.value;
      const value = readFrom(reference, aws);
      kept.set(reference, { at: performance.now(), value });
      value.catch(() => kept.delete(reference));
      return value;
    },
    forget: (reference) => void kept.delete(reference),
  };
}

const missing: ReadonlySet<string> = new Set(['ParameterNotFound', 'ResourceNotFoundException', 'InvalidRequestException']);

async function readFrom(reference: SecretRef, aws: Pick<Aws, 'client'>): Promise<string> {
  const [store, name] = split(reference);
  const value = await (store === 'ssm' ? parameter(name, aws) : secret(name, aws)).catch((error: unknown) => {
    // Anything else may pass.
    if (!missing.has(codeOf(error)) && !isDenied(error) && !(error instanceof TerminalError)) throw error;
    throw new TerminalError(`${reference} cannot be read (${codeOf(error) || 'Error'}): is it there? ${ways[store](name)}`, { cause: error });
  });
  if (!value?.trim()) throw new TerminalError(`${reference} is empty: ${ways[store](name)}`);
  // A line break that came along when it was put there is no part of it.
  return value.trim();
}

function split(reference: SecretRef): readonly ['ssm' | 'secretsmanager', string] {
  const colon = reference.indexOf(':');
  return [reference.slice(0, colon) as 'ssm' | 'secretsmanager', reference.slice(colon + 1)];
}

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html */
async function parameter(Name: string, aws: Pick<Aws, 'client'>): Promise<string | undefined> {
  const { GetParameterCommand, SSMClient } = await import('./services/ssm.ts');
  const { Parameter } = await aws.client(SSMClient).send(new GetParameterCommand({ Name, WithDecryption: true }));
  return Parameter?.Value;
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
async function secret(SecretId: string, aws: Pick<Aws, 'client'>): Promise<string | undefined> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('./services/secrets-manager.ts');
  return (await aws.client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId }))).SecretString;
}
