/** Config tells of changes that no API call names; without it the calls themselves and the sweeps remain. */
import { ConfigServiceClient, DescribeConfigurationRecorderStatusCommand } from '@aws-sdk/client-config-service';
import type { Catalogue } from '../../engine/control.ts';
import { routed } from '../../engine/policy/match.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { catalogue } from '../context.ts';
import { type Check, hint, lookIn, ok } from './check.ts';
import type { Group } from './scene.ts';

const check = 'recorder';

const listens = (policy: CompiledPolicy, entries: Catalogue): boolean => {
  const ids = new Set(routed(policy));
  return entries.some(({ id, triggers }) => ids.has(id) && triggers.some(({ source }) => source === 'config'));
};

export const recorder: Group = async ({ aws, policy }) => {
  if (!policy || !listens(policy, catalogue)) return [ok(check, 'no control of the policy listens to AWS Config')];
  const regions = [...new Set([aws.region, ...policy.regions])];
  return lookIn(check, regions, `AWS Config records in ${regions.join(', ')}`, async (region): Promise<Check[]> => {
    const client = aws.in(region).client(ConfigServiceClient);
    const { ConfigurationRecordersStatus: [status] = [] } = await client.send(new DescribeConfigurationRecorderStatusCommand({}));
    if (status?.recording) return [];
    const remains = 'so drift is seen by the API calls themselves and by the daily sweep';
    if (!status) return [hint(check, `AWS Config has no recorder, ${remains}`)];
    return [
      hint(
        check,
        `the recorder ${status.name} is off, ${remains}`,
        `aws configservice start-configuration-recorder --configuration-recorder-name ${status.name} --region ${region}`,
      ),
    ];
  });
};
