/**
 * What people want of a finding that nobody asked them: that it be excepted, looked at again, or not be reminded of. One attempt, run
 * afresh each time: each wish is judged once, and what it leads to is asked for again should an earlier attempt have died before asking.
 */

import type { Told } from '../alerts/finding.ts';
import { type AnyControl, type Catalogue, isEventControl } from '../control.ts';
import { type Attempt, orLater } from '../ending.ts';
import { TerminalError } from '../errors.ts';
import { except } from '../exceptions.ts';
import type { Answer, EntryKind, Finding } from '../model.ts';
import { ownControl, unknownControl } from '../own.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { save } from '../undo/record.ts';
import { actionHash } from './action-hash.ts';
import { isAbout, lastDayFault } from './bound.ts';
import { refuse, tellAnswered, tellGivenUp } from './feedback.ts';
import { type Ruling, whoAnswers } from './hear.ts';
import { heardWith, mostWishes, unheard } from './heard.ts';
import { isActor } from './people.ts';
import { needsOf, required } from './question.ts';

export interface Heeding {
  readonly ports: Ports;
  readonly catalogue: Catalogue;
}

const wishes = ['except', 'snooze', 'recheck'] as const;
type Wish = (typeof wishes)[number];
const isWish = (decision: Answer['decision']): decision is Wish => (wishes as readonly string[]).includes(decision);

const ofWish = {
  except: { kind: 'EXCEPTED', asks: 'An exception' },
  snooze: { kind: 'SNOOZED', asks: 'A snooze' },
  recheck: { kind: 'RECHECK_ASKED', asks: 'Another look' },
} as const satisfies Record<Wish, { readonly kind: EntryKind; readonly asks: string }>;

/** Hours without reminders. */
const snoozeHours = 24;

export const heed = (findingId: string, heeding: Heeding): Promise<Attempt> => heedOnce(findingId, heeding).catch(orLater);

async function heedOnce(findingId: string, { ports, catalogue }: Heeding): Promise<Attempt> {
  const { ledger, clock } = ports;
  const stored = await ledger.get(findingId);
  if (!stored) throw new TerminalError(`there is no finding ${findingId}`);
  const policy = await ledger.policy();
  if (!policy) throw new TerminalError('no policy is stored');
  // The bot's own findings have none, and those of a control that is gone.
  const control = await catalogue.find(({ id }) => id === stored.control)?.load();
  const told = toldOf(stored, control);

  let finding = stored;
  const pending = unheard(finding, await ledger.answers(findingId), wishes, mostWishes);
  // Whoever heard them before this may have died before asking for the look.
  let looks = pending.length === 0;
  for (const wish of pending) {
    if (!isWish(wish.decision)) continue;
    const { kind, asks } = ofWish[wish.decision];
    const ruling = await rule(wish, finding, control, policy, ports);
    if ('refused' in ruling) {
      finding = await refuse(finding, told, wish, { what: asks, why: ruling.refused, most: mostWishes }, policy, ports);
      continue;
    }
    const heard = heardWith(finding, wish);
    const { name } = ruling.person;
    const who = `${name} (${ruling.principal.arn})`;
    const now = clock.now();
    const at = now.toISOString();
    if (wish.decision === 'snooze') {
      const until = new Date(now.getTime() + snoozeHours * 3_600_000).toISOString();
      finding = await save(finding, { heard, snoozed: { until, by: name, at } }, kind, `${who} wants no reminders before ${until}.`, ports);
      await tellAnswered(finding, told, wish, `Snoozed by ${name} until ${until}.`, ports);
      continue;
    }
    looks = true;
    if (wish.decision === 'recheck') {
      finding = await save(finding, { heard }, kind, `${who} wants it looked at again.`, ports);
      await tellAnswered(finding, told, wish, `${name} wants it looked at again.`, ports);
      continue;
    }
    const [reason, expires] = [wish.reason!, wish.until!];
    const made = { control: finding.control, resource: finding.resource, reason, approvedBy: name, expires, findingId, at };
    // First: told as excepted, it must be.
    await except([made], ports);
    finding = await save(finding, { heard }, kind, `${who} excepted it until ${expires}: ${reason}`, ports);
    await tellAnswered(finding, told, wish, `Excepted by ${name} until ${expires}.`, ports);
  }
  if (looks && finding.state === 'open' && canBeSeen(control)) await lookAgain(finding, ports);
  return { ended: finding.outcome?.status ?? 'RETRY_LATER' };
}

const toldOf = ({ control: id }: Finding, control: AnyControl | undefined): Told => control ?? ownControl(id) ?? unknownControl(id);

/** Detect judges it anew: what is excepted ends as such, and whoever waits with a question about it is stopped. */
function lookAgain({ control, resource: { accountId, region, id } }: Finding, { requestSweeps, clock }: Ports): Promise<void> {
  return requestSweeps([{ accountId, region, control, only: id, began: clock.now().toISOString(), delay: 0 }]);
}

/** What is judged from events, and what the bot says of itself, has no live state. */
const canBeSeen = (control: AnyControl | undefined): boolean => control !== undefined && !isEventControl(control);

async function rule(wish: Answer, finding: Finding, control: AnyControl | undefined, policy: CompiledPolicy, ports: Ports): Promise<Ruling> {
  const decision = wish.decision as Wish;
  if (!isAbout(wish, actionHash(finding, decision))) return { refused: 'It is about something else. Look at the finding, and answer again.' };
  if (finding.state !== 'open') return { refused: `The finding has ended (${finding.outcome?.status}).` };
  if (decision !== 'snooze' && !canBeSeen(control)) return { refused: 'It is about what has happened, not about a setting.' };
  const fault = decision === 'except' ? exceptionFault(wish, control, ports.clock.now()) : undefined;
  if (fault) return { refused: fault };
  const proven = await whoAnswers(wish, finding, policy, ports);
  if ('refused' in proven || decision === 'recheck') return proven;
  const { person, principal } = proven;
  if (finding.actor && isActor(finding.actor, person, principal, policy.people, finding.resource.accountId))
    return { refused: `${person.name} may have made the change: whoever made it does not decide about it.` };
  return decision === 'except' ? (aloneFault(finding, person.name, policy) ?? proven) : proven;
}

function exceptionFault({ reason, until }: Answer, control: AnyControl | undefined, now: Date): string | undefined {
  if (!reason) return 'It names no reason.';
  // Its undo needs two persons: an exception would be the same through another door.
  if (control && !isEventControl(control) && control.endsPublicExposure)
    return `${control.id} ends a public exposure: one person does not except it. Put the exception into the policy file, and deploy it.`;
  // Who wants the bot blind would begin here.
  if (control && !isEventControl(control) && control.deployed)
    return `${control.id} guards the bot itself: one person does not except it. Put the exception into the policy file, and deploy it.`;
  return lastDayFault(until, now);
}

/** Where a fix needs two persons, or an approver, leaving the drift as it is does too; and a wish is one person's. */
function aloneFault(finding: Finding, person: string, policy: CompiledPolicy): { readonly refused: string } | undefined {
  const needs = needsOf(finding, policy);
  if (required({ needs }, [{ person }], finding.actor, policy.people) < 2) return undefined;
  const why =
    needs > 1 ? `Two persons decide about what is ${finding.severity}` : 'Nobody can tell which person made the change, so that an approver must decide';
  return { refused: `${why}: put the exception into the policy file, and deploy it.` };
}

/** Records that the attempts have been given up: who asked must not think that it is done. */
export async function giveUpHeeding(findingId: string, reason: string, { ports, catalogue }: Heeding): Promise<Attempt> {
  const finding = await ports.ledger.get(findingId);
  if (!finding) return { ended: 'DOES_NOT_EXIST' };
  const words = `What was asked for could not be done: ${reason}`;
  const next = await save(finding, {}, 'REFUSED', words, ports);
  const asked = unheard(finding, await ports.ledger.answers(findingId), wishes);
  if (asked.some(({ proof }) => proof?.kind === 'slack'))
    await tellGivenUp(next, toldOf(next, await catalogue.find(({ id }) => id === next.control)?.load()), words, ports);
  return { ended: next.outcome?.status ?? 'RETRY_LATER' };
}
