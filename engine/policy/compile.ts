/**
 * Files of one chain of `extends` to one complete policy.
 *
 * Precedence: anything in a file beats anything in the file it extends; within a file an exact name beats a longer
 * pattern, which beats a shorter one. Two patterns of one length that meet in a control are refused: the order of
 * lines never matters. mode, fixAfter, when and approvers are replaced, params, guards and evidence are replaced one by one, exceptions add up.
 */
import type { AnyControl, CatalogueEntry } from '../control.ts';
import type { Mode } from '../model.ts';
import { channelFaults, compileChannel } from './channels.ts';
import { defaultApprovals, defaultBacklog, defaultEvidence } from './defaults.ts';
import { seconds, tagOf } from './forms.ts';
import { guardsOf } from './guards.ts';
import { identified } from './identity.ts';
import { glob, reachable } from './match.ts';
import type { CompiledApprovals, CompiledChannel, CompiledControl, CompiledException, CompiledPolicy } from './model.ts';
import { approversFaults, compilePerson, namesOf, peopleFaults, peopleOf, warnOfTooFew } from './people.ts';
import { type CompileOptions, judgedRules, type PolicyLayer, pathOf, type Rule, saysMode, writing } from './rules.ts';
import type { Settings } from './schema.ts';
import { explain, few, hint, wordsAt } from './words.ts';

/** Params of a control, from every rule that knows them, judged by the control and completed with its defaults. */
function paramsOf(id: string, control: AnyControl, rules: readonly Rule[], { nearest, fault }: CompileOptions): unknown {
  const known = wordsAt(control.params, []);
  const given: Record<string, unknown> = {};
  const from = new Map<PropertyKey, Rule>();
  for (const rule of rules) {
    for (const [name, value] of Object.entries(rule.settings.params ?? {}).filter(([candidate]) => known.includes(candidate))) {
      given[name] = value;
      from.set(name, rule);
    }
  }
  const parsed = control.params.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { path, at, message } of explain(control.params, given, parsed.error.issues, nearest)) {
    const [name] = path;
    const rule = name === undefined ? undefined : from.get(name);
    if (rule) {
      fault(rule.source.fault(pathOf(rule, 'params', ...path), message, at));
    } else {
      // Params that contradict each other, or one that the control requires and nobody gave.
      const strongest = rules.at(-1);
      if (!strongest) throw new Error(`${id} refuses its own defaults: ${message}`);
      fault(strongest.source.fault(pathOf(strongest, 'params'), `params of "${id}": ${message}`));
    }
  }
  return undefined;
}

const compiledException = ({ tag, ...rest }: NonNullable<Settings['exceptions']>[number]): CompiledException => ({ ...rest, ...(tag && { tag: tagOf(tag) }) });

/** A channel that takes only what nothing is called stays silent for ever. */
function unknownControls({ source, usable }: PolicyLayer, { catalogue, fault, nearest }: CompileOptions): void {
  const ids = [...catalogue.map(({ id }) => id), ...ownIds];
  for (const [name, { only }] of Object.entries(usable.channels))
    for (const [index, pattern] of (only?.controls ?? []).entries()) {
      if (ids.some((id) => glob(pattern, id))) continue;
      fault(source.fault(['channels', name, 'only', 'controls', index], `no control matches "${pattern}"${hint(pattern, ids, nearest)}`));
    }
}

/** Findings about the bot itself, see own.ts. */
const ownIds = ['bot-permissions', 'bot-brakes'];

/** Patterns reach controls that have no fix; what is meant there is the next best thing, and the author is told. */
class Lowered {
  readonly #ids = new Map<Rule, Set<string>>();

  mode(entry: CatalogueEntry, mode: Mode, rule: Rule): Mode {
    if (entry.fix || !writing(mode)) return mode;
    if (rule.pattern) this.#ids.set(rule, (this.#ids.get(rule) ?? new Set()).add(entry.id));
    return 'page';
  }

  tell(warn: CompileOptions['warn']): void {
    for (const [rule, ids] of this.#ids) {
      warn(rule.source.fault(pathOf(rule), `"${rule.name}" matches controls that have no fix; these page instead: ${few([...ids])}`, 'key'));
    }
  }
}

/**
 * @param layers the file itself first, then what it extends
 * @param complete false when a file of the chain is missing or unreadable: what the whole policy lacks cannot be told then
 */
export async function compile(layers: readonly PolicyLayer[], complete: boolean, options: CompileOptions): Promise<CompiledPolicy | undefined> {
  const { catalogue, today, fault, warn } = options;
  const [own] = layers;
  if (!own) return undefined;
  const controls = new Map(await Promise.all(catalogue.map(async (entry) => [entry.id, await entry.load()] as const)));

  const rules = layers.toReversed().flatMap((layer) => judgedRules(layer, controls, options));
  const usable = layers.map((layer) => layer.usable).toReversed();
  const people = peopleOf(usable);
  const lowered = new Lowered();
  const approversFrom = new Map<string, Rule>();
  const compileControl = (entry: CatalogueEntry, control: AnyControl): CompiledControl => {
    const about = rules.filter(({ matched }) => matched.includes(entry));
    const named = about.findLast(({ pattern }) => !pattern);
    const withMode = about.findLast(({ settings }) => settings.mode !== undefined);
    const withWhen = about.findLast(({ settings }) => settings.when !== undefined);
    const withApprovers = about.findLast(({ settings }) => settings.approvers !== undefined);
    if (withApprovers) approversFrom.set(entry.id, withApprovers);
    if (complete && named && !withMode && !about.some(saysMode)) {
      fault(named.source.fault(pathOf(named), `"${entry.id}" has no mode: neither this file nor one it extends gives it one`, 'key'));
    }
    return {
      mode: withMode?.settings.mode ? lowered.mode(entry, withMode.settings.mode, withMode) : 'off',
      params: paramsOf(entry.id, control, about, options),
      fixAfter: seconds(about.findLast(({ settings }) => settings.fixAfter !== undefined)?.settings.fixAfter ?? '0m'),
      when: withWhen?.settings.when?.map((rule) => ({ ...rule, mode: lowered.mode(entry, rule.mode, withWhen) })) ?? [],
      exceptions: about
        .flatMap(({ settings }) => settings.exceptions ?? [])
        .filter(({ expires }) => expires >= today)
        .map(compiledException),
      ...(withApprovers && { approvers: namesOf(withApprovers.settings.approvers!, people) }),
    };
  };
  const compiled = Object.fromEntries(catalogue.map((entry) => [entry.id, compileControl(entry, controls.get(entry.id) as AnyControl)]));
  lowered.tell(warn);

  const channels: Record<string, CompiledChannel> = {};
  for (const [name, channel] of usable.flatMap((file) => Object.entries(file.channels))) {
    channels[name] = compileChannel(channel, channels[name]);
  }
  const approvals: CompiledApprovals = Object.assign(
    {},
    defaultApprovals,
    ...usable.map(({ approvals: { expires, ...rest } = {} }) => ({ ...rest, ...(expires && { expires: seconds(expires) }) })),
  );
  const regions = usable.findLast((file) => file.regions)?.regions;
  for (const layer of layers) unknownControls(layer, options);

  if (complete) {
    if (!layers.some(({ source }) => 'regions' in source.value)) {
      fault(own.source.fault([], '"regions" is missing: neither this file nor one it extends says where workloads may run'));
    }
    // An event control has no fix to fall back on: what it sees may have to reach a person at once.
    const paging = catalogue.filter(({ id, kind }) => {
      const modes = [...reachable(compiled[id] as CompiledControl)];
      return modes.some((mode) => mode === 'page' || writing(mode)) || (kind === 'event' && modes.some((mode) => mode !== 'off'));
    });
    if (paging.length > 0 && !Object.values(channels).some(({ pages }) => pages)) {
      fault(own.source.fault(['channels'], `no channel has pages: true, but these controls may page: ${few(paging.map(({ id }) => id))}`));
    }
    for (const message of channelFaults(channels)) fault(own.source.fault(['channels'], message));
    for (const message of peopleFaults(people)) fault(own.source.fault(['people'], message));
    approversFaults(layers, options);
    const named = catalogue.flatMap((entry) => {
      const rule = approversFrom.get(entry.id);
      return rule ? [{ entry, rule, control: controls.get(entry.id)!, compiled: compiled[entry.id]! }] : [];
    });
    warnOfTooFew(named, approvals.secondPerson, options);
  }

  return identified({
    version: 1,
    regions: regions ?? [],
    watch: usable.findLast((file) => file.watch)?.watch ?? 'all',
    people: Object.fromEntries(Object.entries(people).map(([name, person]) => [name, compilePerson(person)])),
    approvals,
    accounts: Object.assign({}, ...usable.map((file) => file.accounts)),
    channels,
    guards: guardsOf(usable),
    backlog: usable.findLast((file) => file.backlog)?.backlog ?? defaultBacklog,
    evidence: Object.assign({}, defaultEvidence, ...usable.map((file) => file.evidence)),
    iam: Object.assign({ path: '/' }, ...usable.map((file) => file.iam)),
    controls: compiled,
  });
}
