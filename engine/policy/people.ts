/** The people of a policy, the groups they form, and who of them decides about which control. */
import { type AnyControl, type CatalogueEntry, isEventControl } from '../control.ts';
import { isAtLeast, type Severity } from '../model.ts';
import { reachable } from './match.ts';
import type { CompiledControl, CompiledPerson } from './model.ts';
import { type CompileOptions, type PolicyLayer, pathOf, type Rule, writing } from './rules.ts';
import { valueAt } from './source.ts';
import { entriesOf, type UsableFile } from './usable.ts';
import { few, hint } from './words.ts';

type Given = UsableFile['people'];

/** What a later file says of a person replaces what an earlier one says. */
export const peopleOf = (files: readonly UsableFile[]): Given => Object.fromEntries(files.flatMap((file) => Object.entries(file.people)));

export const compilePerson = ({ approver = false, groups: _, ...person }: Given[string]): CompiledPerson => ({ ...person, approver });

const groupsOf = (people: Given): string[] => [...new Set(Object.values(people).flatMap(({ groups = [] }) => groups))];

/** Names of the people whom these words mean, in the policy's order: each is a group or a person. */
export const namesOf = (words: readonly string[], people: Given): string[] =>
  Object.entries(people).flatMap(([name, { groups = [] }]) => (words.some((word) => word === name || groups.includes(word)) ? [name] : []));

/** In words for who wrote the file, which as a whole must be known. */
export function peopleFaults(people: Given): string[] {
  const named = Object.entries(people).flatMap(([name, { slack }]) => (slack === undefined ? [] : [{ name, slack }]));
  // One member of Slack under two names would be two persons where two must say yes.
  const doubles = [...Map.groupBy(named, ({ slack }) => slack)].flatMap(([slack, some]) =>
    some.length > 1 ? [`${some.map(({ name }) => name).join(' and ')} have the same member id in Slack, ${slack}: each person has one of their own`] : [],
  );
  const both = groupsOf(people).filter((group) => Object.hasOwn(people, group));
  return [...doubles, ...both.map((name) => `"${name}" is a person and a group: approvers that name it could mean either`)];
}

/** Names and groups as the files say them, also of people with other faults, which are told by themselves. */
const saidIn = (layers: readonly PolicyLayer[]): string[] =>
  layers.flatMap(({ source }) =>
    entriesOf(valueAt(source.value, ['people'])).flatMap(([name, person]) => {
      const groups = valueAt(person, ['groups']);
      return [name, ...(Array.isArray(groups) ? groups.map(String) : [])];
    }),
  );

/** A word that means nobody would leave a control to nobody. */
export function approversFaults(layers: readonly PolicyLayer[], { fault, nearest }: CompileOptions): void {
  const known = saidIn(layers);
  for (const { source, usable } of layers)
    for (const [control, { approvers = [] }] of Object.entries(usable.controls))
      for (const [index, word] of approvers.entries())
        if (!known.includes(word))
          fault(source.fault(['controls', control, 'approvers', index], `no person and no group is named "${word}"${hint(word, known, nearest)}`));
}

interface Named {
  readonly entry: CatalogueEntry;
  readonly control: AnyControl;
  readonly compiled: CompiledControl;
  /** Which names its approvers. */
  readonly rule: Rule;
}

/** Where two must say yes and only one may, nothing is ever approved: said before it is deployed. */
export function warnOfTooFew(named: readonly Named[], secondPerson: Severity | undefined, { warn }: Pick<CompileOptions, 'warn'>): void {
  const short = named.flatMap(({ entry, control, compiled, rule }) => {
    const [only, ...more] = compiled.approvers!;
    const modes = [...reachable(compiled)];
    if (!only || more.length > 0 || !modes.some(writing)) return [];
    const fix = modes.includes('approve') && secondPerson !== undefined && isAtLeast(entry.severity, secondPerson);
    const undo = !isEventControl(control) && control.endsPublicExposure;
    return fix || undo ? [{ rule, only, what: fix ? 'a fix' : 'the undo of a fix', id: entry.id }] : [];
  });
  for (const some of Map.groupBy(short, ({ rule, what }) => `${rule.source.file}:${rule.name}:${what}`).values()) {
    const { rule, what, only } = some[0]!;
    const ids = few(some.map(({ id }) => id));
    warn(rule.source.fault(pathOf(rule, 'approvers'), `two persons must approve ${what} of ${ids}, but only ${only} may: none will come about`));
  }
}
