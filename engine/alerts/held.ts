/** What a channel is not told now, and what it has just been told: one small document per channel. Pure. */
import { isAtLeast, type Severity } from '../model.ts';
import type { CompiledChannel } from '../policy/model.ts';
import type { Alert } from './alert.ts';
import { shortName } from './listed.ts';
import { isQuiet } from './quiet.ts';
import { isReminder } from './reminder.ts';
import { isRecord } from './routing.ts';

/** The last state of a finding that is held back; of an alert without one, the alert. */
export interface Item extends Pick<Alert, 'control' | 'severity' | 'headline'> {
  readonly key: string;
  readonly alertId: string;
  readonly version: number;
  readonly name: string;
  /** ISO 8601, when it was held back first. */
  readonly since: string;
  /** End of its burst, ISO 8601; undefined: it waits for the end of the quiet hours. */
  readonly until?: string;
}

/** What was told of one control since the first of these. */
export interface Burst extends Pick<Alert, 'title' | 'hipaa'> {
  /** ISO 8601. */
  readonly since: string;
  /** Ids of the alerts that went out. */
  readonly sent: readonly string[];
}

export interface Held {
  readonly accountId: string;
  /** By control. */
  readonly bursts: Readonly<Record<string, Burst>>;
  readonly items: readonly Item[];
  /** Notifications past what the list can hold, by control; under `quiet` those of the quiet hours. */
  readonly more: Readonly<Record<string, { readonly count: number; readonly severity: Severity; readonly until?: string }>>;
}

export const nothingHeld: Held = { accountId: '', bursts: {}, items: [], more: {} };

/** Notifications of one control to one channel that go out by themselves within ten minutes. */
export const burstLimit = 3;
export const burstMs = 600_000;
/** Under 400 KB, the most that an item of DynamoDB may have, whatever the names. */
export const mostItems = 500;
/** No control is called so: it has no hyphen. */
const quiet = 'quiet';

export interface Weighed {
  readonly verdict: 'send' | 'held';
  readonly held: Held;
}

const keyOf = ({ id, finding }: Alert): string => finding?.id ?? id;

/** What makes an alert about many, or of what was told before, is no noise that could be made less. */
const isOwn = (alert: Alert): boolean => alert.status === 'DIGEST' || alert.status === 'FOLDED' || alert.answered !== undefined || isReminder(alert);

/** Where an update changes what is there already. */
const updates = (channel: CompiledChannel): boolean => 'slackApp' in channel || 'pagerDuty' in channel || 'securityHub' in channel;

/** Never held back, whatever the hour. */
export const passes = (channel: CompiledChannel, alert: Alert, known: boolean): boolean =>
  alert.urgency === 'page' || isOwn(alert) || isRecord(channel) || (known && updates(channel));

/** @param known the channel has said something of this finding before */
export function weigh(held: Held, channel: CompiledChannel, alert: Alert, known: boolean, now: Date): Weighed {
  const key = keyOf(alert);
  const version = alert.finding?.version ?? 0;
  const item = held.items.find((one) => one.key === key);
  if (passes(channel, alert, known)) {
    const told = item && item.version <= version;
    return { verdict: 'send', held: told ? { ...held, items: held.items.filter((one) => one !== item) } : held };
  }
  if (item) {
    // The queue may bring an older one after a newer.
    if (item.version > version) return { verdict: 'held', held };
    const next = { ...itemOf(alert, item.since), ...(item.until && { until: item.until }) };
    return { verdict: 'held', held: { ...held, items: held.items.map((one) => (one === item ? next : one)) } };
  }
  if (isQuiet(channel, now) && alert.severity !== 'CRITICAL') return hold(held, alert, now);
  return alert.control === undefined ? { verdict: 'send', held } : weighBurst(held, alert.control, alert, now);
}

function weighBurst(held: Held, control: string, alert: Alert, now: Date): Weighed {
  const burst = held.bursts[control];
  const ends = burst ? Date.parse(burst.since) + burstMs : 0;
  const goesOn = burst !== undefined && now.getTime() < ends;
  const sent = goesOn ? burst.sent : [];
  // Taken from the queue again, as it could not be sent.
  if (sent.includes(alert.id)) return { verdict: 'send', held };
  if (goesOn && sent.length >= burstLimit) return hold(held, alert, now, new Date(ends).toISOString());
  const { title, hipaa } = alert;
  const next: Burst = { since: goesOn ? burst.since : now.toISOString(), sent: [...sent, alert.id], title, hipaa };
  return { verdict: 'send', held: { ...held, bursts: { ...liveBursts(held, now), [control]: next } } };
}

function hold(held: Held, alert: Alert, now: Date, until?: string): Weighed {
  const item: Item = { ...itemOf(alert, now.toISOString()), ...(until && { until }) };
  const { accountId } = alert;
  if (held.items.length < mostItems) return { verdict: 'held', held: { ...held, accountId, items: [...held.items, item] } };
  // A storm of what is not severe must not hide the name of what is.
  const least = held.items.reduce((one, other) => (isAtLeast(other.severity, one.severity) ? one : other));
  const dropped = isAtLeast(least.severity, item.severity) ? item : least;
  const items = dropped === item ? held.items : [...held.items.filter((one) => one !== dropped), item];
  return { verdict: 'held', held: { ...held, accountId, items, more: countedIn(held.more, dropped) } };
}

const groupOf = ({ until, control }: Pick<Item, 'until' | 'control'>): string => (until === undefined ? quiet : control!);

function countedIn(more: Held['more'], { severity: given, ...item }: Item): Held['more'] {
  const group = groupOf(item);
  const before = more[group];
  const severity = before && isAtLeast(before.severity, given) ? before.severity : given;
  return { ...more, [group]: { count: (before?.count ?? 0) + 1, severity, ...(item.until && { until: item.until }) } };
}

const itemOf = (alert: Alert, since: string): Item => ({
  key: keyOf(alert),
  alertId: alert.id,
  version: alert.finding?.version ?? 0,
  ...(alert.control !== undefined && { control: alert.control }),
  name: shortName(alert.finding?.resource.name ?? alert.subject),
  headline: alert.headline,
  severity: alert.severity,
  since,
});

/** Those that count still, or that something is held back of. */
const liveBursts = ({ bursts, items, more }: Held, now: Date): Held['bursts'] =>
  Object.fromEntries(
    Object.entries(bursts).filter(
      ([control, { since }]) => now.getTime() < Date.parse(since) + burstMs || more[control] || items.some((item) => item.until && item.control === control),
    ),
  );

/** What is told together. */
export interface Group {
  /** Undefined: all of the quiet hours. */
  readonly control?: string;
  readonly burst?: Burst;
  readonly accountId: string;
  readonly items: readonly Item[];
  /** Notifications that the list could not hold, and how severe the worst of them was. */
  readonly more: number;
  readonly worst?: Severity;
}

/** What has been held back long enough. In quiet hours a burst that has ended tells what is CRITICAL. */
export function endedOf(held: Held, channel: CompiledChannel, now: Date): Group[] {
  const hush = isQuiet(channel, now);
  const ended = (until: string | undefined) => until === undefined || Date.parse(until) <= now.getTime();
  const isDue = ({ until, severity }: { readonly until?: string; readonly severity: Severity }) => ended(until) && (!hush || severity === 'CRITICAL');
  const due = held.items.filter(isDue);
  const more = Object.entries(held.more).filter(([, one]) => isDue(one));
  return [...new Set([...due.map(groupOf), ...more.map(([group]) => group)])].map((group) => {
    const rest = more.find(([name]) => name === group)?.[1];
    return {
      ...(group !== quiet && { control: group, burst: held.bursts[group] }),
      accountId: held.accountId,
      items: due.filter((item) => groupOf(item) === group),
      more: rest?.count ?? 0,
      ...(rest && { worst: rest.severity }),
    };
  });
}

/** Without what has been told; what has changed since it was told stays. */
export function without(held: Held, told: readonly Group[], now: Date): Held {
  const gone = new Set(told.flatMap(({ items }) => items.map(({ key, alertId }) => JSON.stringify([key, alertId]))));
  const items = held.items.filter(({ key, alertId }) => !gone.has(JSON.stringify([key, alertId])));
  const left = Object.entries(held.more).flatMap(([name, { count, ...rest }]) => {
    const rests = count - (told.find(({ control = quiet }) => control === name)?.more ?? 0);
    return rests > 0 ? [[name, { count: rests, ...rest }] as const] : [];
  });
  const next = { ...held, items, more: Object.fromEntries(left) };
  return { ...next, bursts: liveBursts(next, now) };
}
