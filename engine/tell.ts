/** Telling the channels, once for each state of a finding: whoever comes by tells what nobody has told yet. */
import { randomUUID } from 'node:crypto';
import { alertOf, type Told, toldKey } from './alert.ts';
import { ConflictError } from './errors.ts';
import { step } from './finding.ts';
import type { Entry, Finding } from './model.ts';
import type { Ports, SaveOptions } from './ports.ts';

type Telling = Pick<Ports, 'ledger' | 'clock' | 'alert'>;

/** The finding as it is afterwards; undefined: somebody else is at it. A crash between telling and noting it tells twice; never not at all. */
export async function tell(
  finding: Finding,
  control: Told,
  by: Entry['by'],
  { ledger, clock, alert }: Telling,
  options: SaveOptions = {},
): Promise<Finding | undefined> {
  const lease = await ledger.lease(`tell|${finding.id}`, randomUUID(), 60);
  if (!lease) return undefined;
  try {
    const current = (await ledger.get(finding.id)) ?? finding;
    if (current.alerted === toldKey(current)) {
      if (options.doneEventId) await ledger.markDone(options.doneEventId, current);
      return current;
    }
    await alert(alertOf(current, control));
    return await noteTold(current, current.outcome?.reason ?? current.decision.reason, by, { ledger, clock }, options);
  } finally {
    await ledger.release(lease);
  }
}

const attempts = 5;

/** Notes that the channels know of it: from this alert, or from another that spoke of it too. Who writes it meanwhile must not have it told again. */
export async function noteTold(
  finding: Finding,
  note: string,
  by: Entry['by'],
  { ledger, clock }: Pick<Ports, 'ledger' | 'clock'>,
  options: SaveOptions = {},
): Promise<Finding> {
  const alerted = toldKey(finding);
  for (let attempt = 1; ; attempt += 1) {
    const next = step(finding, { alerted }, { kind: 'ALERTED', by, at: clock.now().toISOString(), note });
    try {
      await ledger.save(next.finding, next.entry, options);
      return next.finding;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === attempts) throw error;
      finding = (await ledger.get(finding.id)) ?? finding;
    }
  }
}
