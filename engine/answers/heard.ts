/** Answers that have been judged, and those that are still to be. Pure. */
import type { Answer, Finding } from '../model.ts';
import { proofId } from './bound.ts';

/** A finding must not grow with what is thrown at it, nor forget what must not count twice: past this it hears nothing more. */
const mostHeard = 300;

/** Neither the answer nor its proof counts again. */
export const heardWith = ({ heard = [] }: Finding, { id, proof }: Answer): string[] => [...heard, id, ...(proof ? [proofId(proof)] : [])];

/** Past this no wishes are heard any more: whoever floods a finding with them must not keep questions about it from being answered. */
export const mostWishes = mostHeard / 2;

/** Answers that are still to be judged. @param most so many are heard of all together */
export const unheard = ({ heard = [] }: Finding, answers: readonly Answer[], decisions: readonly Answer['decision'][], most = mostHeard): Answer[] =>
  answers
    .filter(({ id, decision }) => decisions.includes(decision) && !heard.includes(id))
    // Each is heard with its proof.
    .slice(0, Math.ceil(Math.max(0, most - heard.length) / 2));

/** Words that go with the last one. */
export const lastHeard = (heard: readonly string[], most = mostHeard): string =>
  heard.length < most ? '' : ' It was the last of too many: no more answers are heard.';
