/** The finding that a preview begins with: a control's own words where an example state is at hand, else true ones in general. Pure. */
import { arnFrom } from '../../engine/arn.ts';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import { findingId } from '../../engine/finding.ts';
import { type Actor, type Change, change, type Evaluation, type Finding, nonCompliant } from '../../engine/model.ts';
import { glob } from '../../engine/policy/match.ts';
import { examples, resourceNames } from './examples.ts';

/** An account and addresses that documentation may use. https://datatracker.ietf.org/doc/html/rfc5737 */
export const place = { accountId: '111122223333', region: 'us-east-1' } as const;
const opened = '2026-11-01T03:00:00.000Z';
/** So many seconds after the drift. */
export const after = (seconds: number): string => new Date(Date.parse(opened) + seconds * 1_000).toISOString();

const alex: Actor = {
  arn: `arn:aws:sts::${place.accountId}:assumed-role/Developer/alex`,
  type: 'AssumedRole',
  sourceIp: '203.0.113.25',
  userAgent: 'aws-cli/2.31.0',
};
const root: Actor = { ...alex, arn: `arn:aws:iam::${place.accountId}:root`, type: 'Root', userAgent: 'Mozilla/5.0' };

const owner: Finding['owner'] = {
  stack: { name: 'portal', id: `arn:aws:cloudformation:us-east-1:${place.accountId}:stack/portal/5d1f0a3c-8b1e-4c65-9d27-0e6b7f3a2c41` },
};

export interface SampleOf {
  readonly finding: Finding;
  /** Undefined: the control has no fix. */
  readonly change?: Change;
}

export function sampleFinding(control: AnyControl): SampleOf {
  const { id, severity, resourceType, arn } = control;
  const example = examples[id] ?? {};
  const resource = { ...place, type: resourceType, id: arnFrom(arn, place, resourceNames[resourceType] ?? 'sample') };
  const fold = isEventControl(control) ? { fold: 'sample' } : {};
  const eventName = example.eventName ?? callOf(control);
  const actor = example.byRoot ? root : alex;
  const trigger = { eventId: '8a4c1f0e-52b7-4d0e-9f3b-7f6a2f4d9c10', source: 'cloudtrail', time: opened, eventName, actor } as const;
  const { evaluation, plan } = judged(control, eventName);
  const finding: Finding = {
    id: findingId({ control: id, resource, ...fold }, 1),
    control: id,
    resource,
    ...fold,
    episode: 1,
    version: 1,
    state: 'open',
    severity,
    openedAt: after(4),
    openedBy: trigger,
    lastTrigger: trigger,
    lastSeenAt: after(4),
    actor,
    ...(plan && arn.includes('{id}') && { owner }),
    seen: 1,
    drives: 0,
    evaluation,
    wrong: evaluation.annotation,
    ...(evaluation.since && { shownAt: evaluation.since }),
    decision: { action: 'notify', reason: '' },
    ...(plan && { proposal: plan.summary }),
    changes: [],
    chain: '',
  };
  return { finding, ...(plan && { change: plan }) };
}

function judged(control: AnyControl, eventName: string): { readonly evaluation: Evaluation; readonly plan?: Change } {
  if (isEventControl(control)) return { evaluation: nonCompliant(`${eventName} was called: "${control.title}" does not hold.`) };
  const { state } = examples[control.id] ?? {};
  if (state !== undefined) {
    const params = control.params.parse({});
    const evaluation = control.evaluate(state, params, new Date(after(4)));
    const plan = control.plan?.(state, params);
    return { evaluation, ...(plan?.kind === 'change' && { plan }) };
  }
  const evaluation = nonCompliant(`"${control.title}" does not hold.`);
  const [action] = control.permissions.remediate.filter((one) => !/:(Get|List|Describe)/.test(one));
  if (!control.remediate || !action) return { evaluation };
  const settings = (value: string) => Object.fromEntries(control.writes.map((setting) => [setting, value]));
  const summary = `Set ${control.writes.join(' and ')} as the control wants it`;
  return { evaluation, plan: change({ action, summary, before: settings('as it was found'), after: settings('as the control wants it') }) };
}

/** A call of the control's own triggers that breaks it, as far as they tell. */
function callOf(control: AnyControl): string {
  const triggers = control.triggers.filter((trigger) => trigger.source === 'cloudtrail');
  const [breaks] = triggers.flatMap((trigger) => ('breaks' in trigger ? (trigger.breaks ?? []) : []));
  const names = triggers.flatMap(({ eventNames }) => eventNames);
  return breaks ?? names.find((name) => !/^(Delete|Deregister|Remove|Revoke|Enable|Start|Cancel)|\*/.test(name)) ?? names[0] ?? 'none';
}

/** Whether a call is one that the control listens to. */
export const isTrigger = (control: AnyControl, eventName: string): boolean =>
  control.triggers.some((trigger) => trigger.source === 'cloudtrail' && trigger.eventNames.some((name) => glob(name, eventName)));
