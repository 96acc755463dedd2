/**
 * Slack, as far as the bot uses it: chat.postMessage, chat.update, views.open, views.update, incoming webhooks and the `response_url` of an interaction,
 * with the limits of Slack's reference and answers in its form. It is stricter in one thing: markup that a name could have brought in is an error too.
 *
 * Reached at `URL/slack` (the base of the API and of `views`), a webhook at `URL/slack/services/…`.
 */
import type { Answered, Asked, Service } from './server.ts';
import { type Json, messageFaults, viewFaults } from './slack-rules.ts';

export interface SlackSaid {
  readonly channel: string;
  readonly ts: string;
  /** Of a reply: the message it belongs to. */
  readonly thread_ts?: string;
  readonly text: string;
  readonly blocks: readonly Json[];
  /** A reply that is seen in the channel too. */
  readonly broadcast?: true;
  /** How often it was changed. */
  readonly changes: number;
}

export interface SlackService {
  readonly service: Service;
  /** What it takes as the bot's token; to be set anew by tests of a rotated one. */
  token: string;
  /** Messages as they are now, oldest first, without replies. */
  messages(channel: string): SlackSaid[];
  /** Replies to a message, oldest first. */
  thread(channel: string, ts: string): SlackSaid[];
  /** What was posted through the webhook at a path such as `/services/T0/B0/x`. */
  posted(path: string): Json[];
  /** Modals that were opened, by id, as they are now. */
  readonly views: ReadonlyMap<string, Json>;
  /** What was posted to the `response_url` of interactions, `URL/slack/actions/…`, oldest first. */
  readonly whispers: readonly Json[];
}

/** `channels`: ids of those that the app is in. `webhooks`: paths such as `/services/T0/B0/x`. */
export function slackService({
  token,
  channels,
  webhooks = [],
}: {
  readonly token: string;
  readonly channels: readonly string[];
  readonly webhooks?: readonly string[];
}): SlackService {
  const said: SlackSaid[] = [];
  const views = new Map<string, Json>();
  const whispers: Json[] = [];
  const triggers = new Set<unknown>();
  const posts = new Map<string, Json[]>(webhooks.map((path) => [path, []]));
  const methods: Readonly<Record<string, (given: Json) => Answered>> = {
    '/api/chat.postMessage': post,
    '/api/chat.update': update,
    '/api/views.open': open,
    '/api/views.update': change,
  };
  const slack: SlackService = {
    service,
    token,
    messages: (channel) => said.filter((one) => one.channel === channel && !one.thread_ts),
    thread: (channel, ts) => said.filter((one) => one.channel === channel && one.thread_ts === ts),
    posted: (path) => posts.get(path) ?? [],
    views,
    whispers,
  };
  return slack;

  function service(asked: Asked): Answered {
    if (asked.method !== 'POST') return { status: 405 };
    if (asked.path.startsWith('/services/')) return webhook(asked);
    if (asked.path.startsWith('/actions/')) return whisper(asked);
    const method = methods[asked.path];
    if (!method) return error('unknown_method');
    const given = argumentsOf(asked);
    if (!given) return error('invalid_form_data');
    const auth = asked.headers.authorization ?? (typeof given.token === 'string' && !isJson(asked) ? `Bearer ${given.token}` : '');
    if (!auth) return error('not_authed');
    return auth === `Bearer ${slack.token}` ? method(given) : error('invalid_auth');
  }

  /** https://docs.slack.dev/changelog/2016/05/17/changes-to-errors-for-incoming-webhooks */
  function webhook({ path, body }: Asked): Answered {
    const taken = posts.get(path);
    if (!taken) return { status: 404, body: 'no_service' };
    const given = jsonOf(body);
    if (!given) return { status: 400, body: 'invalid_payload' };
    if (messageFaults(given).length > 0) return { status: 400, body: 'invalid_blocks' };
    taken.push(given);
    return { status: 200, body: 'ok' };
  }

  /** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
  function whisper({ body }: Asked): Answered {
    const given = jsonOf(body);
    if (!given) return { status: 400, body: 'invalid_payload' };
    const { text, response_type: type = 'ephemeral' } = given;
    if (typeof text !== 'string' || text.trim() === '') return { status: 400, body: 'no_text' };
    if (type !== 'ephemeral' && type !== 'in_channel') return { status: 400, body: 'invalid_payload' };
    whispers.push(given);
    return ok({});
  }

  function post(given: Json): Answered {
    const { channel, text, thread_ts: parent } = given;
    const broadcast = flagOf(given.reply_broadcast);
    // Slack documents it for replies alone.
    if (broadcast === 'none' || (broadcast && parent === undefined)) return error('invalid_arguments', ['reply_broadcast']);
    if (typeof channel !== 'string' || !channels.includes(channel)) return error('channel_not_found');
    const faults = messageFaults(given);
    if (faults.length > 0) return error(faults.some(isLength) ? 'msg_blocks_too_long' : 'invalid_blocks', faults);
    if (parent !== undefined && !said.some((one) => one.channel === channel && one.ts === parent && !one.thread_ts)) return error('thread_not_found');
    const ts = `1700000000.${String(said.length + 1).padStart(6, '0')}`;
    said.push({
      channel,
      ts,
      ...(typeof parent === 'string' && { thread_ts: parent }),
      text: String(text),
      blocks: (given.blocks ?? []) as Json[],
      ...(broadcast && { broadcast }),
      changes: 0,
    });
    return ok({ channel, ts, message: { text } });
  }

  function update(given: Json): Answered {
    const { channel, ts, text } = given;
    if (typeof channel !== 'string' || !channels.includes(channel)) return error('channel_not_found');
    const at = said.findIndex((one) => one.channel === channel && one.ts === ts);
    if (at < 0) return error('message_not_found');
    const faults = messageFaults(given);
    // Its default is `client`, which looks for addresses and mentions.
    if (given.parse !== 'none') faults.push('parse is not none');
    if (faults.length > 0) return error(faults.some(isLength) ? 'msg_blocks_too_long' : 'invalid_blocks', faults);
    const before = said[at]!;
    // Blocks that are not given stay.
    said[at] = { ...before, text: String(text), blocks: (given.blocks ?? before.blocks) as Json[], changes: before.changes + 1 };
    return ok({ channel, ts, text });
  }

  function open(given: Json): Answered {
    const { trigger_id: trigger, view } = given;
    if (typeof trigger !== 'string' || trigger === '') return error('invalid_trigger_id');
    if (triggers.has(trigger)) return error('exchanged_trigger_id');
    const faults = viewFaults(view);
    if (faults.length > 0) return error('invalid_arguments', faults);
    triggers.add(trigger);
    return kept(`V${String(views.size + 1).padStart(8, '0')}`, view as Json);
  }

  function change({ view_id: id, view }: Json): Answered {
    if (typeof id !== 'string' || !views.has(id)) return error('not_found');
    const faults = viewFaults(view);
    return faults.length > 0 ? error('invalid_arguments', faults) : kept(id, view as Json);
  }

  function kept(id: string, view: Json): Answered {
    views.set(id, view);
    return ok({ view: { id, ...view } });
  }
}

const isJson = ({ headers }: Asked): boolean => (headers['content-type'] ?? '').startsWith('application/json');

/** JSON, or a form whose `blocks` and `view` are JSON. */
function argumentsOf(asked: Asked): Json | undefined {
  if (isJson(asked)) return jsonOf(asked.body);
  if (!(asked.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return undefined;
  const form = Object.fromEntries(new URLSearchParams(asked.body));
  const structured = ['blocks', 'view'].filter((key) => key in form).map((key) => [key, JSON.parse(form[key]!)] as const);
  return { ...form, ...Object.fromEntries(structured) };
}

function jsonOf(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

/** As JSON, or as a form has it. */
const flagOf = (given: unknown): true | undefined | 'none' =>
  given === true || given === 'true' ? true : given === undefined || given === false || given === 'false' ? undefined : 'none';

const ok = (body: Json): Answered => ({ status: 200, body: { ok: true, ...body } });

const error = (code: string, messages: readonly string[] = []): Answered => ({
  status: 200,
  body: { ok: false, error: code, ...(messages.length > 0 && { response_metadata: { messages: messages.map((message) => `[ERROR] ${message}`) } }) },
});

const isLength = (fault: string): boolean => fault.startsWith('all text');
