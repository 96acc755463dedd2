/** An undo that nobody is at any more: whoever died at it has told nobody, so the heartbeat has somebody go on with it. */
import { required } from '../answers/question.ts';
import { deadAfterMs, restlessMs } from '../drive.ts';
import { isUndoing, step } from '../finding.ts';
import type { Finding } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';

/** Safe to repeat. */
export async function resumeUndo(finding: Finding, policy: Pick<CompiledPolicy, 'people'>, ports: Ports): Promise<void> {
  if (!isUndoing(finding)) return;
  const now = ports.clock.now();
  const { resumed = 0, resumedAt } = finding.undo!;
  // Whoever noted that may have died before asking.
  if (resumedAt && now.getTime() - Date.parse(resumedAt) < 3 * restlessMs) return ports.resumeUndo(finding);
  if (!isForsaken(finding, policy, now)) return;
  const at = now.toISOString();
  // Recorded first: a name that is used up starts nothing.
  const next = step(
    finding,
    { undo: { ...finding.undo!, resumed: resumed + 1, resumedAt: at } },
    { kind: 'DISPATCHED', by: 'detect', at, note: 'Nobody was at the undo.' },
  );
  await ports.ledger.save(next.finding, next.entry);
  await ports.resumeUndo(next.finding);
}

function isForsaken({ undo, question, actor }: Finding, { people }: Pick<CompiledPolicy, 'people'>, now: Date): boolean {
  const { state, at, resumedAt = at } = undo!;
  const since = (...times: readonly string[]) => now.getTime() - Math.max(...[...times, resumedAt].map((time) => Date.parse(time)));
  // Without its question it can only fail, which somebody must say.
  if (state === 'intended' || !question) return since(at) > deadAfterMs;
  const { approvals, expires } = question;
  const isApproved = approvals.length >= required(question, approvals, actor, people);
  return isApproved ? since(...approvals.map((approval) => approval.at)) > deadAfterMs : since(expires) > restlessMs;
}
