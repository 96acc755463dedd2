/** Every check, all at once. */
import { access, type Caller } from '../context.ts';
import { describeStack, ledgerAt, stackTime } from '../stack.ts';
import { alarms } from './alarms.ts';
import { channels } from './channels.ts';
import { type Check, look, ok, wrong } from './check.ts';
import { evidence } from './evidence.ts';
import { concurrency, sources } from './functions.ts';
import { keys, killSwitch } from './keys.ts';
import { letters } from './letters.ts';
import { ownFindings } from './own.ts';
import { policyFile, storedPolicy } from './policy.ts';
import { schedule, sweeps, ticks } from './pulse.ts';
import { recorder } from './recorder.ts';
import { roles } from './roles.ts';
import { rules } from './rules.ts';
import { deployCommand, type Group, type Scene, type StackGroup, withStack } from './scene.ts';
import { secrets } from './secrets.ts';
import { forwarders, home, regions, statusOf } from './stacks.ts';
import { trail } from './trail.ts';

const around: readonly Group[] = [trail, recorder];
/** In the order in which they are told. */
const within: readonly StackGroup[] = [
  home,
  storedPolicy,
  regions,
  forwarders,
  rules,
  sources,
  concurrency,
  schedule,
  ticks,
  sweeps,
  evidence,
  roles,
  keys,
  killSwitch,
  channels,
  secrets,
  alarms,
  letters,
  ownFindings,
];

export interface Asked {
  readonly caller: Caller;
  readonly policyFile: string;
  readonly stack?: string;
}

/** @throws UsageError when the policy file cannot be read. */
export async function examine({ caller, policyFile: file, stack }: Asked): Promise<readonly Check[]> {
  const { policy, check } = await policyFile(file);
  const scene: Scene = { aws: access()(caller, { share: true }), now: stackTime().now(), policy, policyFile: file };
  const [outside, inside] = await Promise.all([Promise.all(around.map((group) => group(scene))), stack === undefined ? [] : ofStack(stack, scene)]);
  return [ok('credentials', `${caller.arn}, ${caller.region}`), check, ...outside.flat(), ...inside];
}

const ofStack = (name: string, scene: Scene): Promise<readonly Check[]> =>
  look('stack', async () => {
    const { aws } = scene;
    const deploy = deployCommand(name, aws.region, scene.policyFile);
    const stack = await describeStack(name, aws);
    if (!stack) return wrong('stack', `there is no stack ${name} in ${aws.region} of account ${aws.accountId}`, deploy);
    const table = stack.outputs.LedgerTableName;
    if (!table)
      return [
        statusOf('stack', stack, deploy),
        wrong('stack', `${name} has no output LedgerTableName: its deploy did not come to its end, or it is not of this project`, deploy),
      ];
    const found = withStack(scene, { stack, aws, ledger: ledgerAt(table, aws) });
    return (await Promise.all(within.map((group) => group(found)))).flat();
  });
