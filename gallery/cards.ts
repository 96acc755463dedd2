/** An adaptive card as HTML, as Teams shows it: the elements that alerts use. https://adaptivecards.io/explorer. Pure. */
import { escaped } from './html.ts';

interface Run {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: string;
  readonly size?: string;
  readonly fontType?: string;
  readonly isSubtle?: boolean;
  readonly color?: string;
}

interface Spaced {
  readonly spacing?: string;
  readonly separator?: boolean;
}

export type Element = Spaced &
  (
    | (Omit<Run, 'type'> & { readonly type: 'TextBlock' })
    | { readonly type: 'RichTextBlock'; readonly inlines: readonly (Run | string)[] }
    | { readonly type: 'FactSet'; readonly facts: readonly { readonly title: string; readonly value: string }[] }
    | { readonly type: 'Container'; readonly style?: string; readonly items: readonly Element[] }
  );

export interface Card {
  readonly body: readonly Element[];
  readonly actions?: readonly { readonly type: 'Action.OpenUrl'; readonly title: string; readonly url: string }[];
}

export interface TeamsMessage {
  readonly attachments: readonly { readonly content: Card }[];
}

const classOf = ({ weight, size, fontType, isSubtle, color }: Omit<Run, 'type' | 'text'>): string =>
  [weight, size, fontType, isSubtle && 'Subtle', color].filter(Boolean).join(' ').toLowerCase();

const runHtml = (run: Run | string): string => (typeof run === 'string' ? escaped(run) : `<span class="${classOf(run)}">${escaped(run.text)}</span>`);

/** Markdown of Teams: as much as our own words would use. */
const markdown = (text: string): string => escaped(text).replace(/\*\*([^*\n]+)\*\*/g, '<b>$1</b>');

function elementHtml(element: Element): string {
  const { spacing = 'default', separator } = element;
  const as = (name: string, inner: string) => `<div class="${name} spacing-${spacing.toLowerCase()}${separator ? ' separator' : ''}">${inner}</div>`;
  switch (element.type) {
    case 'TextBlock':
      return as(`text ${classOf(element)}`, markdown(element.text));
    case 'RichTextBlock':
      return as('text', element.inlines.map(runHtml).join(''));
    case 'FactSet':
      return as('facts', element.facts.map(({ title, value }) => `<b>${markdown(title)}</b><span>${markdown(value)}</span>`).join(''));
    case 'Container':
      return as(`container ${element.style ?? 'default'}`, element.items.map(elementHtml).join(''));
    default:
      throw new Error(`the gallery does not draw ${(element as { type: string }).type} elements`);
  }
}

/** @throws Error for an element that is not drawn here */
export const teamsHtml = ({ attachments }: TeamsMessage): string =>
  attachments
    .map(({ content: { body, actions = [] } }) => {
      const buttons = actions.map(({ title }) => `<span class="button">${escaped(title)}</span>`).join('');
      return `<div class="teams"><div class="from"><b>Workflows</b></div><div class="card">${body.map(elementHtml).join('')}${buttons && `<div class="actions">${buttons}</div>`}</div></div>`;
    })
    .join('');
