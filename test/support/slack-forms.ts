/** Slack's Web API as far as the endpoint calls it: takes what Slack takes, and refuses what Slack refuses. */
import type { Service } from './outside/server.ts';

type Json = Readonly<Record<string, unknown>>;
const textOf = (part: unknown): string => String((part as { text?: unknown } | undefined)?.text ?? '');

/** What Slack would refuse of a modal. https://docs.slack.dev/reference/views/modal-views and docs.slack.dev/reference/block-kit/ */
export function viewFaults(view: Json): string[] {
  const blocks = (view.blocks ?? []) as readonly Json[];
  const ids = blocks.flatMap(({ block_id: id }) => (typeof id === 'string' ? [id] : []));
  const faults: (string | false)[] = [
    view.type !== 'modal' && 'type',
    ...(['title', 'submit', 'close'] as const).map((part) => (textOf(view[part]).length === 0 || textOf(view[part]).length > 24) && `${part} of 1 to 24`),
    String(view.callback_id ?? '').length > 255 && 'callback_id',
    String(view.private_metadata ?? '').length > 3_000 && 'private_metadata',
    (blocks.length === 0 || blocks.length > 100) && 'blocks',
    new Set(ids).size !== ids.length && 'block_id twice',
    ...blocks.flatMap((block): (string | false)[] => {
      const { element = {}, label, hint, text } = block as Record<string, Json>;
      if (block.type === 'section') return [(textOf(text).length === 0 || textOf(text).length > 3_000) && 'section'];
      return [
        block.type !== 'input' && `a block ${block.type}`,
        (textOf(label).length === 0 || textOf(label).length > 2_000) && 'label',
        textOf(hint).length > 2_000 && 'hint',
        String(element.action_id ?? '').length > 255 && 'action_id',
        element.type === 'plain_text_input' && !(Number(element.max_length) <= 3_000) && 'max_length',
        element.type === 'datepicker' && !/^\d{4}-\d\d-\d\d$/.test(String(element.initial_date)) && 'initial_date',
      ];
    }),
  ];
  return faults.filter((fault) => fault !== false);
}

export const botToken = 'xoxb-1-test';

export const slackForms: Service = ({ method, path, headers, body }) => {
  if (method !== 'POST') return { status: 405 };
  if (path === '/api/views.open') {
    if (headers.authorization !== `Bearer ${botToken}`) return { status: 200, body: { ok: false, error: 'invalid_auth' } };
    const { trigger_id: trigger, view } = JSON.parse(body) as { trigger_id?: string; view: Json };
    if (!trigger) return { status: 200, body: { ok: false, error: 'invalid_trigger_id' } };
    const faults = viewFaults(view);
    return { status: 200, body: faults.length > 0 ? { ok: false, error: 'invalid_arguments', faults } : { ok: true, view: { id: 'V1', ...view } } };
  }
  return path.startsWith('/actions/') ? { status: 200, body: 'ok' } : { status: 404 };
};
