/** A finding about a lamp that is on, in every state that people are told of. */
import {
  type Actor,
  change,
  compliant,
  type DecisionAction,
  type Finding,
  insufficientData,
  nonCompliant,
  type OutcomeStatus,
  type Question,
  type RecordedChange,
  type Undo,
} from '../../engine/model.ts';

export const control = {
  title: 'Lamps are off',
  impact: 'It gets dark.',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard' as const, rationale: 'Test.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable' as const, rationale: 'Test.' },
  ],
};
export const at = '2026-11-01T03:00:00.000Z';
export const dana: Actor = {
  arn: 'arn:aws:sts::123456789012:assumed-role/Admin/dana',
  type: 'AssumedRole',
  sourceIp: '192.0.2.1',
  userAgent: 'aws-cli/2.15.30',
};
export const done: RecordedChange = {
  change: change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true }, after: { on: false } }),
  intendedAt: at,
  doneAt: at,
};
export const begun: RecordedChange = { change: done.change, intendedAt: at };

export const finding = (changes: Partial<Finding> = {}): Finding => ({
  id: 'f-abcdefghijklmnopqrstuvwxyz',
  control: 'lamp-off',
  resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::Lamp::Lamp', id: 'arn:aws:lamp:us-east-1:123456789012:lamp/hall' },
  episode: 1,
  version: 1,
  state: 'open',
  severity: 'HIGH',
  openedAt: at,
  openedBy: { eventId: 'e', source: 'cloudtrail', time: at, eventName: 'SwitchOn', actor: dana },
  lastTrigger: { eventId: 'e', source: 'cloudtrail', time: at, eventName: 'SwitchOn', actor: dana },
  actor: dana,
  lastSeenAt: at,
  seen: 1,
  drives: 0,
  evaluation: nonCompliant('The lamp is on.'),
  wrong: 'The lamp is on.',
  decision: { action: 'fix', reason: 'The policy says so.' },
  proposal: 'Switch the lamp off',
  changes: [],
  chain: '',
  ...changes,
});
export const decided = (action: DecisionAction) => ({ decision: { action, reason: `The policy says ${action}.` } });
export const ended = (status: OutcomeStatus, reason: string) => ({ outcome: { status, reason, at } });

export const question = (changes: Partial<Question> = {}): Question => ({
  id: 'q-1',
  about: 'fix',
  planHash: 'ab'.repeat(32),
  change: done.change,
  askedAt: at,
  expires: '2026-11-04T03:00:00.000Z',
  otherwise: 'deny',
  needs: 1,
  approvals: [],
  ...changes,
});

const fixed: Partial<Finding> = { state: 'resolved', changes: [done], evaluation: compliant('The lamp is off.'), ...ended('REMEDIATED', 'Done.') };
const undoing = (state: Undo['state']): Partial<Finding> => ({
  ...fixed,
  undo: {
    state,
    by: 'kim',
    reason: 'the night watch needs it',
    until: '2026-12-01',
    at,
    ...(state === 'failed' && { why: 'Not allowed to call lamp:Switch.' }),
  },
  ...(state === 'asked' && { question: question({ about: 'undo' }) }),
});

/** One of each thing that people are told of a finding, by name. */
export const told: Readonly<Record<string, Partial<Finding>>> = {
  drift: decided('notify'),
  page: decided('page'),
  'cannot see': { ...decided('page'), evaluation: insufficientData('Not allowed to call lamp:Get.'), proposal: undefined },
  'approval needed': { ...decided('approve'), ...ended('AWAITING_APPROVAL', 'Asked.'), question: question() },
  'fix planned': { fixNotBefore: '2026-11-01T04:00:00.000Z', question: question({ otherwise: 'fix', needs: 0 }) },
  'fix waits': { heldOff: { since: at, until: '2026-11-01T05:00:00.000Z', stack: 'portal', told: true }, owner: { stack: { name: 'portal', id: 'arn' } } },
  'fix failed': { intended: begun, ...ended('REMEDIATION_FAILED', 'not allowed to call lamp:Switch.') },
  fixed,
  'fixed and confirmed': { ...fixed, confirmedBy: 'e2' },
  resolved: { state: 'resolved', ...decided('page'), evaluation: compliant('The lamp is off.'), ...ended('COMPLIANT', 'The lamp is off.') },
  gone: { state: 'resolved', ...decided('page'), ...ended('DOES_NOT_EXIST', 'The resource does not exist.') },
  excepted: { state: 'resolved', ...decided('except'), ...ended('EXCEPTED', 'Excepted until 2027-03-31: the night watch') },
  off: { state: 'resolved', ...decided('off'), ...ended('OFF', 'The policy has this control off.') },
  'undo asked': undoing('asked'),
  'undo under way': undoing('intended'),
  undone: { ...undoing('done'), evaluation: nonCompliant('The lamp is on.') },
  'undo failed': undoing('failed'),
};
