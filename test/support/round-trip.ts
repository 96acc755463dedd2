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
import { accountId, region, type Sent, task, untilDone, watched } from './control-tester.ts';

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

/** One resource under one control: what is done to it, and what it then looks like. */
function handles<Prior>(control: AnyStateControl, { params, told }: Pick<RoundTrip<Prior>, 'params' | 'told'>, aws: Aws, id: string, prior: Prior) {
  const ref: ResourceRef = {
    accountId,
    region: control.scope === 'global' ? 'us-east-1' : region,
    type: control.resourceType,
    id: id.startsWith('arn:') ? id : arnFrom(control.arn, { accountId, region }, id),
  };
  const wanted = control.params.parse(params?.(prior) ?? {});

  const judge = async () => {
    const state = await control.inspect(ref, aws);
    const verdict = control.evaluate(state, wanted, new Date()).complianceType;
    return { state, verdict, plan: verdict === 'NON_COMPLIANT' ? control.plan!(state, wanted) : undefined };
  };

  return {
    judge,
    async look() {
      const { state, verdict, plan } = await judge();
      const writes = plan?.kind === 'change' ? { before: plan.before, after: plan.after } : plan?.reason;
      return { verdict, writes, setting: control.setting!(state), told: await told(aws, id, prior) };
    },
    /** These count the writes. */
    fix: (change: Change, through = aws) => writesOf(through, (counted) => control.remediate!(ref, change, counted, task)),
    undo: (change: Change, through = aws) => writesOf(through, (counted) => control.undo!(ref, change, counted, task)),
  };
}

async function writesOf(aws: Aws, move: (aws: Aws) => Promise<Again | void>): Promise<number> {
  const sent: Sent[] = [];
  const counted = watched(aws, sent);
  await untilDone(() => move(counted));
  return sent.filter((call) => !isRead(call)).length;
}

/** The same place, where the process dies before its write number `lives`, counted from 0. */
function dying(aws: Aws, lives: number): Aws {
  const sent: Sent[] = [];
  return watched(aws, sent, () => {
    if (!isRead(sent.at(-1)!) && sent.filter((call) => !isRead(call)).length > lives) throw new Error('killed');
  });
}

const killed = (attempt: Promise<number>): Promise<void> =>
  attempt.then(
    () => {
      throw new Error('lived on');
    },
    (error: Error) => {
      if (error.message !== 'killed') throw error;
    },
  );

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export async function roundTrip<Prior>(control: AnyStateControl, world: RoundTrip<Prior>, aws: Aws, prior: Prior, name: string): Promise<void> {
  const id = await world.arrange(aws, prior, name);
  const { judge, look, fix, undo } = handles(control, world, aws, id, prior);
  const start = await look();
  const asAtTheStart = async (when: string) => expect({ when, ...(await look()) }).toEqual({ when, ...start });

  const { plan } = await judge();
  expect(plan).toMatchObject({ kind: 'change' });
  // As the ledger keeps it.
  const change = JSON.parse(JSON.stringify(plan)) as Change;

  let writes = { fix: 0, undo: 0 };
  for (const round of ['first', 'second']) {
    const fixing = await fix(change);
    const fixed = await look();
    expect({ round, verdict: fixed.verdict, other: fixed.told.other }).toEqual({ round, verdict: 'COMPLIANT', other: start.told.other });
    expect(fixed.told.own).not.toEqual(start.told.own);
    writes = { fix: fixing, undo: await undo(change) };
    await asAtTheStart(`after the ${round} undo`);
  }
  await undo(change);
  await asAtTheStart('after one undo more');

  for (const lives of upTo(writes.fix)) {
    await killed(fix(change, dying(aws, lives)));
    await undo(change);
    await asAtTheStart(`after the undo of a fix that died before write ${lives}`);
  }
  for (const lives of upTo(writes.undo)) {
    await fix(change);
    await killed(undo(change, dying(aws, lives)));
    await undo(change);
    await asAtTheStart(`after an undo that died before write ${lives} and ran again`);
  }
  // Some of several writes are done: the next attempt goes on with the same change, or with a plan of what is left of the drift.
  for (const lives of upTo(writes.fix).slice(1)) {
    for (const anew of [false, true]) {
      await killed(fix(change, dying(aws, lives)));
      const { state, plan: rest } = await judge();
      const next = anew && rest?.kind === 'change' && !control.unfinished?.(state, change) ? rest : change;
      await fix(next);
      expect({ anew, verdict: (await look()).verdict }).toEqual({ anew, verdict: 'COMPLIANT' });
      if (next !== change) await undo(next);
      await undo(change);
      await asAtTheStart(`after the undo of a fix that died before write ${lives} and went on${anew ? ' with a new plan' : ''}`);
    }
  }

  if (!world.meanwhile) return;
  await fix(change);
  const fixed = await look();
  await world.meanwhile(aws, id, prior);
  const between = await look();
  if (!world.drifts) expect(between.setting).toEqual(fixed.setting);
  expect(between.told.other).not.toEqual(fixed.told.other);
  await undo(change);
  expect((await look()).told).toEqual({ own: start.told.own, other: between.told.other });
}
