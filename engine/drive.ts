/** Executions of handlers/remediate as the line asks for them: for the first time, anew when one is dead, and what they are at. */
import { toldKey } from './alerts/told.ts';
import { ConflictError } from './errors.ts';
import { type Step, step } from './finding.ts';
import type { Decision, Finding, Trigger } from './model.ts';
import type { FindingKey, Ports, SaveOptions } from './ports.ts';

/** Longer than `act` waits for AWS between two records. */
export const deadAfterMs = 7 * 3_600_000;

/** An execution that has recorded nothing for so long is dead; its name is used up. */
export function isDead({ drives, outcome, drivenAt, fixNotBefore }: Finding, now: Date): boolean {
  const begun = Math.max(...[drivenAt, fixNotBefore].map((time) => (time ? Date.parse(time) : 0)));
  return drives > 0 && outcome === undefined && now.getTime() - begun > deadAfterMs;
}

export const isActed = ({ action }: Decision): boolean => action === 'fix' || action === 'approve';

/** An execution is to write it, or to ask whether it may. */
export const acts = ({ decision, outcome }: Finding): boolean => isActed(decision) && outcome === undefined;

/** A question that an execution waits with for an answer, or that nobody has taken up since its time ran out. */
export const isAsked = ({ outcome, question, held }: Finding): boolean =>
  outcome?.status === 'AWAITING_APPROVAL' && question?.about === 'fix' && held === undefined;

/** A fix that follows at once is told when it is done, a question when it is asked; not before. */
export const untold = (finding: Finding): boolean =>
  finding.alerted !== toldKey(finding) && (!acts(finding) || (finding.fixNotBefore !== undefined && finding.fixNotBefore > finding.lastSeenAt));

/** Seconds in which whoever opened a finding asks for its fix. */
export const restlessMs = 10 * 60_000;

/** A fix that was decided and that nobody is at: for who comes by without an event. */
export async function redrive(finding: Finding, ports: Ports): Promise<void> {
  const now = ports.clock.now();
  if (isOverdue(finding, now)) return driveAnew(finding, 'Nobody ended the question when its time ran out.', ports);
  if (!acts(finding)) return;
  const forgotten = finding.drives === 0 && now.getTime() - Date.parse(finding.lastSeenAt) > restlessMs;
  const justAsked = finding.drivenAt !== undefined && now.getTime() - Date.parse(finding.drivenAt) < 3 * restlessMs;
  // Whoever noted that may have died before asking.
  if (justAsked) return ports.dispatch(finding);
  if (!forgotten && !isDead(finding, now)) return;
  return driveAnew(finding, 'Nobody was at it.', ports);
}

async function driveAnew(finding: Finding, note: string, ports: Ports): Promise<void> {
  const at = ports.clock.now().toISOString();
  // Recorded first: a name that is used up starts nothing.
  const next = step(finding, { drives: finding.drives + 1, drivenAt: at }, { kind: 'DISPATCHED', by: 'detect', at, note });
  await ports.ledger.save(next.finding, next.entry);
  await ports.dispatch(next.finding);
}

/** The execution that was to end the question has died. */
const isOverdue = (finding: Finding, now: Date): boolean =>
  isAsked(finding) && now.getTime() - Math.max(Date.parse(finding.question!.expires), Date.parse(finding.drivenAt ?? finding.openedAt)) > restlessMs;

/** Asks for the execution that the finding has, or for its first. Safe to repeat. */
export async function drive(finding: Finding, ports: Ports, { eventId }: Pick<Trigger, 'eventId'>, key: FindingKey): Promise<Finding> {
  const at = ports.clock.now().toISOString();
  await ports.dispatch(finding);
  if (finding.drives === 0) {
    const next = step(finding, { drives: 1, drivenAt: at }, { kind: 'DISPATCHED', by: 'detect', at, note: finding.decision.reason, eventId });
    return saveUnlessActed(next, { doneEventId: eventId }, ports, key, eventId);
  }
  await ports.ledger.markDone(eventId, key);
  return finding;
}

/** The dispatched execution may be quicker than this save: what it has recorded stands. */
async function saveUnlessActed({ finding, entry }: Step, options: SaveOptions, { ledger }: Ports, key: FindingKey, eventId: string): Promise<Finding> {
  try {
    await ledger.save(finding, entry, options);
    return finding;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    await ledger.markDone(eventId, key);
    return (await ledger.get(finding.id)) ?? finding;
  }
}
