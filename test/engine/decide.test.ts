import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, type Situation, statusOf } from '../../engine/decide.ts';
import { blocked, change, compliant, type DecisionAction, insufficientData, type Mode, modes, nonCompliant, notApplicable } from '../../engine/model.ts';

const verdicts = {
  gone: undefined,
  compliant: compliant('The lamp is off.'),
  'not applicable': notApplicable('It is no lamp.'),
  drifted: nonCompliant('The lamp is on.'),
  unseen: insufficientData('Not allowed to call lamp:Get.'),
};
const plans = {
  none: undefined,
  change: change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true }, after: { on: false } }),
  blocked: blocked('Somebody reads by it.'),
};
const exceptions = {
  none: undefined,
  waives: { reason: 'the night watch', expires: '2027-03-31', strength: 'waives' },
  lowers: { reason: 'tag night', expires: '2027-03-31', strength: 'lowers' },
} as const;

interface Row {
  readonly verdict: keyof typeof verdicts;
  readonly mode: Mode;
  readonly exception?: keyof typeof exceptions;
  readonly plan?: keyof typeof plans;
  readonly action: DecisionAction;
  readonly reason?: string;
}

const situation = ({ verdict, mode, exception = 'none', plan = 'change' }: Omit<Row, 'action'>): Situation => ({
  evaluation: verdicts[verdict],
  mode: { mode, reason: 'The policy says so.' },
  exception: exceptions[exception],
  plan: plans[plan],
});

describe('each row of the table', () => {
  const rows: Readonly<Record<string, Row>> = {
    'gone, whatever the mode': { verdict: 'gone', mode: 'fix', action: 'none', reason: 'The resource does not exist.' },
    'compliant, whatever the mode': { verdict: 'compliant', mode: 'page', action: 'none', reason: 'The lamp is off.' },
    'not applicable': { verdict: 'not applicable', mode: 'fix', action: 'none', reason: 'It is no lamp.' },
    off: { verdict: 'drifted', mode: 'off', action: 'off', reason: 'The policy says so.' },
    'an exception that waives': {
      verdict: 'drifted',
      mode: 'fix',
      exception: 'waives',
      action: 'except',
      reason: 'Excepted until 2027-03-31: the night watch',
    },
    unseen: { verdict: 'unseen', mode: 'fix', action: 'page', reason: 'The bot cannot see: Not allowed to call lamp:Get.' },
    notify: { verdict: 'drifted', mode: 'notify', action: 'notify', reason: 'The policy says so.' },
    page: { verdict: 'drifted', mode: 'page', action: 'page', reason: 'The policy says so.' },
    'no plan': { verdict: 'drifted', mode: 'fix', plan: 'none', action: 'page', reason: 'There is no fix: the control has none' },
    'a blocked plan': { verdict: 'drifted', mode: 'fix', plan: 'blocked', action: 'page', reason: 'The fix is blocked: Somebody reads by it.' },
    'an exception that lowers': {
      verdict: 'drifted',
      mode: 'fix',
      exception: 'lowers',
      action: 'approve',
      reason: expect.stringContaining('tag night') as unknown as string,
    },
    approve: { verdict: 'drifted', mode: 'approve', action: 'approve', reason: 'The policy says so.' },
    fix: { verdict: 'drifted', mode: 'fix', action: 'fix', reason: 'The policy says so.' },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(`${name}: ${row.action}`, () => expect(decide(situation(row))).toEqual({ action: row.action, reason: row.reason }));
  }

  test('no plan, with the reason of the control', () => {
    expect(decide({ ...situation({ verdict: 'drifted', mode: 'approve', plan: 'none' }), noFix: 'AWS has no call for it.' })).toEqual({
      action: 'page',
      reason: 'There is no fix: AWS has no call for it.',
    });
  });
});

describe('where two rows would both apply, the upper one', () => {
  const conflicts: Readonly<Record<string, Row>> = {
    'compliant and off': { verdict: 'compliant', mode: 'off', action: 'none' },
    'compliant and excepted': { verdict: 'compliant', mode: 'fix', exception: 'waives', action: 'none' },
    'gone and off': { verdict: 'gone', mode: 'off', action: 'none' },
    'off and excepted': { verdict: 'drifted', mode: 'off', exception: 'waives', action: 'off' },
    'off and unseen': { verdict: 'unseen', mode: 'off', action: 'off' },
    'excepted and unseen': { verdict: 'unseen', mode: 'fix', exception: 'waives', action: 'except' },
    'excepted and notify': { verdict: 'drifted', mode: 'notify', exception: 'waives', action: 'except' },
    'excepted and blocked': { verdict: 'drifted', mode: 'fix', exception: 'waives', plan: 'blocked', action: 'except' },
    'unseen and notify': { verdict: 'unseen', mode: 'notify', action: 'page' },
    'unseen and approve': { verdict: 'unseen', mode: 'approve', action: 'page' },
    'unseen and lowered': { verdict: 'unseen', mode: 'fix', exception: 'lowers', action: 'page' },
    'notify and blocked': { verdict: 'drifted', mode: 'notify', plan: 'blocked', action: 'notify' },
    'notify and no plan': { verdict: 'drifted', mode: 'notify', plan: 'none', action: 'notify' },
    'notify and lowered': { verdict: 'drifted', mode: 'notify', exception: 'lowers', action: 'notify' },
    'page and lowered': { verdict: 'drifted', mode: 'page', exception: 'lowers', action: 'page' },
    'approve and blocked': { verdict: 'drifted', mode: 'approve', plan: 'blocked', action: 'page' },
    'approve and lowered': { verdict: 'drifted', mode: 'approve', exception: 'lowers', action: 'approve' },
    'lowered and blocked': { verdict: 'drifted', mode: 'fix', exception: 'lowers', plan: 'blocked', action: 'page' },
    'lowered and no plan': { verdict: 'drifted', mode: 'fix', exception: 'lowers', plan: 'none', action: 'page' },
  };
  for (const [name, row] of Object.entries(conflicts)) test(`${name}: ${row.action}`, () => expect(decide(situation(row)).action).toBe(row.action));
});

describe('in every situation', () => {
  const rows = fc.record({
    verdict: fc.constantFrom(...(Object.keys(verdicts) as (keyof typeof verdicts)[])),
    mode: fc.constantFrom(...modes),
    exception: fc.constantFrom(...(Object.keys(exceptions) as (keyof typeof exceptions)[])),
    plan: fc.constantFrom(...(Object.keys(plans) as (keyof typeof plans)[])),
  });

  test('a fix needs drift that was seen, mode fix, a change to make, and no exception', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const fixes = row.verdict === 'drifted' && row.mode === 'fix' && row.plan === 'change' && row.exception === 'none';
        expect(decide(situation(row)).action === 'fix').toBe(fixes);
      }),
    );
  });

  test('what cannot be seen is never passed over, unless the policy has it off or excepted', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const { action } = decide(situation({ ...row, verdict: 'unseen' }));
        expect(action).toBe(row.mode === 'off' ? 'off' : row.exception === 'waives' ? 'except' : 'page');
      }),
    );
  });

  test('there is always a reason to read', () => {
    fc.assert(fc.property(rows, (row) => expect(decide(situation(row)).reason).toMatch(/\S/)));
  });
});

describe('what a decision comes to without a fix', () => {
  const cases = {
    off: ['off', 'drifted', 'OFF'],
    except: ['except', 'drifted', 'EXCEPTED'],
    notify: ['notify', 'drifted', 'NOTIFIED'],
    page: ['page', 'unseen', 'PAGED'],
    approve: ['approve', 'drifted', 'AWAITING_APPROVAL'],
    'fix, not done yet': ['fix', 'drifted', 'RETRY_LATER'],
    'none, gone': ['none', 'gone', 'DOES_NOT_EXIST'],
    'none, compliant': ['none', 'compliant', 'COMPLIANT'],
    'none, not applicable': ['none', 'not applicable', 'NOT_APPLICABLE'],
  } as const;
  for (const [name, [action, verdict, status]] of Object.entries(cases))
    test(`${name}: ${status}`, () => expect(statusOf(action, verdicts[verdict])).toBe(status));
});
