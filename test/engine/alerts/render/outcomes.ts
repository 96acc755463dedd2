/** A finding of each outcome, and names as strangers write them. */
import type { Alert } from '../../../../engine/alerts/alert.ts';
import { alertOf } from '../../../../engine/alerts/finding.ts';
import {
  change,
  compliant,
  type DecisionAction,
  type Evaluation,
  type Finding,
  insufficientData,
  type OutcomeStatus,
  type Question,
} from '../../../../engine/model.ts';
import { at, control, done, finding } from '../../../support/findings.ts';

export const ended = (status: OutcomeStatus, reason: string) => ({ outcome: { status, reason, at } });
export const decided = (action: DecisionAction) => ({ decision: { action, reason: `The policy says ${action}.` } });
const asked: Question = {
  id: 'q',
  about: 'fix',
  planHash: 'ab'.repeat(32),
  change: done.change,
  askedAt: at,
  expires: '2026-11-04T03:00:00.000Z',
  otherwise: 'deny',
  needs: 1,
  approvals: [],
};
export const off: Evaluation = compliant('The lamp is off.');
export const fixed = { state: 'resolved', resolvedAt: at, changes: [done], evaluation: off, ...ended('REMEDIATED', 'Done.') } as const;
export const undoing = (state: NonNullable<Finding['undo']>['state']) => ({ undo: { state, by: 'kim', reason: 'Night shift', until: '2026-12-01', at } });

export const outcomes: Readonly<Record<string, Partial<Finding>>> = {
  notify: decided('notify'),
  page: decided('page'),
  'cannot see': { ...decided('page'), evaluation: insufficientData('Not allowed to call lamp:Get.'), proposal: undefined },
  'asks a person': { ...decided('approve'), question: asked, ...ended('AWAITING_APPROVAL', 'Asked.') },
  'fix planned': { fixNotBefore: '2026-11-01T04:00:00.000Z' },
  'fix failed': ended('REMEDIATION_FAILED', 'not allowed to call lamp:Switch.'),
  fixed,
  'fixed and confirmed': { ...fixed, confirmedBy: 'event' },
  'put right': { state: 'resolved', resolvedAt: at, evaluation: off, ...ended('COMPLIANT', 'The lamp is off.') },
  gone: { state: 'resolved', resolvedAt: at, ...ended('DOES_NOT_EXIST', 'The resource does not exist.') },
  excepted: { state: 'resolved', resolvedAt: at, ...decided('except'), ...ended('EXCEPTED', 'Excepted until 2027-03-31: the night watch') },
  'excepted, though read as compliant': { state: 'resolved', resolvedAt: at, evaluation: off, ...ended('EXCEPTED', 'Excepted.') },
  'control off': { state: 'resolved', resolvedAt: at, ...decided('off'), ...ended('OFF', 'The policy has this control off.') },
  'undo asked': { ...fixed, ...undoing('asked') },
  'undo under way': { ...fixed, ...undoing('intended') },
  undone: { ...fixed, ...undoing('done'), ...ended('EXCEPTED', 'Undone.') },
  'undo failed': { ...fixed, ...undoing('failed') },
};

export const told = (changes: Partial<Finding>, impact = control.impact): Alert => alertOf(finding(changes), { ...control, impact, undo: true });

/** Everything that others write, written by a stranger. */
export const named = (name: string, given: Partial<Finding>): Partial<Finding> => {
  const written = change({ action: 'lamp:Switch', summary: `Switch ${name} off`, before: { [name]: name }, after: { [name]: `${name}2`, on: false } });
  return {
    ...given,
    resource: { ...finding().resource, type: 'AWS::S3::Bucket', id: `arn:aws:s3:::${name}` },
    actor: { arn: name, type: name, sourceIp: name, userAgent: name, invokedBy: name },
    evaluation: { ...(given.evaluation ?? finding().evaluation), annotation: `The lamp ${name} is on.` },
    decision: { ...(given.decision ?? finding().decision), reason: name },
    proposal: `Switch ${name} off`,
    changes: (given.changes ?? []).map((one) => ({ ...one, change: written })),
    ...(given.question && { question: { ...given.question, change: written } }),
    openedBy: { ...finding().openedBy, eventName: name },
  };
};

export const hostile: Readonly<Record<string, string>> = {
  'an ARN of 2,000 characters': 'a'.repeat(1_987),
  'quotes without end': '"\\'.repeat(1_000),
  'emoji without end': '💡'.repeat(1_000),
  'a family of emoji': '👩‍👩‍👧‍👦'.repeat(200),
  'a right-to-left name': 'מנורה'.repeat(300),
  'a bidi override': 'hall\u202e.dexiF',
  'a line break': 'hall\nDone:      Fixed.',
  'half a character': 'hall\ud800',
  'markup of Slack': '<!channel> *Fixed* <https://evil.example|click> @here ` :white_check_mark: _x_',
  'markup of Teams': '[Fixed](https://evil.example) <at>all</at> **bold** `',
};
