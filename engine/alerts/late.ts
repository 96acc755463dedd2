/** What is told late: tried again, or sent again after it had been given up. */
import type { Catalogue } from '../control.ts';
import type { Ports } from '../ports.ts';
import type { Alert } from './alert.ts';
import { alertOf } from './finding.ts';
import { toldOf } from './remind.ts';

export interface LatePorts extends Pick<Ports, 'ledger' | 'clock'> {
  readonly catalogue: Catalogue;
}

/** Milliseconds. */
const lateMs = 15 * 60_000;

/**
 * The alert, or, where its finding has ended since, that end: nobody is to be called for what is over, and a channel that takes no more
 * than the beginning would never hear that it is.
 * @param attempt how often it has been taken from the queue, from 1
 */
export async function stillTrue(alert: Alert, attempt: number, { ledger, clock, catalogue }: LatePorts): Promise<Alert> {
  const { finding } = alert;
  // What became of an answer stays true.
  if (finding?.state !== 'open' || alert.answered !== undefined) return alert;
  if (attempt === 1 && clock.now().getTime() - Date.parse(finding.at) < lateMs) return alert;
  const now = await ledger.get(finding.id);
  if (now?.state !== 'resolved' || now.version <= finding.version) return alert;
  return alertOf(now, await toldOf(now.control, catalogue));
}
