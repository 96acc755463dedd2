/** Work on one control and resource is one unit, however many events of a batch ask for it: one look at the live state answers them all. */
import type { AnyControl } from './control.ts';
import { isEventControl } from './control.ts';
import { actorOf, findingKey } from './finding.ts';
import type { Actor, Owner, Trigger } from './model.ts';
import { modeFor, modeForAll } from './policy/match.ts';
import type { CompiledControl } from './policy/model.ts';
import type { FindingKey, Ledger, Standing } from './ports.ts';
import type { WorkItem } from './route.ts';

export interface Work {
  readonly trigger: Trigger;
  /** Of the event in its batch. */
  readonly index: number;
  readonly listed?: Listed;
}

/** The state as a sweep listed it. */
export interface Listed {
  readonly state: unknown;
  /** When the listing began, ISO 8601. */
  readonly at: string;
}

export interface Unit extends FindingKey {
  readonly of: AnyControl;
  readonly work: Work[];
}

/** Collects work items; the same event arrives once for every rule that matches it, and counts once. */
export class Units {
  readonly #units = new Map<string, Unit>();

  add({ trigger, control, resource, fold }: WorkItem, index: number, listed?: Listed): void {
    const key = findingKey({ control: control.id, resource, fold });
    const unit = this.#units.get(key) ?? { of: control, control: control.id, resource, fold, work: [] };
    if (!unit.work.some((work) => work.trigger.eventId === trigger.eventId)) unit.work.push({ trigger, index, listed });
    this.#units.set(key, unit);
  }

  all(): readonly Unit[] {
    return [...this.#units.values()];
  }
}

export const keyOf = ({ control, resource, fold }: Unit): FindingKey => ({ control, resource, fold });

/** Oldest first. */
export const inOrder = ({ work }: Unit): Work[] => [...work].sort((a, b) => a.trigger.time.localeCompare(b.trigger.time));

/** Where each unit's first question stands: the newest event of a state control, the oldest of an event control. */
export const standingsOf = (units: readonly Unit[], ledger: Pick<Ledger, 'lookup'>): Promise<Standing[]> =>
  ledger.lookup(units.map((unit) => ({ ...keyOf(unit), eventId: inOrder(unit).at(isEventControl(unit.of) ? 0 : -1)!.trigger.eventId })));

/** The newest event speaks for the unit; but one that is done leaves the word to those that are not. */
export async function speakerOf(unit: Unit, newest: Standing, ledger: Pick<Ledger, 'lookup'>): Promise<Work & { readonly standing: Standing }> {
  const [last, ...earlier] = inOrder(unit).reverse();
  if (!newest.done) return { ...last!, standing: newest };
  const standings = await ledger.lookup(earlier.map(({ trigger }) => ({ ...keyOf(unit), eventId: trigger.eventId })));
  const open = standings.findIndex(({ done }) => !done);
  return open < 0 ? { ...last!, standing: newest } : { ...earlier[open]!, standing: standings[open]! };
}

const owners: readonly Owner[] = [{}, { stack: { name: '', id: '' } }];

/**
 * Who is judged to have done it: of several the one for whom the policy is most cautious, as nobody can tell whose change the state shows.
 * The bot's own repairs make it nobody's.
 */
export function actorAmong(unit: Unit, ownRoles: readonly string[], settings: Pick<CompiledControl, 'mode' | 'when'>): Actor | undefined {
  const actors = inOrder(unit)
    .map(({ trigger }) => actorOf(trigger))
    .filter((actor) => actor !== undefined)
    .filter((actor) => ![actor.arn, actor.issuerArn].some((arn) => arn !== undefined && ownRoles.includes(arn)));
  // Whether a stack owns it is known only when it has drifted: the actor must be the one to judge in either case, or it is nobody's.
  return actors.find((actor) => owners.every((owner) => modeFor(settings, actor, owner).mode === modeForAll(settings, actors, owner).mode));
}
