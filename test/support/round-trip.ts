/**
 * Fix, undo, fix, undo over random prior settings: the resource ends as it began, and what the control does not own is never touched.
 * A world is one entry; `told` reads it back past the control's own reads, so that a control that reads too little is found out.
 */
import { expect } from '@jest/globals';
import type fc from 'fast-check';
import { arnFrom } from '../../engine/arn.ts';
import type { AnyStateControl } from '../../engine/control.ts';
import type { Again, Change, ResourceRef } from '../../engine/model.ts';
import type { Aws } from '../../engine/ports.ts';
import { accountId, region, type Sent, untilDone, watched } from './control-tester.ts';

/** What AWS tells of a resource, without order, ids and defaults that AWS assigns. */
export interface Told {
  /** The entries or members that fix and undo write. */
  readonly own: unknown;
  /** Everything beside them: a fix leaves it alone, and an undo too. */
  readonly other: unknown;
}

export interface RoundTrip<Prior> {
  /** Settings from which the control plans a change. */
  readonly prior: fc.Arbitrary<Prior>;
  /** Where moto differs from AWS, in words for the name of the test. */
  readonly moto?: string;
  /** Where moto lacks the calls: a shaped fake, new for each prior setting. */
  fake?(): { restore(): void };
  params?(prior: Prior): Readonly<Record<string, unknown>>;
  /** Makes a new resource, whose name is free, with the prior setting. Gives its ARN, or the `{id}` of it. */
  arrange(aws: Aws, prior: Prior, name: string): Promise<string>;
  /** `id`: as `arrange` gave it. */
  told(aws: Aws, id: string, prior: Prior): Promise<Told>;
  /**
   * Somebody else's change, between fix and undo, of what the control does not own, in the same document where there is one.
   * It must not show in the setting: an undo is refused where the setting is no longer what the fix has left.
   */
  meanwhile?(aws: Aws, id: string, prior: Prior): Promise<void>;
  /** `meanwhile` brings back the drift itself, so that it shows in the setting all the same. */
  readonly drifts?: true;
  /** For settings of the account: what other worlds want it to be. */
  clear?(aws: Aws): Promise<void>;
}

/** Why no world of the control can be had here; shown as the name of a skipped test. */
export interface NoWorld {
  readonly reason: string;
}

export type RoundTrips = Readonly<Record<string, RoundTrip<unknown> | NoWorld>>;

const isRead = ({ operation }: Sent) => /^(Get|List|Describe)/.test(operation);

/** The same place; the process dies before its write number `lives`, counted from 0. */
function dying(aws: Aws, lives: number): Aws {
  const sent: Sent[] = [];
  return watched(aws, sent, () => {
    if (!isRead(sent.at(-1)!) && sent.filter((call) => !isRead(call)).length > lives) throw new Error('killed');
  });
}

const until = (death: Promise<void>): Promise<void> =>
  death.catch((error: Error) => {
    if (error.message !== 'killed') throw error;
  });

export async function roundTrip<Prior>(control: AnyStateControl, world: RoundTrip<Prior>, aws: Aws, prior: Prior, name: string): Promise<void> {
  const id = await world.arrange(aws, prior, name);
  const ref: ResourceRef = {
    accountId,
    region: control.scope === 'global' ? 'us-east-1' : region,
    type: control.resourceType,
    id: id.startsWith('arn:') ? id : arnFrom(control.arn, { accountId, region }, id),
  };
  const params = control.params.parse(world.params?.(prior) ?? {});
  const told = () => world.told(aws, id, prior);

  const look = async () => {
    const state = await control.inspect(ref, aws);
    const { complianceType } = control.evaluate(state, params);
    const plan = complianceType === 'NON_COMPLIANT' ? control.plan!(state, params) : undefined;
    return {
      verdict: complianceType,
      setting: control.setting!(state),
      ...(plan && { plan: plan.kind === 'change' ? { before: plan.before, after: plan.after } : plan.reason }),
      told: await told(),
    };
  };

  const start = await look();
  const planned = control.plan!(await control.inspect(ref, aws), params);
  expect(planned).toMatchObject({ kind: 'change' });
  // As the ledger keeps it.
  const change = JSON.parse(JSON.stringify(planned)) as Change;

  const counting = (move: (through: Aws) => Promise<Again | void>) => async () => {
    const sent: Sent[] = [];
    await untilDone(() => move(watched(aws, sent)));
    return sent.filter((call) => !isRead(call)).length;
  };
  const fixThrough = (through: Aws) => control.remediate!(ref, change, through);
  const undoThrough = (through: Aws) => control.undo!(ref, change, through);
  const fix = counting(fixThrough);
  const undo = counting(undoThrough);
  const asAtTheStart = async (when: string) => expect({ when, ...(await look()) }).toEqual({ when, ...start });

  let writes = { fix: 0, undo: 0 };
  for (const round of ['first', 'second']) {
    const fixing = await fix();
    const fixed = await look();
    expect({ round, verdict: fixed.verdict, other: fixed.told.other }).toEqual({ round, verdict: 'COMPLIANT', other: start.told.other });
    expect(fixed.told.own).not.toEqual(start.told.own);
    writes = { fix: fixing, undo: await undo() };
    await asAtTheStart(`after the ${round} undo`);
  }
  await undo();
  await asAtTheStart('after one undo more');

  for (let lives = 0; lives < writes.fix; lives += 1) {
    await until(untilDone(() => fixThrough(dying(aws, lives))));
    await undo();
    await asAtTheStart(`after the undo of a fix that died before write ${lives}`);
  }
  // The first write of several is done: the next attempt goes on with the same change, or with a plan of what is left of the drift.
  for (let lives = 1; lives < writes.fix; lives += 1) {
    for (const anew of [false, true]) {
      await until(untilDone(() => fixThrough(dying(aws, lives))));
      const left = await control.inspect(ref, aws);
      const next = anew && control.evaluate(left, params).complianceType === 'NON_COMPLIANT' ? control.plan!(left, params) : change;
      if (next.kind === 'blocked') throw new Error(`what is left cannot be fixed: ${next.reason}`);
      await untilDone(() => control.remediate!(ref, next, aws));
      expect({ anew, verdict: (await look()).verdict }).toEqual({ anew, verdict: 'COMPLIANT' });
      if (next !== change) await untilDone(() => control.undo!(ref, next, aws));
      await undo();
      await asAtTheStart(`after the undo of a fix that died before write ${lives} and went on${anew ? ' with a new plan' : ''}`);
    }
  }
  for (let lives = 0; lives < writes.undo; lives += 1) {
    await fix();
    await until(untilDone(() => undoThrough(dying(aws, lives))));
    await undo();
    await asAtTheStart(`after an undo that died before write ${lives} and ran again`);
  }

  if (!world.meanwhile) return;
  await fix();
  const { setting } = await look();
  await world.meanwhile(aws, id, prior);
  const between = await told();
  if (!world.drifts) expect((await look()).setting).toEqual(setting);
  expect(between.other).not.toEqual(start.told.other);
  await undo();
  expect(await told()).toEqual({ own: start.told.own, other: between.other });
}
