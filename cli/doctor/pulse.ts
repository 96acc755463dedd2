/** Whether the heart beats: the schedule, the last tick, and the sweeps that ticks ask for. */
import { GetScheduleCommand, type GetScheduleCommandOutput, SchedulerClient } from '@aws-sdk/client-scheduler';
import { codeOf } from '../../engine/errors.ts';
import { isOff, settingsOf } from '../../engine/judge.ts';
import type { Deployment } from '../../engine/ports.ts';
import { globalRegionOf } from '../../engine/route.ts';
import { memoOf, type SweepMemo } from '../../engine/sweep.ts';
import type { TickMemo } from '../../engine/tick.ts';
import { inEach } from '../../infra/plugin/regions.ts';
import { catalogue } from '../context.ts';
import { hint, look, ok, plural, quoted, some, wrong } from './check.ts';
import { coveredBy, lost, type StackGroup, type StackScene } from './scene.ts';

const minute = 60_000;
/** Three ticks. */
const lateTick = 45 * minute;
/** A day, and half of one for a sweep that a queue holds up. */
const lateSweep = 36 * 60 * minute;

/** The schedule is named after the stack, and so is its group. */
export const schedule: StackGroup = ({ stack, aws, parts }) => {
  const check = 'schedule';
  return look(check, async () => {
    const part = (await parts()).find(({ logicalId }) => logicalId === 'Tick');
    const [Name, GroupName] = [`${stack.name}-tick`, stack.name];
    const found = await aws
      .client(SchedulerClient)
      .send(new GetScheduleCommand({ Name, GroupName }))
      .catch((error: unknown) => {
        if (codeOf(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      });
    if (!found) return lost(check, [part?.id ?? Name], stack);
    if (found.State !== 'ENABLED')
      return wrong(check, `${Name} is ${found.State}: nothing is swept, and no lost event is made up for`, enable(found, stack.region));
    return ok(check, `${Name} is enabled, ${found.ScheduleExpression}`);
  });
};

/** An update takes the whole schedule. */
const enable = ({ Name, GroupName, ScheduleExpression, FlexibleTimeWindow, Target }: GetScheduleCommandOutput, region: string): string =>
  `aws scheduler update-schedule --name ${Name} --group-name ${GroupName} --state ENABLED --schedule-expression ${quoted(ScheduleExpression)} --flexible-time-window ${quoted(FlexibleTimeWindow)} --target ${quoted(Target)} --region ${region}`;

const logs = ({ name, region }: StackScene['stack']): string => `aws logs tail /aws/lambda/${name}-detect --since 2h --filter-pattern ERROR --region ${region}`;

export const ticks: StackGroup = ({ stack, ledger, deployment, now }) => {
  const check = 'last tick';
  return look(check, async () => {
    const [memo, deployed] = await Promise.all([ledger.recall<TickMemo>('tick'), deployment()]);
    if (!memo && isYoung(deployed, now)) return hint(check, `none yet: the stack was deployed at ${deployed!.at}`);
    if (!memo) return wrong(check, 'there was none', logs(stack));
    return ageOf(memo.last, now) > lateTick
      ? wrong(check, `at ${memo.last}: the bot has missed ${Math.floor(ageOf(memo.last, now) / (15 * minute))} of them`, logs(stack))
      : ok(check, `at ${memo.last}`);
  });
};

export const ageOf = (time: string, now: Date): number => now.getTime() - Date.parse(time);
export const isYoung = (deployment: Deployment | undefined, now: Date, within = lateTick): boolean =>
  deployment !== undefined && ageOf(deployment.at, now) < within;

export const sweeps: StackGroup = (scene) => {
  const check = 'sweeps';
  return look(check, async () => {
    const { stack, ledger, now, aws } = scene;
    const [stored, deployed, covered] = await Promise.all([scene.stored(), scene.deployment(), coveredBy(scene)]);
    if (!stored) return [];
    const on = catalogue.filter(({ id, kind }) => kind === 'state' && !isOff(settingsOf(stored, id)));
    const memos = await inEach(covered, (region) =>
      Promise.all(
        on
          .filter(({ scope }) => scope === 'regional' || region === globalRegionOf(stack.region))
          .map(async ({ id }) => ({ id: `${id} in ${region}`, memo: await ledger.recall<SweepMemo>(memoOf(id, { accountId: aws.accountId, region })) })),
      ),
    );
    const all = [...memos.values()].flatMap((answer) => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const late = all.filter(({ memo }) => memo && ageOf(memo.finished, now) > lateSweep);
    const never = all.filter(({ memo }) => !memo);
    const young = deployed !== undefined && ageOf(deployed.at, now) < lateSweep;
    const names = (found: typeof all) =>
      some(
        found.map(({ id }) => id),
        3,
      );
    if (late.length > 0)
      return wrong(check, `${plural(late.length, 'sweep')} of ${all.length} ended longer ago than a day and a half: ${names(late)}`, logs(stack));
    if (never.length > 0 && !young) return wrong(check, `${never.length} of ${all.length} have never come to their end: ${names(never)}`, logs(stack));
    return never.length > 0
      ? hint(check, `the first are under way: ${all.length - never.length} of ${all.length} have ended`)
      : ok(check, `all ${all.length} have ended within a day and a half`);
  });
};
