/** Once a day, everything in one message: what is open, what has ended, what waits, what will change by itself, and what nobody has seen. */
import type { Catalogue } from '../control.ts';
import { type Severity, severities } from '../model.ts';
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Alert } from './alert.ts';
import { exceptionLines } from './digest-exceptions.ts';
import type { DigestFacts, Seen } from './digest-facts.ts';
import { linesOf, type Told } from './lines.ts';
import { counted, listed, mostNames } from './listed.ts';
import { subjectOf } from './names.ts';
import { lastDaily } from './quiet.ts';
import { concerns } from './routing.ts';

const mostWorst = 10;

/** Of what the channel wants to hear of. Severity is no matter: a digest wakes nobody. @param since when the last digest was sent */
export function digestOf(channelName: string, policy: CompiledPolicy, catalogue: Catalogue, facts: DigestFacts, since: Date): Alert {
  const { accountId, now } = facts;
  const channel = policy.channels[channelName]!;
  const mine = facts.seen.filter((seen) => concerns(channel, seen));
  const open = mine.filter(({ state }) => state === 'open');
  const ended = mine.filter(({ endedAt }) => endedAt !== undefined && endedAt > since.toISOString());
  const fixed = ended.filter((seen) => seen.fixed);
  const waiting = mine.filter((seen) => seen.asked);
  const blind = open.filter((seen) => seen.blind);
  const known = new Set(catalogue.map(({ id }) => id));
  return {
    // The same for the same day, so that a channel drops it when it comes twice.
    id: `digest:${channelName}:${lastDaily(channel.digest ?? '00:00', channel.timezone, now).toISOString()}`,
    urgency: 'notify',
    severity: 'INFORMATIONAL',
    accountId,
    status: 'DIGEST',
    title: 'Daily digest',
    headline: 'Daily digest',
    subject: subjectOf(`Daily digest: ${subjectWords(open, blind, fixed, waiting)}`),
    lines: linesOf([
      ['Where', `account ${accountId}, as recorded at ${now.toISOString()}${onlyWords(channel)}`],
      ['Open', open.length === 0 ? 'Nothing is open.' : `${counted(open.length, 'finding')}: ${bySeverity(open)}.`],
      ...listed('Worst', worstFirst(open).slice(0, mostWorst).map(named)),
      // Whoever puts off what is open does so before everybody's eyes.
      ...few('Snoozed', worstFirst(open.filter(({ snoozed }) => snoozed)), (seen) => `${named(seen)} until ${seen.snoozed!.until} by ${seen.snoozed!.by}`),
      ['Not seen', blind.length === 0 ? 'Everything that was looked at could be read.' : `${counted(blind.length, 'finding')} of what the bot cannot see.`],
      [fixed.length === 0 ? 'Fixes' : 'Fixed', fixed.length === 0 ? `None since ${since.toISOString()}.` : `${fixed.length} since ${since.toISOString()}.`],
      ...few('Which', fixed, ({ name, control }) => `${name} (${control})`),
      ['Ended', ended.length > fixed.length ? `${counted(ended.length - fixed.length, 'other')} without a fix of the bot that stands.` : undefined],
      ['Awaiting', waiting.length === 0 ? 'Nothing waits for approval.' : `${counted(waiting.length, 'finding')} for approval.`],
      ...few('Until', waiting, ({ name, control, until }) => `${name} (${control}${until ? `, ${until}` : ''})`),
      ...exceptionLines(policy, facts, channel, known, since),
      ['Queues', queueWords(facts.depths)],
    ]),
    hipaa: [],
  };
}

function subjectWords(open: readonly Seen[], blind: readonly Seen[], fixed: readonly Seen[], waiting: readonly Seen[]): string {
  const critical = open.filter(({ severity }) => severity === 'CRITICAL').length;
  return [
    open.length === 0 ? 'nothing open' : `${open.length} open${critical > 0 ? ` (${critical} CRITICAL)` : ''}`,
    blind.length > 0 && `${blind.length} not seen`,
    fixed.length > 0 && `${fixed.length} fixed`,
    waiting.length > 0 && `${waiting.length} awaiting approval`,
  ]
    .filter(Boolean)
    .join(', ');
}

const onlyWords = ({ only }: CompiledChannel): string => (only ? '; only what this channel takes' : '');

const bySeverity = (open: readonly Seen[]): string =>
  severities
    .toReversed()
    .map((severity) => [open.filter((seen) => seen.severity === severity).length, severity] as const)
    .filter(([count]) => count > 0)
    .map(([count, severity]) => `${count} ${severity}`)
    .join(', ');

const rank = (severity: Severity): number => -severities.indexOf(severity);

/** The oldest of the worst first. */
const worstFirst = (open: readonly Seen[]): Seen[] =>
  [...open].sort((a, b) => rank(a.severity) - rank(b.severity) || Date.parse(a.openedAt) - Date.parse(b.openedAt));

const named = ({ name, control, severity }: Seen): string => `${name} (${control}, ${severity})`;

function few(label: string, all: readonly Seen[], words: (seen: Seen) => string): Told[] {
  const rest = all.length - mostNames;
  return [...listed(label, all.slice(0, mostNames).map(words)), ...(rest > 0 ? [[label, `and ${rest} more`] as const] : [])];
}

/** A queue that was not seen is not empty. */
function queueWords(depths: DigestFacts['depths']): string {
  if (!depths) return 'The dead-letter queues were not seen.';
  const all = Object.entries(depths);
  if (all.length === 0) return 'No dead-letter queue was looked at.';
  const empty = all.filter(([, depth]) => depth === 0).length;
  const others = all
    .filter(([, depth]) => depth !== 0)
    .map(([name, depth]) => (depth === undefined ? `${name} was not seen` : `${name} holds about ${counted(depth, 'message')}`));
  if (others.length === 0) return `Nothing in ${counted(empty, 'dead-letter queue')}.`;
  const way = all.some(([, depth]) => depth) ? ' Look: npx phidelity dlq --stack NAME.' : '';
  return `${others.join(', ')}${empty > 0 ? `; nothing in ${empty === 1 ? 'the other' : `${empty} others`}` : ''}.${way}`;
}
