/**
 * Alerts as Adaptive Cards for Microsoft Teams.
 * https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format, https://adaptivecards.io/explorer. Pure.
 *
 * Everything is a TextRun: Teams reads Markdown in TextBlock and FactSet, and names are written by strangers. A name in a TextRun makes no link,
 * no list and no bold "Fixed", and can be copied as it is, without backslashes.
 */
import type { Alert, AlertFinding } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { clipped } from '../lines.ts';
import { accountOf } from '../names.ts';
import { commandsOf, linesFor } from './commands.ts';
import { differenceText, sidesText } from './differences.ts';
import { cutWords, fitting, type Shown } from './fitting.ts';

export interface TextRun {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
  readonly size?: 'Large';
  readonly fontType?: 'Monospace';
  readonly isSubtle?: true;
}

export interface RichTextBlock {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly TextRun[];
  readonly spacing?: 'Small' | 'Medium';
}

export type TeamsStyle = 'attention' | 'warning' | 'good' | 'accent' | 'emphasis';

export interface AdaptiveCard {
  readonly type: 'AdaptiveCard';
  readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
  readonly version: '1.4';
  readonly fallbackText: string;
  readonly msteams: { readonly width: 'Full' };
  readonly body: readonly (
    | RichTextBlock
    | { readonly type: 'Container'; readonly style: TeamsStyle; readonly bleed: true; readonly items: readonly RichTextBlock[] }
  )[];
  readonly actions?: readonly { readonly type: 'Action.OpenUrl'; readonly title: string; readonly url: string }[];
}

export interface TeamsMessage {
  readonly type: 'message';
  readonly attachments: readonly [
    { readonly contentType: 'application/vnd.microsoft.card.adaptive'; readonly contentUrl: null; readonly content: AdaptiveCard },
  ];
}

/** Teams takes about 28 KB; on its way there a character may be written as `\uXXXX`. */
const mostBytes = 27 * 1_024;
const nameBytes = 250;

export const teamsMessage = (alert: Alert, context: Context): TeamsMessage =>
  fitting(
    { ...alert, lines: linesFor(alert, context) },
    (message) => escapedBytes(JSON.stringify(message)) <= mostBytes,
    (shown) => ({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: cardOf(alert, context, shown) }],
    }),
  );

const escapedBytes = (json: string): number => json.replace(/[^\x20-\x7e]/g, 'uXXXX!').length;

function cardOf(alert: Alert, context: Context, { lines, differences, cut }: Shown): AdaptiveCard {
  const { severity, headline, title, control, finding } = alert;
  const commands = commandsOf(alert, context);
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.4',
    fallbackText: `[${severity}] ${headline}${control ? `: ${control}` : ''}`,
    msteams: { width: 'Full' },
    body: [
      {
        type: 'Container',
        style: styleOf(alert),
        bleed: true,
        items: [
          block([run(control || finding ? `${headline} [${severity}]` : headline, { weight: 'Bolder', size: 'Large' })]),
          block([...(finding ? [run(clipped(finding.resource.name, nameBytes), { weight: 'Bolder' }), run(' - ')] : []), run(control ?? title)]),
          block([run(whereOf(alert, context), { isSubtle: true })]),
        ],
      },
      ...(context.instead ? [block([run(context.instead, { weight: 'Bolder' })], 'Medium')] : []),
      ...lines.map(({ label, value }) => block([run(`${label}: `, { weight: 'Bolder' }), run(value)], 'Small')),
      ...listed(
        sidesText(alert),
        differences.map((one) => differenceText(one)),
      ),
      ...listed(
        'To answer',
        commands.map(({ command }) => command),
      ),
      ...(cut ? [block([run(cutWords(context, alert), { isSubtle: true })], 'Medium')] : []),
    ],
    ...(finding?.console && { actions: [{ type: 'Action.OpenUrl' as const, title: 'Open in the AWS console', url: finding.console }] }),
  };
}

const run = (text: string, form: Omit<TextRun, 'type' | 'text'> = {}): TextRun => ({ type: 'TextRun', text, ...form });

const block = (inlines: readonly TextRun[], spacing?: RichTextBlock['spacing']): RichTextBlock => ({
  type: 'RichTextBlock',
  inlines,
  ...(spacing && { spacing }),
});

const listed = (heading: string, texts: readonly string[]): RichTextBlock[] =>
  texts.length === 0
    ? []
    : [block([run(heading, { weight: 'Bolder' })], 'Medium'), ...texts.map((text) => block([run(text, { fontType: 'Monospace' })], 'Small'))];

const whereOf = (alert: Alert, context: Context): string => [`account ${accountOf(alert, context)}`, alert.finding?.resource.region].filter(Boolean).join(', ');

/** Green is for what was seen to be as it should be: an exception, an undo, or what was open for a while, are not. */
function isGood(headline: string, { verified, complianceType }: AlertFinding): boolean {
  if (headline === 'Resolved') return complianceType === 'COMPLIANT' || complianceType === 'NOT_APPLICABLE';
  return (headline === 'Fixed' && verified) || headline === 'Resource gone';
}

export function styleOf({ urgency, severity, headline, finding }: Pick<Alert, 'urgency' | 'severity' | 'headline' | 'finding'>): TeamsStyle {
  if (urgency === 'page') return 'attention';
  if (finding?.state === 'resolved') return isGood(headline, finding) ? 'good' : 'emphasis';
  if (severity === 'CRITICAL' || severity === 'HIGH') return 'attention';
  return severity === 'MEDIUM' ? 'warning' : 'accent';
}
