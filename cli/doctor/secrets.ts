/** Whether the secrets that the channels name are there: looked up, never read. */
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { codeOf } from '../../engine/errors.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';
import { secretsIn } from '../../infra/secrets.ts';
import { type Check, look, ok, plural, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

const check = 'secrets';

export const secrets: StackGroup = async ({ aws, stored }) => {
  const refs = secretsIn((await stored())?.channels ?? {});
  if (refs.length === 0) return [];
  const lines = (await Promise.all(refs.map((ref) => look(check, () => faultsOf(ref, aws), `${ref}: `)))).flat();
  return lines.length > 0 ? lines : [ok(check, `${plural(refs.length, 'secret')} of the channels ${refs.length === 1 ? 'is' : 'are'} there`)];
};

async function faultsOf(ref: SecretRef, aws: Aws): Promise<readonly Check[]> {
  const name = ref.slice(ref.indexOf(':') + 1);
  const region = `--region ${aws.region}`;
  if (ref.startsWith('ssm:')) {
    const put = `aws ssm put-parameter --name ${name} --type SecureString --value file://SECRET --overwrite ${region}`;
    const type = await parameterType(name, aws);
    if (type === undefined) return [wrong(check, `there is no ${ref}: its channel is told nothing`, put)];
    return type === 'SecureString' ? [] : [wrong(check, `${ref} is a ${type}: whoever may list parameters can read it`, put)];
  }
  return (await isKept(name, aws))
    ? []
    : [
        wrong(
          check,
          `there is no ${ref}: its channel is told nothing`,
          `aws secretsmanager create-secret --name ${name} --secret-string file://SECRET ${region}`,
        ),
      ];
}

async function parameterType(Name: string, aws: Aws): Promise<string | undefined> {
  const { Parameters = [] } = await aws
    .client(SSMClient)
    .send(new DescribeParametersCommand({ ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [Name] }] }));
  return Parameters[0]?.Type;
}

/** A secret that is to be deleted can be read no more. */
async function isKept(SecretId: string, aws: Aws): Promise<boolean> {
  try {
    return (await aws.client(SecretsManagerClient).send(new DescribeSecretCommand({ SecretId }))).DeletedDate === undefined;
  } catch (error) {
    if (codeOf(error) === 'ResourceNotFoundException') return false;
    throw error;
  }
}
