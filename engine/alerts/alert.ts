/**
 * What people are told: one model, which each channel renders in its own form. Plain data that may lie in a queue: every word in it is
 * redacted, and it claims no more than was verified.
 */
import type { ComplianceType, Decided, Severity, Undo } from '../model.ts';

/** `page`: at once, never folded, never held back. */
export type Urgency = 'notify' | 'page';

/** One thing that is told, redacted, without line breaks: "Done: Nothing yet." */
export interface Line {
  readonly label: string;
  readonly value: string;
}

/** One leaf of the setting, as it was read and as the control wants it. Undefined: it is not there. */
export interface Difference {
  readonly path: string;
  readonly observed?: string;
  readonly expected?: string;
}

/** What somebody may answer. `hash`: the beginning of what the answer is bound to; a proof of person covers both. */
export interface Answerable {
  readonly decision: Decided;
  /** Of approve and deny: whether to undo is asked, not whether to fix. */
  readonly about?: 'undo';
  readonly hash: string;
}

/** The finding of an alert, as far as it may leave the account. */
export interface AlertFinding {
  readonly id: string;
  /** Grows with every save: of two alerts about a finding the one with the higher version is news. */
  readonly version: number;
  readonly state: 'open' | 'resolved';
  readonly episode: number;
  readonly resource: { readonly id: string; readonly name: string; readonly type: string; readonly region: string };
  /** Where the resource is in the AWS console; undefined: no page is known. */
  readonly console?: string;
  /** As last read. */
  readonly complianceType: ComplianceType;
  /** A read of the live state after the bot's write has shown that it holds. */
  readonly verified: boolean;
  /** The bot's own change came back as an event, and was read as compliant. */
  readonly confirmed: boolean;
  /** The undo, while it is the latest that there is to tell. */
  readonly undo?: Undo['state'];
  /** ISO 8601. */
  readonly openedAt: string;
  /** Of the latest that has happened to it, ISO 8601. */
  readonly at: string;
  /** Until when nobody wants to be reminded, ISO 8601. */
  readonly snoozed?: string;
  /** When somebody said so, ISO 8601. */
  readonly snoozedAt?: string;
  readonly differences: readonly Difference[];
  /** There were more than are told. */
  readonly differencesCut?: true;
  /** In the order in which they are offered. */
  readonly answers: readonly Answerable[];
  /** Tags of the resource that the policy routes by. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface Alert {
  /** Unique per finding and state told; channels may drop repeats. */
  readonly id: string;
  readonly urgency: Urgency;
  readonly severity: Severity;
  /** Undefined: it is about many. */
  readonly control?: string;
  readonly accountId: string;
  /** Outcome status, or what is decided; of what is about many what it is, e.g. `DIGEST`. */
  readonly status: string;
  readonly title: string;
  /** "Fixed", "Approval needed". */
  readonly headline: string;
  /** Printable ASCII, under 100 characters. */
  readonly subject: string;
  readonly lines: readonly Line[];
  /** Sections of 45 CFR. */
  readonly hipaa: readonly string[];
  /** Changes how the finding is shown where it has been told, and calls nobody. */
  readonly inPlace?: true;
  /** What has become of somebody's answer, one sentence, redacted: told where answers are given and the finding has been told, and nowhere else. */
  readonly answered?: string;
  /** Undefined: it is about many, or about the bot. */
  readonly finding?: AlertFinding;
}
