/**
 * A fix in the middle of a stack's update can make the update fail and roll back, and the update may be about to put the
 * drift right, or to bring it back: while one is under way nothing is written to what the stack owns.
 */
import type { Told } from './alerts/finding.ts';
import { toldKey } from './alerts/told.ts';
import { askAgain, deniedWords } from './denied.ts';
import { DeniedError } from './errors.ts';
import { step } from './finding.ts';
import type { Again, Decision, Finding } from './model.ts';
import type { Ports } from './ports.ts';
import { tell } from './tell.ts';

const again = 60;
const longestMs = 2 * 3_600_000;
/** Most updates are over by then; a drift that stays longer than that, somebody must hear of. */
const quietMs = 5 * 60_000;

export interface Asked {
  /** Since when the write has been wanted, ISO 8601: what held an earlier one off does not count. */
  readonly asked: string;
  /** Whether a denial may pass by itself. */
  passes(): boolean;
}

/**
 * Asked before a write that has not been begun. Undefined: go on. A decision: nothing is to be written, a person must look.
 * Where it gives `again` the finding has been saved, so that the version given is no longer the latest.
 * @throws what AWS answers, except a denial
 */
export async function holdOff(
  finding: Finding,
  control: Told,
  { asked, passes }: Asked,
  ports: Pick<Ports, 'ledger' | 'clock' | 'alert' | 'stackStatus'>,
): Promise<Again | Decision | undefined> {
  const stack = finding.owner?.stack;
  if (!stack) return undefined;
  let status: string | undefined;
  try {
    status = await ports.stackStatus(stack.id);
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    const words = deniedWords(error);
    if (passes()) return { again: askAgain, note: words };
    return { action: 'page', reason: `Whether CloudFormation stack ${stack.name} is being updated cannot be seen, so nothing is written. ${words}` };
  }
  if (!status || !isUnderWay(status)) return undefined;

  const now = ports.clock.now();
  const before = finding.heldOff && finding.heldOff.since >= asked ? finding.heldOff : undefined;
  const since = before?.since ?? now.toISOString();
  const until = new Date(Date.parse(since) + longestMs).toISOString();
  if (now.toISOString() >= until) {
    return { action: 'page', reason: `CloudFormation has been at stack ${stack.name} for more than 2 hours, so nothing is written. Look at the stack.` };
  }
  const note = `CloudFormation is at stack ${stack.name} (${status}): the fix waits, until ${until} at most.`;
  const long = now.getTime() - Date.parse(since) >= quietMs;
  const heldOff = { since, until, stack: stack.name, ...(long && { told: true as const }) };
  let current: Finding = { ...finding, heldOff };
  if (!before || Boolean(before.told) !== long) {
    const next = step(finding, { heldOff }, { kind: 'RETRY_LATER', by: 'remediate', at: now.toISOString(), note });
    await ports.ledger.save(next.finding, next.entry);
    current = next.finding;
  }
  if (long && current.alerted !== toldKey(current)) await tell(current, control, 'remediate', ports);
  return { again, note };
}

/** A stack under review has nothing yet. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
const isUnderWay = (status: string): boolean => status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS';
