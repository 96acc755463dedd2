/** What a control is: one requirement on one resource type, in one object literal. */
import type { output, ZodType } from 'zod';
import type { Again, Change, CloudTrailDetail, Evaluation, IamAction, Mode, Place, Plan, ResourceRef, Severity, Task } from './model.ts';
import type { Aws } from './ports.ts';

/** A citation of 45 CFR part 164. "Addressable" is not optional (164.306(d)). */
export interface Citation {
  readonly section: string;
  readonly specification: 'standard' | 'required' | 'addressable';
  readonly rationale: string;
}

export interface Related {
  /** Security Hub control ids, e.g. `S3.8`. */
  readonly securityHub?: readonly string[];
  /** Names of AWS Config managed rules. */
  readonly configRule?: readonly string[];
  /** Prowler check ids. */
  readonly prowler?: readonly string[];
}

export type ResourceIds = (detail: CloudTrailDetail) => Iterable<string | undefined>;

export interface CloudTrailTrigger {
  readonly source: 'cloudtrail';
  readonly eventSource: string;
  /** Calls that break the control and calls that repair it, by their CloudTrail names. */
  readonly eventNames: readonly string[];
  /**
   * Names or ARNs of the resources the call touched. Names are completed with the control's `arn`.
   * Yielding nothing means the event does not tell; the control then sweeps its type.
   */
  readonly resourceIds: ResourceIds;
  /** The resource's region, where it is not the one that logged the call. */
  readonly region?: (detail: CloudTrailDetail) => string | undefined;
  /** False = a call of another service that shares source and name; neither judged nor swept for. */
  readonly concerns?: (detail: CloudTrailDetail) => boolean;
  /**
   * Those of `eventNames` that can only break the control, never repair it. A compliant answer within seconds of such a call
   * may be what AWS showed before it, and is read again.
   */
  readonly breaks?: readonly string[];
}

export interface ConfigTrigger {
  readonly source: 'config';
  readonly resourceType: string;
}

interface ControlBase<Params extends ZodType> {
  /** Also the file name, the docs page and the policy key. */
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly severity: Severity;
  /** AWS Config type. */
  readonly resourceType: string;
  /**
   * The form of the resource's ARN, with `{partition}`, `{region}`, `{account}` and `{id}` (the rest of it);
   * without `{id}` the resource is the account (or the account in one region).
   */
  readonly arn: string;
  readonly scope: 'regional' | 'global';
  readonly hipaa: readonly Citation[];
  readonly related: Related;
  readonly params: Params;
  /** What the owner may notice. */
  readonly impact: string;
  readonly defaultMode: Mode;
  /** The fix ends an exposure to the public: to bring it back takes two persons. */
  readonly endsPublicExposure?: true;
}

/** How a sweep asks for resources. */
export interface Listing<Params = unknown> {
  /** The token that an earlier page ended with; undefined = from the beginning. */
  readonly from?: string;
  readonly params: Params;
}

/** One page of a listing. A resource without a state is one that AWS lists by name only: `inspect` reads it. */
export interface Page<State = unknown> {
  readonly resources: readonly (readonly [ResourceRef, State?])[];
  /** Token of the next page; none on the last. A listing begun with it gives what follows this page. */
  readonly next?: string;
}

/** The bot's own stack, as deployed; what the controls that guard it compare with. */
export interface OwnStack {
  readonly name: string;
  readonly region: string;
  /** When CloudFormation last began to make or change the home stack, as it tells it, ISO 8601. */
  readonly updated: string;
  /** The rules in every region, forwarders' included. `pattern` = `fingerprint` of it (canonical.ts); `targets` = their ARNs. */
  readonly rules: readonly { readonly arn: string; readonly pattern: string; readonly targets: readonly string[] }[];
  /** `codeSha256` as Lambda tells it; `policies` = ARNs of the managed policies of its role; `sources` = ARNs of the queues that feed it. */
  readonly functions: readonly {
    readonly arn: string;
    readonly codeSha256: string;
    readonly roleArn: string;
    readonly policies: readonly string[];
    readonly sources: readonly string[];
  }[];
  readonly keys: readonly string[];
}

/** A control judged from live state. */
export interface Control<State = unknown, Setting = unknown, Params extends ZodType = ZodType> extends ControlBase<Params> {
  readonly triggers: readonly (CloudTrailTrigger | ConfigTrigger)[];
  /** API requests that one `inspect` sends when the resource exists and is compliant. */
  readonly reads: number;
  /** The settings a change governs, e.g. `s3:public-access-block`. Two controls may write the same one. Empty without a fix. */
  readonly writes: readonly string[];
  /** `inspect` covers `inspect` and `list`. */
  readonly permissions: { readonly inspect: readonly IamAction[]; readonly remediate: readonly IamAction[]; readonly undo: readonly IamAction[] };
  /** The role that `remediate` hands to a service, when it does: becomes a PassRole statement on that role alone. */
  readonly passRole?: (params: output<Params>) => { readonly roleArn: string; readonly service: string } | undefined;
  /** Why there is no undo. */
  readonly noUndo?: string;
  /** Why there is no fix. */
  readonly noFix?: string;
  /** Swept every 15 minutes instead of daily: what would blind the bot itself. */
  readonly sweptOften?: true;
  /** Params that only the deployed stack knows; they replace those of the policy. */
  readonly deployed?: (stack: OwnStack) => Partial<output<Params>>;
  /**
   * Drift that was gone when read still notifies: the seconds it stood may matter under 45 CFR 164.402. Needs `opens`.
   * `while it exists`: not when the resource itself is gone, for safeguards that are taken away first whenever one is taken down.
   */
  readonly reportTransient?: boolean | 'while it exists';
  /** This very call, by what it asked for, broke the control; false also when that cannot be told. Pure. */
  opens?(detail: CloudTrailDetail, params: output<Params>): boolean;
  /** After this very call, by what it asked for, the control was in order; false also when that cannot be told. Pure. */
  closes?(detail: CloudTrailDetail, params: output<Params>): boolean;
  /** Every resource of the type in the place of `aws`, page by page, with its state as `inspect` would give it where AWS lists states in bulk. */
  list(aws: Aws, how: Listing<output<Params>>): AsyncIterable<Page<State>>;
  /** Live state; undefined only for the documented not-found error. */
  inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined>;
  /** `now` is for states that are compliant until a date. */
  evaluate(state: State, params: output<Params>, now: Date): Evaluation;
  /** Called only for a NON_COMPLIANT state. */
  plan?(state: State, params: output<Params>): Plan<Setting>;
  /**
   * Sets what `change.after` says; twice is the same as once. A slow fix makes the next missing move, found from live state and the
   * tags of what it has made, and is called anew until nothing is missing.
   */
  remediate?(resource: ResourceRef, change: Change<Setting>, aws: Aws, task: Task): Promise<Again | void>;
  /**
   * Whether an interrupted `remediate` has done some of the change but not all of it: it is then run again, with the change as recorded,
   * be the state compliant or not. Default: never.
   */
  unfinished?(state: State, change: Change<Setting>): boolean;
  /** Sets what `change.before` says; twice is the same as once. */
  undo?(resource: ResourceRef, change: Change<Setting>, aws: Aws, task: Task): Promise<Again | void>;
  /** The setting a change governs, normalised: ids, order and defaults that AWS assigns are left out. */
  setting?(state: State): Setting;
}

/** A trigger of an event control may take every call of the account. */
export interface EventTrigger {
  readonly source: 'cloudtrail';
  readonly kinds: readonly ('api' | 'signin' | 'service')[];
  /** `*` = every AWS service. */
  readonly eventSource: string;
  /** `*` = every name; `Create*` = a prefix. */
  readonly eventNames: readonly string[];
  /** Calls that failed are looked at only by controls that say so. Default: succeeded. */
  readonly outcome?: 'succeeded' | 'failed' | 'any';
  /** More of the EventBridge `detail` pattern, to keep the uninteresting away from the queue. Must not be relied on by `evaluate`. */
  readonly pattern?: Readonly<Record<string, unknown>>;
  readonly resourceIds: ResourceIds;
}

/** Earlier events under the same fold key within 24 hours, this one not counted; always 0 for a control that does not count. */
export interface Recent {
  readonly count: number;
}

/** A control judged from the event itself, because no live state holds the answer. */
export interface EventControl<Params extends ZodType = ZodType> extends ControlBase<Params> {
  readonly triggers: readonly EventTrigger[];
  readonly noFix: string;
  /** `evaluate` needs `recent`: every matching event is counted in the ledger. Without it nothing is stored for events that need nothing. */
  readonly counts?: true;
  /** Events under one key within 24 hours belong to one finding. */
  fold(detail: CloudTrailDetail): string;
  evaluate(detail: CloudTrailDetail, params: output<Params>, recent: Recent, policy: { readonly regions: readonly string[] }): Evaluation;
}

// biome-ignore lint/suspicious/noExplicitAny: a catalogue holds controls of every State and Setting; each one is typed where it is written.
export type AnyStateControl = Control<any, any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyControl = AnyStateControl | EventControl<any>;

// biome-ignore lint/suspicious/noExplicitAny: as above
export const isEventControl = (control: AnyControl): control is EventControl<any> => 'fold' in control;

/** What routing and generators need without loading the control. Generated into remediations/index.ts. */
export interface CatalogueEntry {
  readonly id: string;
  readonly service: string;
  readonly kind: 'state' | 'event';
  readonly title: string;
  readonly severity: Severity;
  readonly resourceType: string;
  readonly arn: string;
  readonly scope: 'regional' | 'global';
  readonly hipaa: readonly string[];
  readonly related: Related;
  readonly defaultMode: Mode;
  readonly fix: boolean;
  readonly undo: boolean;
  readonly sweptOften?: true;
  readonly triggers: readonly (
    | {
        readonly source: 'cloudtrail';
        readonly eventSource: string;
        readonly eventNames: readonly string[];
        readonly kinds?: readonly string[];
        readonly outcome?: string;
        readonly pattern?: Readonly<Record<string, unknown>>;
      }
    | ConfigTrigger
  )[];
  readonly writes: readonly string[];
  readonly permissions: { readonly inspect: readonly IamAction[]; readonly remediate: readonly IamAction[]; readonly undo: readonly IamAction[] };
  load(): Promise<AnyControl>;
}

export type Catalogue = readonly CatalogueEntry[];

export type { Place };
