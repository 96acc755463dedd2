/** What a verification tells. */

export type FaultKind =
  /** Not the text that was stored, by its own hash or by the entry that follows. */
  | 'changed'
  | 'dropped'
  | 'reordered'
  /** Digests know of later entries. */
  | 'cut'
  /** Digests know of a finding that is not there at all. */
  | 'removed'
  /** A sound chain, but not the one that was signed. */
  | 'rewritten'
  | 'digest-missing'
  | 'digest-changed'
  /** The table's raw part is not the one that the entry commits to. */
  | 'raw-changed'
  /** The table knows another end of the chain, or none. */
  | 'table'
  /** In the table for too long without having reached the bucket. */
  | 'late';

/** The first one of each finding and of each digest. */
export interface Fault {
  readonly kind: FaultKind;
  readonly finding?: string;
  readonly seq?: number;
  readonly digest?: number;
  readonly says: string;
}

export interface Report {
  readonly sound: boolean;
  readonly faults: readonly Fault[];
  readonly entries: number;
  readonly findings: number;
  /** Undefined: there are none, so nothing is signed. */
  readonly digests?: { readonly first: number; readonly last: number; readonly at: string };
  /** Entries after the last digest: nothing but the chain speaks for them. `oldest` is ISO 8601. */
  readonly tail: { readonly entries: number; readonly oldest: string | null };
  /** Chains of which this is a later part. */
  readonly midway: readonly { readonly finding: string; readonly seq: number; readonly signed: boolean }[];
  /** Findings that began before evidence was chained. */
  readonly unchained: readonly string[];
  /** Entries that the table has and the bucket does not have yet. */
  readonly lag: number;
}
