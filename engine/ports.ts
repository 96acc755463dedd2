/** What the engine needs from outside. Adapters live in handlers/aws/ (AWS) and cli/ (embedded database, terminal). */

import type { Alert } from './alerts/alert.ts';
import type { Answer, Entry, Finding, Place, Principal, Proof, ResourceRef, SweepOf } from './model.ts';
import type { CompiledPolicy } from './policy/model.ts';

/** An SDK client class. The adapter settles region, credentials and retries. */
// biome-ignore lint/suspicious/noExplicitAny: each SDK client takes a configuration type of its own.
export type ClientClass<Client> = new (configuration: any) => Client;

/** One account and region, as a control sees it. Clients count and, where asked, share identical successful reads. */
export interface Aws extends Place {
  readonly partition: string;
  /** A client of this place. `aws.client(S3Client).send(…)`; paginators take it too. */
  client<Client extends object>(type: ClientClass<Client>): Client;
  /** The same account elsewhere, e.g. in a trail's home region. */
  in(region: string): Aws;
}

export interface Calls {
  read: number;
  write: number;
}

export interface AwsOptions {
  /** Identical successful reads are sent once per `Aws` object. Never for `act`. */
  readonly share: boolean;
  /** Counted as calls are sent. */
  readonly calls?: Calls;
}

export type AwsAccess = (place: Place, options: AwsOptions) => Aws;

export interface Clock {
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
}

export interface Log {
  info(message: string, keys?: Readonly<Record<string, unknown>>): void;
  warn(message: string, keys?: Readonly<Record<string, unknown>>): void;
  error(message: string, keys?: Readonly<Record<string, unknown>>): void;
  /** Adds to a counter, e.g. events dropped by reason. */
  count(name: string, dimensions?: Readonly<Record<string, string>>): void;
}

/** What identifies a series of episodes. */
export interface FindingKey {
  readonly control: string;
  readonly resource: ResourceRef;
  readonly fold?: string;
}

/** What one (event id, control, resource) has come to. */
export interface Standing {
  /** The outcome of this very event is recorded: nothing is left to do for it. */
  readonly done: boolean;
  /** The latest episode, open or resolved. */
  readonly last?: Finding;
}

/** A lock on one setting of one resource, taken inside `act` only. `fence` grows with every holder. */
export interface Lease {
  readonly key: string;
  readonly owner: string;
  readonly fence: number;
}

export interface SaveOptions {
  /** Marks (event id, control, resource) done in the same transaction. */
  readonly doneEventId?: string;
  /** The save fails with ConflictError when the lease has passed to another owner. */
  readonly lease?: Lease;
}

export interface Brake {
  /** Unique per thing that is counted. */
  readonly scope: string;
  readonly limit: number;
  readonly seconds: number;
}

/**
 * `deployment`: see Deployment; `tick`: see tick.ts; `sweep|CONTROL|ACCOUNT|REGION`: see sweep.ts; `exceptions`: see exceptions.ts;
 * `writes|RESOURCE|SETTING`: see writes.ts; `knock|FINDING`: where an execution that waits for an answer can be woken;
 * `evidence`: see LastDigest in evidence/form.ts; `told|CHANNEL|FINDING`: see alerts/deliver.ts; `outage|CHANNEL`: see alerts/fallback.ts;
 * `held|CHANNEL`: see alerts/held.ts; `reminded|FINDING`: see alerts/remind.ts; `attended`: see alerts/attend.ts.
 */
export type MemoKey =
  | 'deployment'
  | 'tick'
  | 'exceptions'
  | 'evidence'
  | 'attended'
  | `sweep|${string}`
  | `writes|${string}`
  | `knock|${string}`
  | `told|${string}`
  | `outage|${string}`
  | `held|${string}`
  | `reminded|${string}`
  | `forged|${string}`;

/** What a deploy leaves for the bot to know of itself. */
export interface Deployment {
  /** ISO 8601. */
  readonly at: string;
  /** Id of the policy that was stored with it. */
  readonly policyId: string;
  /** Regions whose events reach the bot, the home region among them. */
  readonly regions: readonly string[];
  /** Regions that could not be covered, and why. */
  readonly unreached: Readonly<Record<string, string>>;
  /** When each control was first deployed in a mode that fixes, ISO 8601. */
  readonly fixSince: Readonly<Record<string, string>>;
}

/**
 * The bot's memory. Every method is safe to repeat; writes are conditional.
 * Both adapters (DynamoDB, embedded file) pass the same table of tests.
 */
export interface Ledger {
  /** One standing per key, in order. */
  lookup(keys: readonly (FindingKey & { readonly eventId: string })[]): Promise<Standing[]>;
  get(findingId: string): Promise<Finding | undefined>;
  /**
   * A new episode (`finding.version` is 1) with its first entry (`seq` 1).
   * @throws ConflictError when the episode exists or an earlier one is still open.
   */
  open(finding: Finding, entry: Entry, options?: SaveOptions): Promise<void>;
  /**
   * The next version (`finding.version` = stored version + 1) with its entry (`seq` = version).
   * @throws ConflictError when the stored version is another one.
   */
  save(finding: Finding, entry: Entry, options?: SaveOptions): Promise<void>;
  /** Marks an event done that changed no finding. */
  markDone(eventId: string, key: FindingKey): Promise<void>;
  /** `undoing`: those that have ended, and whose undo has not. */
  findings(filter: { readonly open?: boolean; readonly undoing?: boolean; readonly control?: string }): AsyncIterable<Finding>;
  /** In order of `seq`. */
  entries(findingId: string): Promise<Entry[]>;
  /** Undefined while somebody else holds it. Taking one's own lease again renews it. */
  lease(key: string, owner: string, seconds: number): Promise<Lease | undefined>;
  release(lease: Lease): Promise<void>;
  /**
   * Counts an event under a key and tells how many others were counted in the last 24 hours.
   * The same event id counts once.
   */
  recent(control: string, fold: string, eventId: string, time: string): Promise<number>;
  /**
   * Takes one numbered slot of each brake under the holder's name, all or none. A slot is free again `seconds` after it was taken,
   * so that a brake lets through at most `limit` in any such span. A holder that has its slots takes no second ones.
   */
  takeSlots(holder: string, brakes: readonly Brake[]): Promise<{ readonly full?: Brake }>;
  /** A small document of the bot's own book-keeping; undefined when there is none. */
  recall<Document>(key: MemoKey): Promise<Document | undefined>;
  /** @throws ConflictError when the lease it was made under has passed to another owner. */
  remember(key: MemoKey, document: object, lease?: Lease): Promise<void>;
  /** Keeps what somebody answers. @throws ConflictError when there is an answer of that id. */
  answer(answer: Answer): Promise<void>;
  /** What has been answered about a finding, in the order of `at`; those of the last 100 days at least. */
  answers(findingId: string): Promise<Answer[]>;
  /** Undefined before the first deploy has stored one. */
  policy(): Promise<CompiledPolicy | undefined>;
  storePolicy(policy: CompiledPolicy): Promise<void>;
}

export interface SweepRequest extends Place, SweepOf {
  /** Seconds, at most 900. */
  readonly delay: number;
}

export interface Ports {
  readonly ledger: Ledger;
  readonly aws: AwsAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** The resource's tags; asked only for drift. Undefined: the API does not know resources of this type. */
  tags(resource: ResourceRef): Promise<Readonly<Record<string, string>> | undefined>;
  /**
   * Status of the CloudFormation stack with this ARN, or of the stack that it is nested in while that one is in progress;
   * undefined: there is no such stack any more.
   */
  stackStatus(stackId: string): Promise<string | undefined>;
  /** Leaves it for every channel of the policy that takes it: it is delivered, and tried again, apart from whoever tells. */
  alert(alert: Alert): Promise<void>;
  /** Has those who deliver alerts look what is due: reminders, digests, what was held back. */
  attendAlerts(): Promise<void>;
  /** Asks for the finding to be acted on. Repeating it starts nothing new. Where that is done in this process, its calls are added. */
  dispatch(finding: Finding, calls?: Calls): Promise<void>;
  /** Has another execution go on with the undo of the finding. Repeating it starts nothing new. */
  resumeUndo(finding: Finding): Promise<void>;
  /** Ends a waiting execution of the finding, if there is one. */
  stopExecution(finding: Finding): Promise<void>;
  /** Asks for sweeps outside this batch, through the sweep queue. */
  requestSweeps(sweeps: readonly SweepRequest[]): Promise<void>;
  /** Who signed this; undefined: AWS does not confirm it. @throws when AWS cannot be asked. */
  prove(proof: Proof): Promise<Principal | undefined>;
  /** What only the bot can make of these words. */
  seal(words: string): Promise<string>;
  isSealed(words: string, seal: string): Promise<boolean>;
  /** True: nothing may be written. Read anew each time. @throws when it cannot be read; nothing may be written then either. */
  killSwitch(): Promise<boolean>;
}
