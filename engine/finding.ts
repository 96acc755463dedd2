/** Findings: their identity, and the pure steps from one version to the next. Each step gives the version and its evidence entry. */
import { createHash } from 'node:crypto';
import type { AnyControl } from './control.ts';
import { sealed, type Told } from './evidence/seal.ts';
import type { Actor, Entry, Evaluation, Finding, Outcome, ResourceRef, Trigger, TriggerSummary } from './model.ts';
import type { FindingKey } from './ports.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 base32, lower case. */
function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
}

/**
 * One resource, one key, whichever region's event spoke of it: an ARN is unique by itself,
 * but the account's own ARN stands for its settings in each region.
 */
export const resourceKey = ({ accountId, region, type, id }: ResourceRef): string =>
  id.startsWith('arn:') && !id.endsWith(':root') ? `${type}|${id}` : `${type}|${accountId}|${region}|${id}`;

export const findingKey = ({ control, resource, fold }: FindingKey): string => JSON.stringify([control, resourceKey(resource), fold ?? null]);

/** `f-` and 130 bits of sha256 over control, resource and episode; also the name of the execution that acts on it. */
export const findingId = (key: FindingKey, episode: number): string =>
  `f-${base32(
    createHash('sha256')
      .update(`${findingKey(key)}#${episode}`)
      .digest(),
  ).slice(0, 26)}`;

export const summaryOf = (trigger: Trigger): TriggerSummary => ({
  eventId: trigger.eventId,
  source: trigger.source,
  time: trigger.time,
  ...(trigger.source === 'cloudtrail' && { eventName: trigger.eventName, actor: trigger.actor }),
});

export const actorOf = (trigger: Trigger): Actor | undefined => (trigger.source === 'cloudtrail' ? trigger.actor : undefined);

export interface Step {
  readonly finding: Finding;
  readonly entry: Entry;
}

type By = Entry['by'];

/** The next version. */
export function step(finding: Finding, changes: Partial<Finding>, told: Told): Step {
  const next: Finding = { ...finding, ...changes, version: finding.version + 1 };
  // Callers may have changed these before: what was planned, begun and decided is proved whoever changed it.
  const { decision, evaluation, outcome, held, intended } = next;
  return sealed(next, finding.chain, { decision, evaluation, outcome, held, intended, ...changes }, told);
}

/** What a verdict says of a finding; `openedBy` where it is not the trigger that speaks. */
export type News = Pick<Finding, 'actor' | 'owner' | 'evaluation' | 'decision' | 'proposal' | 'fixNotBefore' | 'backlog' | 'transient' | 'driftedBy'> & {
  readonly openedBy?: TriggerSummary;
};

/** The first version of a new episode. */
export function opened(key: FindingKey, control: Pick<AnyControl, 'severity'>, verdict: News, trigger: Trigger, last: Finding | undefined, at: string): Step {
  const episode = (last?.episode ?? 0) + 1;
  const summary = summaryOf(trigger);
  const finding = {
    id: findingId(key, episode),
    control: key.control,
    resource: key.resource,
    ...(key.fold !== undefined && { fold: key.fold }),
    episode,
    version: 1,
    state: 'open' as const,
    severity: control.severity,
    openedAt: at,
    openedBy: summary,
    lastSeenAt: at,
    lastTrigger: summary,
    seen: 1,
    drives: 0,
    changes: [],
    wrong: verdict.evaluation.annotation,
    ...(verdict.evaluation.since && { shownAt: verdict.evaluation.since }),
    ...verdict,
  };
  const told = { kind: 'OPENED', by: 'detect', at, note: verdict.evaluation.annotation, eventId: trigger.eventId } as const;
  return sealed({ ...finding, chain: '' }, null, finding, told);
}

/** Another trigger met the finding open. */
export const seen = (finding: Finding, trigger: Trigger, verdict: Partial<Finding>, at: string): Step =>
  step(
    finding,
    { ...verdict, actor: finding.actor ?? verdict.actor, lastSeenAt: at, lastTrigger: summaryOf(trigger), seen: finding.seen + 1 },
    { kind: 'SEEN', by: 'detect', at, note: verdict.evaluation?.annotation ?? '', eventId: trigger.eventId },
  );

/** @param learnt what the end tells besides, e.g. the call that brought it about */
export const resolved = (
  finding: Finding,
  evaluation: Evaluation | undefined,
  outcome: Outcome,
  by: By,
  eventId?: string,
  learnt: Partial<Finding> = {},
): Step =>
  step(
    finding,
    {
      ...learnt,
      state: 'resolved',
      outcome,
      resolvedAt: outcome.at,
      intended: undefined,
      changes: changesOf(finding, outcome),
      ...(evaluation && { evaluation }),
    },
    { kind: outcome.status === 'REMEDIATED' ? 'REMEDIATED' : 'RESOLVED', by, at: outcome.at, note: outcome.reason, eventId },
  );

/** The fix waits for an update of the stack that the resource belongs to. */
export const waitsForStack = ({ state, decision, outcome, heldOff, intended }: Finding): boolean =>
  state === 'open' && decision.action === 'fix' && !outcome && heldOff !== undefined && !intended;

/** Somebody wants it taken back, and that has not ended. */
export const isUndoing = ({ undo }: Pick<Finding, 'undo'>): boolean => undo?.state === 'asked' || undo?.state === 'intended';

/** A write that was begun and not verified may have been done in part: it is kept, so that undo can take it back. */
const changesOf = ({ changes, intended }: Finding, { status }: Outcome) => (intended && status !== 'REMEDIATED' ? [...changes, intended] : changes);
