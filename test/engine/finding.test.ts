import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { actorOf, findingId, findingKey, opened, resolved, resourceKey, seen, step, summaryOf } from '../../engine/finding.ts';
import { change, compliant, type Finding, nonCompliant, type RecordedChange, type ResourceRef, type Trigger } from '../../engine/model.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const bucket: ResourceRef = { ...place, type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::records' };
const account: ResourceRef = { ...place, type: 'AWS::::Account', id: 'arn:aws:iam::123456789012:root' };
const key = { control: 'lamp-off', resource: bucket };
const at = '2026-11-01T03:00:00.000Z';
const actor = { arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser' };
const call: Trigger = {
  ...place,
  source: 'cloudtrail',
  kind: 'api',
  outcome: 'succeeded',
  eventId: 'event-1',
  time: at,
  eventSource: 'lamp.amazonaws.com',
  eventName: 'SwitchOn',
  actor,
  detail: { eventSource: 'lamp.amazonaws.com', eventName: 'SwitchOn', awsRegion: 'us-east-1', requestParameters: { patient: 'Ada' } },
};
const item: Trigger = { ...place, source: 'config', eventId: 'event-2', time: at, resourceType: 'AWS::S3::Bucket', resourceId: 'records' };
const verdict = { actor, evaluation: nonCompliant('The lamp is on.'), decision: { action: 'fix', reason: 'The policy says so.' } } as const;

describe('the id of a finding', () => {
  test('is f- and 26 characters of base32, and fits an execution name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }), fc.nat(), (control, id, fold, episode) => {
        expect(findingId({ control, resource: { ...bucket, id }, fold }, episode)).toMatch(/^f-[a-z2-7]{26}$/);
      }),
    );
  });

  test('never changes: findings that are stored must be found by the next release too', () => {
    expect(findingId(key, 1)).toBe('f-bl3kyda2jlsa5vanzvplxiq37g');
    expect(findingId({ ...key, fold: 'CreateUser' }, 2)).toBe('f-3yp6jag37smhicch2axc4bsd2j');
    expect(findingId({ control: 'lamp-off', resource: account }, 1)).toBe('f-avznegsk2ghmhkoxitg44tnzud');
  });

  const others = {
    'another control': findingId({ ...key, control: 'lamp-on' }, 1),
    'another resource': findingId({ ...key, resource: { ...bucket, id: 'arn:aws:s3:::other' } }, 1),
    'another type': findingId({ ...key, resource: { ...bucket, type: 'AWS::S3::BucketPolicy' } }, 1),
    'another episode': findingId(key, 2),
    'a fold': findingId({ ...key, fold: 'CreateUser' }, 1),
    'another fold': findingId({ ...key, fold: 'DeleteUser' }, 1),
    'an empty fold': findingId({ ...key, fold: '' }, 1),
    'a fold named null': findingId({ ...key, fold: 'null' }, 1),
  };
  test('differs by control, resource, type, episode and fold', () => {
    expect(new Set([findingId(key, 1), ...Object.values(others)]).size).toBe(Object.keys(others).length + 1);
  });

  test('parts cannot be shifted into each other', () => {
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string(), fc.string()), fc.tuple(fc.string(), fc.string(), fc.string()), (a, b) => {
        const keyOf = ([control, id, fold]: [string, string, string]) => findingKey({ control, resource: { ...bucket, id: `arn:${id}` }, fold });
        expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

describe('the key of a resource', () => {
  test('one bucket is one key, whichever region spoke of it', () => {
    expect(resourceKey({ ...bucket, region: 'eu-west-1' })).toBe(resourceKey(bucket));
  });

  test('the account is one key in each region: its settings are regional', () => {
    expect(resourceKey({ ...account, region: 'eu-west-1' })).not.toBe(resourceKey(account));
    expect(resourceKey({ ...account })).toBe(resourceKey(account));
  });

  test('an id that is no ARN belongs to its account and region', () => {
    const named = { ...place, type: 'AWS::Lamp::Lamp', id: 'hall' };
    const keys = [named, { ...named, region: 'eu-west-1' }, { ...named, accountId: '210987654321' }].map(resourceKey);
    expect(new Set(keys).size).toBe(3);
  });

  test('two types with one id are two keys', () => {
    expect(resourceKey({ ...account, type: 'AWS::S3::AccountPublicAccessBlock' })).not.toBe(resourceKey(account));
  });
});

describe('what is kept of a trigger', () => {
  test('of a call: its name and actor, and nothing of the request', () => {
    expect(summaryOf(call)).toEqual({ eventId: 'event-1', source: 'cloudtrail', time: at, eventName: 'SwitchOn', actor });
    expect(JSON.stringify(opened(key, { severity: 'HIGH' }, verdict, call, undefined, at))).not.toContain('Ada');
    expect(actorOf(call)).toBe(actor);
  });

  test('of a Config item: no actor', () => {
    expect(summaryOf(item)).toEqual({ eventId: 'event-2', source: 'config', time: at });
    expect(actorOf(item)).toBeUndefined();
  });
});

describe('the steps of a finding', () => {
  const first = opened(key, { severity: 'HIGH' }, verdict, call, undefined, at);
  const done: RecordedChange = {
    change: change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true }, after: { on: false } }),
    intendedAt: at,
  };
  const begun: Finding = { ...first.finding, intended: done };
  const end = { at, reason: 'The lamp is off.' };

  test('opened: version 1, episode 1, by its trigger', () => {
    expect(first).toMatchObject({
      finding: { id: findingId(key, 1), version: 1, episode: 1, state: 'open', actor, seen: 1, drives: 0, changes: [], openedBy: { eventId: 'event-1' } },
      entry: { findingId: findingId(key, 1), seq: 1, kind: 'OPENED', by: 'detect', eventId: 'event-1', note: 'The lamp is on.' },
    });
  });

  test('opened again: the next episode, of which the last one says nothing', () => {
    const again = opened(key, { severity: 'HIGH' }, { ...verdict, actor: undefined }, item, { ...first.finding, episode: 4 }, at).finding;
    expect(again).toMatchObject({ id: findingId(key, 5), episode: 5, version: 1, changes: [] });
    expect(again.actor).toBeUndefined();
  });

  test('each step is the next version, and its entry has the same number', () => {
    const { finding, entry } = step(first.finding, { drives: 1 }, { kind: 'DISPATCHED', by: 'detect', at, note: 'n' });
    expect([finding.version, entry.seq, finding.drives]).toEqual([2, 2, 1]);
    expect(first.finding.version).toBe(1);
  });

  test('seen: the first actor stays; one who was unknown is learnt', () => {
    const other = { ...actor, arn: 'arn:aws:iam::123456789012:user/other' };
    expect(seen(first.finding, item, { actor: other }, at).finding).toMatchObject({ actor, seen: 2, lastTrigger: { eventId: 'event-2' } });
    expect(seen({ ...first.finding, actor: undefined }, item, {}, at).finding.actor).toBeUndefined();
    expect(seen({ ...first.finding, actor: undefined }, item, { actor: other }, at).finding.actor).toBe(other);
  });

  test('resolved by the verified fix', () => {
    const { finding, entry } = resolved({ ...begun, changes: [{ ...done, doneAt: at }] }, compliant('Off.'), { ...end, status: 'REMEDIATED' }, 'remediate');
    expect(finding).toMatchObject({ state: 'resolved', resolvedAt: at, changes: [{ doneAt: at }], evaluation: { complianceType: 'COMPLIANT' } });
    expect(finding.intended).toBeUndefined();
    expect(entry.kind).toBe('REMEDIATED');
  });

  for (const status of ['OFF', 'EXCEPTED', 'NOT_APPLICABLE', 'DOES_NOT_EXIST'] as const) {
    test(`resolved as ${status} while a write had been begun: what was before it is kept`, () => {
      const { finding, entry } = resolved(begun, undefined, { ...end, status }, 'remediate');
      expect(finding.intended).toBeUndefined();
      expect(finding.changes).toEqual([done]);
      expect(entry.kind).toBe('RESOLVED');
    });
  }

  test('resolved without anything begun: no change', () => {
    expect(resolved(first.finding, compliant('Off.'), { ...end, status: 'COMPLIANT' }, 'detect').finding.changes).toEqual([]);
  });
});
