/** Alerts as the bot would word them, for everything that can become of a finding of a control: for previews, and for the laws of every channel. */
import type { Alert } from '../../engine/alerts/alert.ts';
import { backlogAlertOf } from '../../engine/alerts/backlog.ts';
import { alertOf } from '../../engine/alerts/finding.ts';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import { deniedWords } from '../../engine/denied.ts';
import { DeniedError } from '../../engine/errors.ts';
import { type Finding, insufficientData, type Mode } from '../../engine/model.ts';
import { botPermissions } from '../../engine/own.ts';
import { always, ofFixes, ofStates, ofTransients, ofUndos } from './outcomes.ts';
import { after, place, type SampleOf, sampleFinding } from './sample-finding.ts';

export interface Sample {
  /** A name that people can type, e.g. `fix-failed`. */
  readonly outcome: string;
  readonly alert: Alert;
}

/** What a test may change in the finding before it is told: names are written by others. */
export type Twist = (finding: Finding) => Finding;

/** Every outcome that the control can have, in the order of a finding's life. */
export function samplesOf(control: AnyControl, twist: Twist = (finding) => finding): readonly Sample[] {
  const base = sampleFinding(control);
  const { finding, change } = base;
  const findings: readonly (readonly [string, Finding])[] = [
    ...become(always, base),
    ...(isEventControl(control) ? [] : become(ofStates, base)),
    ...(!isEventControl(control) && control.reportTransient ? become(ofTransients, base) : []),
    ...(change ? become(ofFixes, { finding, change }) : []),
    ...(change && !isEventControl(control) && control.undo ? become(ofUndos, { finding, change }) : []),
  ];
  const told = findings.map(([outcome, one]) => ({ outcome, alert: alertOf(twist(one), control) }));
  return isEventControl(control) ? told : [...told, cannotSee(control, base, twist), backlog(control, base, twist)];
}

const become = <From extends SampleOf>(table: Readonly<Record<string, (from: From) => Partial<Finding>>>, from: From): (readonly [string, Finding])[] =>
  Object.entries(table).map(([outcome, changes]) => [outcome, { ...from.finding, version: 2, ...changes(from) }]);

/** A role that is denied an action is one finding about the bot, whichever control noticed. */
function cannotSee(control: AnyControl, { finding }: SampleOf, twist: Twist): Sample {
  const action = ('permissions' in control && control.permissions.inspect[0]) || 'tag:GetResources';
  const words = deniedWords(new DeniedError(action, { cause: new Error('no identity-based policy allows it') }));
  const { accountId, region } = place;
  const { owner: _, actor: __, proposal: ___, ...rest } = finding;
  const own: Finding = {
    ...rest,
    control: botPermissions.id,
    severity: botPermissions.severity,
    fold: action,
    resource: { accountId, region, type: 'AWS::IAM::Role', id: `arn:aws:iam::${accountId}:role/phidelity-detect` },
    openedBy: { eventId: 'own', source: 'tick', time: after(4) },
    evaluation: insufficientData(`${words} ${control.id} could not be judged on ${finding.resource.id} and maybe on others.`),
    decision: { action: 'page', reason: `The bot cannot see: ${words}` },
  };
  return { outcome: 'cannot-see', alert: alertOf(twist({ ...own, wrong: own.evaluation.annotation }), botPermissions) };
}

function backlog(control: AnyControl, { finding }: SampleOf, twist: Twist): Sample {
  // Ids that AWS makes end in hex digits; of the account there is one.
  const count = control.arn.includes('{id}') ? 12 : 1;
  const numbered = (id: string, at: number) => (/[0-9a-f]{12}$/.test(id) ? `${id.slice(0, -1)}${at.toString(16)}` : at === 0 ? id : `${id}-${at + 1}`);
  const found = Array.from({ length: count }, (_, at) => twist({ ...finding, resource: { ...finding.resource, id: numbered(finding.resource.id, at) } }));
  return { outcome: 'backlog', alert: backlogAlertOf(control, { ...place, began: after(0) }, found) };
}

/** What a drift of the control would be told as, under this mode; undefined: not at all. */
export function outcomeUnder(mode: Mode, { fixAfter }: { readonly fixAfter?: number }, samples: readonly Sample[]): string | undefined {
  const has = (outcome: string) => samples.some((sample) => sample.outcome === outcome);
  if (mode === 'off') return undefined;
  if (mode === 'notify') return 'drift';
  const wanted = mode === 'approve' ? 'approval-asked' : mode === 'fix' ? (fixAfter ? 'fix-planned' : 'fixed') : 'page';
  return has(wanted) ? wanted : 'page';
}
