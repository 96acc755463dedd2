/**
 * An alert as Amazon Q Developer in chat applications (once AWS Chatbot) shows it in Slack and Teams. Pure.
 * https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
 */
import type { Alert } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { clipped, oneLine } from '../lines.ts';
import { accountOf } from '../names.ts';
import { commandsOf, linesWithin, pointer } from './commands.ts';
import { differencesWithin, differenceText, sidesText } from './differences.ts';

export interface CustomNotification {
  readonly version: '1.0';
  readonly source: 'custom';
  readonly id: string;
  readonly content: {
    readonly textType: 'client-markdown';
    readonly title: string;
    readonly description: string;
    readonly nextSteps?: readonly string[];
    readonly keywords: readonly string[];
  };
  readonly metadata: {
    readonly threadId: string;
    readonly summary: string;
    readonly eventType: string;
    readonly relatedResources?: readonly string[];
    readonly additionalContext: Readonly<Record<string, string>>;
  };
}

// AWS tells no limits; a section of a Slack message takes 3,000 characters.
const linesBytes = 1_800;
const diffBytes = 700;
const resourceBytes = 600;

/** One finding is one thread. */
export function customNotification(alert: Alert, context: Context): CustomNotification {
  const { id, severity, status, control, headline, title, subject, finding } = alert;
  const steps = commandsOf(alert, context).map(({ command }) => code(command));
  return {
    version: '1.0',
    source: 'custom',
    id,
    content: {
      textType: 'client-markdown',
      title: `${severity} ${headline}: ${control ?? title}`,
      description: descriptionOf(alert, context),
      ...(steps.length > 0 && { nextSteps: steps }),
      keywords: [severity, status, ...(control ? [control] : [])],
    },
    metadata: {
      threadId: finding?.id ?? id,
      summary: harmless(subject),
      eventType: status,
      ...(finding && { relatedResources: [harmless(finding.resource.id)] }),
      additionalContext: {
        account: harmless(accountOf(alert, context)),
        ...(control && { control }),
        ...(finding && { region: finding.resource.region, resourceType: finding.resource.type, findingId: finding.id, state: finding.state }),
      },
    },
  };
}

function descriptionOf(alert: Alert, context: Context): string {
  const { finding } = alert;
  const told = { lines: alert.lines.map(({ label, value }) => ({ label, value: label === 'Resource' ? clipped(value, resourceBytes) : value })) };
  const { differences, cut } = differencesWithin(alert, diffBytes);
  const more = cut ? [`More: ${code(pointer(context))}`] : [];
  return [
    ...(context.instead ? [markdown(context.instead)] : []),
    ...linesWithin(told, context, linesBytes).map(({ label, value }) => `*${label}:* ${markdown(value)}`),
    ...(differences.length + more.length > 0 ? [`*${sidesText(alert, '→')}:*`, ...differences.map((one) => code(differenceText(one, '→'))), ...more] : []),
    ...(finding?.console ? [finding.console.replace(/[!'()*_~]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`)] : []),
  ].join('\n');
}

/** Slack reads `<!channel>` and `<url|words>` even in code; Teams reads HTML. */
const harmless = (text: string): string => oneLine(text).replaceAll('<', '‹').replaceAll('>', '›');

// Words and sentences: no markup, no address, no emoji in either application.
const plain = /^(?:[A-Za-z0-9 ,;'()-]|[.:](?= |$)|\/(?!\/))*$/;

/** What is more than plain words is code: there nothing is a link, bold or an emoji, whoever wrote it. */
const markdown = (text: string): string => (plain.test(text) ? text : code(text));

const code = (text: string): string => `\`${harmless(text).replaceAll('`', "'")}\``;
