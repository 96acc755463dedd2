/** Seals what happened to a finding: one entry of its chain, and the finding that ends in it. Pure but for the salt. */
import { createHmac, randomBytes } from 'node:crypto';
import { canonical, fingerprint } from '../canonical.ts';
import type { Entry, Facts, Finding, Happening, Question, RecordedChange, TriggerSummary, Undo } from '../model.ts';
import { redact } from '../redact.ts';

/** In the place of a hash: the finding is older than its chain. */
export const unchained = 'schema-2';

export type Told = Pick<Entry, 'kind' | 'by' | 'at' | 'note' | 'eventId'>;

/** `finding` is as this step leaves it, `prev` the chain that it continues; null = its first entry. */
export function sealed(finding: Finding, prev: string | null, changes: object, { kind, by, at, note, eventId }: Told): { finding: Finding; entry: Entry } {
  const raw = { salt: randomBytes(32).toString('base64url'), changes: plain(changes), note };
  const public_: Omit<Entry, 'hash' | 'raw'> = {
    findingId: finding.id,
    seq: finding.version,
    at,
    kind,
    by,
    note: redact(note),
    ...(eventId && { eventId }),
    facts: factsOf(finding),
    mac: macOf(raw),
    prev,
  };
  const hash = hashOf(public_);
  return { finding: { ...finding, chain: hash }, entry: { ...public_, hash, raw } };
}

/** sha256, hex, of the entry's canonical JSON without `raw` and `hash`. */
export const hashOf = ({ raw: _raw, hash: _hash, ...rest }: Omit<Entry, 'hash' | 'raw'> & Partial<Entry>): string => fingerprint(rest);

/**
 * Commits to what stays in the table. Its key is a salt of its own that stays there too: nobody can try out short identifiers on
 * the mac, and there is no key to keep. Whoever is shown the raw part can prove that it is the one.
 */
export const macOf = ({ salt, changes, note }: Entry['raw']): string =>
  createHmac('sha256', Buffer.from(salt, 'base64url')).update(canonical({ changes, note })).digest('hex');

/** As the ledger gives it back: what a step has taken away is null. */
const plain = (changes: object): Readonly<Record<string, unknown>> => JSON.parse(JSON.stringify(changes, (_, value: unknown) => value ?? null));

/** By name, one by one: what a finding learns to hold stays in the table until somebody has decided that it may leave it. */
const factsOf = (finding: Finding): Facts => {
  const { control, resource, episode, state, severity, openedAt, evaluation, decision, outcome, actor, proposal } = finding;
  const done = finding.intended ?? finding.changes.at(-1);
  return {
    control,
    resource: { ...resource, id: redact(resource.id) },
    ...(finding.fold !== undefined && { fold: redact(finding.fold) }),
    episode,
    state,
    severity,
    openedAt,
    wrong: redact(finding.wrong),
    evaluation: { ...evaluation, annotation: redact(evaluation.annotation) },
    decision: { ...decision, reason: redact(decision.reason) },
    openedBy: happening(finding.openedBy),
    ...(finding.driftedBy && { driftedBy: happening(finding.driftedBy) }),
    ...(finding.endedBy && { endedBy: happening(finding.endedBy) }),
    ...(finding.shownAt && { shownAt: finding.shownAt }),
    ...(finding.transient && { transient: true as const }),
    ...(actor && { actor: redact(actor.arn, people) }),
    ...(proposal !== undefined && { proposal: redact(proposal) }),
    ...(done && { change: changeOf(done) }),
    ...(outcome && { outcome: { ...outcome, reason: redact(outcome.reason) } }),
    ...(finding.question && { question: questionOf(finding.question) }),
    ...(finding.denied && { denied: { ...finding.denied, reason: redact(finding.denied.reason) } }),
    ...(finding.undo && { undo: undoOf(finding.undo) }),
    ...(finding.also && { also: finding.also }),
    ...(finding.backlog && { backlog: true as const }),
    ...(finding.fixNotBefore && { fixNotBefore: finding.fixNotBefore }),
    ...(finding.confirmedBy && { confirmedBy: finding.confirmedBy }),
    ...(finding.resolvedAt && { resolvedAt: finding.resolvedAt }),
  };
};

const happening = ({ actor: _, ...trigger }: TriggerSummary): Happening => trigger;

const people = { keep: ['email'] } as const;

const questionOf = ({ change: _, approvals, ...question }: Question): NonNullable<Facts['question']> => ({
  ...question,
  approvals: approvals.map(({ person, arn, at }) => ({ person, arn: redact(arn, people), at })),
});

const undoOf = ({ reason, why, ...undo }: Undo): Undo => ({ ...undo, reason: redact(reason), ...(why !== undefined && { why: redact(why) }) });

const changeOf = ({ change, intendedAt, doneAt, refused }: RecordedChange): NonNullable<Facts['change']> => ({
  action: change.action,
  summary: redact(change.summary),
  intendedAt,
  ...(doneAt && { doneAt }),
  ...(refused && { refused }),
});
