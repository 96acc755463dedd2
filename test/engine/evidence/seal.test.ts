import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { canonical } from '../../../engine/canonical.ts';
import { hashOf, macOf } from '../../../engine/evidence/seal.ts';
import { step } from '../../../engine/finding.ts';
import { change, type Entry } from '../../../engine/model.ts';
import { chainOf } from '../../support/chains.ts';
import { findingOf } from '../../support/ledger-samples.ts';

const at = '2026-11-01T03:00:00.000Z';
const told = { kind: 'SEEN', by: 'detect', at, note: 'Seen again.' } as const;
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('the chain of a finding', () => {
  test('each entry follows the one before it; the finding holds the end', () => {
    const [first, second, third] = chainOf('records', 3) as [Entry, Entry, Entry];
    expect([first.prev, second.prev, third.prev]).toEqual([null, first.hash, second.hash]);
    const { finding, entry } = step(findingOf(), {}, told);
    expect(entry.prev).toBe(findingOf().chain);
    expect(finding.chain).toBe(entry.hash);
  });

  test('the hash is sha256 of the sorted JSON of everything but hash and raw', () => {
    for (const entry of chainOf('records', 3)) {
      const { raw: _raw, hash, ...rest } = entry;
      expect(createHash('sha256').update(canonical(rest)).digest('hex')).toBe(hash);
      expect(hashOf(plain(entry))).toBe(hash);
    }
  });

  test('an older finding’s first entry says that those before it are not chained', () => {
    expect(step(findingOf({ chain: 'schema-2', version: 5 }), {}, told).entry).toMatchObject({ seq: 6, prev: 'schema-2' });
  });
});

describe('what an entry tells', () => {
  const fix = change({ action: 's3:PutBucketPolicy', summary: 'Close it for 078-05-1120', before: { for: '078-05-1120' }, after: { open: false } });
  const finding = findingOf({
    actor: { arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser', sourceIp: '192.0.2.44' },
    wrong: 'Open to 078-05-1120.',
    evaluation: { complianceType: 'NON_COMPLIANT', annotation: 'Open to 078-05-1120.' },
    decision: { action: 'fix', reason: 'Because of 078-05-1120.' },
    proposal: 'Close it for 078-05-1120',
    resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::records-078-05-1120' },
    fold: '078-05-1120',
    intended: { change: fix, intendedAt: at },
    outcome: { status: 'REMEDIATION_FAILED', reason: 'Refused for 078-05-1120.', at },
  });
  const { entry } = step(finding, { seen: 2 }, { ...told, note: 'Note of 078-05-1120.', eventId: 'event-2' });

  test('no identifier of a person leaves the table, whatever word holds it', () => {
    const { raw, ...rest } = entry;
    expect(JSON.stringify(rest)).not.toContain('078-05-1120');
    expect(JSON.stringify(raw)).toContain('078-05-1120');
  });

  test('who, where, what was wrong, decided, begun and done; no setting, no address', () => {
    expect(entry.facts).toMatchObject({
      control: finding.control,
      openedBy: { eventId: 'event-0', source: 'cloudtrail', eventName: 'DeletePublicAccessBlock' },
      resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket' },
      episode: 1,
      severity: 'HIGH',
      state: 'open',
      actor: 'arn:aws:iam::123456789012:user/dana',
      evaluation: { complianceType: 'NON_COMPLIANT' },
      decision: { action: 'fix' },
      change: { action: 's3:PutBucketPolicy', intendedAt: at },
      outcome: { status: 'REMEDIATION_FAILED', at },
    });
    expect(JSON.stringify(entry.facts)).not.toMatch(/before|192\.0\.2\.44/);
  });

  test('who did it stays by name: sessions are named by the e-mail of who works in them', () => {
    const arn = 'arn:aws:sts::123456789012:assumed-role/Admin/dana@clinic.example';
    expect(step(findingOf({ actor: { arn, type: 'AssumedRole' } }), {}, told).entry.facts?.actor).toBe(arn);
  });

  test('the mac commits to the raw part, keyed with its salt; what is left out is null', () => {
    const raw = plain(entry.raw) as Entry['raw'];
    expect(raw.changes).toMatchObject({ seen: 2, held: null, intended: { change: { before: { for: '078-05-1120' } } } });
    const mac = createHmac('sha256', Buffer.from(raw.salt, 'base64url')).update(canonical({ changes: raw.changes, note: raw.note }));
    expect(entry.mac).toBe(mac.digest('hex'));
    expect(macOf(raw)).toBe(entry.mac);
    expect(macOf({ ...raw, note: `${raw.note} ` })).not.toBe(entry.mac);
    expect(Buffer.from(raw.salt, 'base64url')).toHaveLength(32);
  });

  test('the same step twice has two salts and two macs: nobody can try words on them', () => {
    const again = step(finding, { seen: 2 }, { ...told, note: 'Note of 078-05-1120.', eventId: 'event-2' }).entry;
    expect(again.raw.salt).not.toBe(entry.raw.salt);
    expect(again.mac).not.toBe(entry.mac);
  });

  test('the first entry holds the whole finding as it began', () => {
    const [first] = chainOf('records', 1) as [Entry];
    expect(first.raw.changes).toMatchObject({
      id: first.findingId,
      version: 1,
      seen: 1,
      openedBy: { eventId: 'event-records' },
      resource: { id: 'arn:aws:s3:::records' },
    });
  });
});
