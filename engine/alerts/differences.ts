/** What was observed against what is expected, leaf by leaf: small enough for a message, never a document's text. Pure. */
import { canonical } from '../canonical.ts';
import type { Change, Finding } from '../model.ts';
import { redactDeep } from '../redact.ts';
import { standing } from '../writes.ts';
import type { AlertFinding, Difference } from './alert.ts';
import { clipped, inOneLine } from './lines.ts';

/** More than these nobody reads at 3 a.m.; the finding has them all. */
const most = 12;
const leafBytes = 120;
const pathBytes = 160;

/** What the two sides of the differences are: of what was written the one side stands no more, of an undo that is asked for it does. */
export const sidesOf = ({ state, undo }: Pick<AlertFinding, 'state' | 'undo'>): readonly [observed: string, expected: string] =>
  undo === 'asked' ? ['Now', 'after the undo'] : state === 'open' ? ['Observed', 'expected'] : ['Before', 'after'];

/** Of the plan that people are asked about, or of what was written last. */
export function differencesOf(finding: Finding): { readonly differences: readonly Difference[]; readonly cut: boolean } {
  const change = changeOf(finding);
  if (!change) return { differences: [], cut: false };
  const [observed, expected] = [leavesOf(change.before), leavesOf(change.after)];
  // Compared as they are: what is told may be the same marker on both sides.
  const paths = [...new Set([...observed.keys(), ...expected.keys()])].filter((path) => observed.get(path)?.raw !== expected.get(path)?.raw);
  const differences = paths.slice(0, most).map((path) => {
    const [before, after] = [observed.get(path), expected.get(path)];
    return {
      path: clipped((before ?? after)!.path, pathBytes),
      ...(before && { observed: clipped(before.told, leafBytes) }),
      ...(after && { expected: clipped(after.told, leafBytes) }),
    };
  });
  return { differences, cut: paths.length > most };
}

function changeOf(finding: Finding): Change | undefined {
  const { state, question, outcome, undo } = finding;
  if ((state === 'open' && question?.about === 'fix') || undo?.state === 'asked') return question?.change;
  // How it is set while an undo is under way, or has failed, is not known.
  if (undo && undo.state !== 'withdrawn') return undefined;
  return outcome?.status === 'REMEDIATED' ? standing(finding)[0]?.change : undefined;
}

/** `raw` to compare by, the others to tell. */
interface Leaf {
  readonly raw: string;
  readonly told: string;
  readonly path: string;
}

/** Scalars by their path. Redacted as a whole: a key, or the `Key` of a tag, is the label of its value. */
function leavesOf(value: unknown): Map<string, Leaf> {
  const found = new Map<string, Leaf>();
  const under = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);
  const walk = (raw: unknown, told: unknown, path: string, toldPath: string): void => {
    if (Array.isArray(raw)) for (const [index, entry] of raw.entries()) walk(entry, (told as unknown[])[index], `${path}[${index}]`, `${toldPath}[${index}]`);
    else if (typeof raw === 'object' && raw !== null) {
      const tolds = Object.entries(told as object);
      for (const [index, [key, entry]] of Object.entries(raw).entries()) walk(entry, tolds[index]![1], under(path, key), under(toldPath, tolds[index]![0]));
    } else if (raw !== undefined) found.set(path, { raw: canonical(raw), told: wordOf(raw, told), path: toldPath || 'setting' });
  };
  // One line first: what is not seen in a number must not hide it.
  const plain = inOneLine(JSON.parse(JSON.stringify(value ?? null)));
  // A setting that is not there is `null`.
  if (plain !== null) walk(plain, redactDeep(plain), '', '');
  return found;
}

/** A string that is a document itself is told by its size alone: what people write into it is theirs. */
const wordOf = (raw: unknown, told: unknown): string => {
  if (typeof raw === 'string' && /^[{[]/.test(raw)) return `a document of ${raw.length} characters`;
  return typeof told === 'string' ? told : canonical(told);
};
