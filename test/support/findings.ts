/** A finding about a lamp that is on, and all that can become of it. */
import {
  type Actor,
  change,
  compliant,
  type DecisionAction,
  type Finding,
  insufficientData,
  nonCompliant,
  notApplicable,
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
  change: change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true, color: 'red' }, after: { on: false, color: 'red' } }),
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

const approvedBy = (person: string): Question['approvals'][number] => ({ person, arn: `arn:aws:iam::123456789012:user/${person}`, at, seal: 's' });
export const off = compliant('The lamp is off.');
const closed = { state: 'resolved', resolvedAt: at } as const;
const fixed = { ...closed, changes: [done], evaluation: off, ...ended('REMEDIATED', 'Done.') } satisfies Partial<Finding>;
const undoing = (state: Undo['state']) =>
  ({
    ...fixed,
    undo: {
      state,
      by: 'kim',
      reason: 'the night watch needs it',
      until: '2026-12-01',
      at,
      ...(state === 'failed' && { why: 'Not allowed to call lamp:Switch.' }),
      ...(state === 'withdrawn' && { why: 'Nobody has approved it in time.' }),
    },
  }) satisfies Partial<Finding>;

/** One of each thing that people are told of a finding, by name: what of it is as the name says. */
export const lives = {
  drift: decided('notify'),
  'a page': decided('page'),
  'a page that was told': { ...decided('page'), ...ended('PAGED', 'The policy says page.') },
  'the bot cannot see': { ...decided('page'), evaluation: insufficientData('Not allowed to call lamp:Get.'), proposal: undefined },
  'an approval is asked for': { ...decided('approve'), ...ended('AWAITING_APPROVAL', 'Asked.'), question: question() },
  'one of two has approved': {
    ...decided('approve'),
    ...ended('AWAITING_APPROVAL', 'Asked.'),
    question: question({ needs: 2, approvals: [approvedBy('dana')] }),
  },
  'a fix under way': {},
  'a fix planned': { fixNotBefore: '2026-11-01T04:00:00.000Z', question: question({ otherwise: 'fix', needs: 0 }) },
  'a fix that waits for its stack': {
    heldOff: { since: at, until: '2026-11-01T05:00:00.000Z', stack: 'portal', told: true },
    owner: { stack: { name: 'portal', id: 'arn' } },
  },
  'a fix that failed': { intended: begun, ...ended('REMEDIATION_FAILED', 'not allowed to call lamp:Switch.') },
  'a fix to be tried again': ended('RETRY_LATER', 'The lamp is being changed.'),
  fixed,
  'fixed and confirmed': { ...fixed, confirmedBy: 'e2' },
  'put right by somebody': { ...closed, ...decided('page'), evaluation: off, ...ended('COMPLIANT', 'The lamp is off.') },
  'not applicable any more': { ...closed, evaluation: notApplicable('The lamp is a candle.'), ...ended('NOT_APPLICABLE', 'The lamp is a candle.') },
  gone: { ...closed, ...decided('page'), ...ended('DOES_NOT_EXIST', 'The resource does not exist.') },
  'gone already': { ...closed, evaluation: off, transient: true },
  excepted: { ...closed, ...decided('except'), ...ended('EXCEPTED', 'Excepted until 2027-03-31: the night watch') },
  'excepted, though read as compliant': { ...closed, evaluation: off, ...ended('EXCEPTED', 'Excepted.') },
  'switched off': { ...closed, ...decided('off'), ...ended('OFF', 'The policy has this control off.') },
  'an undo is asked for': { ...undoing('asked'), question: question({ about: 'undo' }) },
  'an undo under way': undoing('intended'),
  undone: { ...undoing('done'), evaluation: nonCompliant('The lamp is on.'), ...ended('EXCEPTED', 'Undone.') },
  'not undone': undoing('withdrawn'),
  'an undo that failed': undoing('failed'),
} satisfies Readonly<Record<string, Partial<Finding>>>;
export type Life = keyof typeof lives;
export const everyLife = Object.keys(lives) as Life[];

/** What others write of a finding, written by a stranger: the same life under this name. */
export function named(name: string, given: Partial<Finding>): Partial<Finding> {
  const { evaluation, decision, openedBy } = finding(given);
  const written = change({
    action: 'lamp:Switch',
    summary: `Switch ${name} off`,
    before: { [name]: name, ...Object.fromEntries([...'abcdefghijklm'].map((part) => [`${part} ${name}`, name])) },
    after: { [name]: `${name}!`, on: false },
  });
  const { outcome, question: asked, changes = [], intended, undo, owner } = given;
  return {
    ...given,
    resource: { ...finding().resource, type: 'AWS::S3::Bucket', id: `arn:aws:s3:::${name}` },
    actor: { arn: name, type: name, sourceIp: name, userAgent: name, invokedBy: name },
    evaluation: { ...evaluation, annotation: `The lamp ${name} is on.` },
    wrong: `The lamp ${name} is on.`,
    decision: { ...decision, reason: name },
    proposal: `Switch ${name} off`,
    openedBy: { ...openedBy, eventName: name },
    owner: { ...owner, stack: { name, id: name }, tags: { team: name } },
    changes: changes.map((one) => ({ ...one, change: written })),
    ...(intended && { intended: { ...intended, change: written } }),
    ...(asked && { question: { ...asked, change: written } }),
    ...(outcome && { outcome: { ...outcome, reason: `${outcome.reason} ${name}` } }),
    ...(undo && { undo: { ...undo, by: name, reason: name, ...(undo.why && { why: name }) } }),
  };
}
