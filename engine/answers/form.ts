/** Whether a row of the ledger has the form of an answer: many may write such rows, and one that has not must not keep the others from being heard. Pure. */
import type { Answer } from '../model.ts';
import { isSlackProof } from './slack.ts';

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNothing = (value: unknown): boolean => value === undefined || isText(value);

const decisions = ['approve', 'deny', 'undo', 'end', 'except', 'snooze', 'recheck'];

const isProof = (proof: unknown): boolean =>
  isMap(proof) &&
  (proof.kind === 'caller' ||
    (proof.kind === 'sts' && isMap(proof.headers) && Object.values(proof.headers).every(isText)) ||
    (proof.kind === 'slack' && isSlackProof(proof)));

/** To this finding, that is: a proof is bound to the finding that its answer names. */
export const isAnswerTo = (findingId: string, row: unknown): row is Answer =>
  isMap(row) &&
  row.findingId === findingId &&
  [row.id, row.question, row.planHash, row.at].every(isText) &&
  [row.reason, row.until].every(isTextOrNothing) &&
  decisions.some((decision) => decision === row.decision) &&
  (row.proof === undefined || isProof(row.proof));
