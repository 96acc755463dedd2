/** Alerts as JSON for programs: docs/channels/webhook.md describes it. Fields may be added to a version, never changed or taken away. Pure. */
import type { Alert, AlertFinding } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { type AnswerCommand, commandsOf, linesFor } from './commands.ts';

export interface WebhookBody extends Pick<Alert, 'id' | 'urgency' | 'severity' | 'status' | 'headline' | 'title' | 'subject' | 'lines' | 'hipaa'> {
  readonly version: 1;
  /** `null`: it is about many. */
  readonly control: string | null;
  readonly account: { readonly id: string; readonly name: string | null };
  /** Where the bot is that sends it. */
  readonly bot: { readonly stack: string; readonly region: string };
  /** Why it is sent here instead of elsewhere. */
  readonly instead: string | null;
  /** `null`: it is about many, or about the bot. */
  readonly finding:
    | (Omit<AlertFinding, 'answers' | 'console' | 'snoozed' | 'snoozedAt' | 'differencesCut'> & {
        readonly console: string | null;
        readonly snoozed: string | null;
        readonly differencesCut: boolean;
      })
    | null;
  readonly answers: readonly AnswerCommand[];
}

export function webhookBody(alert: Alert, context: Context): WebhookBody {
  const { id, urgency, severity, status, headline, title, subject, hipaa, control, accountId, finding } = alert;
  const { accountName, stack, region, instead } = context;
  return {
    version: 1,
    id,
    urgency,
    severity,
    status,
    headline,
    title,
    subject,
    control: control ?? null,
    account: { id: accountId, name: accountName ?? null },
    bot: { stack, region },
    instead: instead ?? null,
    lines: linesFor(alert, context),
    hipaa,
    finding: finding ? findingOf(finding) : null,
    answers: commandsOf(alert, context),
  };
}

/** Field by field: what is added to the model leaves the account only when somebody has decided so. */
const findingOf = (finding: AlertFinding): WebhookBody['finding'] => ({
  id: finding.id,
  version: finding.version,
  state: finding.state,
  episode: finding.episode,
  resource: finding.resource,
  console: finding.console ?? null,
  complianceType: finding.complianceType,
  verified: finding.verified,
  confirmed: finding.confirmed,
  openedAt: finding.openedAt,
  at: finding.at,
  snoozed: finding.snoozed ?? null,
  differences: finding.differences,
  differencesCut: finding.differencesCut ?? false,
  tags: finding.tags,
});
