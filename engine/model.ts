/**
 * The nouns of phidelity. Everything here is plain data: it can be stored, compared, printed.
 * Terms follow AWS Config and Security Hub.
 */

/** Security Hub severity labels. */
export type Severity = 'INFORMATIONAL' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export const severities: readonly Severity[] = ['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

/** What the policy lets the bot do about one control. */
export type Mode = 'off' | 'notify' | 'page' | 'approve' | 'fix';
export const modes: readonly Mode[] = ['off', 'notify', 'page', 'approve', 'fix'];

/** An IAM action, `service:Action`, as the Service Authorization Reference spells it. */
export type IamAction = `${string}:${string}`;

export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** One resource. `type` is the AWS Config type, `id` the ARN wherever AWS has one. */
export interface ResourceRef extends Place {
  readonly type: string;
  readonly id: string;
}

/** Who made a change, as CloudTrail's userIdentity tells it. */
export interface Actor {
  /** `arn` of the principal; for a role session the sts assumed-role ARN. */
  readonly arn: string;
  readonly type: string;
  readonly accountId?: string;
  /** ARN of the role behind a session. */
  readonly issuerArn?: string;
  readonly sourceIp?: string;
  readonly userAgent?: string;
  /** An AWS service that acted on the principal's behalf. */
  readonly invokedBy?: string;
}

/** The `detail` of a CloudTrail event on EventBridge; everything but the names may be missing or misshapen. */
export interface CloudTrailDetail {
  readonly eventSource: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly recipientAccountId?: string;
  readonly [field: string]: unknown;
}

/** One stretch of a sweep: a control in the place of its trigger, from a page on. */
export interface SweepOf {
  readonly control: string;
  /** When the sweep began, ISO 8601; the same for all of its pages. */
  readonly began: string;
  /** Page token of `list`; undefined = from the beginning. */
  readonly from?: string;
  /** Nothing of this control has been swept there before: what is found was there before the bot. */
  readonly first?: true;
  /** ARN of the one resource that is left of a page: it could not be judged with the others. */
  readonly only?: string;
  /** An operator wants what was there before the bot to be treated like new drift. */
  readonly apply?: true;
}

interface TriggerBase extends Place {
  readonly eventId: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** What set the bot going. It names resources and an actor; it is never a source of state. */
export type Trigger = TriggerBase &
  (
    | {
        readonly source: 'cloudtrail';
        readonly kind: 'api' | 'signin' | 'service';
        readonly outcome: 'succeeded' | 'failed';
        readonly eventSource: string;
        readonly eventName: string;
        readonly actor?: Actor;
        readonly detail: CloudTrailDetail;
      }
    | { readonly source: 'config'; readonly resourceType: string; readonly resourceId: string; readonly arn?: string }
    | { readonly source: 'config-rule'; readonly rule: string; readonly resourceType: string; readonly resourceId: string }
    | { readonly source: 'securityhub'; readonly controlIds: readonly string[]; readonly resourceId: string }
    | ({ readonly source: 'sweep' } & SweepOf)
    | { readonly source: 'tick' }
    | { readonly source: 'operator'; readonly control: string; readonly resourceId: string }
  );

export type TriggerSource = Trigger['source'];

/** The part of a trigger that a finding keeps. No request parameters: they may hold PHI. */
export interface TriggerSummary {
  readonly eventId: string;
  readonly source: TriggerSource;
  readonly time: string;
  readonly eventName?: string;
  readonly actor?: Actor;
}

export type ComplianceType = 'COMPLIANT' | 'NON_COMPLIANT' | 'NOT_APPLICABLE' | 'INSUFFICIENT_DATA';

export interface Evaluation {
  readonly complianceType: ComplianceType;
  /** One sentence a person can read. */
  readonly annotation: string;
}

export const compliant = (annotation: string): Evaluation => ({ complianceType: 'COMPLIANT', annotation });
export const nonCompliant = (annotation: string): Evaluation => ({ complianceType: 'NON_COMPLIANT', annotation });
export const notApplicable = (annotation: string): Evaluation => ({ complianceType: 'NOT_APPLICABLE', annotation });
export const insufficientData = (annotation: string): Evaluation => ({ complianceType: 'INSUFFICIENT_DATA', annotation });

/** One absolute setting to write. `before` and `after` are JSON; for lists they hold just the entries removed or added. */
export interface Change<Setting = unknown> {
  readonly kind: 'change';
  /** The write that a person would look up, e.g. `elasticloadbalancing:ModifyListener`. */
  readonly action: IamAction;
  readonly summary: string;
  readonly before: Setting;
  readonly after: Setting;
}

export interface Blocked {
  readonly kind: 'blocked';
  /** Why the bot must not write, in a sentence a person can act on. */
  readonly reason: string;
}

export type Plan<Setting = unknown> = Change<Setting> | Blocked;

export const change = <Setting>(parts: Omit<Change<Setting>, 'kind'>): Change<Setting> => ({ kind: 'change', ...parts });
export const blocked = (reason: string): Blocked => ({ kind: 'blocked', reason });

/** On whose behalf `remediate` or `undo` works: what they make bears the id, so that the next call finds it again. */
export interface Task {
  readonly findingId: string;
}

/** Told by `remediate` or `undo` when the next move must wait for AWS. */
export interface Again {
  readonly again: number;
  readonly note: string;
}

export type DecisionAction = 'none' | 'off' | 'except' | 'notify' | 'page' | 'approve' | 'fix';

export interface Decision {
  readonly action: DecisionAction;
  readonly reason: string;
}

export type OutcomeStatus =
  | 'DOES_NOT_EXIST'
  | 'COMPLIANT'
  | 'NOT_APPLICABLE'
  | 'OFF'
  | 'EXCEPTED'
  | 'DRY_RUN'
  | 'NOTIFIED'
  | 'PAGED'
  | 'AWAITING_APPROVAL'
  | 'REMEDIATED'
  | 'REMEDIATION_FAILED'
  | 'RETRY_LATER';

export interface Outcome {
  readonly status: OutcomeStatus;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A change as the ledger keeps it: recorded INTENDED before the write, done once a read has verified it. */
export interface RecordedChange {
  readonly change: Change;
  readonly intendedAt: string;
  /** AWS refused the write: whatever is compliant now is not its doing. */
  readonly refused?: true;
  readonly doneAt?: string;
  /** The setting as AWS showed it after the fix; undo compares live state with this. */
  readonly observed?: unknown;
}

/** One episode of one control failing on one resource. */
export interface Finding {
  readonly id: string;
  readonly control: string;
  readonly resource: ResourceRef;
  /** Event controls: the key under which repeated events belong to one finding. */
  readonly fold?: string;
  /** 1 for the first episode. */
  readonly episode: number;
  /** Grows by one with every save; also the sequence number of the evidence entry saved with it. */
  readonly version: number;
  readonly state: 'open' | 'resolved';
  readonly severity: Severity;
  readonly openedAt: string;
  readonly openedBy: TriggerSummary;
  readonly actor?: Actor;
  readonly lastSeenAt: string;
  readonly lastTrigger: TriggerSummary;
  /** Triggers that met this episode open. */
  readonly seen: number;
  readonly evaluation: Evaluation;
  /** What was wrong when the episode began; `evaluation` is as last read. */
  readonly wrong: string;
  readonly decision: Decision;
  /** Executions of handlers/remediate asked for so far; part of their names from the second on. */
  readonly drives: number;
  /** When the last one was asked for, ISO 8601. */
  readonly drivenAt?: string;
  /** What the plan would write, in words; set while nothing has been written. */
  readonly proposal?: string;
  /** It was there before the bot: told, not changed. */
  readonly backlog?: true;
  /** A brake keeps it from being fixed until then (ISO 8601); `by` = scope of the brake. */
  readonly held?: { readonly by: string; readonly until: string };
  /** Findings about the bot itself: where the bot was blind because of it. */
  readonly blind?: readonly (Place & {
    readonly control: string /** Undefined: nothing could be listed. */;
    readonly resource?: string;
    readonly first?: true;
  })[];
  /** Key of the decision or outcome that the channels were last told. */
  readonly alerted?: string;
  /** ISO 8601: not to be fixed before. */
  readonly fixNotBefore?: string;
  /** The open INTENDED: recorded, perhaps written, not yet verified. */
  readonly intended?: RecordedChange;
  readonly changes: readonly RecordedChange[];
  readonly outcome?: Outcome;
  /** Event id of the bot's own write, seen coming back and read as compliant. */
  readonly confirmedBy?: string;
  readonly resolvedAt?: string;
}

export type EntryKind =
  | 'OPENED'
  | 'SEEN'
  | 'DECIDED'
  | 'DISPATCHED'
  | 'INTENDED'
  | 'REMEDIATED'
  | 'REMEDIATION_FAILED'
  | 'RETRY_LATER'
  | 'ALERTED'
  | 'CONFIRMED'
  | 'RESOLVED';

/** One line of evidence. Append-only; saved in the same transaction as the state change it tells of. */
export interface Entry {
  readonly findingId: string;
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly kind: EntryKind;
  readonly by: 'detect' | 'remediate' | 'operator';
  readonly eventId?: string;
  readonly note: string;
}
