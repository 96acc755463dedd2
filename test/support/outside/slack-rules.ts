/** What Slack enforces on messages and modals. https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/views/modal-views */
import { type Fault, type Json, list, object, options, short, textFaults, textsOf } from './slack-forms.ts';

export type { Json } from './slack-forms.ts';

/** Not documented; seen from 11,341 on: https://github.com/slackapi/bolt-js/issues/2867 */
const allText = 11_000;

/** Faults of the arguments of chat.postMessage and chat.update, or of a webhook's body. */
export function messageFaults(given: Json): string[] {
  const { text, blocks = [] } = given;
  const faults: string[] = [];
  if (typeof text !== 'string' || text.trim() === '') faults.push('no fallback text');
  else faults.push(...textFaults({ type: 'mrkdwn', text, verbatim: true }, 'text', 4_000));
  faults.push(...blockFaults(blocks, 50, messageBlocks));
  const length = textsOf(blocks).reduce((sum, one) => sum + one.length, 0);
  if (length > allText) faults.push(`all text together has ${length} characters`);
  return faults;
}

export function viewFaults(given: unknown): string[] {
  const faults: string[] = [];
  const view = object(given, 'view', faults);
  if (view.type !== 'modal') faults.push('view.type is not modal');
  for (const [key, needed] of [['title', true] as const, ['submit', false] as const, ['close', false] as const])
    if (needed || view[key] !== undefined) faults.push(...textFaults(view[key], `view.${key}`, 24, 'plain_text'));
  short(view.callback_id, 255, 'view.callback_id', faults);
  short(view.private_metadata, 3_000, 'view.private_metadata', faults);
  faults.push(...blockFaults(view.blocks, 100, { ...messageBlocks, input }));
  if (view.submit === undefined && (view.blocks as Json[] | undefined)?.some?.(({ type }) => type === 'input')) faults.push('view.submit is missing');
  return faults;
}

type Rules = Readonly<Record<string, (given: Json, at: string, faults: string[]) => void>>;

function blockFaults(given: unknown, most: number, known: Rules): string[] {
  const faults: string[] = [];
  const blocks = list(given, 'blocks', [given === undefined ? 1 : 0, most], faults);
  const ids = new Set<unknown>();
  for (const [index, each] of blocks.entries()) {
    const at = `blocks[${index}]`;
    const block = object(each, at, faults);
    short(block.block_id, 255, `${at}.block_id`, faults);
    if (block.block_id !== undefined && ids.has(block.block_id)) faults.push(`${at}.block_id is not unique`);
    ids.add(block.block_id);
    const rule = typeof block.type === 'string' && Object.hasOwn(known, block.type) ? known[block.type] : undefined;
    if (rule) rule(block, at, faults);
    else faults.push(`${at}: unsupported type: ${block.type}`);
  }
  return faults;
}

const messageBlocks: Rules = {
  divider() {},
  header: ({ text }, at, faults) => faults.push(...textFaults(text, `${at}.text`, 150, 'plain_text')),
  section({ text, fields, accessory }, at, faults) {
    if (text === undefined && fields === undefined) faults.push(`${at} has neither text nor fields`);
    if (text !== undefined) faults.push(...textFaults(text, `${at}.text`, 3_000));
    if (fields !== undefined)
      for (const [index, field] of list(fields, `${at}.fields`, [1, 10], faults).entries()) faults.push(...textFaults(field, `${at}.fields[${index}]`, 2_000));
    if (accessory !== undefined) elements([accessory], `${at}.accessory`, inActions, faults);
  },
  context({ elements: given }, at, faults) {
    for (const [index, each] of list(given, `${at}.elements`, [1, 10], faults).entries()) faults.push(...textFaults(each, `${at}.elements[${index}]`, 3_000));
  },
  actions: ({ elements: given }, at, faults) => elements(list(given, `${at}.elements`, [1, 25], faults), `${at}.elements`, inActions, faults),
};

function input({ label, element, hint }: Json, at: string, faults: string[]): void {
  faults.push(...textFaults(label, `${at}.label`, 2_000, 'plain_text'));
  if (hint !== undefined) faults.push(...textFaults(hint, `${at}.hint`, 2_000, 'plain_text'));
  elements([element], `${at}.element`, inInput, faults);
}

function elements(given: readonly unknown[], at: string, known: Rules, faults: string[]): void {
  const ids = new Set<unknown>();
  for (const [index, each] of given.entries()) {
    const where = `${at}[${index}]`;
    const element = object(each, where, faults);
    short(element.action_id, 255, `${where}.action_id`, faults);
    if (element.action_id !== undefined && ids.has(element.action_id)) faults.push(`${where}.action_id is not unique`);
    ids.add(element.action_id);
    if (element.confirm !== undefined) confirmFaults(element.confirm, `${where}.confirm`, faults);
    if (element.placeholder !== undefined) faults.push(...textFaults(element.placeholder, `${where}.placeholder`, 150, 'plain_text'));
    const rule = typeof element.type === 'string' && Object.hasOwn(known, element.type) ? known[element.type] : undefined;
    if (rule) rule(element, where, faults);
    else faults.push(`${where}: unsupported type: ${element.type}`);
  }
}

/** https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object */
function confirmFaults(given: unknown, at: string, faults: string[]): void {
  const { title, text, confirm, deny, style } = object(given, at, faults);
  for (const [key, value, most] of [
    ['title', title, 100] as const,
    ['text', text, 300] as const,
    ['confirm', confirm, 30] as const,
    ['deny', deny, 30] as const,
  ])
    faults.push(...textFaults(value, `${at}.${key}`, most, 'plain_text'));
  styleFault(style, at, faults);
}

const styleFault: Fault = (style, at, faults) => {
  if (style !== undefined && style !== 'primary' && style !== 'danger') faults.push(`${at}.style is neither primary nor danger`);
};

const isDay = (given: unknown): boolean => typeof given === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(given);
const datepicker: Rules[string] = ({ initial_date: day }, at, faults) => {
  if (day !== undefined && !isDay(day)) faults.push(`${at}.initial_date is no date`);
};

/** https://docs.slack.dev/reference/block-kit/block-elements */
const inActions: Rules = {
  button({ text, value, url, style }, at, faults) {
    faults.push(...textFaults(text, `${at}.text`, 75, 'plain_text'));
    short(value, 2_000, `${at}.value`, faults);
    short(url, 3_000, `${at}.url`, faults);
    styleFault(style, at, faults);
  },
  static_select: ({ options: given }, at, faults) => options(given, 100, at, faults),
  radio_buttons: ({ options: given }, at, faults) => options(given, 10, at, faults),
  checkboxes: ({ options: given }, at, faults) => options(given, 10, at, faults),
  overflow: ({ options: given }, at, faults) => options(given, 5, at, faults),
  datepicker,
};

const inInput: Rules = {
  static_select: inActions.static_select!,
  radio_buttons: inActions.radio_buttons!,
  checkboxes: inActions.checkboxes!,
  datepicker,
  plain_text_input({ min_length: least, max_length: most, initial_value: initial }, at, faults) {
    if (least !== undefined && !(Number(least) >= 0 && Number(least) <= 3_000)) faults.push(`${at}.min_length is not within 0 and 3000`);
    if (most !== undefined && !(Number(most) >= 1 && Number(most) <= 3_000)) faults.push(`${at}.max_length is not within 1 and 3000`);
    if (initial !== undefined && typeof initial !== 'string') faults.push(`${at}.initial_value is no text`);
  },
};
