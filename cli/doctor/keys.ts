/** The keys that everything of the bot is encrypted or signed with, and the switch that stops its hand. */
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { outputOf } from '../stack.ts';
import { type Check, look, ok, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

const uses = {
  DataKeyArn: 'no event can be queued, recorded or told',
  AlarmKeyArn: 'alarms about the bot reach nobody',
  SigningKeyArn: 'no evidence is signed',
};

export const keys: StackGroup = async ({ stack, aws }) => {
  const check = 'keys';
  const lines = await Promise.all(
    Object.entries(uses).map(([output, broken]) =>
      look(check, async (): Promise<Check> => {
        const KeyId = outputOf(stack, output);
        const { KeyMetadata } = await aws.client(KMSClient).send(new DescribeKeyCommand({ KeyId }));
        const state = KeyMetadata?.KeyState;
        if (state === 'Enabled') return ok(check, `${output.replace('Arn', '')} is enabled`);
        const place = `--key-id ${KeyMetadata?.KeyId ?? KeyId} --region ${stack.region}`;
        const enable = `aws kms enable-key ${place}`;
        const mend = state === 'PendingDeletion' ? `aws kms cancel-key-deletion ${place} && ${enable}` : enable;
        return wrong(check, `${output.replace('Arn', '')} is ${state}: ${broken}`, mend);
      }),
    ),
  );
  return lines.flat();
};

export const killSwitch: StackGroup = ({ stack, aws }) => {
  const check = 'kill switch';
  return look(check, async () => {
    const Name = outputOf(stack, 'KillSwitchParameter');
    const { Parameter } = await aws.client(SSMClient).send(new GetParameterCommand({ Name }));
    if (Parameter?.Value === 'off') return ok(check, 'off: the bot may fix');
    return wrong(
      check,
      `${Parameter?.Value}: nothing is written, every fix is a page`,
      `aws ssm put-parameter --name ${Name} --value off --overwrite --region ${stack.region}`,
    );
  });
};
