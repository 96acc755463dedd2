/** Read, judge, plan, decide: the same for a new event and for a fix that has waited a week. Writes nothing. */
import { routedTags } from './alerts/routing.ts';
import { planHash } from './answers/plan-hash.ts';
import type { AnyStateControl } from './control.ts';
import { decide } from './decide.ts';
import { deniedWords } from './denied.ts';
import { DeniedError, TerminalError } from './errors.ts';
import { madeFor } from './exceptions.ts';
import {
  type Actor,
  type Change,
  type Decision,
  type Evaluation,
  type Finding,
  insufficientData,
  nonCompliant,
  type Owner,
  type Plan,
  type ResourceRef,
} from './model.ts';
import { ownerBy, ownerOf } from './owner.ts';
import { exceptionFor, modeFor, needsTags, reachable } from './policy/match.ts';
import type { CompiledControl, CompiledPolicy } from './policy/model.ts';
import type { Aws, Ports } from './ports.ts';

export interface Judged {
  /** What `inspect` found; undefined when it could not see or there is nothing. */
  readonly state?: unknown;
  /** Undefined: the resource does not exist. */
  readonly evaluation?: Evaluation;
  readonly plan?: Plan;
  readonly decision: Decision;
  /** Who defines what has drifted. */
  readonly owner?: Owner;
  /** Why it could not see. */
  readonly denied?: DeniedError;
}

/** A control that the stored policy does not know was added after it: off until the next deploy stores its mode. */
const unknown: CompiledControl = { mode: 'off', params: {}, fixAfter: 0, when: [], exceptions: [] };
export const settingsOf = (policy: CompiledPolicy, control: string): CompiledControl => policy.controls[control] ?? unknown;

/** Every mode that the policy can give this control is off: nothing of it is read. */
export const isOff = (control: CompiledControl): boolean => [...reachable(control)].every((mode) => mode === 'off');

export interface Known {
  /** The state as `list` gave it. */
  readonly listed?: unknown;
  /** An open INTENDED: its write may have stopped halfway. */
  readonly begun?: Change;
  /** It was there before the bot. */
  readonly backlog?: boolean;
  readonly denied?: Finding['denied'];
  /** As found earlier in this episode. */
  readonly owner?: Owner;
}

/** @throws what AWS answers, except a denial, which is a verdict: INSUFFICIENT_DATA. */
export async function judge(
  control: AnyStateControl,
  resource: ResourceRef,
  actor: Actor | undefined,
  policy: CompiledPolicy,
  aws: Aws,
  { tags, clock, ledger, log }: Pick<Ports, 'tags' | 'clock' | 'ledger' | 'log'>,
  { listed, begun, backlog = false, denied: no, owner: known }: Known = {},
): Promise<Judged> {
  const settings = settingsOf(policy, control.id);
  let state: unknown;
  let evaluation: Evaluation | undefined;
  let denied: DeniedError | undefined;
  let unread: string | undefined;
  try {
    state = listed ?? (await control.inspect(resource, aws));
    evaluation = state === undefined ? undefined : control.evaluate(state, settings.params, clock.now());
  } catch (error) {
    // No retry will mend either: a person must hear of it.
    if (error instanceof DeniedError) {
      denied = error;
      evaluation = insufficientData(deniedWords(error));
    } else if (error instanceof TerminalError) evaluation = insufficientData(`${error.message}.`);
    else throw error;
  }
  const seen = evaluation?.complianceType === 'COMPLIANT' || evaluation?.complianceType === 'NON_COMPLIANT';
  const halfway = begun && seen && control.unfinished?.(state, begun);
  if (halfway && evaluation?.complianceType === 'COMPLIANT') evaluation = nonCompliant('A fix was interrupted before its last step.');
  const drifted = evaluation?.complianceType === 'NON_COMPLIANT';
  const plan = halfway ? begun : drifted ? control.plan?.(state, settings.params) : undefined;
  let read: ReturnType<Ports['tags']> | undefined;
  const exception = evaluation && (await exceptionOf(drifted));
  const owner = drifted ? await ownerOfDrift() : undefined;
  const told = backlog && policy.backlog === 'tell';
  const mode = modeFor(settings, actor, owner ?? known);
  const decision = decide({ evaluation, mode, exception, plan, backlog: told, unread, denied: saidNo(), noFix: control.noFix });
  return { state, evaluation, plan, decision, owner, denied };

  function saidNo(): Decision | undefined {
    if (!no || plan?.kind !== 'change' || planHash({ control: control.id, resource }, plan) !== no.planHash) return undefined;
    // Time that ran out denies what is asked, not what the policy has since said to fix.
    if (!no.by && mode.mode === 'fix') return undefined;
    return { action: no.by ? 'notify' : 'page', reason: no.reason };
  }

  async function exceptionOf(ask: boolean) {
    // What a person has decided while the bot runs holds for this resource alone.
    const made = ask ? await madeFor(control.id, resource, { ledger, clock }) : undefined;
    if (made) return { reason: `${made.reason} (${made.approvedBy})`, expires: made.expires, strength: 'waives' as const };
    const found = exceptionFor(settings, resource, clock.now(), ask && needsTags(settings) ? await readable() : undefined);
    return found && { reason: found.exception.reason, expires: found.exception.expires, strength: found.strength };
  }

  /** Tags that may not be read except nothing; but neither is anything fixed that they might. */
  async function readable(): Promise<Readonly<Record<string, string>> | undefined> {
    try {
      read = tags(resource);
      return await read;
    } catch (error) {
      if (!(error instanceof DeniedError)) throw error;
      const exceptions = settings.exceptions.map(({ tag: _, ...exception }) => exception);
      if (exceptionFor({ exceptions }, resource, clock.now())) unread = deniedWords(error);
      return undefined;
    }
  }

  /** One read of the tags serves the exceptions too. What cannot be read keeps nothing from being told. */
  async function ownerOfDrift(): Promise<Owner> {
    if (known && !known.unread) return ownerBy(known, actor);
    try {
      return ownerOf(await (read ?? tags(resource)), actor, routedTags(policy));
    } catch (error) {
      log.warn('Tags cannot be read', { error });
      return ownerOf(undefined, actor);
    }
  }
}
