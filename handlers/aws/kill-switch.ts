import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Aws } from '../../engine/ports.ts';

/** Whatever a person wrote into the parameter in haste, only `off` lets the bot write. @throws when it cannot be read */
export async function killSwitchAt(name: string, aws: Aws): Promise<boolean> {
  const { Parameter } = await aws.client(SSMClient).send(new GetParameterCommand({ Name: name }));
  return Parameter?.Value?.trim().toLowerCase() !== 'off';
}
