/**
 * Taking back what the bot wrote, as one attempt that may be run afresh at any time: an exception first, so that the bot does not fix it
 * again; then the setting as it was, the last write first, each verified by a read. What somebody has changed since the fix is not touched.
 */
import { type Action, controlOf, stopped, waitForMs } from './act.ts';
import { expiryOf, secondsUntil } from './answers/consult.ts';
import { type Heard, hear, heardWith, isApproved, lastHeard, sealWords, unheard, whoAnswers } from './answers/hear.ts';
import { isActor } from './answers/people.ts';
import { planHash } from './answers/plan-hash.ts';
import { isOpen, questionOf } from './answers/question.ts';
import { fingerprint } from './canonical.ts';
import type { AnyStateControl } from './control.ts';
import { deniedWords } from './denied.ts';
import { differences, differenceWords } from './differences.ts';
import { type Attempt, busySeconds, orLater, tellOnce } from './ending.ts';
import { DeniedError, isCredentialError, TerminalError } from './errors.ts';
import { except, longestException, madeExceptions, unexcept } from './exceptions.ts';
import { isUndoing, resourceKey, step } from './finding.ts';
import { holdOff } from './hold-off.ts';
import { withLeases } from './leases.ts';
import { type Answer, type Change, change, type EntryKind, type Finding, type RecordedChange } from './model.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Lease, Ports } from './ports.ts';
import { holds } from './settings.ts';
import { laterWriters, standing } from './writes.ts';

/** What all writes of a finding together come to, taken back. */
export function undoOf(finding: Finding): Change | undefined {
  const writes = standing(finding);
  const [last] = writes;
  const first = writes.at(-1);
  if (!last || !first) return undefined;
  return change({ action: last.change.action, summary: `Take back: ${last.change.summary}`, before: last.change.after, after: first.change.before });
}

/** AWS shows a setting late. Milliseconds. */
const verifyForMs = 5 * 60_000;

export const undo = (findingId: string, action: Action, woken = false): Promise<Attempt> => undoOnce(findingId, action, woken).catch(orLater);

async function undoOnce(findingId: string, action: Action, woken: boolean): Promise<Attempt> {
  const { ports, catalogue } = action;
  const stored = await ports.ledger.get(findingId);
  if (!stored) throw new TerminalError(`there is no finding ${findingId}`);
  const control = await controlOf(stored, catalogue);
  const policy = await ports.ledger.policy();
  if (!policy) throw new TerminalError('no policy is stored');

  const found = await endException(stored, policy, ports);
  const finding = isUndoing(found) ? found : await requested(found, control, policy, ports);
  if (!finding?.undo) {
    const last = await latest(found, ports);
    // Who ended an earlier one may have died before telling.
    return last.undo ? tellOnce(last, control, ports) : { ended: statusOf(last) };
  }

  // A row of the table is no approval, also where it says that the undo has begun.
  if (finding.question?.about !== 'undo' || (finding.undo.state === 'intended' && !(await isApproved(finding, policy, ports))))
    return withdraw(finding, control, 'UNDO_FAILED', 'What was approved is not there any more. Ask for it again.', ports);

  const heard: Heard = finding.undo.state === 'intended' ? { finding, verdict: 'approved' } : await hear(finding, policy, ports, woken);
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

/** Somebody wants an exception to hold no longer: what it kept from being fixed is new drift to whoever looks next. */
async function endException(found: Finding, policy: CompiledPolicy, ports: Ports): Promise<Finding> {
  let finding = found;
  for (const request of await requests(finding, 'end', ports)) {
    const ruling = request.planHash === exceptionHash(finding) ? await whoAnswers(request, finding, policy, ports) : { refused: 'It is about something else.' };
    const heard = heardWith(finding, request);
    if ('refused' in ruling) {
      finding = await save(finding, { heard }, 'REFUSED', `A request to end the exception was refused: ${ruling.refused}${lastHeard(heard)}`, ports);
      continue;
    }
    await unexcept(finding.id, ports);
    finding = await save(finding, { heard }, 'EXCEPTED', `${ruling.person.name} (${ruling.principal.arn}) ended the exception.`, ports);
  }
  return finding;
}

/** What an end of the exception is bound to. */
export const exceptionHash = ({ control, resource }: Pick<Finding, 'control' | 'resource'>): string =>
  fingerprint({ about: 'end', control, resource: resourceKey(resource) });

const requests = async (finding: Finding, wanted: Answer['decision'], { ledger }: Ports): Promise<Answer[]> =>
  unheard(finding, await ledger.answers(finding.id), [wanted]);

/** The first request that holds, recorded as a question; each that does not is refused. Undefined: there is none. */
async function requested(found: Finding, control: AnyStateControl, policy: CompiledPolicy, ports: Ports): Promise<Finding | undefined> {
  let finding = found;
  for (const request of await requests(found, 'undo', ports)) {
    const heard = heardWith(finding, request);
    const ruling = await rule(request, finding, control, policy, ports);
    const at = ports.clock.now().toISOString();
    if ('refused' in ruling) {
      finding = await save(finding, { heard }, 'REFUSED', `A request to undo was refused: ${ruling.refused}${lastHeard(heard)}`, ports);
      continue;
    }
    const { person, principal, plan } = ruling;
    const now = ports.clock.now();
    const asked = questionOf(
      finding,
      plan,
      { about: 'undo', otherwise: 'deny', expires: expiryOf(policy, now), needs: control.endsPublicExposure ? 2 : 1 },
      now,
    );
    const isOwnChange = finding.actor !== undefined && isActor(finding.actor, person, principal, policy.people, finding.resource.accountId);
    // Who asks has said yes, but for who made the change that the bot fixed.
    const said = { person: person.name, arn: principal.arn };
    const approvals = isOwnChange ? [] : [{ ...said, at, seal: await ports.seal(sealWords(finding, asked, said)) }];
    return save(
      finding,
      {
        heard,
        question: { ...asked, approvals },
        undo: { state: 'asked', by: person.name, reason: request.reason ?? '', until: request.until ?? '', at },
      },
      'UNDO_ASKED',
      `${person.name} (${principal.arn}) wants it undone until ${request.until}: ${request.reason}`,
      ports,
    );
  }
  return undefined;
}

type Ruling = { readonly refused: string } | (Extract<Awaited<ReturnType<typeof whoAnswers>>, { person: unknown }> & { readonly plan: Change });

async function rule(request: Answer, finding: Finding, control: AnyStateControl, policy: CompiledPolicy, ports: Ports): Promise<Ruling> {
  if (!control.undo) return { refused: `${control.id} has no undo: ${control.noUndo ?? 'the control has none'}` };
  if (finding.undo?.state === 'done') return { refused: 'It has been undone already. End its exception to have it treated like new drift.' };
  const plan = undoOf(finding);
  if (!plan) return { refused: 'The bot has written nothing for this finding.' };
  if (planHash(finding, plan, 'undo') !== request.planHash)
    return { refused: 'It is about other writes than those that stand. Look at the finding, and ask again.' };
  const { reason, until = '' } = request;
  if (!reason || !isDay(until)) return { refused: 'It names no reason, or no last day of its exception.' };
  if (until < ports.clock.now().toISOString().slice(0, 10)) return { refused: 'The last day of its exception is over.' };
  if (Date.parse(until) > ports.clock.now().getTime() + longestException * 86_400_000)
    return { refused: `An exception holds at most ${longestException} days.` };
  const proven = await whoAnswers(request, finding, policy, ports);
  return 'refused' in proven ? proven : { ...proven, plan };
}

/** `2026-02-30` is none: nothing could tell when it is over. */
const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(Date.parse(text) || 0).toISOString().slice(0, 10) === text;

async function takeBack(finding: Finding, control: AnyStateControl, lease: Lease, { ports, calls }: Action): Promise<Attempt> {
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

/** It does not come about: what the bot wrote stands, as far as it stood. */
async function withdraw(
  finding: Finding,
  control: AnyStateControl,
  kind: Extract<EntryKind, 'DENIED' | 'EXPIRED' | 'UNDO_FAILED'>,
  reason: string,
  ports: Ports,
): Promise<Attempt> {
  const { state: was, until } = finding.undo!;
  if (was === 'asked') await takeBackException(finding, ports);
  const state = kind === 'UNDO_FAILED' ? 'failed' : 'withdrawn';
  // It may be written in part, so nothing is fixed into it either, until a person has looked.
  const why = was === 'intended' ? `${reason} Its exception stands until ${until}: npx phidelity exceptions end ${finding.id}` : reason;
  const next = await save(
    finding,
    { undo: { ...finding.undo!, state, why, at: ports.clock.now().toISOString() }, question: undefined },
    kind,
    `The undo did not come about: ${why}`,
    ports,
  );
  return tellOnce(next, control, ports);
}

/** An attempt that died right after it made the exception has written nothing else: nothing is to be excepted. */
async function takeBackException({ id, undo }: Finding, ports: Ports): Promise<void> {
  const { by, reason, until } = undo!;
  const made = (await madeExceptions(ports.ledger)).find((one) => one.findingId === id && one.expires === until && one.reason === reason);
  if (made?.approvedBy === by) await unexcept(id, ports);
}

async function save(finding: Finding, changes: Partial<Finding>, kind: EntryKind, note: string, { ledger, clock }: Ports): Promise<Finding> {
  const next = step(finding, changes, { kind, by: 'remediate', at: clock.now().toISOString(), note });
  await ledger.save(next.finding, next.entry);
  return next.finding;
}
