/** Drift that was gone when the bot looked: opened and resolved in one go, told once, never acted on. */
import type { AnyControl } from './control.ts';
import { isEventControl } from './control.ts';
import type { Edge } from './edges.ts';
import { endOf } from './edges.ts';
import { DeniedError } from './errors.ts';
import { opened, resolved, type Step } from './finding.ts';
import type { Judged } from './judge.ts';
import { settingsOf } from './judge.ts';
import { type Decision, type Finding, nonCompliant, type OutcomeStatus, type ResourceRef, type Trigger } from './model.ts';
import { exceptionFor, modeFor, needsTags } from './policy/match.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { FindingKey, Ports } from './ports.ts';

const gone = 'It was gone when the bot looked';

/** The words of its end, for a finding of its own and for one that a crash left open. */
export const goneWords = (reason: string): string => `${gone}: ${reason}`;

export const toldOnly: Decision = { action: 'notify', reason: `${gone}. The time it stood is told; there is nothing to do.` };

/** In order or gone, as just read; "not applicable" means that the policy does not mind. */
const inOrder = ({ decision, evaluation }: Judged, evenGone: boolean): boolean =>
  decision.action === 'none' && (evaluation ? evaluation.complianceType === 'COMPLIANT' : evenGone);

interface Passing {
  readonly control: AnyControl;
  readonly edges: readonly Edge[];
  readonly judged: Judged;
  readonly last: Finding | undefined;
  readonly own: { readonly roleArns: readonly string[] };
}

/** The call that opened what is no longer there. Calls from before the end of the last episode belong to that one. */
export function passedBy({ control, edges, judged, last, own }: Passing): Edge | undefined {
  if (isEventControl(control) || !control.reportTransient || !inOrder(judged, control.reportTransient === true) || last?.state === 'open') return undefined;
  return edges.find(
    ({ turns, call: { time, actor } }) =>
      turns === 'opens' && time >= (last?.resolvedAt ?? '') && ![actor?.arn, actor?.issuerArn].some((arn) => arn !== undefined && own.roleArns.includes(arn)),
  );
}

/** Whether the policy wants to hear of it: its modes and exceptions speak of drift, so a compliant verdict has not asked them. */
export async function wanted({ call }: Edge, control: string, resource: ResourceRef, policy: CompiledPolicy, { tags, clock }: Pick<Ports, 'tags' | 'clock'>) {
  const settings = settingsOf(policy, control);
  if (modeFor(settings, call.actor).mode === 'off') return false;
  const known = needsTags(settings) ? await readable() : undefined;
  return exceptionFor(settings, resource, clock.now(), known)?.strength !== 'waives';

  /** Tags that may not be read except nothing. */
  async function readable() {
    try {
      return await tags(resource);
    } catch (error) {
      if (error instanceof DeniedError) return undefined;
      throw error;
    }
  }
}

interface Gone extends Omit<Passing, 'own' | 'last' | 'control'> {
  readonly key: FindingKey;
  readonly control: Parameters<typeof opened>[1];
  readonly trigger: Trigger;
  readonly status: OutcomeStatus;
  readonly last: Finding | undefined;
  readonly at: string;
}

/** Its two entries. */
export function passing(by: Edge, { key, control, trigger, edges, judged, status, last, at }: Gone): { readonly begun: Step; readonly ended: Step } {
  const wrong = nonCompliant(`${by.call.eventName ?? 'A call'} opened it, by what the call itself asked for.`);
  const told = { decision: toldOnly, proposal: undefined, fixNotBefore: undefined, transient: true as const };
  const begun = opened(key, control, { ...told, actor: by.call.actor, evaluation: wrong, openedBy: by.call }, trigger, last, at);
  const endedBy = endOf(begun.finding, edges, at);
  const outcome = { status, reason: goneWords(judged.evaluation?.annotation ?? judged.decision.reason), at };
  return { begun, ended: resolved(begun.finding, judged.evaluation, outcome, 'detect', trigger.eventId, endedBy && { endedBy }) };
}
