import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differencesOf } from '../../../engine/alerts/differences.ts';
import { change } from '../../../engine/model.ts';
import { finding } from '../../support/findings.ts';

const at = '2026-11-01T03:00:00.000Z';
const fixed = (before: unknown, after: unknown) =>
  differencesOf(
    finding({
      state: 'resolved',
      outcome: { status: 'REMEDIATED', reason: 'Verified.', at },
      changes: [{ change: change({ action: 'lamp:Switch', summary: 'Switch it off', before, after }), intendedAt: at, doneAt: at }],
    }),
  );

test.each<[string, unknown, unknown, ReturnType<typeof differencesOf>['differences']]>([
  ['a flag', { on: true, dim: 3 }, { on: false, dim: 3 }, [{ path: 'on', observed: 'true', expected: 'false' }]],
  ['a setting that is one value', true, false, [{ path: 'setting', observed: 'true', expected: 'false' }]],
  ['what was not there', null, { mode: 'kms' }, [{ path: 'mode', expected: 'kms' }]],
  [
    'entries of a list',
    { rules: [{ cidr: '0.0.0.0/0', port: 22 }] },
    { rules: [] },
    [
      { path: 'rules[0].cidr', observed: '0.0.0.0/0' },
      { path: 'rules[0].port', observed: '22' },
    ],
  ],
  ['a document inside a string: its size alone', { policy: '{"Statement": ["secret"]}' }, {}, [{ path: 'policy', observed: 'a document of 25 characters' }]],
  ['a value whose key says whose number it is', { MRN: '1234567' }, { MRN: '7654321' }, [{ path: 'MRN', observed: '[mrn]', expected: '[mrn]' }]],
  [
    'a tag whose key does',
    { tags: [{ Key: 'mrn', Value: '1234567' }] },
    { tags: [] },
    [
      { path: 'tags[0].Key', observed: 'mrn' },
      { path: 'tags[0].Value', observed: '[mrn]' },
    ],
  ],
])('%s', (_, before, after, differences) => {
  expect(fixed(before, after)).toEqual({ differences, cut: false });
});

test('of many a dozen, and it says so', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`flag${index}`, true]));
  const { differences, cut } = fixed(many, {});
  expect([differences.length, cut]).toEqual([12, true]);
});

test('none of what stays as it is, undone or was never planned', () => {
  expect(fixed({ on: true }, { on: true })).toEqual({ differences: [], cut: false });
  expect(differencesOf(finding())).toEqual({ differences: [], cut: false });
});

test('any two settings: what is the same is not told, each line is short and one line', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      const { differences } = fixed(before, after);
      const same = JSON.stringify(before) === JSON.stringify(after);
      if (same) expect(differences).toEqual([]);
      for (const line of differences) {
        expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThan(1_024);
        expect(Object.values(line).join('')).not.toMatch(/[\n\r\u202e]/);
      }
    }),
  );
});
