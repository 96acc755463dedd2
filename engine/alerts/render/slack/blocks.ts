/** Block Kit, as far as messages use it: small forms that hold Slack's limits. https://docs.slack.dev/reference/block-kit. Pure. */
import { plain } from './text.ts';

export interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: boolean;
}

/** `verbatim`: Slack looks for no addresses, channels and mentions in it. */
export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

export interface Confirm {
  readonly title: PlainText;
  readonly text: PlainText;
  readonly confirm: PlainText;
  readonly deny: PlainText;
  readonly style?: 'primary' | 'danger';
}

export interface Button {
  readonly type: 'button';
  readonly text: PlainText;
  readonly action_id: string;
  readonly value: string;
  readonly style?: 'primary' | 'danger';
  readonly confirm?: Confirm;
}

export type Block =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'section'; readonly text: Mrkdwn }
  | { readonly type: 'context'; readonly elements: Mrkdwn[] }
  | { readonly type: 'actions'; readonly elements: Button[] }
  | { readonly type: 'divider' };

export interface SlackMessage {
  /** For notifications, and where blocks are not shown. */
  readonly text: string;
  readonly blocks: Block[];
}

export const limits = { blocks: 50, section: 3_000, header: 150, button: 75, fallback: 4_000, context: 10 } as const;

export const plainText = (text: string, most: number): PlainText => ({ type: 'plain_text', text: plain(text, most), emoji: true });

/** The text is as it may be: from `prose`, `code` or `link`. */
export const mrkdwn = (text: string): Mrkdwn => ({ type: 'mrkdwn', text, verbatim: true });

export const header = (text: string): Block => ({ type: 'header', text: plainText(text, limits.header) });

export const context = (texts: readonly string[]): Block[] =>
  texts.length > 0 ? [{ type: 'context', elements: texts.slice(0, limits.context).map(mrkdwn) }] : [];

export const confirmation = (title: string, text: string, confirm: string, style: 'primary' | 'danger'): Confirm => ({
  title: plainText(title, 100),
  text: plainText(text, 300),
  confirm: plainText(confirm, 30),
  deny: plainText('Not now', 30),
  style,
});

/** As few sections as hold the lines, each of which is shorter than a section. */
export function sections(lines: readonly string[]): Block[] {
  const packed: string[] = [];
  for (const line of lines) {
    const last = packed.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= limits.section) packed[packed.length - 1] = `${last}\n${line}`;
    else packed.push(line);
  }
  return packed.map((text) => ({ type: 'section', text: mrkdwn(text) }));
}
