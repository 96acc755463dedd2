/** The policy as `act` and `detect` use it: complete, validated, patterns resolved. Stored as data in the ledger. */
import type { Mode, OwnerKind, Severity } from '../model.ts';
import type { CompiledChannel } from './channels.ts';

export type { CompiledChannel } from './channels.ts';

export interface CompiledException {
  /** Glob over the resource's ARN. */
  readonly resource?: string;
  /** Glob over the account id. */
  readonly account?: string;
  /** Glob over the region. */
  readonly region?: string;
  readonly tag?: { readonly key: string; readonly value?: string };
  /** Who may set the tag (ARN glob); without it a tag only lowers fix to approve. */
  readonly tagSetBy?: string;
  readonly reason: string;
  readonly approvedBy: string;
  /** Last day it holds, `YYYY-MM-DD`, UTC. */
  readonly expires: string;
}

export interface CompiledWhen {
  /** Glob over the actor's ARN or the ARN of the role behind it. */
  readonly actor?: string;
  /** Who must define the resource. With `actor`, both must match; one of them is there. */
  readonly owner?: OwnerKind | 'any';
  readonly mode: Mode;
}

export interface CompiledControl {
  readonly mode: Mode;
  /** Validated by the control, defaults filled in. */
  readonly params: unknown;
  /** Seconds to wait between telling and fixing. */
  readonly fixAfter: number;
  /** The first that matches wins. */
  readonly when: readonly CompiledWhen[];
  readonly exceptions: readonly CompiledException[];
  /** Names of the people who decide about it. Undefined: everybody of the policy. */
  readonly approvers?: readonly string[];
}

/** Past these the bot asks instead of fixing. */
export interface CompiledGuards {
  /** In any sliding 60 minutes. */
  readonly fixesPerHour: number;
  readonly fixesPerControlPerHour: number;
  /** The same control on the same resource; past it the bot pages. `within` in seconds. */
  readonly repeat: { readonly limit: number; readonly within: number };
  /** Fixes of a control within so many hours of the first deploy that set it to fix. */
  readonly ramp: { readonly fixes: number; readonly hours: number };
}

/** A person who may answer the bot. */
export interface CompiledPerson {
  /** Globs over the ARN of the principal, as STS GetCallerIdentity tells it. */
  readonly arns: readonly string[];
  /** Slack member id. */
  readonly slack?: string;
  /** May approve alone where nobody knows who made the change. */
  readonly approver: boolean;
}

export interface CompiledApprovals {
  /** Seconds after which a question that nobody answered counts as denied. */
  readonly expires: number;
  /** From this severity on, two different persons must approve. */
  readonly secondPerson?: Severity;
}

export interface CompiledPolicy {
  readonly version: 1;
  /** sha256 of everything else. */
  readonly id: string;
  /** Where workloads may run. */
  readonly regions: readonly string[];
  /** Where the bot looks. */
  readonly watch: 'all' | readonly string[];
  /** By name. */
  readonly people: Readonly<Record<string, CompiledPerson>>;
  readonly approvals: CompiledApprovals;
  /** Names of accounts, by id. */
  readonly accounts: Readonly<Record<string, string>>;
  readonly channels: Readonly<Record<string, CompiledChannel>>;
  readonly guards: CompiledGuards;
  /** What is done about drift that was there before the bot. */
  readonly backlog: 'tell' | 'fix';
  /** What locks the bucket of evidence. */
  readonly evidence: { readonly lock: 'governance' | 'compliance' | 'none'; readonly years: number };
  readonly iam: { readonly path: string; readonly permissionsBoundary?: string };
  /** Every control of the catalogue. */
  readonly controls: Readonly<Record<string, CompiledControl>>;
}
