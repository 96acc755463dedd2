/**
 * The form of what ledgers store, and how documents of an older form become those of today. Raised when an older phidelity would
 * misread what is stored; that one refuses what has a higher number.
 */
import { unchained } from './evidence/seal.ts';
import type { Entry, Finding } from './model.ts';
import { defaultApprovals, defaultBacklog, defaultEvidence, defaultGuards } from './policy/defaults.ts';
import { identified } from './policy/identity.ts';
import type { CompiledPolicy } from './policy/model.ts';
import { withDefaults } from './policy/ways.ts';
import { redact } from './redact.ts';

export const schema = 4;

export type DocumentKind = 'finding' | 'entry' | 'answer' | 'memo' | 'policy';

type Step = Readonly<Partial<Record<DocumentKind, (document: never) => unknown>>>;

/** From each schema to the next. Documents of kinds that a step does not name are the same in both. */
const steps: Readonly<Record<number, Step>> = {
  // Guards and backlog are new.
  1: { policy: (policy: CompiledPolicy) => identified({ ...policy, guards: defaultGuards, backlog: defaultBacklog }) },
  // Persons, approvals and the lock of evidence are new; entries are chained from here on, those before are not.
  2: {
    policy: (policy: CompiledPolicy) => identified({ ...policy, people: {}, approvals: defaultApprovals, evidence: defaultEvidence }),
    finding: (finding: Finding): Finding => ({ ...finding, chain: unchained }),
    entry: ({ note, ...rest }: Omit<Entry, 'facts' | 'mac' | 'prev' | 'hash' | 'raw'>): Entry => ({
      ...rest,
      note: redact(note),
      mac: unchained,
      prev: unchained,
      hash: unchained,
      raw: { salt: '', changes: {}, note },
    }),
  },
  // Names of accounts, and what a channel takes and when, are new; so are answers and entries that an older one does not know.
  3: {
    policy: ({ channels, ...policy }: CompiledPolicy) =>
      identified({
        ...policy,
        accounts: {},
        channels: Object.fromEntries(Object.entries(channels).map(([name, channel]) => [name, withDefaults(channel)])),
      }),
  },
};

const stepsOf = (kind: DocumentKind, from: number) =>
  Array.from({ length: Math.max(0, schema - from) }, (_, index) => steps[from + index]?.[kind]).filter((step) => step !== undefined);

/** Whether documents of this kind have changed their form since. */
export const isOlder = (kind: DocumentKind, from: number): boolean => stepsOf(kind, from).length > 0;

/** A document stored under an older schema, as it would be stored today. */
export const upgraded = (kind: DocumentKind, from: number, document: unknown): unknown =>
  stepsOf(kind, from).reduce<unknown>((older, step) => step(older as never), document);
