/** Everything that can become of a finding, by a name that people can type: how the finding reads then. Pure. */
import { planHash } from '../../engine/answers/plan-hash.ts';
import type { Change, DecisionAction, Finding, OutcomeStatus, Question, RecordedChange, Undo } from '../../engine/model.ts';
import { compliant, insufficientData, notApplicable } from '../../engine/model.ts';
import { goneWords, toldOnly } from '../../engine/transient.ts';
import { undoOf } from '../../engine/writes.ts';
import { after } from './sample-finding.ts';

/** What a sample may be built from. */
export interface Given {
  readonly finding: Finding;
  readonly change: Change;
}

type Becomes<From> = (given: From) => Partial<Finding>;

const fixedAt = after(12);
const tomorrow = after(86_400);
const decided = (action: DecisionAction, reason = `The policy says ${action}.`) => ({ decision: { action, reason } });
const outcome = (status: OutcomeStatus, reason: string, at = after(5)) => ({ outcome: { status, reason, at } });
const resolved = (at = after(300)) => ({ state: 'resolved' as const, resolvedAt: at });
const begun = (change: Change): RecordedChange => ({ change, intendedAt: after(10) });
const done = (change: Change): RecordedChange => ({ ...begun(change), doneAt: fixedAt });

const asks = (finding: Finding, change: Change, more: Partial<Question> = {}): { readonly question: Question } => {
  const about = more.about ?? 'fix';
  return {
    question: {
      id: 'q0000000000000000000',
      about,
      planHash: planHash(finding, change, about),
      change,
      askedAt: after(5),
      expires: tomorrow,
      otherwise: 'deny',
      needs: 1,
      approvals: [],
      ...more,
    },
  };
};

const inOrder = 'The control holds again.';

/** Of every control. */
export const always: Readonly<Record<string, Becomes<Pick<Given, 'finding'>>>> = {
  drift: () => ({ ...decided('notify'), ...outcome('NOTIFIED', 'The policy says notify.') }),
  page: () => ({ ...decided('page'), ...outcome('PAGED', 'The policy says page.') }),
  'control-off': () => ({ ...decided('off'), ...resolved(), ...outcome('OFF', 'The policy says off.', after(300)) }),
  excepted: () => {
    const reason = 'Excepted until 2027-03-31: known and accepted';
    return { ...decided('except', reason), ...resolved(), ...outcome('EXCEPTED', reason, after(300)) };
  },
};

/** Of those that are judged from live state. */
export const ofStates: Readonly<Record<string, Becomes<Pick<Given, 'finding'>>>> = {
  resolved: ({ finding }) => ({
    ...decided('page'),
    ...resolved(),
    evaluation: compliant(inOrder),
    ...outcome('COMPLIANT', inOrder, after(300)),
    endedBy: { ...finding.openedBy, eventId: 'end', time: after(290) },
  }),
  'not-applicable': () => ({
    ...decided('page'),
    ...resolved(),
    evaluation: notApplicable('The control does not apply any more.'),
    ...outcome('NOT_APPLICABLE', 'The control does not apply any more.', after(300)),
  }),
  gone: () => ({ ...decided('page'), ...resolved(), ...outcome('DOES_NOT_EXIST', 'The resource does not exist.', after(300)) }),
  'state-unclear': () => {
    const words = 'AWS does not say how it is set.';
    return { ...decided('page', `The bot cannot see: ${words}`), evaluation: insufficientData(words), wrong: words, proposal: undefined };
  },
};

/** Of those that report what was gone when it was read. */
export const ofTransients: Readonly<Record<string, Becomes<Pick<Given, 'finding'>>>> = {
  'gone-already': ({ finding }) => ({
    transient: true,
    decision: toldOnly,
    ...resolved(after(40)),
    ...outcome('COMPLIANT', goneWords(inOrder), after(40)),
    evaluation: compliant(inOrder),
    proposal: undefined,
    endedBy: { ...finding.openedBy, eventId: 'end', time: after(38) },
  }),
};

const fixed = (change: Change): Partial<Finding> => ({
  ...decided('fix'),
  ...resolved(fixedAt),
  ...outcome('REMEDIATED', `${change.summary}; verified.`, fixedAt),
  evaluation: compliant(inOrder),
  changes: [done(change)],
  proposal: undefined,
});

/** Of those that have a fix. */
export const ofFixes: Readonly<Record<string, Becomes<Given>>> = {
  'approval-asked': ({ finding, change }) => ({ ...decided('approve'), ...asks(finding, change), ...outcome('AWAITING_APPROVAL', 'The policy says approve.') }),
  'approval-half': ({ finding, change }) => ({
    ...decided('approve'),
    ...asks(finding, change, { needs: 2, approvals: [{ person: 'dana', arn: 'arn:aws:sts::111122223333:assumed-role/SecOps/dana', at: after(60), seal: '' }] }),
    ...outcome('AWAITING_APPROVAL', 'The policy says approve.'),
  }),
  'fix-planned': ({ finding, change }) => ({
    ...decided('fix'),
    fixNotBefore: after(3_600),
    ...asks(finding, change, { otherwise: 'fix', expires: after(3_600) }),
  }),
  'fix-under-way': ({ change }) => ({ ...decided('fix'), intended: begun(change) }),
  'fix-waits': () => ({ ...decided('fix'), heldOff: { since: after(10), until: after(7_210), stack: 'portal', told: true } }),
  'fix-blocked': () => {
    const reason = 'The fix is blocked: a running service depends on it. Move the service first.';
    return { ...decided('page', reason), ...outcome('PAGED', reason), proposal: undefined };
  },
  'fix-held': ({ finding, change }) => {
    const reason = `50 fixes in an hour are as many as the policy allows. The bot leaves it as it is until ${after(3_600)}.`;
    return {
      ...decided('approve', reason),
      held: { by: 'hour', until: after(3_600) },
      ...asks(finding, change, { expires: after(3_600) }),
      ...outcome('AWAITING_APPROVAL', reason),
    };
  },
  fixed: ({ change }) => fixed(change),
  'fixed-confirmed': ({ change }) => ({ ...fixed(change), confirmedBy: 'c0ffee00-0000-4000-8000-000000000000' }),
  'fix-failed': ({ change }) => ({
    ...decided('fix'),
    ...outcome('REMEDIATION_FAILED', `Not allowed to call ${change.action}.`, fixedAt),
    intended: { ...begun(change), refused: true },
  }),
  'fix-failed-in-part': ({ change }) => ({
    ...decided('fix'),
    ...outcome('REMEDIATION_FAILED', 'It did not hold when it was read back, 5 times in a row.', fixedAt),
    intended: begun(change),
  }),
  'retry-later': ({ change }) => ({ ...decided('fix'), ...outcome('RETRY_LATER', 'AWS is busy.', fixedAt), intended: begun(change) }),
};

const wish = { by: 'dana', reason: 'the vendor needs it until its update', until: '2026-12-01' };

const undoing = ({ finding, change }: Given, undo: Pick<Undo, 'state' | 'at' | 'why'>): Partial<Finding> => {
  const now = { ...finding, ...fixed(change) };
  const plan = undoOf(now)!;
  return { ...fixed(change), undo: { ...wish, ...undo }, ...(undo.state === 'asked' && asks(now, plan, { about: 'undo', needs: 2 })) };
};

/** Of those that have an undo. */
export const ofUndos: Readonly<Record<string, Becomes<Given>>> = {
  'undo-asked': (given) => undoing(given, { state: 'asked', at: after(600) }),
  'undo-under-way': (given) => undoing(given, { state: 'intended', at: after(700) }),
  undone: (given) => ({
    ...undoing(given, { state: 'done', at: after(720) }),
    ...outcome('EXCEPTED', `Undone for ${wish.by}: ${wish.reason} Excepted until ${wish.until}.`, after(720)),
    changes: [{ ...done(given.change), undoneAt: after(720) }],
  }),
  'undo-withdrawn': (given) => undoing(given, { state: 'withdrawn', at: after(720), why: 'casey said no.' }),
  'undo-failed': (given) => undoing(given, { state: 'failed', at: after(720), why: `Not allowed to call ${given.change.action}.` }),
};
