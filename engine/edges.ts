/**
 * When a drift began and ended, as calls tell by what they themselves asked for (DESIGN: level for acting, edge for evidence).
 * Of a call only the verdict is kept: its request parameters may hold PHI.
 */
import { type AnyControl, type AnyStateControl, isEventControl } from './control.ts';
import { summaryOf } from './finding.ts';
import type { CloudTrailDetail, Finding, Trigger, TriggerSummary } from './model.ts';

/** A call that began the drift of a control, or ended it. */
export interface Edge {
  readonly turns: 'opens' | 'closes';
  readonly call: TriggerSummary;
}

type CloudTrailEvent = Extract<Trigger, { source: 'cloudtrail' }>;
const isCall = (trigger: Trigger): trigger is CloudTrailEvent => trigger.source === 'cloudtrail' && trigger.outcome === 'succeeded';

/** An event is written by whoever made the call: what a control cannot read in it tells nothing. */
function holds<Params>(ask: ((detail: CloudTrailDetail, params: Params) => boolean) | undefined, { detail }: CloudTrailEvent, params: Params): boolean {
  try {
    return ask?.(detail, params) === true;
  } catch {
    return false;
  }
}

const canOnlyBreak = ({ triggers }: AnyStateControl, { eventSource, eventName }: CloudTrailEvent): boolean =>
  triggers.some((declared) => declared.source === 'cloudtrail' && declared.eventSource === eventSource && declared.breaks?.includes(eventName));

/** The control cannot be in order because of this call: it only breaks, or has asked for what breaks. */
export const breaks = (control: AnyStateControl, trigger: Trigger, params: unknown): boolean =>
  isCall(trigger) && (canOnlyBreak(control, trigger) || holds(control.opens, trigger, params));

function turnOf(control: AnyStateControl, trigger: CloudTrailEvent, params: unknown): Edge['turns'] | undefined {
  if (holds(control.opens, trigger, params)) return 'opens';
  if (holds(control.closes, trigger, params)) return 'closes';
  return control.opens === undefined && canOnlyBreak(control, trigger) ? 'opens' : undefined;
}

/** Oldest first. */
export function edgesOf(control: AnyControl, triggers: readonly Trigger[], params: unknown): Edge[] {
  if (isEventControl(control)) return [];
  const edges = triggers.filter(isCall).flatMap((trigger): Edge[] => {
    const turns = turnOf(control, trigger, params);
    return turns ? [{ turns, call: { ...summaryOf(trigger), ...(turns === 'opens' && { opens: true as const }) } }] : [];
  });
  return edges.sort((one, other) => one.call.time.localeCompare(other.call.time));
}

/** What a new finding keeps of the trigger that opened it: `opens` is false for a call of which the control knows that it began nothing. */
export function openerOf(control: AnyControl, trigger: Trigger, edges: readonly Edge[]): TriggerSummary {
  const summary = summaryOf(trigger);
  const edge = edges.find(({ call, turns }) => call.eventId === trigger.eventId && turns === 'opens');
  if (edge) return edge.call;
  return isEventControl(control) || control.opens === undefined || !isCall(trigger) ? summary : { ...summary, opens: false };
}

export const beginOf = ({ driftedBy, openedBy }: Pick<Finding, 'driftedBy' | 'openedBy'>): TriggerSummary => driftedBy ?? openedBy;

/** Whether the time of this trigger is that of the beginning; else the drift is as old or older. */
export const isBeginning = ({ source, opens }: TriggerSummary): boolean => source === 'cloudtrail' && opens !== false;

const openings = (edges: readonly Edge[]) => edges.filter(({ turns }) => turns === 'opens').map(({ call }) => call);

/**
 * The call that began the drift, when it is another and earlier one than the finding knows of. Events come late and out of order;
 * what was before the end of the last episode (`since`) belongs to that one. A call that merely touches the resource moves nothing.
 */
export function earlierBegin(finding: Pick<Finding, 'driftedBy' | 'openedBy' | 'openedAt'>, edges: readonly Edge[], since = ''): TriggerSummary | undefined {
  const known = beginOf(finding);
  const first = openings(edges).find(({ time }) => time >= since);
  if (!first || first.eventId === known.eventId) return undefined;
  // A Config item or a sweep saw it at the earliest when it was read.
  return first.time < (isBeginning(known) ? known.time : finding.openedAt) ? first : undefined;
}

/** The first call that ended it for good, as far as calls are known: after the last read that failed and after every call that opened it. */
export function endOf(finding: Finding, edges: readonly Edge[], readAt: string): TriggerSummary | undefined {
  const lastBad = finding.transient ? beginOf(finding).time : finding.lastSeenAt;
  const opened = openings(edges).at(-1)?.time ?? '';
  return edges.find(({ turns, call: { time } }) => turns === 'closes' && time >= lastBad && time >= opened && time <= readAt)?.call;
}

/** What events that come after the end of an episode tell of it; undefined = nothing new. */
export function hindsight(finding: Finding, edges: readonly Edge[], since?: string): Partial<Finding> | undefined {
  const { resolvedAt = '', endedBy, outcome } = finding;
  const within = edges.filter(({ call }) => call.time < resolvedAt);
  const driftedBy = earlierBegin(finding, within, since);
  const byItself = outcome?.status === 'COMPLIANT' || outcome?.status === 'DOES_NOT_EXIST';
  if (!byItself) return driftedBy && { driftedBy };
  // It was opened once more after what seemed to end it: the read alone bounds it again.
  const reopened = endedBy && openings(within).some(({ time }) => time > endedBy.time);
  const ended = reopened || !endedBy ? endOf(finding, within, resolvedAt) : endedBy;
  if (ended?.eventId === endedBy?.eventId) return driftedBy && { driftedBy };
  return { ...(driftedBy && { driftedBy }), endedBy: ended };
}
