import { expect, test } from '@jest/globals';
import { isAnswerTo } from '../../../engine/answers/form.ts';

const answer = { id: 'a', findingId: 'f-1', decision: 'approve', question: 'q', planHash: 'h', at: '2026-11-01T03:00:00Z' };
const proof = { kind: 'sts', headers: { authorization: 'AWS4-HMAC-SHA256' } };
const slack = { kind: 'slack', timestamp: '1793501999', signature: `v0=${'a'.repeat(64)}`, body: 'payload=%7B%7D' };

test.each<[string, unknown, boolean]>([
  ['an answer', answer, true],
  ['with a proof, a reason and a last day', { ...answer, decision: 'undo', proof, reason: 'r', until: '2026-12-01' }, true],
  ['that excepts', { ...answer, decision: 'except', reason: 'r', until: '2026-12-01' }, true],
  ['that snoozes', { ...answer, decision: 'snooze' }, true],
  ['that wants another look', { ...answer, decision: 'recheck' }, true],
  ['from Slack', { ...answer, proof: slack }, true],
  ['from Slack, without a body', { ...answer, proof: { ...slack, body: undefined } }, false],
  ['from Slack, with a body too long', { ...answer, proof: { ...slack, body: 'x'.repeat(90 * 1024 + 1) } }, false],
  ['from Slack, with a time that is a number', { ...answer, proof: { ...slack, timestamp: 1793501999 } }, false],
  ['from Slack, with a time in another form', { ...answer, proof: { ...slack, timestamp: '01793501999' } }, false],
  ['from Slack, with a signature in another form', { ...answer, proof: { ...slack, signature: 'a'.repeat(64) } }, false],
  ['of a caller', { ...answer, proof: { kind: 'caller' } }, true],
  ['to another finding', { ...answer, findingId: 'f-2' }, false],
  ['that decides something else', { ...answer, decision: 'constructor' }, false],
  ['without an id', { ...answer, id: undefined }, false],
  ['whose plan is no text', { ...answer, planHash: { toString: 1 } }, false],
  ['whose reason is no text', { ...answer, reason: ['r'] }, false],
  ['whose proof has no headers', { ...answer, proof: { kind: 'sts' } }, false],
  ['whose headers are no texts', { ...answer, proof: { kind: 'sts', headers: { authorization: 1 } } }, false],
  ['whose proof is of no kind', { ...answer, proof: {} }, false],
  ['nothing', null, false],
  ['a list', [answer], false],
])('%s', (_, row, is) => expect(isAnswerTo('f-1', row)).toBe(is));
