/** Settings beside each other: what one of them lacks of the other. Lists are sets of entries, whatever their order; anything else is whole. Pure. */
import { canonical } from './canonical.ts';

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Entries of lists that are in `part` and not in `whole`, and places where the two are no lists and `strict` wants them equal. */
function lacking(part: unknown, whole: unknown, strict: boolean): boolean {
  if (Array.isArray(part) && Array.isArray(whole)) {
    const there = new Set(whole.map(canonical));
    return part.some((entry) => !there.has(canonical(entry)));
  }
  if (isMap(part) && isMap(whole)) return Object.keys(part).some((key) => lacking(part[key], whole[key], strict));
  return strict && canonical(part ?? null) !== canonical(whole ?? null);
}

/** A change that was begun takes away everything that the plan would: what is left of the drift is its own. */
export const covers = (begun: unknown, plan: unknown): boolean => !lacking(plan, begun, false);

/** Everything that was there is there again. */
export const holds = (setting: unknown, was: unknown): boolean => !lacking(was, setting, true);
