/** What the digests of all channels are made of: read once. */
import { type MadeException, madeExceptions } from '../exceptions.ts';
import type { Finding, Severity } from '../model.ts';
import type { Ports } from '../ports.ts';
import { redactDeep } from '../redact.ts';
import { inOneLine } from './lines.ts';
import { nameOf } from './names.ts';
import type { About } from './routing.ts';

export interface DigestPorts extends Pick<Ports, 'ledger' | 'clock' | 'log'> {
  /** The account of the bot: a digest is sent even where there is no finding to take it from. */
  readonly accountId: string;
  /** Messages in each dead-letter queue, by name; undefined: it could not be seen. */
  dlqDepths(): Promise<Readonly<Record<string, number | undefined>>>;
}

/** As much of a finding as a digest tells, redacted. */
export interface Seen extends About {
  readonly control: string;
  readonly name: string;
  readonly severity: Severity;
  readonly state: Finding['state'];
  readonly openedAt: string;
  readonly endedAt?: string;
  /** By the bot, verified, and not taken back since. */
  readonly fixed: boolean;
  /** People are asked to approve a fix or an undo. */
  readonly asked: boolean;
  /** Until when, ISO 8601. */
  readonly until?: string;
  readonly blind: boolean;
  /** Somebody wants no reminders of it now. */
  readonly snoozed?: Pick<NonNullable<Finding['snoozed']>, 'until' | 'by'>;
}

export interface DigestFacts {
  readonly accountId: string;
  readonly now: Date;
  /** Those open, those that people are asked about, and those ended since. */
  readonly seen: readonly Seen[];
  readonly made: readonly MadeException[];
  /** Undefined: none of them could be seen. */
  readonly depths?: Readonly<Record<string, number | undefined>>;
}

export async function factsOf({ ledger, clock, log, accountId, dlqDepths }: DigestPorts, since: Date): Promise<DigestFacts> {
  const now = clock.now();
  const seen: Seen[] = [];
  for await (const finding of ledger.findings({})) {
    const one = seenOf(finding, now);
    if (one.state === 'open' || one.asked || (one.endedAt !== undefined && one.endedAt > since.toISOString())) seen.push(one);
  }
  const depths = await dlqDepths().catch((error: unknown) => {
    log.warn('Dead-letter queues cannot be seen', { error });
    return undefined;
  });
  return { accountId, now, seen, made: await madeExceptions(ledger), ...(depths && { depths }) };
}

function seenOf(finding: Finding, now: Date): Seen {
  const { control, resource, owner, severity, state, openedAt, resolvedAt, outcome, undo, question, evaluation, snoozed } = finding;
  const asked = outcome?.status === 'AWAITING_APPROVAL' || undo?.state === 'asked';
  return {
    control,
    accountId: resource.accountId,
    tags: redactDeep(inOneLine(owner?.tags ?? {})) as Record<string, string>,
    name: nameOf(resource),
    severity,
    state,
    openedAt,
    ...(resolvedAt && { endedAt: resolvedAt }),
    fixed: state === 'resolved' && outcome?.status === 'REMEDIATED' && undo?.state !== 'done',
    asked,
    ...(asked && question && { until: question.expires }),
    blind: evaluation.complianceType === 'INSUFFICIENT_DATA',
    ...(state === 'open' && snoozed && snoozed.until > now.toISOString() && { snoozed }),
  };
}
