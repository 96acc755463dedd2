import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Exposure, exposureOf, exposureWords, spanOf } from '../../engine/exposure.ts';
import { compliant, type Finding, insufficientData, nonCompliant, type OutcomeStatus, type TriggerSummary } from '../../engine/model.ts';

const day = '2026-11-01T';
const call = (eventName: string, time: string, more: Partial<TriggerSummary> = {}): TriggerSummary => ({
  eventId: `${eventName} ${time}`,
  source: 'cloudtrail',
  time: `${day}${time}.000Z`,
  eventName,
  actor: { arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser' },
  ...more,
});
const seenBy = (source: TriggerSummary['source'], time: string): TriggerSummary => ({ eventId: 'e', source, time: `${day}${time}.000Z` });
const put = call('PutBucketPolicy', '03:00:00');

const finding = (given: Partial<Finding> = {}): Finding => ({
  id: 'f-abcdefghijklmnopqrstuvwxyz',
  control: 's3-bucket-policy-not-public',
  resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::records' },
  episode: 1,
  version: 1,
  state: 'open',
  severity: 'CRITICAL',
  openedAt: `${day}03:00:10.000Z`,
  openedBy: put,
  lastTrigger: put,
  lastSeenAt: `${day}03:01:10.000Z`,
  seen: 1,
  drives: 0,
  evaluation: nonCompliant('It is public.'),
  wrong: 'It is public.',
  decision: { action: 'page', reason: 'The policy says so.' },
  changes: [],
  chain: '',
  ...given,
});
const ended = (status: OutcomeStatus, time = '03:04:00'): Partial<Finding> => ({
  state: 'resolved',
  evaluation: compliant('Good.'),
  resolvedAt: `${day}${time}.000Z`,
  outcome: { status, reason: 'So.', at: `${day}${time}.000Z` },
});
const now = new Date(`${day}03:10:00.000Z`);

const cases: Readonly<Record<string, readonly [given: Partial<Finding>, wanted: Partial<Exposure> | undefined, words?: string]>> = {
  'a call opened it and it stands': [
    {},
    { driftedAt: `${day}03:00:00.000Z`, seenAt: `${day}03:00:10.000Z`, seconds: 600, bound: 'at least', openEnd: true },
    'for at least 10 min, since 2026-11-01T03:00:00.000Z (PutBucketPolicy); not ended when last read, at 2026-11-01T03:10:00.000Z',
  ],
  'a call opened it and the fix ended it': [
    { ...ended('REMEDIATED') },
    { seconds: 240, endedAt: `${day}03:04:00.000Z`, endedBy: { what: 'fix' } },
    'for 4 min, since 2026-11-01T03:00:00.000Z (PutBucketPolicy); ended by the fix, verified at 2026-11-01T03:04:00.000Z',
  ],
  'a call opened it and somebody ended it at a time that is not known': [
    ended('COMPLIANT'),
    { seconds: 240, bound: 'at most', endedAtOrBefore: true },
    'for at most 4 min, since 2026-11-01T03:00:00.000Z (PutBucketPolicy); gone when read at 2026-11-01T03:04:00.000Z',
  ],
  'a call opened it and a known call ended it': [
    { ...ended('COMPLIANT'), endedBy: call('DeleteBucketPolicy', '03:02:05') },
    { seconds: 125, endedAt: `${day}03:02:05.000Z` },
    'for 2 min 5 s, since 2026-11-01T03:00:00.000Z (PutBucketPolicy); ended by DeleteBucketPolicy at 2026-11-01T03:02:05.000Z, made by arn:aws:iam::123456789012:user/dana',
  ],
  'a call that came late began it': [
    { driftedBy: call('PutBucketPolicy', '02:59:00'), ...ended('REMEDIATED') },
    { driftedAt: `${day}02:59:00.000Z`, seconds: 300 },
  ],
  'Config saw it: it is as old or older': [
    { openedBy: seenBy('config', '03:00:05') },
    { driftedAt: `${day}03:00:10.000Z`, atOrBefore: true, bound: 'at least', openEnd: true },
    'for at least 9 min 50 s, since 2026-11-01T03:00:10.000Z or before (seen by AWS Config); not ended when last read, at 2026-11-01T03:10:00.000Z',
  ],
  'a sweep saw it and the fix ended it': [
    { openedBy: seenBy('sweep', '02:00:00'), ...ended('REMEDIATED') },
    { atOrBefore: true, seconds: 230, bound: 'at least' },
  ],
  'Security Hub saw it; neither end is known: from the first to the last time it was seen': [
    { openedBy: seenBy('securityhub', '03:00:05'), ...ended('COMPLIANT') },
    { atOrBefore: true, endedAtOrBefore: true, seconds: 60, bound: 'at least' },
  ],
  'seen once, and neither end is known': [
    { openedBy: seenBy('config', '03:00:05'), lastSeenAt: `${day}03:00:10.000Z`, ...ended('COMPLIANT') },
    { seconds: 0, bound: 'at least' },
    'for a time that nothing shows, since 2026-11-01T03:00:10.000Z or before (seen by AWS Config); gone when read at 2026-11-01T03:04:00.000Z',
  ],
  'a call that began nothing met it': [
    { openedBy: call('PutBucketPublicAccessBlock', '03:00:00', { opens: false }) },
    { atOrBefore: true, driftedAt: `${day}03:00:10.000Z` },
    'for at least 9 min 50 s, since 2026-11-01T03:00:10.000Z or before (seen by a call, PutBucketPublicAccessBlock); not ended when last read, at 2026-11-01T03:10:00.000Z',
  ],
  'it was there before the bot, though a call met it first': [{ backlog: true }, { atOrBefore: true }],
  'AWS shows since when': [
    { openedBy: seenBy('sweep', '02:00:00'), shownAt: `${day}01:00:00.000Z`, ...ended('REMEDIATED', '03:00:00') },
    { driftedAt: `${day}01:00:00.000Z`, shown: true, atOrBefore: undefined, seconds: 7_200, bound: undefined },
    'for 2 h, since 2026-11-01T01:00:00.000Z (as AWS shows it); ended by the fix, verified at 2026-11-01T03:00:00.000Z',
  ],
  'a call opened and ended it within one second': [
    { ...ended('COMPLIANT'), endedBy: call('DeleteBucketPolicy', '03:00:00'), transient: true },
    { seconds: 0, bound: undefined },
    'for at most 1 s, since 2026-11-01T03:00:00.000Z (PutBucketPolicy); ended by DeleteBucketPolicy at 2026-11-01T03:00:00.000Z, made by arn:aws:iam::123456789012:user/dana',
  ],
  'excepted: it stands, and nobody looks any more': [ended('EXCEPTED'), { openEnd: true, until: `${day}03:04:00.000Z`, bound: 'at least', seconds: 240 }],
  'the control was switched off': [ended('OFF'), { openEnd: true, until: `${day}03:04:00.000Z` }],
  'the resource is gone': [ended('DOES_NOT_EXIST'), { endedAtOrBefore: true, bound: 'at most' }],
  'what could not be seen was no drift that was seen': [{ evaluation: insufficientData('Denied.'), wrong: 'Denied.' }, undefined],
  'an event has no length': [{ fold: 'ConsoleLogin' }, undefined],
  'the bot itself': [{ openedBy: seenBy('tick', '03:00:00') }, undefined],
};

describe('how long', () => {
  test.each(Object.entries(cases))('%s', (_, [given, wanted, words]) => {
    const exposure = exposureOf(finding(given), now);
    if (!wanted) return expect(exposure).toBeUndefined();
    expect(exposure).toMatchObject(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)));
    for (const [member, value] of Object.entries(wanted)) if (value === undefined) expect(exposure).not.toHaveProperty(member);
    if (words) expect(exposureWords(exposure!)).toBe(words);
  });

  test('a clock that is ahead makes no time negative', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date('2020-01-01'), max: new Date('2030-01-01') }), (at) => {
        const exposure = exposureOf(finding({ openedBy: { ...put, time: at.toISOString() } }), now)!;
        expect(exposure.seconds).toBeGreaterThanOrEqual(0);
        expect(exposureWords(exposure)).not.toMatch(/NaN|undefined/);
      }),
    );
  });

  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3_599, '59 min 59 s'],
    [7_500, '2 h 5 min'],
    [86_400, '1 day'],
    [273_600, '3 days 4 h'],
    [259_210, '3 days'],
  ])('%s seconds are %s', (seconds, words) => expect(spanOf(seconds)).toBe(words));
});
