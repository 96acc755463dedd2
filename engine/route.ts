/** From a trigger to work items. Pure: takes resource names and the actor from the event, and nothing else. */
import { arnFrom, matchArn, partitionOf } from './arn.ts';
import type { AnyControl, Catalogue, CatalogueEntry, EventControl } from './control.ts';
import { isEventControl } from './control.ts';
import type { CloudTrailDetail, Place, ResourceRef, Trigger } from './model.ts';
import { matchesPattern } from './pattern.ts';
import type { CompiledPolicy } from './policy/model.ts';

export interface WorkItem {
  readonly trigger: Trigger;
  readonly control: AnyControl;
  readonly resource: ResourceRef;
  /** Event controls only. */
  readonly fold?: string;
}

/** The event does not tell which resource it was about: the control looks at all of its type there. */
export interface SweepItem {
  readonly trigger: Trigger;
  readonly control: AnyControl;
  readonly place: Place;
}

export interface Routed {
  readonly items: readonly WorkItem[];
  readonly sweeps: readonly SweepItem[];
}

export const unnamed = Symbol('the event does not name its resource');

/** Where a partition keeps its global services. */
const globalRegions: Readonly<Record<string, string>> = {
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-iso': 'us-iso-east-1',
  'aws-iso-b': 'us-isob-east-1',
};
export const globalRegionOf = (region: string): string => globalRegions[partitionOf(region)] ?? 'us-east-1';

/** A lookup by what an event shows, built once per process: an event loads only the controls it can concern. */
export interface Router {
  readonly catalogue: Catalogue;
  select(trigger: Trigger): readonly CatalogueEntry[];
}

type CloudTrailEvent = Extract<Trigger, { source: 'cloudtrail' }>;

/** What an event control's trigger says, in the control and in the index alike. */
interface Declared {
  readonly kinds?: readonly string[];
  readonly eventSource: string;
  readonly eventNames: readonly string[];
  readonly outcome?: string;
  readonly pattern?: Readonly<Record<string, unknown>>;
}

const takes = ({ kinds = ['api'], eventSource, eventNames, outcome = 'succeeded', pattern }: Declared, trigger: CloudTrailEvent): boolean =>
  kinds.includes(trigger.kind) &&
  (eventSource === '*' || eventSource === trigger.eventSource) &&
  eventNames.some((name) => nameMatches(name, trigger.eventName)) &&
  (outcome === 'any' || outcome === trigger.outcome) &&
  // A replayed log was filtered by no rule.
  (!pattern || matchesPattern(pattern, trigger.detail));

const nameMatches = (pattern: string, name: string) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

export function routerOf(catalogue: Catalogue): Router {
  const byName = new Map<string, CatalogueEntry[]>();
  const byType = new Map<string, CatalogueEntry[]>();
  const byId = new Map(catalogue.map((entry) => [entry.id, entry]));
  const wide: CatalogueEntry[] = [];
  const add = (map: Map<string, CatalogueEntry[]>, key: string, entry: CatalogueEntry) => {
    const entries = map.get(key) ?? [];
    if (!entries.includes(entry)) map.set(key, [...entries, entry]);
  };
  for (const entry of catalogue) {
    for (const trigger of entry.triggers) {
      if (trigger.source === 'config') add(byType, trigger.resourceType, entry);
      else if (trigger.eventSource === '*' || trigger.eventNames.some((name) => name.endsWith('*'))) {
        if (!wide.includes(entry)) wide.push(entry);
      } else for (const name of trigger.eventNames) add(byName, `${trigger.eventSource}:${name}`, entry);
    }
  }
  return {
    catalogue,
    select(trigger) {
      switch (trigger.source) {
        case 'cloudtrail':
          return [
            ...(byName.get(`${trigger.eventSource}:${trigger.eventName}`) ?? []),
            ...wide.filter(({ triggers }) => triggers.some((declared) => declared.source === 'cloudtrail' && takes(declared, trigger))),
          ];
        case 'config':
          return byType.get(trigger.resourceType) ?? [];
        case 'config-rule':
          // Conformance packs add a suffix to the managed rule's name.
          return catalogue.filter(({ related }) => related.configRule?.some((rule) => trigger.rule === rule || trigger.rule.startsWith(`${rule}-`)));
        case 'securityhub':
          return catalogue.filter(({ related }) => [...(related.securityHub ?? []), ...(related.prowler ?? [])].some((id) => trigger.controlIds.includes(id)));
        case 'sweep':
        case 'operator':
          return byId.has(trigger.control) ? [byId.get(trigger.control)!] : [];
        case 'tick':
          return [];
      }
    },
  };
}

/** Work for the controls that the router selected and the policy does not leave out of sight. */
export function route(trigger: Trigger, controls: readonly AnyControl[], policy: Pick<CompiledPolicy, 'watch'>): Routed {
  const items: WorkItem[] = [];
  const sweeps: SweepItem[] = [];
  for (const control of controls) {
    // Global services are logged in one region, whichever the workloads are in.
    if (policy.watch !== 'all' && control.scope === 'regional' && !policy.watch.includes(trigger.region)) continue;
    const found = isEventControl(control) ? forEventControl(control, trigger) : forControl(control, trigger);
    if (found === unnamed) sweeps.push({ trigger, control, place: placeOf(control, trigger) });
    else items.push(...found.map((part) => ({ trigger, control, ...part })));
  }
  return { items, sweeps };
}

const placeOf = ({ scope }: Pick<AnyControl, 'scope'>, { accountId, region }: Place): Place => ({
  accountId,
  region: scope === 'global' ? globalRegionOf(region) : region,
});

function forControl(control: AnyControl, trigger: Trigger): readonly { resource: ResourceRef }[] | typeof unnamed {
  const named = (id: string | undefined) => {
    const resource = id === undefined ? undefined : resourceAt(control, placeOf(control, trigger), id);
    return resource ? (resource.accountId === trigger.accountId ? [{ resource }] : []) : unnamed;
  };
  switch (trigger.source) {
    case 'cloudtrail': {
      if (trigger.outcome === 'failed') return [];
      const resources = resourcesOf(control, trigger.detail);
      return resources === unnamed ? unnamed : resources.map((resource) => ({ resource }));
    }
    case 'config':
      return named(trigger.arn ?? configName(trigger));
    case 'config-rule':
      return named(trigger.resourceType === control.resourceType ? configName(trigger) : undefined);
    case 'securityhub':
      return named(trigger.resourceId.startsWith('arn:') ? trigger.resourceId : undefined);
    case 'sweep':
      return unnamed;
    case 'operator':
      return named(trigger.resourceId);
    case 'tick':
      return [];
  }
}

/**
 * Config's resourceId is what the ARN ends in for some services only; for others it is an internal id (`db-ABC…`), and an ARN made
 * of it would read as a resource that is gone. https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html
 */
const configName = ({ resourceType, resourceId }: { readonly resourceType: string; readonly resourceId: string }): string | undefined =>
  resourceId.startsWith('arn:') || /^AWS::(EC2|KMS|S3)::/.test(resourceType) ? resourceId : undefined;

function forEventControl(control: EventControl, trigger: Trigger): readonly { resource: ResourceRef; fold: string }[] {
  if (trigger.source !== 'cloudtrail') return [];
  const wanted = control.triggers.find((declared) => takes(declared, trigger));
  if (!wanted) return [];
  const resources = named(control, trigger.detail, wanted.resourceIds);
  const account = { resource: accountOf(trigger) };
  // An event is judged even when its resource cannot be read: then it belongs to the account.
  const found = resources === unnamed || resources.length === 0 ? [account] : resources.map((resource) => ({ resource }));
  return found.map((part) => ({ ...part, fold: control.fold(trigger.detail) }));
}

const accountOf = ({ accountId, region }: Place): ResourceRef => ({
  accountId,
  region: globalRegionOf(region),
  type: 'AWS::::Account',
  id: arnFrom('arn:{partition}:iam::{account}:root', { accountId, region }, ''),
});

/** The resources that a CloudTrail event names for a control, or `unnamed`. */
export function resourcesOf(control: AnyControl, detail: CloudTrailDetail): ResourceRef[] | typeof unnamed {
  const triggers = control.triggers as readonly {
    source: string;
    eventSource?: string;
    eventNames?: readonly string[];
    resourceIds?: (detail: CloudTrailDetail) => Iterable<string | undefined>;
    region?: (detail: CloudTrailDetail) => string | undefined;
    concerns?: (detail: CloudTrailDetail) => boolean;
  }[];
  const trigger = triggers.find(({ eventSource, eventNames }) => eventSource === detail.eventSource && eventNames?.includes(detail.eventName));
  if (!trigger?.resourceIds || tolerant(() => trigger.concerns?.(detail)) === false) return [];
  return named(control, detail, trigger.resourceIds, trigger.region);
}

function named(
  control: AnyControl,
  detail: CloudTrailDetail,
  resourceIds: (detail: CloudTrailDetail) => Iterable<string | undefined>,
  region?: (detail: CloudTrailDetail) => string | undefined,
): ResourceRef[] | typeof unnamed {
  const accountId = detail.recipientAccountId ?? '';
  const ids = tolerant(() => [...resourceIds(detail)].filter((id) => typeof id === 'string'));
  const place = placeOf(control, { accountId, region: tolerant(() => region?.(detail)) ?? detail.awsRegion });
  const resources = (ids ?? []).map((id) => resourceAt(control, place, id)).filter((resource) => resource !== undefined);
  if (resources.length === 0) return unnamed;
  const unique = new Map(resources.filter((resource) => resource.accountId === accountId).map((resource) => [resource.id, resource]));
  return [...unique.values()];
}

/** An event is written by whoever made the call: what a control cannot read in it is "not named", never a crash. */
function tolerant<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The resource with this ARN or name; undefined when the ARN has another form than the control's resources. */
function resourceAt({ arn, resourceType, scope }: AnyControl, place: Place, idOrArn: string): ResourceRef | undefined {
  if (idOrArn === '' && arn.includes('{id}')) return undefined;
  const id = idOrArn.startsWith('arn:') ? idOrArn : arnFrom(arn, place, idOrArn);
  const match = matchArn(arn, id);
  if (!match) return undefined;
  return { accountId: match.account ?? place.accountId, region: scope === 'global' ? place.region : (match.region ?? place.region), type: resourceType, id };
}
