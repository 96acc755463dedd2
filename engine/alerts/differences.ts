/** What was observed against what is expected, leaf by leaf: small enough for a message, never a document's text. Pure. */
import { canonical } from '../canonical.ts';
import type { Change, Finding } from '../model.ts';
import { redact } from '../redact.ts';
import { standing } from '../writes.ts';
import type { AlertFinding, Difference } from './alert.ts';
import { clipped, oneLine } from './lines.ts';

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
  const [observed, expected] = [settingOf(change.before), settingOf(change.after)];
  const paths = [...new Set([...observed.keys(), ...expected.keys()])].filter((path) => observed.get(path) !== expected.get(path));
  const differences = paths.slice(0, most).map((path) => ({
    path: shown(path, pathBytes),
    ...(observed.has(path) && { observed: shown(observed.get(path)!, leafBytes) }),
    ...(expected.has(path) && { expected: shown(expected.get(path)!, leafBytes) }),
  }));
  return { differences, cut: paths.length > most };
}

function changeOf(finding: Finding): Change | undefined {
  const { state, question, outcome, undo } = finding;
  if ((state === 'open' && question?.about === 'fix') || undo?.state === 'asked') return question?.change;
  // How it is set while an undo is under way, or has failed, is not known.
  if (undo && undo.state !== 'withdrawn') return undefined;
  return outcome?.status === 'REMEDIATED' ? standing(finding)[0]?.change : undefined;
}

const shown = (text: string, bytes: number): string => clipped(redact(oneLine(text)), bytes);

/** A setting that is not there is `null`. */
const settingOf = (setting: unknown): Map<string, string> => leavesOf(setting === null ? undefined : setting);

/** Scalars by path. A string that is a document itself is told by its size alone: what people write into it is theirs. */
function leavesOf(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) for (const [index, entry] of value.entries()) leavesOf(entry, `${path}[${index}]`, found);
  else if (typeof value === 'object' && value !== null)
    for (const [key, entry] of Object.entries(value)) leavesOf(entry, path === '' ? key : `${path}.${key}`, found);
  else if (value !== undefined) found.set(path || 'setting', typeof value === 'string' ? wordOf(value) : canonical(value));
  return found;
}

const wordOf = (text: string): string => (/^\s*[{[]/.test(text) ? `a document of ${text.length} characters` : text);
