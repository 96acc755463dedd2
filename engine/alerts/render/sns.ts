/** An alert as an SNS message: to each protocol in its own form. Pure. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
import type { Alert } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { textOf } from '../lines.ts';
import { accountOf, whatOf } from '../names.ts';
import { customNotification } from './chat.ts';
import { commandsOf, linesWithin, pointer, sizeOf } from './commands.ts';
import { differencesWithin, differenceText, sidesText } from './differences.ts';
import { machineForm } from './machine.ts';

export interface SnsMessage {
  /** Printable ASCII, under 100 characters. */
  readonly Subject: string;
  /** With MessageStructure `json`: a text for each protocol, under 256 KB in all. */
  readonly Message: string;
  /** For the filters of subscriptions; none is empty. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** 256 KB, less room for the attributes, which count. */
const most = 262_144 - 2_048;
/** Bytes of an alert's lines, tried in turn until all of it fits. Quotes in names grow fourfold where JSON lies in JSON. */
const budgets = [32_768, 8_192, 2_048];

export function snsMessage(alert: Alert, context: Context): SnsMessage {
  let Message = '';
  for (const bytes of budgets) {
    Message = messageWithin(alert, context, bytes);
    if (sizeOf(Message) <= most) break;
  }
  return { Subject: alert.subject, Message, attributes: attributesOf(alert) };
}

function messageWithin(alert: Alert, context: Context, bytes: number): string {
  const text = emailText(alert, context, bytes);
  const program = JSON.stringify(machineForm(alert, context, bytes));
  const chat = JSON.stringify(customNotification(alert, context));
  return JSON.stringify({ default: text, email: text, sms: smsText(alert), sqs: program, lambda: program, http: chat, https: chat });
}

function attributesOf({ severity, control, accountId, status, urgency }: Alert): Record<string, string> {
  const all = { severity, control, account: accountId, status, urgency };
  return Object.fromEntries(Object.entries(all).filter((one): one is [string, string] => Boolean(one[1])));
}

function emailText(alert: Alert, context: Context, bytes: number): string {
  const { severity, headline, finding } = alert;
  const { differences, cut } = differencesWithin(alert, bytes);
  const commands = commandsOf(alert, context);
  const block = (name: string, lines: readonly string[]) => (lines.length > 0 ? [`${name}:\n${lines.map((line) => `  ${line}`).join('\n')}`] : []);
  return [
    ...(context.instead ? [context.instead] : []),
    `${headline}: ${whatOf(alert)}\n${severity}, account ${accountOf(alert, context)}`,
    textOf({ lines: linesWithin(alert, context, bytes) }),
    ...block(sidesText(alert), [...differences.map((one) => differenceText(one)), ...(cut ? [`and more: ${pointer(context)}`] : [])]),
    ...block('Console', finding?.console ? [finding.console] : []),
    ...block(
      'To answer',
      commands.map(({ command }) => command),
    ),
  ].join('\n\n');
}

const smsCharacters = 140;

/**
 * At most 140 characters, and 160 septets of GSM 03.38: one message. A backtick is not in that alphabet, and would turn the whole into
 * UCS-2, of which 70 characters fit. https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html
 */
function smsText({ subject, finding }: Alert): string {
  const end = finding ? ` ${finding.id}` : '';
  const room = { characters: smsCharacters - end.length, septets: 160 - end.length };
  const words = subject.replaceAll('`', "'");
  let fits = 0;
  for (let septets = 0; fits < Math.min(words.length, room.characters); fits += 1) {
    septets += /[\^{}\\[\]~|]/.test(words[fits]!) ? 2 : 1;
    if (septets > room.septets) break;
  }
  return `${words.slice(0, fits)}${end}`;
}
