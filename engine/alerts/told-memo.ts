import { createHash } from 'node:crypto';
import type { MemoKey } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Kept } from './delivery.ts';

/** Where it is kept what a channel was told last of a finding, or that it was told an alert without one. */
export const toldMemo = (channel: string, { id, finding }: Alert): MemoKey =>
  `told|${channel}|${finding?.id ?? createHash('sha256').update(id).digest('base64url')}`;

/** What a channel was told last of a finding. */
export interface ToldMemo {
  readonly alertId: string;
  readonly version: number;
  /** ISO 8601. */
  readonly at: string;
  readonly kept?: Kept;
  /** Version that it shows, where what became of an answer has brought it up to date: news before that are news still. */
  readonly shown?: number;
  /** Ids of the latest alerts about answers that were told. */
  readonly answers?: readonly string[];
}

/** As many answers as may lie in the queue at a time, twice. */
const mostAnswers = 50;

const versionOf = ({ finding }: Alert): number => finding?.version ?? 0;

/** The queue may bring a message twice, and an older one after a newer. An answer that was given earlier is news all the same. */
export const isKnown = (alert: Alert, last: ToldMemo | undefined): boolean =>
  last !== undefined &&
  (alert.answered === undefined ? last.alertId === alert.id || versionOf(alert) < last.version : last.answers?.includes(alert.id) === true);

export const isOlder = (alert: Alert, last: ToldMemo | undefined): boolean => last !== undefined && versionOf(alert) < Math.max(last.version, last.shown ?? 0);

export function noted(alert: Alert, last: ToldMemo | undefined, kept: Kept | undefined, now: Date): ToldMemo {
  const version = versionOf(alert);
  const shown = Math.max(last?.shown ?? 0, alert.answered === undefined ? 0 : version);
  const answers = [...(last?.answers ?? []), ...(alert.answered === undefined ? [] : [alert.id])].slice(-mostAnswers);
  const more = { ...(kept && { kept }), ...(shown > 0 && { shown }), ...(answers.length > 0 && { answers }) };
  // It is no state of the finding: the state that is told next, or still lies in the queue, is not to be taken for known.
  if (alert.answered !== undefined && last) return { ...last, ...more };
  return { alertId: alert.id, version, at: now.toISOString(), ...more };
}
