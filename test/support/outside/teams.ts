/** Webhooks of Microsoft Teams: those of Workflows, and connectors as they were before. Cards are read by Microsoft's own parser, and more strictly. */
import { createRequire } from 'node:module';
import type { Service } from './server.ts';

// Its modules are written for bundlers; the bundle loads in Node.
const cards = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js') as typeof import('adaptivecards');

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Teams {
  readonly service: Service;
  /** The cards that were posted. */
  readonly posted: Json[];
}

const mostBytes = 28 * 1_024;

/**
 * @param kind a Workflow answers 202 and posts later; a connector answers 200 in any case, and says in the text what has become of it
 * @param path what the address ends in; it holds the secret
 */
export function teamsService(kind: 'workflow' | 'connector', path: string): Teams {
  const posted: Json[] = [];
  const refuse = (code: number) =>
    kind === 'connector'
      ? { status: 200, body: `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${code} with ContextId tcid=0..` }
      : { status: code };
  const service: Service = ({ method, path: asked, headers, body }) => {
    if (method !== 'POST' || asked !== path) return { status: 404 };
    if (!/^application\/json; ?charset=utf-8$/i.test(headers['content-type'] ?? '')) return refuse(415);
    if (Buffer.byteLength(body) > mostBytes) return refuse(413);
    const message = JSON.parse(body);
    if (messageErrorsOf(message).length > 0) return refuse(400);
    posted.push(message.attachments[0].content);
    return kind === 'connector' ? { status: 200, body: '1' } : { status: 202 };
  };
  return { service, posted };
}

export function messageErrorsOf(message: unknown): string[] {
  if (!isMap(message) || message.type !== 'message' || !Array.isArray(message.attachments) || message.attachments.length !== 1)
    return ['it is not a message with one attachment'];
  const { contentType, contentUrl, content, ...more } = message.attachments[0] as Json;
  if (contentType !== 'application/vnd.microsoft.card.adaptive' || contentUrl !== null || Object.keys(more).length > 0)
    return ['it is not an attachment of a card'];
  return isMap(content) ? cardErrorsOf(content) : ['it is not a card'];
}

/** What Microsoft's parser finds, and what it leaves out silently: unknown and missing properties. */
export function cardErrorsOf(card: Json): string[] {
  const parsing = new cards.SerializationContext(cards.Versions.v1_4);
  const parsed = new cards.AdaptiveCard();
  parsed.parse(card, parsing);
  const parseErrors = Array.from({ length: parsing.eventCount }, (_, nth) => parsing.getEventAt(nth).message);
  const validation = parsed.validateProperties().validationEvents.map(({ message }) => message);
  return [...parseErrors, ...validation, ...elementErrorsOf(card)];
}

/** Of the elements of version 1.4 that phidelity uses: which properties they must and may have. https://adaptivecards.io/schemas/1.4.0/adaptive-card.json */
const elements: Readonly<Record<string, { readonly must: Json; readonly may: Json }>> = {
  AdaptiveCard: { must: { type: 'text', version: 'text', body: 'list' }, may: { $schema: 'text', fallbackText: 'text', msteams: 'map', actions: 'list' } },
  Container: { must: { type: 'text', items: 'list' }, may: { style: 'text', bleed: 'yes', spacing: 'text' } },
  RichTextBlock: { must: { type: 'text', inlines: 'list' }, may: { spacing: 'text' } },
  TextRun: { must: { type: 'text', text: 'text' }, may: { weight: 'text', size: 'text', fontType: 'text', isSubtle: 'yes' } },
  'Action.OpenUrl': { must: { type: 'text', title: 'text', url: 'url' }, may: {} },
};

const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string' && value !== '',
  url: (value) => typeof value === 'string' && URL.canParse(value) && value.startsWith('https://'),
  yes: (value) => typeof value === 'boolean',
  map: isMap,
  list: (value) => Array.isArray(value) && value.length > 0,
};

function elementErrorsOf(element: unknown): string[] {
  if (!isMap(element)) return ['an element is no object'];
  const form = elements[element.type as string];
  if (!form) return [`${element.type} is not known`];
  const { must, may } = form;
  const properties: Json = { ...must, ...may };
  const missing = Object.keys(must).filter((name) => element[name] === undefined);
  const unknown = Object.keys(element).filter((name) => !(name in properties));
  const wrong = Object.entries(element).filter(([name, value]) => name in properties && !forms[properties[name] as string]!(value));
  const inner = ['body', 'items', 'inlines', 'actions'].flatMap((name) => (Array.isArray(element[name]) ? element[name] : []));
  return [
    ...missing.map((name) => `${element.type} has no ${name}`),
    ...unknown.map((name) => `${element.type} has ${name}`),
    ...wrong.map(([name]) => `${name} of ${element.type} has another form`),
    ...inner.flatMap(elementErrorsOf),
  ];
}
