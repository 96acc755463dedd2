/** The stack at home, the forwarders elsewhere, and the regions that nobody looks at. */
import { EC2Client } from '@aws-sdk/client-ec2';
import { forwarderName } from '../../infra/forwarders.ts';
import { enabledRegions, wantedRegions } from '../../infra/plugin/regions.ts';
import { forwarded } from '../dlq/queues.ts';
import { describeStack, type Stack } from '../stack.ts';
import { type Check, hint, look, lookIn, ok, some, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

const fine = new Set(['CREATE_COMPLETE', 'IMPORT_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS']);

export const statusOf = (check: string, { name, status }: Stack, deploy: string): Check => {
  const where = `${name} is ${status}`;
  if (fine.has(status)) return ok(check, where);
  if (status.endsWith('_IN_PROGRESS')) return hint(check, `${where}: look again when it has ended`);
  return wrong(check, status === 'UPDATE_ROLLBACK_COMPLETE' ? `${where}: the last deploy failed, the one before it is in place` : where, deploy);
};

export const home: StackGroup = async ({ stack, deploy }) => [statusOf('stack', stack, deploy)];

export const forwarders: StackGroup = (scene) => {
  const check = 'forwarders';
  return look(check, async () => {
    const { stack, aws, deploy } = scene;
    const regions = forwarded(await scene.deployment(), stack.region);
    if (regions.length === 0) return ok(check, 'the bot looks at its home region only');
    return lookIn(check, regions, `${forwarderName(stack.name)} is in place in ${regions.join(', ')}`, async (region) => {
      const name = forwarderName(stack.name);
      const found = await describeStack(name, aws.in(region));
      const status = found ? statusOf(check, found, deploy) : wrong(check, `there is no ${name}, events reach nobody`, deploy);
      return status.status === 'ok' ? [] : [status];
    });
  });
};

export const regions: StackGroup = (scene) => {
  const check = 'regions';
  return look(check, async () => {
    const { stack, aws, deploy } = scene;
    const [enabled, deployment, stored] = await Promise.all([enabledRegions(aws.client(EC2Client)), scene.deployment(), scene.stored()]);
    if (!deployment) return wrong(check, 'the stack does not say which regions it covers: its deploy did not come to its end', deploy);
    const policy = scene.policy ?? stored;
    if (!policy) return [];
    const wanted = wantedRegions(policy, enabled, stack.region);
    const missing = wanted.forwarders.filter((region) => !deployment.regions.includes(region));
    const why = (region: string) => (deployment.unreached[region] ? `${region} (${deployment.unreached[region]})` : region);
    const notEnabled = Object.keys(wanted.unreached);
    const lines = [
      ...(missing.length > 0 ? [wrong(check, `not covered: ${missing.map(why).join(', ')}`, deploy)] : []),
      ...(notEnabled.length > 0 ? [hint(check, `watched by the policy, not enabled in this account: ${some(notEnabled)}`)] : []),
    ];
    return lines.length > 0 ? lines : ok(check, `${deployment.regions.join(', ')}: all that the policy watches is covered`);
  });
};
