/** Putting a setting back as it was: the exception first, then the last write first, each verified by a read. */
import { type Action, waitForMs } from '../act.ts';
import { planHash } from '../answers/plan-hash.ts';
import type { AnyStateControl } from '../control.ts';
import { deniedWords } from '../denied.ts';
import { differences, differenceWords } from '../differences.ts';
import { type Attempt, tellOnce } from '../ending.ts';
import { DeniedError, isCredentialError, TerminalError } from '../errors.ts';
import { except } from '../exceptions.ts';
import { isUndoing, step } from '../finding.ts';
import { holdOff } from '../hold-off.ts';
import type { Finding, RecordedChange } from '../model.ts';
import type { Lease, Ports } from '../ports.ts';
import { holds } from '../settings.ts';
import { laterWriters, standing, undoOf } from '../writes.ts';
import { withdraw } from './record.ts';

/** AWS shows a setting late. Milliseconds. */
const verifyForMs = 5 * 60_000;

export async function takeBack(finding: Finding, control: AnyStateControl, lease: Lease, { ports, calls }: Action): Promise<Attempt> {
  const { resource } = finding;
  const aws = ports.aws(resource, { share: false, calls });
  let current = finding;
  const fails = (why: string) => withdraw(current, control, 'UNDO_FAILED', why, ports);
  // Another execution has ended it meanwhile.
  if (!isUndoing(finding)) return tellOnce(finding, control, ports);
  if (planHash(finding, undoOf(finding) ?? finding.question!.change, 'undo') !== finding.question?.planHash)
    return fails('What the bot wrote is not what was asked about any more. Look at the finding, and ask again.');
  const later = await laterWriters(finding, control.writes, ports.ledger);
  if (later.length > 0)
    return fails(`The bot has written the same setting later: first undo ${later.map(({ id, control: other }) => `${id} (${other})`).join(', ')}.`);
  try {
    const state = await control.inspect(resource, aws);
    if (state === undefined) return await fails('The resource does not exist any more: there is nothing to put back.');
    if (current.undo!.state !== 'intended') {
      const [last] = standing(finding);
      const setting = control.setting?.(state);
      // What reads as it was before the fix has been put back by somebody already.
      const changed = last?.doneAt && !readsAsBefore(finding, setting) ? differences(last.observed, setting) : [];
      if (changed.length > 0) return await fails(`Somebody has changed it since the fix, and the undo would overwrite that: ${differenceWords(changed)}`);
      const waits = await holdOff(finding, control, { asked: finding.undo!.at, passes: () => false }, ports);
      if (waits && 'again' in waits) return waits;
      if (waits) return await fails(waits.reason);
      current = await intend(finding, lease, ports);
    }
    for (const write of standing(current)) {
      const again = await control.undo!(resource, write.change, aws, { findingId: finding.id });
      if (again) return sinceIntended(current, ports) < waitForMs ? again : await fails(`AWS has kept the undo waiting too long: ${again.note}`);
    }
    return await verify(current, control, lease, () => control.inspect(resource, aws), ports);
  } catch (error) {
    if (isCredentialError(error)) throw error;
    if (error instanceof DeniedError) return fails(deniedWords(error));
    if (error instanceof TerminalError) return fails(`${error.message}.`);
    throw error;
  }
}

/** Milliseconds since it was intended. */
const sinceIntended = ({ undo }: Finding, { clock }: Ports): number => clock.now().getTime() - Date.parse(undo!.at);

const readsAsBefore = (finding: Finding, setting: unknown): boolean => {
  const first = standing(finding).at(-1);
  return first !== undefined && 'was' in first && differences(first.was, setting).length === 0;
};

/** The exception before anything is written: between the two, a sweep would fix it again. */
async function intend(finding: Finding, lease: Lease, ports: Ports): Promise<Finding> {
  const { by, reason, until } = finding.undo!;
  const at = ports.clock.now().toISOString();
  const { id: findingId, control, resource, also = [] } = finding;
  // What its fix has settled for other controls comes back too: they would fix it again.
  const made = [control, ...also].map((one) => ({ control: one, resource, reason, approvedBy: by, expires: until, findingId, at }));
  await except(made, ports);
  const next = step(
    finding,
    { undo: { ...finding.undo!, state: 'intended', at } },
    { kind: 'UNDO_INTENDED', by: 'remediate', at, note: `Excepted until ${until} (${by}: ${reason}). ${finding.question!.change.summary}` },
  );
  await ports.ledger.save(next.finding, next.entry, { lease });
  return next.finding;
}

async function verify(finding: Finding, control: AnyStateControl, lease: Lease, look: () => Promise<unknown>, ports: Ports): Promise<Attempt> {
  const writes = standing(finding);
  const first = writes.at(-1)!;
  const several = writes.length > 1;
  let left: string[] = [];
  for (const pause of [0, 250, 1_000, 2_000]) {
    if (pause > 0) await ports.clock.sleep(pause);
    const state = await look();
    left = state === undefined ? ['the resource does not exist any more'] : notAsBefore(control.setting?.(state));
    if (left.length === 0) break;
  }
  /** Where drift was added between two writes, both have been taken back: more is there than before the first. */
  function notAsBefore(setting: unknown): string[] {
    if (!('was' in first) || (several && holds(setting, first.was))) return [];
    return differences(first.was, setting);
  }

  if (left.length > 0) {
    if (sinceIntended(finding, ports) < verifyForMs) return { again: 20, note: 'The undo was sent, but AWS does not show it yet.' };
    return withdraw(finding, control, 'UNDO_FAILED', `The undo was sent, but the setting does not read as it was: ${differenceWords(left)}`, ports);
  }
  const at = ports.clock.now().toISOString();
  const { by, reason, until } = finding.undo!;
  const undone = (write: RecordedChange): RecordedChange => (write.refused || write.undoneAt ? write : { ...write, undoneAt: at });
  const words = `Undone for ${by}: ${reason} Excepted until ${until}.`;
  const next = step(
    finding,
    {
      state: 'resolved',
      resolvedAt: finding.resolvedAt ?? at,
      changes: [...finding.changes, ...(finding.intended ? [finding.intended] : [])].map(undone),
      intended: undefined,
      question: undefined,
      undo: { ...finding.undo!, state: 'done', at },
      outcome: { status: 'EXCEPTED', reason: words, at },
    },
    { kind: 'UNDONE', by: 'remediate', at, note: `${words} Verified by reading the live state.` },
  );
  await ports.ledger.save(next.finding, next.entry, { lease });
  return tellOnce(next.finding, control, ports);
}
