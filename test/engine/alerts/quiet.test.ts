import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dailyBetween, isQuiet, lastDaily } from '../../../engine/alerts/quiet.ts';

const at = (text: string): Date => new Date(text);
const night = { from: '22:00', to: '07:00' };
const eastern = 'America/New_York';

describe('quiet hours', () => {
  test.each<[string, { from: string; to: string } | undefined, string, string, boolean]>([
    ['none', undefined, 'UTC', '2026-06-01T03:00:00Z', false],
    ['the first minute', night, 'UTC', '2026-06-01T22:00:00Z', true],
    ['the moment before', night, 'UTC', '2026-06-01T21:59:59.999Z', false],
    ['midnight', night, 'UTC', '2026-06-02T00:00:00Z', true],
    ['the last moment', night, 'UTC', '2026-06-02T06:59:59.999Z', true],
    ['the end', night, 'UTC', '2026-06-02T07:00:00Z', false],
    ['within a day', { from: '12:00', to: '13:00' }, 'UTC', '2026-06-01T12:30:00Z', true],
    ['after them, within a day', { from: '12:00', to: '13:00' }, 'UTC', '2026-06-01T13:00:00Z', false],
    ['from midnight', { from: '00:00', to: '06:00' }, 'UTC', '2026-06-01T00:00:00Z', true],
    ['to midnight', { from: '20:00', to: '00:00' }, 'UTC', '2026-06-01T23:59:00Z', true],
    ['and not from then', { from: '20:00', to: '00:00' }, 'UTC', '2026-06-02T00:00:00Z', false],
    ['in the summer of the zone', night, eastern, '2026-07-01T02:00:00Z', true],
    ['in its winter that is 21:00', night, eastern, '2026-12-01T02:00:00Z', false],
    ['the hour that the clock shows twice, first time', { from: '01:00', to: '02:00' }, eastern, '2026-11-01T05:30:00Z', true],
    ['and second time', { from: '01:00', to: '02:00' }, eastern, '2026-11-01T06:30:00Z', true],
    ['the hour that it leaves out', { from: '02:00', to: '03:00' }, eastern, '2026-03-08T07:00:00Z', false],
    ['a zone of half hours', night, 'Asia/Kolkata', '2026-06-01T16:30:00Z', true],
  ])('%s', (_, quietHours, timezone, now, quiet) => {
    expect(isQuiet({ quietHours, timezone }, at(now))).toBe(quiet);
  });

  /** Another way to ask Node the time. */
  const clockIn = (zone: string) => {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    return (instant: number) => format.format(instant);
  };
  const zones = ['UTC', eastern, 'Australia/Lord_Howe', 'Asia/Kolkata', 'Europe/London', 'Pacific/Apia', 'America/St_Johns', 'Africa/Casablanca'];
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

  test('exactly the right minutes of a day, over midnight and when clocks change', () => {
    const days = fc.constantFrom('2026-03-08', '2026-11-01', '2026-03-29', '2026-10-25', '2026-04-05', '2026-10-04', '2026-06-15', '2026-12-31');
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, time, time, (timezone, date, from, to) => {
        fc.pre(from !== to);
        const shows = clockIn(timezone);
        const start = Date.parse(date);
        let quiet = 0;
        let expected = 0;
        for (let minute = 0; minute < 1_440; minute += 1) {
          const instant = start + minute * 60_000;
          const shown = minutes(shows(instant));
          const since = (shown - minutes(from) + 1_440) % 1_440;
          const should = since < (minutes(to) - minutes(from) + 1_440) % 1_440;
          const is = isQuiet({ quietHours: { from, to }, timezone }, new Date(instant));
          if (is !== should) throw new Error(`${new Date(instant).toISOString()} ${shows(instant)}: ${is}`);
          quiet += Number(is);
          expected += Number(should);
        }
        expect(quiet).toBe(expected);
        // On a day on which no clock is touched it is as long as it says.
        if (date === '2026-06-15') expect(quiet).toBe((minutes(to) - minutes(from) + 1_440) % 1_440);
      }),
      { numRuns: 8 },
    );
  });
});

describe('a time of day', () => {
  test.each<[string, string, string, string, string, boolean]>([
    ['lies between', '08:00', 'UTC', '2026-06-01T07:50:00Z', '2026-06-01T08:05:00Z', true],
    ['is the end', '08:00', 'UTC', '2026-06-01T07:45:00Z', '2026-06-01T08:00:00Z', true],
    ['is the beginning: told before', '08:00', 'UTC', '2026-06-01T08:00:00Z', '2026-06-01T08:15:00Z', false],
    ['is yet to come', '08:00', 'UTC', '2026-06-01T07:30:00Z', '2026-06-01T07:45:00Z', false],
    ['is over', '08:00', 'UTC', '2026-06-01T08:15:00Z', '2026-06-01T08:30:00Z', false],
    ['was missed for days', '08:00', 'UTC', '2026-06-01T08:15:00Z', '2026-06-05T07:00:00Z', true],
    ['is midnight', '00:00', 'UTC', '2026-06-01T23:50:00Z', '2026-06-02T00:05:00Z', true],
    ['in a zone', '08:00', eastern, '2026-06-01T11:50:00Z', '2026-06-01T12:05:00Z', true],
    ['shown twice: the first time', '01:30', eastern, '2026-11-01T05:20:00Z', '2026-11-01T05:35:00Z', true],
    ['shown twice: not the second', '01:30', eastern, '2026-11-01T06:20:00Z', '2026-11-01T06:35:00Z', false],
    ['left out: as much later as the clock is put forward', '02:30', eastern, '2026-03-08T07:20:00Z', '2026-03-08T07:35:00Z', true],
  ])('%s', (_, daily, zone, after, until, between) => {
    expect(dailyBetween(daily, zone, at(after), at(until))).toBe(between);
  });

  test('comes once a day of the zone, however often somebody looks', () => {
    const looks = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 50, maxLength: 100 });
    fc.assert(
      fc.property(
        fc.constantFrom(eastern, 'Australia/Lord_Howe', 'Europe/London', 'UTC'),
        fc.integer({ min: 0, max: 23 }),
        fc.boolean(),
        looks,
        (zone, hour, half, gaps) => {
          const daily = `${String(hour).padStart(2, '0')}:${half ? '30' : '00'}`;
          for (const around of ['2026-03-06', '2026-03-28', '2026-10-03', '2026-10-24', '2026-10-31', '2026-04-04']) {
            const told: string[] = [];
            let last = Date.parse(around);
            for (const gap of gaps) {
              const now = last + gap * 60_000;
              const due = lastDaily(daily, zone, new Date(now));
              if (dailyBetween(daily, zone, new Date(last), new Date(now))) told.push(due.toLocaleDateString('sv-SE', { timeZone: zone }));
              expect(due.getTime()).toBeLessThanOrEqual(now);
              expect(now - due.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
              last = now;
              if (last > Date.parse(around) + 4 * 86_400_000) break;
            }
            expect(new Set(told).size).toBe(told.length);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  test('looked for every hour while clocks change, no day is left out', () => {
    const changes = [
      [eastern, '2026-03-07'],
      [eastern, '2026-10-31'],
      ['Australia/Lord_Howe', '2026-10-03'],
      ['Europe/London', '2026-03-28'],
    ] as const;
    for (const [zone, first] of changes)
      for (const daily of ['00:00', '01:30', '02:00', '02:30', '23:59']) {
        // From noon there to noon there, so that the day of 23 or 25 hours is whole.
        const noon = lastDaily('12:00', zone, new Date(`${first}T23:00:00Z`)).getTime();
        const end = lastDaily('12:00', zone, new Date(noon + 3 * 86_400_000 + 7_200_000)).getTime();
        let times = 0;
        for (let now = noon; now < end; now += 3_600_000) if (dailyBetween(daily, zone, new Date(now), new Date(Math.min(now + 3_600_000, end)))) times += 1;
        expect({ zone, daily, times }).toEqual({ zone, daily, times: 3 });
      }
  });
});
