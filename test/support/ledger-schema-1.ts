/**
 * What a ledger holds that was filled by a phidelity of schema 1: test/support/schema-1 has the file and the items as the last
 * version of that schema wrote them.
 */
import { expect } from '@jest/globals';
import type { Finding } from '../../engine/model.ts';
import { defaultBacklog, defaultGuards } from '../../engine/policy/defaults.ts';
import { identified } from '../../engine/policy/identity.ts';
import type { Ledger } from '../../engine/ports.ts';
import { control, entryOf, findingOf, keyOf, plainEntryOf } from './ledger-samples.ts';

const chain = 'schema-2';
const opened = findingOf({ chain, actor: { arn: 'arn:aws:iam::123456789012:user/zoë', type: 'IAMUser' }, proposal: 'block public access' });
const open = {
  ...opened,
  version: 2,
  seen: 2,
  drives: 1,
  drivenAt: '2026-03-01T12:00:01.000Z',
  intended: {
    change: { kind: 'change', action: 's3:PutBucketPublicAccessBlock', summary: 'block', before: null, after: { BlockPublicAcls: true } },
    intendedAt: '2026-03-01T12:00:01.000Z',
  },
} as const;
const resolved = {
  ...findingOf({ chain, fold: 'root' }),
  version: 2,
  state: 'resolved',
  resolvedAt: '2026-03-01T12:00:02.000Z',
  outcome: { status: 'COMPLIANT', reason: 'gone', at: '2026-03-01T12:00:02.000Z' },
} as const;

const olderEntryOf = (finding: Finding) => {
  const entry = plainEntryOf(finding);
  return { ...entry, mac: chain, prev: chain, hash: chain, raw: { salt: '', changes: {}, note: entry.note } };
};

/** Everything is there, and can be gone on with. */
export async function schemaOneReads(ledger: Ledger): Promise<void> {
  const keys = ['event-1', 'event-2', 'event-3'].map((eventId) => ({ ...keyOf(), eventId }));
  expect(await ledger.lookup([...keys, { ...keyOf({ fold: 'root' }), eventId: 'event-1' }])).toEqual([
    { done: true, last: open },
    { done: true, last: open },
    { done: false, last: open },
    { done: false, last: resolved },
  ]);
  expect(await ledger.entries(open.id)).toEqual([opened, open].map(olderEntryOf));
  expect(await Array.fromAsync(ledger.findings({ open: true, control }))).toEqual([open]);
  expect(await ledger.recent('control', 'alice', 'event-2', '2026-03-01T12:00:00Z')).toBe(1);

  const { id, ...policy } = (await ledger.policy())!;
  expect(policy).toMatchObject({
    guards: defaultGuards,
    backlog: defaultBacklog,
    accounts: {},
    channels: { security: { sns: true, pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC', remindEvery: 14_400 } },
    regions: ['us-east-1'],
    controls: { 's3-bucket-tls-only': { mode: 'fix', params: { port: 443 }, fixAfter: 3_600 } },
  });
  expect(identified(policy).id).toBe(id);

  expect(await ledger.lease('setting', 'two', 60)).toBeUndefined();
  expect(await ledger.lease('setting', 'one', 60)).toEqual({ key: 'setting', owner: 'one', fence: 1 });
  const next = { ...open, version: 3, seen: 3 };
  await ledger.save(next, entryOf(next), { lease: { key: 'setting', owner: 'one', fence: 1 } });
  expect(await ledger.get(open.id)).toEqual(next);
}
