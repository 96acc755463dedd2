/** What every ledger does the same way: how long things that pass are kept, and in which order they come. */
import type { Answer } from './model.ts';

/** An event delivered again after this is judged again; queues keep messages for 14 days. */
export const doneSeconds = 21 * 86_400;
/** Longer than the window, so that a row lives until no event can ask for it. */
export const recentSeconds = 25 * 3_600;
/** Seconds that a slot is remembered after it is free again, for a policy that counts over a longer time than the one before it. */
export const slotKept = 24 * 3_600;
/** Longer than a question can stand, and than an exception made with it lasts. */
export const answerSeconds = 100 * 86_400;
/** Milliseconds between event times, either way: events that come late or are replayed count like those in order. */
export const recentWindow = 24 * 3_600_000;

/** Answers, the earliest first. */
export const inOrder = (answers: readonly Answer[]): Answer[] => answers.toSorted((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id));

/** Epoch seconds, rounded so that nothing expires early. */
export const expiresAfter = (now: Date, seconds: number): number => Math.ceil(now.getTime() / 1000 + seconds);

/** Epoch seconds to compare with: what expires at or before this has expired. */
export const expiredAt = (now: Date): number => Math.floor(now.getTime() / 1000);
