/** Telling the channels, once for each state of a finding: whoever comes by tells what nobody has told yet. */
import { randomUUID } from 'node:crypto';
import { alertOf, type Told } from './alerts/finding.ts';
import { toldKey } from './alerts/told.ts';
import { ConflictError } from './errors.ts';
import { type Step, step } from './finding.ts';
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
    let told = await say(current);
    // It has ended meanwhile, and whoever ended it may not have known that anybody had heard of it.
    if (told.state === 'resolved' && told.alerted !== toldKey(told)) told = await say(told);
    return told;
  } finally {
    await ledger.release(lease);
  }

  async function say(current: Finding): Promise<Finding> {
    await alert(alertOf(current, control));
    return noteTold(current, reasonOf(current), by, { ledger, clock }, options);
  }
}

const reasonOf = ({ outcome, decision }: Finding): string => outcome?.reason ?? decision.reason;

/**
 * Ends a finding where no event would come back after a crash: told before it is saved, as nobody lists what is resolved.
 * @throws ConflictError when somebody else has written it; it is told then, and still open
 */
export async function endTold({ finding, entry }: Step, control: Told, { ledger, clock, alert }: Telling): Promise<void> {
  if (finding.alerted) await alert(alertOf(finding, control));
  await ledger.save(finding, entry);
  if (finding.alerted) await noteTold(finding, reasonOf(finding), 'detect', { ledger, clock });
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
