/** A Slack message as HTML: the blocks that alerts use. https://docs.slack.dev/reference/block-kit/blocks. Pure. */
import { escaped } from './html.ts';
import { mrkdwnHtml, shortcodes } from './mrkdwn.ts';

interface Text {
  readonly type: 'plain_text' | 'mrkdwn';
  readonly text: string;
}

interface Button {
  readonly type: 'button';
  readonly text: Text;
  readonly style?: 'primary' | 'danger';
}

export type Block =
  | { readonly type: 'header'; readonly text: Text }
  | { readonly type: 'section'; readonly text?: Text; readonly fields?: readonly Text[] }
  | { readonly type: 'context'; readonly elements: readonly Text[] }
  | { readonly type: 'actions'; readonly elements: readonly Button[] }
  | { readonly type: 'divider' };

export interface Message {
  readonly text: string;
  readonly blocks: readonly Block[];
}

const textHtml = ({ type, text }: Text): string => (type === 'mrkdwn' ? mrkdwnHtml(text) : escaped(shortcodes(text)));
const div = (name: string, inner: string): string => `<div class="${name}">${inner}</div>`;

function blockHtml(block: Block): string {
  switch (block.type) {
    case 'header':
      return div('header', textHtml(block.text));
    case 'section': {
      const fields = block.fields?.map((field) => div('field', textHtml(field))).join('') ?? '';
      return div('section', (block.text ? textHtml(block.text) : '') + (fields && div('fields', fields)));
    }
    case 'context':
      return div('context', block.elements.map((element) => `<span>${textHtml(element)}</span>`).join(''));
    case 'actions':
      return div('actions', block.elements.map(({ text, style }) => `<span class="button ${style ?? 'plain'}">${textHtml(text)}</span>`).join(''));
    case 'divider':
      return '<hr>';
    default:
      // A block that is not drawn would be missed by whoever looks at the picture.
      throw new Error(`the gallery does not draw ${(block as { type: string }).type} blocks`);
  }
}

/** @throws Error for a block that is not drawn here */
export const slackHtml = ({ blocks }: Message, at = '04:00'): string =>
  div(
    'slack',
    div('avatar', '') +
      div('message', `<div class="from"><b>phidelity</b><span class="app">APP</span><time>${escaped(at)}</time></div>${blocks.map(blockHtml).join('')}`),
  );
