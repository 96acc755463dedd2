/**
 * The nouns of phidelity. Everything here is plain data: it can be stored, compared, printed.
 * Terms follow AWS Config and Security Hub.
 */

/** Security Hub severity labels. */
export type Severity = 'INFORMATIONAL' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export const severities: readonly Severity[] = ['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
export const isAtLeast = (severity: Severity, least: Severity): boolean => severities.indexOf(severity) >= severities.indexOf(least);

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

/** What defines resources from files. OpenTofu counts as Terraform; CDK, SAM and the Serverless Framework deploy through CloudFormation. */
export type OwnerKind = 'cloudformation' | 'terraform' | 'pulumi';
export const ownerKinds: readonly OwnerKind[] = ['cloudformation', 'terraform', 'pulumi'];

/** What a change came through, `as` it calls itself, e.g. `Terraform/1.9.5`. */
export interface Through {
  readonly kind: OwnerKind;
  readonly as: string;
}

/** Who defines a resource. Empty: its tags name nobody, and the change came through no tool that is known. */
export interface Owner {
  /** The CloudFormation stack that its tags name; `id` is the ARN, `tool` what wrote the template. */
  readonly stack?: { readonly name: string; readonly id: string; readonly logicalId?: string; readonly tool?: string };
  /** It tells of the change; whether the resource is defined there is not known. */
  readonly through?: Through;
  /** The tags could not be read. */
  readonly unread?: true;
  /** Those of its tags that the policy routes alerts by. */
  readonly tags?: Readonly<Record<string, string>>;
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
  /** Whether this very call began the drift, where the control can tell from what it asked for. */
  readonly opens?: boolean;
}

export type ComplianceType = 'COMPLIANT' | 'NON_COMPLIANT' | 'NOT_APPLICABLE' | 'INSUFFICIENT_DATA';

export interface Evaluation {
  readonly complianceType: ComplianceType;
  /** One sentence a person can read. */
  readonly annotation: string;
  /** Since when, where AWS itself shows it, ISO 8601. */
  readonly since?: string;
}

export const compliant = (annotation: string): Evaluation => ({ complianceType: 'COMPLIANT', annotation });
export const nonCompliant = (annotation: string, since?: Date): Evaluation => ({
  complianceType: 'NON_COMPLIANT',
  annotation,
  ...(since && { since: since.toISOString() }),
});
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
  /** The setting as it was read before the write; an undo has succeeded when it reads so again. */
  readonly was?: unknown;
  /** The setting as AWS showed it after the fix; undo compares live state with this. */
  readonly observed?: unknown;
  /** An undo has put back `before`, and a read has verified it. */
  readonly undoneAt?: string;
}

/** One person's yes to one question. */
export interface Approval {
  /** Name in the policy's `people`. */
  readonly person: string;
  /** ARN that the proof of person was verified for. */
  readonly arn: string;
  /** ISO 8601. */
  readonly at: string;
  /** What the bot alone can make for this question and person: a row that somebody else wrote into the ledger has none that fits. */
  readonly seal: string;
}

/** What people are asked: may this be written? A proof of person is good for one question. */
export interface Question {
  /** Random; another one each time it is asked. */
  readonly id: string;
  readonly about: 'fix' | 'undo';
  /** What would be written: an answer holds for nothing else. */
  readonly planHash: string;
  readonly change: Change;
  readonly askedAt: string;
  /** ISO 8601: nobody has answered by then. */
  readonly expires: string;
  /** What happens then. */
  readonly otherwise: 'deny' | 'fix';
  /** So many different persons. */
  readonly needs: number;
  /** Names of the people whom the policy left it to when it was asked; undefined: everybody of the policy. */
  readonly approvers?: readonly string[];
  readonly approvals: readonly Approval[];
}

/** Somebody wants what the bot wrote taken back. */
export interface Undo {
  /** `asked` until enough persons have approved; `intended` from before the first write on. */
  readonly state: 'asked' | 'intended' | 'done' | 'withdrawn' | 'failed';
  readonly by: string;
  readonly reason: string;
  /** Last day of the exception that keeps the bot from fixing it again, `YYYY-MM-DD`. */
  readonly until: string;
  readonly at: string;
  /** Why it did not come about. */
  readonly why?: string;
  /** How often the heartbeat has had somebody go on with it, and when it did so last. */
  readonly resumed?: number;
  readonly resumedAt?: string;
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
  /** The call that began the drift, where it is known and not the one that opened the finding. */
  readonly driftedBy?: TriggerSummary;
  /** When AWS itself said that it began, ISO 8601. */
  readonly shownAt?: string;
  /** It was gone when the bot looked: told, not acted on. */
  readonly transient?: true;
  /** The call that ended it, where it is known and not the bot's fix. */
  readonly endedBy?: TriggerSummary;
  readonly actor?: Actor;
  /** Undefined: nobody has asked. */
  readonly owner?: Owner;
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
  /** The fix waits for an update of the stack that the resource belongs to. `told`: long enough for the channels to hear of it. */
  readonly heldOff?: { readonly since: string; readonly until: string; readonly stack: string; readonly told?: true };
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
  /** The last that people were asked about it. */
  readonly question?: Question;
  /** Answers that have been judged and proofs that have been used: none counts twice. */
  readonly heard?: readonly string[];
  /** A person, or the time that ran out, said no to this plan. */
  readonly denied?: { readonly planHash: string; readonly by?: string; readonly at: string; readonly reason: string };
  readonly undo?: Undo;
  /** Nobody is to be reminded of it before. */
  readonly snoozed?: { readonly until: string; readonly by: string; readonly at: string };
  /** Controls that failed on the same setting of the same resource, and were judged after the fix of this one. */
  readonly also?: readonly string[];
  readonly outcome?: Outcome;
  /** Event id of the bot's own write, seen coming back and read as compliant. */
  readonly confirmedBy?: string;
  readonly resolvedAt?: string;
  /** Hash of the latest entry of evidence; `schema-2` = nothing was recorded since entries are chained. */
  readonly chain: string;
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
  | 'ASKED'
  | 'APPROVED'
  | 'DENIED'
  | 'REFUSED'
  | 'EXPIRED'
  | 'EXCEPTED'
  | 'SNOOZED'
  | 'RECHECK_ASKED'
  | 'UNDO_ASKED'
  | 'UNDO_INTENDED'
  | 'UNDONE'
  | 'UNDO_FAILED'
  | 'ALERTED'
  | 'CONFIRMED'
  | 'RESOLVED';

/** What a person signs to show who they are: the headers of a request to AWS STS GetCallerIdentity, which the bot sends itself. */
export interface StsProof {
  readonly kind: 'sts';
  /** By lower-case name; `authorization` names those that are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The caller of a command that acts in its own process: the SDK's credentials are the proof. */
export interface CallerProof {
  readonly kind: 'caller';
}

/** An interaction as Slack sent it, the raw body with Slack's signature over it. */
export interface SlackProof {
  readonly kind: 'slack';
  /** Epoch seconds, as in the header `x-slack-request-timestamp`. */
  readonly timestamp: string;
  /** `v0=` and 64 hex digits. */
  readonly signature: string;
  readonly body: string;
}

export type Proof = StsProof | CallerProof | SlackProof;

/**
 * `end`: an exception that came with an undo, or that somebody made, ends now. `except`: the control need not hold for this resource until a day.
 * `snooze`: no reminders until a day. `recheck`: the bot is to look again.
 */
export type Decided = 'approve' | 'deny' | 'undo' | 'end' | 'except' | 'snooze' | 'recheck';

/** What somebody answers. Not believed: its proof is verified by whoever acts on it. */
export interface Answer {
  /** Random. */
  readonly id: string;
  readonly findingId: string;
  readonly decision: Decided;
  /** Id of the question; of what nobody was asked about, its own id. */
  readonly question: string;
  /** From Slack: its first 16 digits. */
  readonly planHash: string;
  readonly reason?: string;
  /** Undo, except: last day of the exception, `YYYY-MM-DD`. */
  readonly until?: string;
  /** ISO 8601. */
  readonly at: string;
  readonly proof?: Proof;
}

/** Who a proof says that somebody is. */
export interface Principal {
  /** From Slack `slack:` and the member id. */
  readonly arn: string;
  readonly accountId: string;
}

/** A trigger without who set it off and from where. */
export type Happening = Omit<TriggerSummary, 'actor'>;

/** What evidence tells of a finding outside the table: words redacted, no settings. As the entry's step has left it. */
export interface Facts
  extends Pick<Finding, 'control' | 'resource' | 'fold' | 'episode' | 'state' | 'severity' | 'openedAt' | 'wrong' | 'evaluation' | 'decision'> {
  /** The call or other trigger that opened it; those that began and ended the drift, where they are others and known. */
  readonly openedBy: Happening;
  readonly driftedBy?: Happening;
  readonly endedBy?: Happening;
  readonly shownAt?: string;
  readonly transient?: true;
  /** ARN of who is held to have made the change. */
  readonly actor?: string;
  readonly proposal?: string;
  /** The latest write, done or begun. */
  readonly change?: Pick<Change, 'action' | 'summary'> & Pick<RecordedChange, 'intendedAt' | 'doneAt' | 'refused'>;
  readonly outcome?: Outcome;
  /** What people were asked, and who has said yes. */
  readonly question?: Omit<Question, 'change' | 'approvals'> & { readonly approvals: readonly Omit<Approval, 'seal'>[] };
  readonly denied?: Finding['denied'];
  readonly undo?: Undo;
  readonly also?: readonly string[];
  readonly backlog?: true;
  readonly fixNotBefore?: string;
  readonly confirmedBy?: string;
  readonly resolvedAt?: string;
}

/** One line of evidence. Append-only; saved in the same transaction as the state change it tells of. */
export interface Entry {
  readonly findingId: string;
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly kind: EntryKind;
  readonly by: 'detect' | 'remediate' | 'operator';
  readonly eventId?: string;
  /** Redacted. */
  readonly note: string;
  /** Undefined: older than the chain. */
  readonly facts?: Facts;
  /** HMAC-SHA256 over `raw`, hex; keyed with its salt. */
  readonly mac: string;
  /** Hash of the entry before it; null = the first, `schema-2` = those before it are not chained. */
  readonly prev: string | null;
  /** sha256, hex, over the canonical JSON of all of this but `hash` and `raw`. */
  readonly hash: string;
  /** Never leaves the table: the salt, what the step changed (null = taken away; of the first entry the whole finding), the note in full. */
  readonly raw: { readonly salt: string; readonly changes: Readonly<Record<string, unknown>>; readonly note: string };
}
