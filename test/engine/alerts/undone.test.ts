/** What an alert says of a setting that somebody has had put back, or is having put back. */
import { describe, expect, test } from '@jest/globals';
import { alertOf } from '../../../engine/alerts/finding.ts';
import { change, compliant, type Finding, type Undo } from '../../../engine/model.ts';
import { undoOf } from '../../../engine/writes.ts';
import { findingOf } from '../../support/ledger-samples.ts';

const at = '2026-11-01T03:00:00.000Z';
const control = { title: 'Lamps are off', impact: 'It gets dark.', hipaa: [], undo: true };
const plan = change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: null, after: { on: false, locked: true } });
const fixed: Finding = findingOf({
  state: 'resolved',
  wrong: 'The lamp is on.',
  evaluation: compliant('The lamp is off.'),
  decision: { action: 'fix', reason: 'The policy says fix.' },
  changes: [{ change: plan, intendedAt: at, doneAt: at }],
  outcome: { status: 'REMEDIATED', reason: 'Done.', at },
});
const asked = { id: 'q', about: 'undo', planHash: 'ab', change: undoOf(fixed)!, askedAt: at, expires: at, otherwise: 'deny', needs: 2, approvals: [] } as const;
const told = (state?: Undo['state']) => {
  const undo = state && { undo: { state, by: 'dana', reason: 'needed', until: '2026-12-01', at } };
  const { lines, finding } = alertOf({ ...fixed, ...undo, ...(state === 'asked' && { question: asked }) }, control);
  const of = (label: string) => lines.find((line) => line.label === label)?.value;
  return { was: of('Was'), state: of('State'), lastSeen: of('Last seen'), differences: finding?.differences };
};

const fix = [
  { path: 'on', expected: 'false' },
  { path: 'locked', expected: 'true' },
];

describe('the setting, as an alert tells it', () => {
  test('fixed: a setting that was not there has no value', () =>
    expect(told()).toEqual({ was: 'The lamp is on.', state: 'The lamp is off.', lastSeen: undefined, differences: fix }));

  test('an undo is asked for: what would be put back', () =>
    expect(told('asked').differences).toEqual([
      { path: 'on', observed: 'false' },
      { path: 'locked', observed: 'true' },
    ]));

  test('undone: as before the fix, never as after it', () =>
    expect(told('done')).toEqual({ was: undefined, state: 'As before the fix: The lamp is on.', lastSeen: undefined, differences: [] }));

  test.each(['intended', 'failed'] as const)('%s: what was seen last, and nothing of what may be', (state) =>
    expect(told(state)).toEqual({ was: 'The lamp is on.', state: undefined, lastSeen: 'The lamp is off.', differences: [] }),
  );

  test('withdrawn: the fix stands', () => expect(told('withdrawn')).toMatchObject({ state: 'The lamp is off.', differences: fix }));
});
