/** Drifts on resources of their own, from the drift over the fix to the undo, with the deaths that each of them is to have. */
import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { canonical } from '../../engine/canonical.ts';
import { type AnyStateControl, isEventControl } from '../../engine/control.ts';
import { madeExceptions } from '../../engine/exceptions.ts';
import { findingId } from '../../engine/finding.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { nameOf } from '../../handlers/aws/requests.ts';
import type { Item } from '../../handlers/aws/table.ts';
import { catalogue } from '../../remediations/index.ts';
import { choresOf } from '../faults/chores.ts';
import type { Broken, Drift, Scenario } from '../faults/drifts/index.ts';
import { params } from '../faults/policy.ts';
import { type Reaper, reaper, type Span, type Strike, type Watched } from './deaths.ts';
import { approves, asksToUndo, people, peopleOf } from './people.ts';
import { meanwhile, recover } from './recovery.ts';
import { type Deployed, deployed, policyFile } from './world.ts';

/** The role that the policy asks about; any other's changes are fixed. */
export const asked = 'Asked';

export interface Plan {
  readonly control: string;
  readonly scenario: Scenario;
  /** The role that makes the drift. */
  readonly actor?: string;
  /** As the policy has them, beside those of the drifts. */
  readonly params?: object;
  readonly fix?: Strike;
  readonly undo?: Strike;
  /** What counts as its undo. */
  readonly undoing?: Span;
}

export interface Life {
  readonly control: string;
  readonly fix: Watched;
  readonly undo: Watched;
  /** Everything that must hold of every life. */
  readonly seen: {
    readonly right: boolean;
    readonly changes: readonly unknown[];
    readonly fixed: string | undefined;
    readonly undone: string | undefined;
    readonly setting: unknown;
    readonly exceptions: number;
    readonly story: readonly string[];
    readonly gapless: boolean;
  };
  /** As it was read, raw, before the fix, and what the control makes of that. */
  readonly began: unknown;
  readonly before: unknown;
}

interface Newborn {
  readonly plan: Plan;
  readonly control: AnyStateControl;
  readonly id: string;
  readonly drift: Drift;
  readonly broken: Broken;
  readonly began: unknown;
  readonly before: unknown;
}

export interface Ward {
  readonly bot: Deployed;
  /** Drift, fix and undo, some at a time. */
  live(plans: readonly Plan[]): Promise<Life[]>;
}

export const fixing: Span = { from: 'INTENDED', to: 'REMEDIATED' };
export const approvedFixing: Span = { from: 'APPROVED', to: 'REMEDIATED' };
export const undoing: Span = { from: 'UNDO_INTENDED', to: 'UNDONE' };

/**
 * SQS tells when a queue was last changed. Lists are sets: AWS gives no meaning to the order of statements, accounts, groups,
 * and takes one that is there already as one; moto lists it twice.
 */
const settingIn = (raw: unknown): unknown =>
  JSON.parse(JSON.stringify(raw ?? null), (key, value: unknown) => {
    if (key === 'LastModifiedTimestamp') return undefined;
    if (!Array.isArray(value)) return value;
    return [...new Map(value.map((entry) => [canonical(entry), entry]))].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
  });

// A machine of two cores starts no more processes at a time.
const atOnce = 12;

export async function openWard(controls: string): Promise<Ward> {
  const reaps: Reaper = reaper();
  // Guards far away: each death asks for a fix of its own.
  const guards = '{ fixesPerHour: 1000, fixesPerControlPerHour: 1000, ramp: { fixes: 1000 } }';
  const bot = await deployed(policyFile(controls, undefined, guards, people), {
    warm: true,
    onCall: reaps.onCall,
  });
  const { stack } = bot;
  const TableName = stack.report.outputs.LedgerTableName!;
  // Redelivery alone must do: no sweep helps.
  await (await choresOf(stack.clients)).setHeartbeat(false);
  const persons = await peopleOf(stack);
  const access = awsAccess({ credentials: async () => stack.emulator.adminCredentials(), endpoint: stack.emulator.endpoint, forcePathStyle: true });
  const admin = access({ accountId: stack.accountId, region: stack.region }, { share: false });

  /** The emulator copies the whole table for every transaction: what is over must not slow down what comes. */
  async function keys(): Promise<Item[]> {
    const found: Item[] = [];
    const pages = paginateScan({ client: stack.clients.dynamoDb }, { TableName, ProjectionExpression: 'pk, sk' });
    for await (const { Items = [] } of pages) found.push(...Items);
    return found;
  }
  async function forget(): Promise<void> {
    for (const Key of await keys()) if (!kept.has(nameOf(Key))) await stack.clients.dynamoDb.send(new DeleteItemCommand({ TableName, Key }));
  }

  async function born(plan: Plan): Promise<Newborn> {
    const control = await catalogue.find(({ id }) => id === plan.control)!.load();
    if (isEventControl(control)) throw new Error(`${control.id} is judged from events: it has nothing to fix`);
    const drift = await plan.scenario.make(admin, `k-${randomUUID().slice(0, 12)}`);
    const broken = drift.broken.find((each) => each.control === plan.control)!;
    const resource = { accountId: stack.accountId, region: broken.region, type: control.resourceType, id: broken.id };
    const planned = control.plan!(await control.inspect(resource, admin), control.params.parse({ ...params[control.id], ...plan.params }));
    if (planned.kind !== 'change') throw new Error(`${control.id} fixes nothing: ${planned.reason}`);
    const began = settingIn(await drift.read());
    return { plan, control, id: findingId({ control: control.id, resource }, 1), drift, broken, began, before: settingIn(planned.before) };
  }

  const eventOf = ({ plan: { actor = 'Developers' }, drift: { told } }: Newborn) =>
    bot.event(told.source, told.eventName, {
      ...told.detail,
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${stack.accountId}:assumed-role/${actor}/dana`, accountId: stack.accountId },
    });
  const now = (those: readonly Newborn[]) => Promise.all(those.map(async ({ id }) => (await bot.ledger.get(id))!));

  async function liveTogether(plans: readonly Plan[]): Promise<Life[]> {
    const those = await Promise.all(plans.map(born));
    const fixes = those.map(({ id, plan }) => reaps.watch(id, plan.actor === asked ? approvedFixing : fixing, plan.fix));
    await stack.putEvents(those.map(eventOf));
    await recover(bot);
    const waiting = (await now(those)).filter(({ outcome }) => outcome?.status === 'AWAITING_APPROVAL');
    if (waiting.length > 0) await meanwhile(persons.answer('ann', waiting, approves), bot);
    const fixed = await Promise.all(
      (await now(those)).map(async (finding, at) => ({ finding, right: those[at]!.broken.right(await those[at]!.drift.read()) })),
    );

    const undos = those.map(({ id, plan }) => reaps.watch(id, plan.undoing ?? undoing, plan.undo));
    await meanwhile(
      persons.answer(
        'ann',
        fixed.map(({ finding }) => finding),
        asksToUndo,
      ),
      bot,
    );
    const half = (await now(those)).filter(({ undo }) => undo?.state === 'asked');
    if (half.length > 0) await meanwhile(persons.answer('bea', half, approves), bot);
    const exceptions = await madeExceptions(bot.ledger);
    const ended = await now(those);
    return Promise.all(
      those.map(async ({ plan, drift, began, before, id }, at) => {
        const entries = await bot.ledger.entries(id);
        return {
          control: plan.control,
          began,
          before,
          fix: fixes[at]!,
          undo: undos[at]!,
          seen: {
            right: fixed[at]!.right,
            changes: fixed[at]!.finding.changes.map(({ change }) => settingIn(change.before)),
            fixed: fixed[at]!.finding.outcome?.status,
            undone: ended[at]!.undo?.state,
            setting: settingIn(await drift.read()),
            exceptions: exceptions.filter((made) => made.findingId === id).length,
            // Telling may fall together, and a fix be quicker than the one who asked for it.
            story: entries.map(({ kind }) => kind).filter((kind) => kind !== 'DISPATCHED' && kind !== 'ALERTED'),
            gapless: entries.every(({ seq }, index) => seq === index + 1),
          },
        };
      }),
    );
  }

  const kept = new Set((await keys()).map(nameOf));

  return {
    bot,
    async live(plans) {
      const lives: Life[] = [];
      for (let at = 0; at < plans.length; at += atOnce) {
        lives.push(...(await liveTogether(plans.slice(at, at + atOnce))));
        await forget();
      }
      return lives;
    },
  };
}
