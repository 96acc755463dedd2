/** Secrets by reference: read when they are needed, kept for five minutes in this process alone. */
import { codeOf, TerminalError } from '../../engine/errors.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';

export interface Secrets {
  /** @throws TerminalError when there is none, or it is empty; what AWS answers otherwise. The message names the reference, never the value. */
  read(ref: SecretRef): Promise<string>;
  /** It may have been changed: the next read asks AWS. */
  forget(ref: SecretRef): void;
}

const keptMs = 5 * 60_000;

/** Real time on purpose: a changed clock must not keep a secret longer. */
export function secretsOf(aws: Aws): Secrets {
  const kept = new Map<SecretRef, { readonly at: number; readonly value: Promise<string> }>();
  return {
    read(ref) {
      const known = kept.get(ref);
      if (known && performance.now() - known.at < keptMs) return known.value;
      const value = readFrom(ref, aws);
      kept.set(ref, { at: performance.now(), value });
      value.catch(() => kept.delete(ref));
      return value;
    },
    forget: (ref) => void kept.delete(ref),
  };
}

const missing = new Set(['ParameterNotFound', 'ResourceNotFoundException']);

async function readFrom(ref: SecretRef, aws: Aws): Promise<string> {
  const [kind, name] = [ref.slice(0, ref.indexOf(':')), ref.slice(ref.indexOf(':') + 1)];
  try {
    const value = kind === 'ssm' ? await parameter(name, aws) : await secret(name, aws);
    // A line break at the end comes with `aws ssm put-parameter --value file://…`.
    if (value?.trim()) return value.trim();
  } catch (cause) {
    if (!missing.has(codeOf(cause))) throw cause;
    throw new TerminalError(`there is no ${ref}: store it, or name another in the policy`, { cause });
  }
  throw new TerminalError(`${ref} is empty`);
}

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html */
async function parameter(Name: string, aws: Aws): Promise<string | undefined> {
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
  return (await aws.client(SSMClient).send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter?.Value;
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
async function secret(SecretId: string, aws: Aws): Promise<string | undefined> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  return (await aws.client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId }))).SecretString;
}
