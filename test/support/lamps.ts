/** The lives of a finding as the channels are told them, and names that strangers write. */

import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { alertOf } from '../../engine/alerts/finding.ts';
import {
  change,
  compliant,
  type DecisionAction,
  type Finding,
  insufficientData,
  type OutcomeStatus,
  type Question,
  type RecordedChange,
  type Undo,
} from '../../engine/model.ts';
import { control, finding } from './findings.ts';

export const at = '2026-11-01T03:00:00.000Z';
export const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic' };

const decided = (action: DecisionAction) => ({ decision: { action, reason: `The policy says ${action}.` } });
const ended = (status: OutcomeStatus, reason = 'So it was.') => ({ outcome: { status, reason, at } });
const off = change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true, color: 'red' }, after: { on: false, color: 'red' } });
const done: RecordedChange = { change: off, intendedAt: at, doneAt: at };
export const question = (about: 'fix' | 'undo', approved: string[] = []): Question => ({
  id: 'q',
  about,
  planHash: 'ab12'.repeat(16),
  change: off,
  askedAt: at,
  expires: '2026-11-04T03:00:00.000Z',
  otherwise: 'deny',
  needs: 2,
  approvals: approved.map((person) => ({ person, arn: `arn:aws:iam::123456789012:user/${person}`, at, seal: 's' })),
});
const undo = (state: Undo['state']): Partial<Finding> => ({
  ...fixed,
  undo: { state, by: 'dana', reason: 'It was too dark.', until: '2026-12-01', at: '2026-11-01T04:00:00.000Z', why: 'The lamp is broken.' },
  ...(state === 'asked' && { question: question('undo') }),
});
const fixed: Partial<Finding> = { state: 'resolved', changes: [done], evaluation: compliant('The lamp is off.'), ...ended('REMEDIATED') };

/** By name; what of a finding is as the name says. */
export const lives = {
  drift: decided('notify'),
  'a page': decided('page'),
  'a page that was told': { ...decided('page'), ...ended('PAGED') },
  'the bot cannot see': { ...decided('page'), evaluation: insufficientData('Not allowed.') },
  'an approval is asked for': { ...decided('approve'), question: question('fix'), ...ended('AWAITING_APPROVAL') },
  'one of two has approved': { ...decided('approve'), question: question('fix', ['dana']), ...ended('AWAITING_APPROVAL') },
  'a fix under way': {},
  'a fix planned': { fixNotBefore: '2026-11-01T05:00:00.000Z' },
  'a fix that waits for its stack': { heldOff: { since: at, until: '2026-11-01T05:00:00.000Z', stack: 'portal', told: true } },
  'a fix that failed': ended('REMEDIATION_FAILED'),
  'a fix to be tried again': ended('RETRY_LATER'),
  fixed,
  'put right by somebody': { state: 'resolved', evaluation: compliant('The lamp is off.'), ...ended('COMPLIANT') },
  'not applicable any more': {
    state: 'resolved',
    evaluation: { complianceType: 'NOT_APPLICABLE', annotation: 'It is no lamp any more.' },
    ...ended('NOT_APPLICABLE'),
  },
  gone: { state: 'resolved', ...ended('DOES_NOT_EXIST') },
  'gone already': { state: 'resolved', transient: true },
  excepted: { state: 'resolved', ...ended('EXCEPTED') },
  'switched off': { state: 'resolved', ...ended('OFF') },
  'an undo is asked for': undo('asked'),
  'an undo under way': undo('intended'),
  undone: undo('done'),
  'not undone': undo('withdrawn'),
  'an undo that failed': undo('failed'),
} satisfies Readonly<Record<string, Partial<Finding>>>;
export type Life = keyof typeof lives;

export const alertIn = (life: Life, changes: Partial<Finding> = {}): Alert =>
  alertOf(finding({ ...lives[life], ...changes }), { ...control, undo: async () => undefined });

/** About no finding: a digest. */
export const digest = (lines = 3): Alert => ({
  id: 'digest:2026-11-01:👩‍👩‍👧 and more',
  urgency: 'notify',
  severity: 'LOW',
  accountId: '123456789012',
  status: 'DIGEST',
  title: 'What stands',
  headline: 'Daily digest',
  subject: '[LOW] Daily digest',
  lines: Array.from({ length: lines }, (_, nth) => ({ label: 'Open', value: `${nth}: ${'x'.repeat(400)}` })),
  hipaa: [],
});

/** The same life with names that somebody else has written, wherever names stand. */
export const alertNamed = (life: Life, name: string): Alert => {
  const { question: asked }: Partial<Finding> = lives[life];
  return alertIn(life, {
    resource: { ...finding().resource, id: `arn:aws:lamp:us-east-1:123456789012:lamp/${name}` },
    actor: { arn: name, type: name, sourceIp: name, userAgent: name, invokedBy: name },
    evaluation: { complianceType: 'NON_COMPLIANT', annotation: `The lamp ${name} is on.` },
    decision: { ...finding(lives[life]).decision, reason: name },
    proposal: `Switch ${name} off`,
    openedBy: { ...finding().openedBy, eventName: name },
    ...(asked && {
      question: {
        ...asked,
        change: change({
          action: 'lamp:Switch',
          summary: name,
          before: Object.fromEntries(Array.from({ length: 20 }, (_, nth) => [`part${nth} ${name}`, name])),
          after: {},
        }),
      },
    }),
  });
};

export const names = {
  'an ARN of 2,000 characters': 'a'.repeat(1_959),
  'a right-to-left name': 'מנורה'.repeat(400),
  'a turned-around name': 'hall\u202e.dexiF\u202c',
  emoji: '👩‍👩‍👧‍👦💡'.repeat(200),
  'a link': '[Fixed](https://evil.example)',
  markdown: '**Fixed** _verified_ `x` # - 1. ~~no~~',
  'a mention': '<at>Everybody</at> <b>x</b> &amp;',
  'a date function': '{{DATE(2030-01-01T00:00:00Z,SHORT)}} {{TIME(x)}}',
  'a line break': 'hall\nDone: Fixed.',
  'half a character': 'hall\ud800',
};
