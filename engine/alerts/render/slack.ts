/** An alert as a message of Slack. Pure. */
import type { Alert, AlertFinding, Line } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { sidesOf } from '../differences.ts';
import { whatOf } from '../names.ts';
import { pointer, stackNamed } from './commands.ts';
import { beginning } from './fitting.ts';
import { type Block, context, header, limits, mrkdwn, type SlackMessage, sections } from './slack/blocks.ts';
import { buttonsOf } from './slack/buttons.ts';
import { code, codeText, link, prose } from './slack/text.ts';

/**
 * All text of a message together. Slack refuses more with `msg_blocks_too_long`; where that begins is not documented, and has been seen
 * above 11,000 (https://github.com/slackapi/bolt-js/issues/2867).
 */
const firstMost = 3_200;
const restMost = 1_300;
const manyMost = 7_000;
const lineMost = 700;
const diffMost = 1_000;
const arnMost = 2_100;

/** @returns blocks within Slack's limits, whatever the names; `buttons`: somebody can press them */
export function slackMessage(alert: Alert, told: Context, { buttons }: { readonly buttons: boolean }): SlackMessage {
  const { finding } = alert;
  const blocks: Block[] = [...instead(told), header(headOf(alert)), ...(finding ? aboutOne(alert, finding, told, buttons) : aboutMany(alert, told))];
  return { text: fallback(alert, told), blocks: blocks.slice(0, limits.blocks) };
}

/** Says in the thread of a message what it has become, or what became of an answer to it: Slack tells nobody that a message was changed. */
export function slackReply(alert: Alert, told: Context): SlackMessage {
  if (alert.answered !== undefined)
    return { text: prose(`${alert.answered} ${whatOf(alert)}`, limits.fallback), blocks: sections([prose(alert.answered, lineMost)]) };
  const news = ['Done', 'Answer'].flatMap((label) => alert.lines.filter((line) => line.label === label));
  const lines = [`${signOf(alert)} *${prose(alert.headline, 150)}*`, ...news.map((line) => lineText(line, told))];
  return { text: fallback(alert, told), blocks: [...instead(told), ...sections(lines)] };
}

/** A digest is about things of every severity. */
const headOf = (alert: Alert): string => `${signOf(alert)} ${alert.headline}${alert.control || alert.finding ? ` [${alert.severity}]` : ''}`;

const instead = ({ instead: why }: Context): Block[] => (why ? sections([`⚠️ ${prose(why, lineMost)}`]) : []);

const signs: Readonly<Record<Alert['severity'], string>> = { CRITICAL: '🔴', HIGH: '🟠', MEDIUM: '🟡', LOW: '🔵', INFORMATIONAL: '⚪' };

/** Green is what a tired eye looks for: only where the last read found no drift. */
function signOf({ severity, finding, headline, urgency }: Alert): string {
  if (finding?.state !== 'resolved' || urgency === 'page') return signs[severity];
  const { verified, complianceType } = finding;
  const ended = (headline === 'Fixed' && verified) || (headline === 'Resolved' && (complianceType === 'COMPLIANT' || complianceType === 'NOT_APPLICABLE'));
  return ended ? '✅' : '⚫';
}

function fallback(alert: Alert, told: Context): string {
  return prose(`${headOf(alert)}: ${whatOf(alert)} (account ${accountOf(alert, told)})`, limits.fallback);
}

const accountOf = ({ accountId }: Alert, { accountName }: Context): string => (accountName ? `${accountName}, ${accountId}` : accountId);

/** The buttons stand where they are seen without opening the rest of a long message. */
function aboutOne(alert: Alert, finding: AlertFinding, told: Context, buttons: boolean): Block[] {
  const { resource } = finding;
  const page = link(finding.console, 'Open in the AWS console');
  const resourceLines = [
    `${code(resource.name, 300)} ${prose(resource.type, 150)}`,
    [prose(`account ${accountOf(alert, told)}, ${resource.region}`, 200), ...(page ? [page] : [])].join(' · '),
  ];
  const lines = alert.lines.filter(({ label }) => !elsewhere.has(label)).toSorted((one, other) => rankOf(one) - rankOf(other));
  // Where there are buttons, commands are for whom these are of no use.
  const isFirst = (line: Line) => rankOf(line) < ranks.length && !(buttons && line.label === 'Command');
  return [
    ...sections(resourceLines),
    ...withinLines(lines.filter(isFirst), firstMost, told),
    ...differences(finding),
    ...(buttons ? buttonsOf(alert) : []),
    ...withinLines(
      lines.filter((line) => !isFirst(line)),
      restMost,
      told,
    ),
    ...context([code(resource.id, arnMost)]),
    ...context([...citations(alert), prose(verification(finding), 200), ...snoozed(finding), `${code(alert.control ?? '-', 150)} ${code(finding.id, 60)}`]),
  ];
}

function aboutMany(alert: Alert, told: Context): Block[] {
  return [
    ...(alert.control || alert.title === alert.headline ? [] : sections([`*${prose(alert.title, 300)}*`])),
    ...withinLines(
      alert.lines.filter(({ label }) => label !== 'HIPAA'),
      manyMost,
      told,
    ),
    ...context(citations(alert)),
  ];
}

/** Shown in the head of the message, in its context, or as a block of its own. */
const elsewhere: ReadonlySet<string> = new Set(['Resource', 'Where', 'HIPAA', 'Finding']);

/**
 * What was wrong and who made it so, what became of it, what a person can do: before the buttons. Who, behind what was done, would be taken for
 * who has done that. The title says what should be: alone it would read as what is. The rest keeps its order.
 */
const ranks: readonly (readonly string[])[] = [
  ['Reminder', 'Escalated'],
  ['Not seen', 'Wrong', 'Was', 'Last seen'],
  ['Drift by'],
  ['State'],
  ['Done'],
  ['Proposal', 'Fix', 'Tried'],
  ['Impact'],
  ['Answer'],
  ['Command'],
  ['Control'],
];
const rankOf = ({ label }: Line): number => {
  const rank = ranks.findIndex((labels) => labels.includes(label));
  return rank < 0 ? ranks.length : rank;
};

const lineText = (line: Line, told: Context): string => `*${prose(line.label, 50)}:* ${prose(stackNamed(line, told).value, lineMost)}`;

function withinLines(lines: readonly Line[], most: number, told: Context): Block[] {
  const shown = beginning(
    lines.map((line) => lineText(line, told)),
    most,
    lengthOf,
  );
  const cut = lines.length - shown.length;
  return [...sections(shown), ...context(cut > 0 ? [`${cut} more ${cut === 1 ? 'line' : 'lines'} left out. All: \`${codeText(pointer(told), 250)}\``] : [])];
}

const lengthOf = (text: string): number => text.length;

function differences(finding: AlertFinding): Block[] {
  const { differences: found, differencesCut } = finding;
  if (found.length === 0) return [];
  const texts = found.map(({ path, observed, expected }) => {
    const lines = [...(observed === undefined ? [] : [`- ${path}: ${observed}`]), ...(expected === undefined ? [] : [`+ ${path}: ${expected}`])];
    return lines.map((line) => codeText(line, 300)).join('\n');
  });
  const shown = beginning(texts, diffMost, lengthOf);
  const more = differencesCut || shown.length < found.length ? '\nThe finding has more.' : '';
  const [observed, expected] = sidesOf(finding);
  const what = `${observed} (-), ${expected} (+)`;
  return [{ type: 'section', text: mrkdwn(`*${what}:*\n\`\`\`\n${shown.join('\n')}\n\`\`\`${more}`) }];
}

const citations = ({ hipaa }: Alert): string[] => (hipaa.length > 0 ? [prose(`HIPAA: 45 CFR ${hipaa.join(', ')}`, 400)] : []);

function verification({ verified, confirmed, complianceType }: AlertFinding): string {
  if (!verified) return `No verified change by the bot. Last read: ${complianceType}.`;
  return confirmed ? 'Verified by a read after the write, and confirmed by its event.' : 'Verified by a read after the write.';
}

const snoozed = ({ snoozed: until }: AlertFinding): string[] => (until ? [prose(`Snoozed until ${until}.`, 100)] : []);
