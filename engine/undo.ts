/**
 * Taking back what the bot wrote, as one attempt that may be run afresh at any time: an exception first, so that the bot does not fix it
 * again; then the setting as it was, the last write first, each verified by a read. What somebody has changed since the fix is not touched.
 */
import { type Action, controlOf, stopped } from './act.ts';
import { secondsUntil } from './answers/consult.ts';
import { type Heard, hear, isApproved } from './answers/hear.ts';
import { isOpen } from './answers/question.ts';
import { type Attempt, busySeconds, orLater, tellOnce } from './ending.ts';
import { TerminalError } from './errors.ts';
import { isUndoing } from './finding.ts';
import { withLeases } from './leases.ts';
import type { Finding } from './model.ts';
import type { Ports } from './ports.ts';
import { withdraw } from './undo/record.ts';

import { endException, requested } from './undo/request.ts';
import { takeBack } from './undo/take-back.ts';

export { undoOf } from './writes.ts';

export const undo = (findingId: string, action: Action, woken = false): Promise<Attempt> => undoOnce(findingId, action, woken).catch(orLater);

async function undoOnce(findingId: string, action: Action, woken: boolean): Promise<Attempt> {
  const { ports, catalogue } = action;
  const stored = await ports.ledger.get(findingId);
  if (!stored) throw new TerminalError(`there is no finding ${findingId}`);
  const control = await controlOf(stored, catalogue);
  const policy = await ports.ledger.policy();
  if (!policy) throw new TerminalError('no policy is stored');

  const found = await endException(stored, control, policy, ports);
  const finding = isUndoing(found) ? found : await requested(found, control, policy, ports);
  if (!finding?.undo) {
    const last = await latest(found, ports);
    // Who ended an earlier one may have died before telling.
    return last.undo ? tellOnce(last, control, ports) : { ended: statusOf(last) };
  }

  // A row of the table is no approval, also where it says that the undo has begun.
  if (finding.question?.about !== 'undo' || (finding.undo.state === 'intended' && !(await isApproved(finding, policy, ports))))
    return withdraw(finding, control, 'UNDO_FAILED', 'What was approved is not there any more. Ask for it again.', ports);

  const heard: Heard = finding.undo.state === 'intended' ? { finding, verdict: 'approved' } : await hear(finding, control, policy, ports, woken);
  const { question } = heard.finding;
  const now = ports.clock.now();
  if (heard.verdict === 'denied') return withdraw(heard.finding, control, 'DENIED', heard.reason ?? '', ports);
  if (heard.verdict === 'open' && !isOpen(question!, now))
    return withdraw(heard.finding, control, 'EXPIRED', `Nobody has approved the undo by ${question!.expires}.`, ports);
  if (heard.verdict === 'open') {
    const told = await tellOnce(heard.finding, control, ports);
    return 'ended' in told ? { again: secondsUntil(question!.expires, now), note: 'The undo waits for another person.', knock: true } : told;
  }

  const stop = await stopped(ports);
  if (stop) return withdraw(heard.finding, control, 'UNDO_FAILED', stop, ports);
  const done = await withLeases(control, finding, action, async ([lease]) => takeBack(await latest(heard.finding, ports), control, lease, action));
  return done ?? { again: busySeconds, note: 'Another fix of the same setting is under way.' };
}

/** Records that the attempts have been given up, and pages. For the caller whose retries are spent. */
export async function giveUpUndo(findingId: string, reason: string, { ports, catalogue }: Pick<Action, 'ports' | 'catalogue'>): Promise<Attempt> {
  const finding = await ports.ledger.get(findingId);
  if (!finding) return { ended: 'DOES_NOT_EXIST' };
  // What was only asked for can be asked again; what has ended, has.
  if (!isUndoing(finding)) return finding.undo ? tellOnce(finding, await controlOf(finding, catalogue), ports) : { ended: statusOf(finding) };
  return withdraw(finding, await controlOf(finding, catalogue), 'UNDO_FAILED', reason, ports);
}

const statusOf = ({ outcome }: Finding) => outcome?.status ?? 'RETRY_LATER';

const latest = async (finding: Finding, { ledger }: Pick<Ports, 'ledger'>): Promise<Finding> => (await ledger.get(finding.id)) ?? finding;
