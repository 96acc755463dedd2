/** An alert for programs: what a queue, a function or a webhook is sent. Pure. */
import type { Alert, Difference, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { type AnswerCommand, commandsOf, linesWithin } from './commands.ts';
import { differencesWithin, longestDiff } from './differences.ts';

/** Within a version members are added, never taken away, and never mean anything else. Times are ISO 8601. */
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
  readonly account: { readonly id: string; readonly name?: string };
  /** Why this channel is told what was meant for another. */
  readonly instead?: string;
  /** Absent, like all that follows up to `lines`: it is about many. */
  readonly findingId?: string;
  /** Of two alerts about a finding the one with the higher version is news. */
  readonly findingVersion?: number;
  readonly resource?: { readonly id: string; readonly name: string; readonly type: string; readonly region: string; readonly console?: string };
  readonly state?: 'open' | 'resolved';
  /** As last read. */
  readonly complianceType?: string;
  /** A read of the live state after the bot's write has shown that it holds. */
  readonly verified?: boolean;
  readonly confirmed?: boolean;
  readonly openedAt?: string;
  readonly at?: string;
  readonly lines: readonly Line[];
  readonly differences: readonly Difference[];
  readonly differencesCut?: true;
  /** Sections of 45 CFR. */
  readonly hipaa: readonly string[];
  /** What may be answered, and how; a proof of person is made by the command. */
  readonly answers: readonly (Partial<AnswerCommand> & Pick<AnswerCommand, 'decision'>)[];
}

/** @param bytes that the lines, and no more than 8 KB of them the differences, may take */
export function machineForm(alert: Alert, context: Context, bytes = 65_536): MachineForm {
  const { id, urgency, severity, status, control, title, headline, accountId, hipaa, finding } = alert;
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
    account: { id: accountId, ...(context.accountName && { name: context.accountName }) },
    ...(context.instead && { instead: context.instead }),
    ...(finding && {
      findingId: finding.id,
      findingVersion: finding.version,
      resource: { ...finding.resource, ...(finding.console && { console: finding.console }) },
      state: finding.state,
      complianceType: finding.complianceType,
      verified: finding.verified,
      confirmed: finding.confirmed,
      openedAt: finding.openedAt,
      at: finding.at,
    }),
    lines: linesWithin(alert, context, bytes),
    differences,
    ...(cut && { differencesCut: true as const }),
    hipaa,
    answers: (finding?.answers ?? []).map(({ decision }) => ({ decision, ...commands.find((one) => one.decision === decision) })),
  };
}
