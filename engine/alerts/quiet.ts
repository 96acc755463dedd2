/** Times of day as the people of a channel see them. Pure; the zones are those that Node's Intl knows. */
import type { CompiledChannel } from '../policy/model.ts';

const minute = 60_000;
const day = 86_400_000;

/** What a clock on the wall shows there, as if it were UTC: epoch milliseconds, whole seconds. */
function wallOf(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant);
  const { year, month, day: date, hour, minute: minutes, second } = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(year!, month! - 1, date!, hour!, minutes!, second!);
}

const minutesOf = (time: string): number => {
  const [hours, minutes] = time.split(':').map(Number);
  return hours! * 60 + minutes!;
};

/** `from` is quiet, `to` is not. Over midnight when it ends earlier in the day than it begins. */
export function isQuiet({ quietHours, timezone }: Pick<CompiledChannel, 'quietHours' | 'timezone'>, now: Date): boolean {
  if (!quietHours) return false;
  const at = Math.floor((wallOf(now.getTime(), timezone) % day) / minute);
  const [from, to] = [minutesOf(quietHours.from), minutesOf(quietHours.to)];
  return from < to ? at >= from && at < to : at >= from || at < to;
}

/**
 * When a wall clock shows this. Where it shows it twice, the first time; where it is put forward past it, as much later as it is put forward
 * (what RFC 5545 and Temporal do: https://tc39.es/proposal-temporal/docs/ambiguity.html).
 */
function instantOf(wall: number, zone: string): number {
  const [before, after] = [wall - day, wall + day].map((instant) => wall - (wallOf(instant, zone) - instant)) as [number, number];
  const shown = [before, after].filter((instant) => wallOf(instant, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** The last time that it was `HH:MM` in the zone, not after `until`. It is so once on each day of the zone. */
export function lastDaily(time: string, zone: string, until: Date): Date {
  const today = Math.floor(wallOf(until.getTime(), zone) / day) * day;
  // Two days back: a wall clock may have been put over midnight.
  for (const back of [0, 1, 2]) {
    const instant = instantOf(today - back * day + minutesOf(time) * minute, zone);
    if (instant <= until.getTime()) return new Date(instant);
  }
  return new Date(until.getTime() - day);
}

/** Whether it was `HH:MM` in the zone after `after`, and not after `until`. */
export const dailyBetween = (time: string, zone: string, after: Date, until: Date): boolean => lastDaily(time, zone, until) > after;
