/** What stays open is told again, and to those who are called last. Built from the live state of the ledger at each look. */
import type { Catalogue } from '../control.ts';
import type { Finding } from '../model.ts';
import { ownControl, unknownControl } from '../own.ts';
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Lease, Ledger, MemoKey, Ports } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Delivery } from './delivery.ts';
import { alertOf, type Told } from './finding.ts';
import { burstLimit } from './held.ts';
import { escalationOf, manyRemindersOf, reminderOf } from './reminder.ts';
import { aboutOf, concerns, isRecord, takes } from './routing.ts';

type RemindPorts = Pick<Ports, 'ledger' | 'clock' | 'log'>;

/** What a channel has been told again. */
interface Again {
  /** ISO 8601, of the last time. */
  readonly at: string;
  /** Reminders so far. */
  readonly reminders: number;
  readonly escalated?: true;
}

/** By channel. */
type Memo = Readonly<Record<string, Again>>;
const memoOf = (findingId: string): MemoKey => `reminded|${findingId}`;

/** Channels that were called because a finding stayed open: they are to hear what becomes of it. */
export const escalatedTo = async (findingId: string, ledger: Pick<Ledger, 'recall'>): Promise<readonly string[]> =>
  Object.entries((await ledger.recall<Memo>(memoOf(findingId))) ?? {}).flatMap(([channel, { escalated }]) => (escalated ? [channel] : []));

/** One alert, and the findings that it tells again. */
export interface Reminder {
  readonly delivery: Delivery;
  /** Ids. */
  readonly of: readonly string[];
  readonly escalated?: true;
}

/** So many are looked at side by side: whoever opens thousands must not make a look longer than a process lives. */
const together = 25;

/** Reminders and escalations that are due. They are due again until `reminded` has noted them. */
export async function reminders(policy: Pick<CompiledPolicy, 'channels'>, catalogue: Catalogue, ports: RemindPorts): Promise<readonly Reminder[]> {
  const channels = Object.entries(policy.channels).filter(([, channel]) => !isRecord(channel) && (channel.remindEvery ?? channel.escalateAfter));
  const due: Reminder[] = [];
  if (channels.length === 0) return due;
  const now = ports.clock.now();
  let some: Finding[] = [];
  const look = async () => {
    const found = await Promise.all(some.map(async (finding) => dueOf(finding, await toldOf(finding.control, catalogue), channels, now, ports)));
    due.push(...found.flat());
    some = [];
  };
  for await (const finding of ports.ledger.findings({ open: true })) {
    if (finding.alerted === undefined) continue;
    some.push(finding);
    if (some.length === together) await look();
  }
  await look();
  return folded(due);
}

export async function toldOf(id: string, catalogue: Catalogue): Promise<Told> {
  return ownControl(id) ?? (await catalogue.find((entry) => entry.id === id)?.load()) ?? unknownControl(id);
}

/** Seconds that an escalation waits because somebody snoozes, however often: one person must not keep everybody else from being called. */
const snoozeHolds = 86_400;

async function dueOf(
  finding: Finding,
  control: Told,
  channels: readonly (readonly [string, CompiledChannel])[],
  now: Date,
  { ledger }: RemindPorts,
): Promise<Reminder[]> {
  const alert = alertOf(finding, control);
  const snoozed = finding.snoozed !== undefined && finding.snoozed.until > now.toISOString();
  const wanted = channels.filter(([, channel]) => mayBeDue(finding, alert, channel, now));
  if (wanted.length === 0) return [];
  const memo = (await ledger.recall<Memo>(memoOf(finding.id))) ?? {};
  let last: string | undefined;
  const of = [finding.id];
  const due: Reminder[] = [];
  for (const [name, channel] of wanted) {
    const again = Object.hasOwn(memo, name) ? memo[name] : undefined;
    if (channel.escalateAfter !== undefined && !again?.escalated) {
      if (snoozed && !passed(finding.openedAt, channel.escalateAfter + snoozeHolds, now)) continue;
      due.push({ delivery: { channel: name, alert: escalationOf(finding, control, now) }, of, escalated: true });
      continue;
    }
    const { remindEvery } = channel;
    if (snoozed || remindEvery === undefined || (again && !passed(again.at, remindEvery, now))) continue;
    last ??= await lastToldAt(finding, ledger);
    if (!passed(last, remindEvery, now)) continue;
    due.push({ delivery: { channel: name, alert: reminderOf(finding, control, (again?.reminders ?? 0) + 1, now) }, of });
  }
  return due;
}

/** Before anything is read: most open findings are nobody's to be reminded of. */
function mayBeDue({ severity, openedAt }: Finding, alert: Alert, channel: CompiledChannel, now: Date): boolean {
  if (channel.escalateAfter !== undefined) return severity === 'CRITICAL' && concerns(channel, aboutOf(alert)) && passed(openedAt, channel.escalateAfter, now);
  const urgent = severity === 'CRITICAL' || (alert.urgency === 'page' && channel.pages);
  return urgent && takes(channel, alert) && passed(openedAt, channel.remindEvery!, now);
}

/** When its present state was told: a channel that has just heard of it needs no reminder. */
async function lastToldAt({ id, openedAt }: Finding, ledger: Pick<Ledger, 'entries'>): Promise<string> {
  return (await ledger.entries(id)).findLast(({ kind }) => kind === 'ALERTED')?.at ?? openedAt;
}

const passed = (since: string, seconds: number, now: Date): boolean => now.getTime() - Date.parse(since) >= seconds * 1_000;

/** Pages are told one by one; of anything else many of one control at a time are noise. */
function folded(due: readonly Reminder[]): Reminder[] {
  const groups = Map.groupBy(due, ({ delivery: { channel, alert } }) =>
    JSON.stringify(alert.urgency === 'page' ? [alert.id, channel] : [alert.control, channel]),
  );
  return [...groups.values()].flatMap((group) => {
    if (group.length <= burstLimit) return group;
    const { channel } = group[0]!.delivery;
    const alert = manyRemindersOf(
      channel,
      group.map(({ delivery }) => delivery.alert),
    );
    return [{ delivery: { channel, alert }, of: group.flatMap(({ of }) => of) }];
  });
}

/** Notes that they have been left for their channels. */
export async function reminded(told: readonly Reminder[], { ledger, clock }: RemindPorts, lease?: Lease): Promise<void> {
  const at = clock.now().toISOString();
  const notes = told.flatMap(({ of, delivery: { channel }, escalated }) => of.map((id) => ({ id, channel, escalated })));
  for (const [id, some] of Map.groupBy(notes, (note) => note.id)) {
    const memo = { ...(await ledger.recall<Memo>(memoOf(id))) };
    for (const { channel, escalated } of some) {
      const before = memo[channel];
      const reminders = (before?.reminders ?? 0) + (escalated ? 0 : 1);
      memo[channel] = { at, reminders, ...((escalated || before?.escalated) && { escalated: true as const }) };
    }
    await ledger.remember(memoOf(id), memo, lease);
  }
}
