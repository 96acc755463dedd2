/** EventBridge rules: which events reach the intake queue under a policy. Pure. */
import type { Catalogue, CatalogueEntry } from '../engine/control.ts';
import { findingIdField } from '../engine/hub-marks.ts';
import { routed } from '../engine/policy/match.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Pattern extends Json {
  readonly source: readonly unknown[];
  readonly 'detail-type': readonly string[];
  readonly detail: Json;
}

export interface Rule {
  /** Unique in the stack; stays the same as long as the rule means the same. */
  readonly name: string;
  readonly pattern: Pattern;
}

/** EventBridge takes patterns of 2,048 characters; a forwarder adds its account and region. */
export const longestPattern = 2_048 - 64;

const detailTypes: Readonly<Record<string, string>> = {
  api: 'AWS API Call via CloudTrail',
  signin: 'AWS Console Sign In via CloudTrail',
  service: 'AWS Service Event via CloudTrail',
};

export function rulesOf(policy: CompiledPolicy, catalogue: Catalogue): Rule[] {
  const wanted = new Set(routed(policy));
  const entries = catalogue.filter(({ id }) => wanted.has(id));
  return [...cloudTrailRules(entries), ...configRules(entries), ...securityHubRules(entries)];
}

/** Events that differ only in their name, hence share a rule. */
interface Family {
  readonly name: string;
  readonly eventSource: string;
  readonly kind: string;
  readonly outcome: string;
  readonly extra: Json;
  readonly eventNames: Set<string>;
}

function cloudTrailRules(entries: readonly CatalogueEntry[]): Rule[] {
  const families = new Map<string, Family>();
  for (const { id, triggers } of entries) {
    for (const trigger of triggers) {
      if (trigger.source !== 'cloudtrail') continue;
      const { eventSource, eventNames, kinds = ['api'], outcome = 'succeeded', pattern: extra = {} } = trigger;
      for (const kind of kinds) {
        const key = JSON.stringify([eventSource, kind, outcome, extra]);
        const service = eventSource === '*' ? 'every-service' : eventSource.replace(/\.amazonaws\.com$/, '').replaceAll('.', '-');
        const name = [Object.keys(extra).length > 0 ? id : service, kind, ...(outcome === 'succeeded' ? [] : [outcome])].join('-');
        const family = families.get(key) ?? { name, eventSource, kind, outcome, extra, eventNames: new Set<string>() };
        families.set(key, family);
        for (const eventName of eventNames) family.eventNames.add(eventName);
      }
    }
  }
  return numbered(
    [...families.values()].flatMap(({ name, ...family }) => split(name, [...family.eventNames].sort(), (names) => cloudTrailPattern(family, names))),
  );
}

const outcomes: Readonly<Record<string, Json>> = {
  succeeded: { errorCode: [{ exists: false }] },
  failed: { errorCode: [{ exists: true }] },
  any: {},
};

const cloudTrailPattern = ({ eventSource, kind, outcome, extra }: Omit<Family, 'name' | 'eventNames'>, names: readonly string[]): Pattern => ({
  source: eventSource === '*' ? [{ prefix: 'aws.' }] : [`aws.${eventSource.replace(/\.amazonaws\.com$/, '')}`],
  'detail-type': [detailTypes[kind] as string],
  detail: {
    eventSource: eventSource === '*' ? [{ exists: true }] : [eventSource],
    eventName: names.includes('*') ? [{ exists: true }] : names.map((name) => (name.endsWith('*') ? { prefix: name.slice(0, -1) } : name)),
    ...outcomes[outcome],
    ...extra,
  },
});

/** https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html */
function configRules(entries: readonly CatalogueEntry[]): Rule[] {
  const types = sorted(entries.flatMap(({ triggers }) => triggers.flatMap((trigger) => (trigger.source === 'config' ? [trigger.resourceType] : []))));
  const names = sorted(entries.flatMap(({ related }) => related.configRule ?? []));
  const config = (type: string, detail: Json): Pattern => ({ source: ['aws.config'], 'detail-type': [type], detail });
  const change = 'Config Configuration Item Change';
  return [
    ...split('config-item', types, (resourceType) => config(change, { configurationItem: { resourceType } })),
    // An item too large for an event comes as a summary.
    ...split('config-large-item', types, (resourceType) => config(change, { configurationItemSummary: { resourceType } })),
    // A prefix: conformance packs add a suffix to the name of the rule.
    ...split('config-rule', names, (rules) =>
      config('Config Rules Compliance Change', {
        messageType: ['ComplianceChangeNotification'],
        configRuleName: rules.map((prefix) => ({ prefix })),
        newEvaluationResult: { complianceType: ['NON_COMPLIANT', 'COMPLIANT'] },
      }),
    ),
  ];
}

/** https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html */
function securityHubRules(entries: readonly CatalogueEntry[]): Rule[] {
  const ids = sorted(entries.flatMap(({ related }) => related.securityHub ?? []));
  const checks = sorted(entries.flatMap(({ related }) => related.prowler ?? []));
  const imported = { RecordState: ['ACTIVE'], ProductFields: { [findingIdField]: [{ exists: false }] } };
  const failed = { Status: ['FAILED', 'WARNING'] };
  const hub = (type: string, findings: Json): Pattern => ({
    source: ['aws.securityhub'],
    'detail-type': [`Security Hub Findings - ${type}`],
    detail: { findings },
  });
  return [
    ...split('hub-imported', ids, (SecurityControlId) => hub('Imported', { ...imported, Compliance: { ...failed, SecurityControlId } })),
    ...split('hub-imported-prowler', checks, (part) => hub('Imported', { ...imported, Compliance: failed, GeneratorId: generators(part) })),
    // A person picked these findings, whatever their status.
    ...split('hub-action', ids, (SecurityControlId) => hub('Custom Action', { Compliance: { SecurityControlId } })),
    ...split('hub-action-prowler', checks, (part) => hub('Custom Action', { GeneratorId: generators(part) })),
  ];
}

const generators = (checks: readonly string[]) => checks.map((check) => `prowler-${check}`);

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();

/** As few rules as the length allows. Only the list of names is split: a rule with half a negation would match everything. */
function split(name: string, names: readonly string[], patternOf: (names: readonly string[]) => Pattern): Rule[] {
  const parts: string[][] = [];
  for (const one of names) {
    const last = parts.at(-1);
    if (last && JSON.stringify(patternOf([...last, one])).length <= longestPattern) last.push(one);
    else parts.push([one]);
  }
  return parts.map((part, index) => {
    const pattern = patternOf(part);
    if (JSON.stringify(pattern).length > longestPattern) throw new Error(`the pattern of rule ${name} is too long for EventBridge even with one name`);
    return { name: index === 0 ? name : `${name}-${index + 1}`, pattern };
  });
}

/** Two families may want one name (a service with two extra patterns of one control): the later ones get a number. */
const numbered = (rules: readonly Rule[]): Rule[] => {
  const taken = new Set<string>();
  return rules.map((rule) => {
    let name = rule.name;
    for (let number = 2; taken.has(name); number += 1) name = `${rule.name}-${number}`;
    taken.add(name);
    return { ...rule, name };
  });
};
