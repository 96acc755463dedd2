/** What answers and proofs are bound to. Pure. */
import { createHash } from 'node:crypto';
import { longestException } from '../exceptions.ts';
import type { Answer, Proof } from '../model.ts';
import { signatureOf } from './proof.ts';

/** A button carries the beginning of the hash, and that is what Slack signs. */
const beginning = /^[0-9a-f]{16}$/;

/** Whether an answer is about what has this hash. */
export const isAbout = ({ planHash, proof }: Pick<Answer, 'planHash' | 'proof'>, hash: string): boolean =>
  proof?.kind === 'slack' ? beginning.test(planHash) && hash.startsWith(planHash) : planHash === hash;

/** The same proof in another row is the same, however it is written. Slack signs what it sends again anew: what was said is the proof. */
export const proofId = (proof: Proof): string =>
  createHash('sha256')
    .update(proof.kind === 'sts' ? (signatureOf(proof) ?? '') : proof.kind === 'slack' ? proof.body : proof.kind)
    .digest('hex')
    .slice(0, 20);

/** Characters: what people say is kept with the finding, and with all exceptions in one item of the table. */
export const longestReason = 1_000;

/** `2026-02-30` is none: nothing could tell when it is over. */
const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(Date.parse(text) || 0).toISOString().slice(0, 10) === text;

/** Why a day cannot be the last of an exception. */
export function lastDayFault(until: string | undefined, now: Date): string | undefined {
  if (until === undefined || !isDay(until)) return 'It names no last day of its exception.';
  if (until < now.toISOString().slice(0, 10)) return 'The last day of its exception is over.';
  return Date.parse(until) > now.getTime() + longestException * 86_400_000 ? `An exception holds at most ${longestException} days.` : undefined;
}
