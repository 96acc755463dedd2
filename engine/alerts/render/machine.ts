/** An alert for programs: what a queue, a function or a webhook is sent. docs/channels/webhook.md describes it. Pure. */
import type { Alert, AlertFinding, Difference, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { type AnswerCommand, commandsOf, linesWithin } from './commands.ts';
import { differencesWithin, longestDiff } from './differences.ts';

/** Within a version members are added, never taken away, and never mean anything else. What is not known is absent, never `null`. Times are ISO 8601. */
export interface MachineForm {
  readonly version: 1;
  /** Unique per finding and state told: drop repeats by it. */
  readonly id: string;
  readonly urgency: Alert['urgency'];
  readonly severity: Alert['severity'];
  readonly status: string;
  /** Absent: it is about many. */
  readonly control?: string;
  readonly title: string;
  readonly headline: string;
  /** Both with the resource, in printable ASCII, under 100 characters. */
  readonly subject: string;
  readonly account: { readonly id: string; readonly name?: string };
  /** Where the bot is that says so. */
  readonly bot: { readonly stack: string; readonly region: string };
  /** Why this channel is told what was meant for another. */
  readonly instead?: string;
  /** Absent, like all that follows up to `lines`: it is about many. */
  readonly findingId?: string;
  /** Of two alerts about a finding the one with the higher version is news. */
  readonly findingVersion?: number;
  readonly resource?: { readonly id: string; readonly name: string; readonly type: string; readonly region: string; readonly console?: string };
  readonly state?: 'open' | 'resolved';
  readonly episode?: number;
  /** As last read. */
  readonly complianceType?: string;
  /** A read of the live state after the bot's write has shown that it holds. */
  readonly verified?: boolean;
  readonly confirmed?: boolean;
  readonly openedAt?: string;
  readonly at?: string;
  /** Until when nobody wants to be reminded. */
  readonly snoozed?: string;
  /** Those of the resource that the policy routes by. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly lines: readonly Line[];
  readonly differences: readonly Difference[];
  readonly differencesCut?: true;
  /** Sections of 45 CFR. */
  readonly hipaa: readonly string[];
  /** What may be answered, and how; a proof of person is made by the command. */
  readonly answers: readonly (Partial<AnswerCommand> & Pick<AnswerCommand, 'decision'>)[];
}

/**
 * Member by member: what is added to the model leaves the account only when somebody has decided so.
 * @param bytes that the lines, and no more than 8 KB of them the differences, may take
 */
export function machineForm(alert: Alert, context: Context, bytes = 65_536): MachineForm {
  const { id, urgency, severity, status, control, title, headline, subject, accountId, hipaa, finding } = alert;
  const { accountName, stack, region, instead } = context;
  const { differences, cut } = differencesWithin(alert, Math.min(bytes, longestDiff));
  const commands = commandsOf(alert, context);
  return {
    version: 1,
    id,
    urgency,
    severity,
    status,
    ...(control !== undefined && { control }),
    title,
    headline,
    subject,
    account: { id: accountId, ...(accountName && { name: accountName }) },
    bot: { stack, region },
    ...(instead && { instead }),
    ...(finding && aboutOne(finding)),
    lines: linesWithin(alert, context, bytes),
    differences,
    ...(cut && { differencesCut: true as const }),
    hipaa,
    answers: (finding?.answers ?? []).map(({ decision }) => ({ decision, ...commands.find((one) => one.decision === decision) })),
  };
}

function aboutOne({ id, version, resource, console, state, episode, complianceType, verified, confirmed, openedAt, at, snoozed, tags }: AlertFinding) {
  return {
    findingId: id,
    findingVersion: version,
    resource: { id: resource.id, name: resource.name, type: resource.type, region: resource.region, ...(console && { console }) },
    state,
    episode,
    complianceType,
    verified,
    confirmed,
    openedAt,
    at,
    ...(snoozed && { snoozed }),
    tags,
  } satisfies Partial<MachineForm>;
}
