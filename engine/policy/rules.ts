/** What each key under `controls` names and may say, judged by itself. */
import type { AnyControl, Catalogue, CatalogueEntry } from '../control.ts';
import type { PolicyFault } from '../errors.ts';
import type { Mode } from '../model.ts';
import { glob } from './match.ts';
import type { Settings } from './schema.ts';
import { type Path, type Source, valueAt } from './source.ts';
import type { UsableFile } from './usable.ts';
import { hint, type Nearest, wordsAt } from './words.ts';

export interface PolicyLayer {
  readonly source: Source;
  /** What of the file has the right form. */
  readonly usable: UsableFile;
}

export interface CompileOptions {
  readonly catalogue: Catalogue;
  /** `YYYY-MM-DD`, UTC. */
  readonly today: string;
  readonly nearest: Nearest;
  readonly fault: (fault: PolicyFault) => void;
  readonly warn: (warning: PolicyFault) => void;
}

/** One key under `controls` of one file. */
export interface Rule {
  readonly source: Source;
  readonly name: string;
  readonly pattern: boolean;
  readonly settings: Settings;
  readonly matched: readonly CatalogueEntry[];
}

export const pathOf = (rule: Rule, ...rest: Path): Path => ['controls', rule.name, ...rest];
/** Whether the rule says a mode, right or wrong; one that is a single word says nothing else. */
export const saysMode = (rule: Rule): boolean => {
  const said = valueAt(rule.source.value, pathOf(rule));
  return typeof said !== 'object' || said === null || 'mode' in said;
};

export const writing = (mode: Mode | undefined): mode is 'fix' | 'approve' => mode === 'fix' || mode === 'approve';

function rulesOf({ source, usable }: PolicyLayer, { catalogue, nearest, fault }: CompileOptions): Rule[] {
  const ids = catalogue.map(({ id }) => id);
  const rules: Rule[] = [];
  for (const [name, settings] of Object.entries(usable.controls)) {
    const pattern = name.includes('*');
    const matched = catalogue.filter(({ id }) => (pattern ? !name.includes('?') && glob(name, id) : id === name));
    if (matched.length === 0) {
      fault(source.fault(['controls', name], pattern ? `no control matches "${name}"` : `unknown control "${name}"${hint(name, ids, nearest)}`, 'key'));
    } else {
      rules.push({ source, name, pattern, settings, matched });
    }
  }
  const patterns = rules.filter(({ pattern }) => pattern);
  for (const [index, rule] of patterns.entries()) {
    for (const other of patterns.slice(0, index).filter(({ name }) => name.length === rule.name.length)) {
      const both = rule.matched.find((entry) => other.matched.includes(entry));
      if (both) {
        const message = `"${other.name}" and "${rule.name}" are equally long and both match "${both.id}": neither beats the other; make one longer`;
        fault(source.fault(pathOf(rule), message, 'key'));
      }
    }
  }
  // Weakest first.
  return rules.toSorted((a, b) => Number(b.pattern) - Number(a.pattern) || a.name.length - b.name.length);
}

function judgeExceptions(rule: Rule, { today, warn }: CompileOptions): void {
  for (const [index, { expires }] of (rule.settings.exceptions ?? []).entries()) {
    if (expires < today) warn(rule.source.fault(pathOf(rule, 'exceptions', index, 'expires'), `this exception ended on ${expires} and no longer holds`));
  }
}

function judgeParamNames(rule: Rule, controls: ReadonlyMap<string, AnyControl>, { nearest, fault }: CompileOptions): void {
  const known = rule.matched.flatMap(({ id }) => wordsAt(controls.get(id)?.params, []));
  for (const name of Object.keys(rule.settings.params ?? {}).filter((candidate) => !known.includes(candidate))) {
    const who = rule.pattern ? `no control that "${rule.name}" matches has a param "${name}"` : `"${rule.name}" has no param "${name}"`;
    fault(rule.source.fault(pathOf(rule, 'params', name), `${who}${hint(name, known, nearest)}`, 'key'));
  }
}

function judgeFixes(rule: Rule, { fault }: CompileOptions): void {
  if (rule.pattern || rule.matched.every(({ fix }) => fix)) return;
  const refuse = (path: Path, mode: Mode) =>
    fault(rule.source.fault(path, `"${rule.name}" has no fix, so its mode cannot be ${mode}; use page, notify or off`));
  if (writing(rule.settings.mode)) refuse(pathOf(rule, 'mode'), rule.settings.mode);
  for (const [index, { mode }] of (rule.settings.when ?? []).entries()) if (writing(mode)) refuse(pathOf(rule, 'when', index, 'mode'), mode);
}

/** The rules of a file, weakest first. What they say about names, ends of exceptions, params and fixes is judged. */
export function judgedRules(layer: PolicyLayer, controls: ReadonlyMap<string, AnyControl>, options: CompileOptions): Rule[] {
  const rules = rulesOf(layer, options);
  for (const rule of rules) {
    judgeExceptions(rule, options);
    judgeParamNames(rule, controls, options);
    judgeFixes(rule, options);
  }
  return rules;
}
