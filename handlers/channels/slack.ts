/**
 * Slack through the bot token of an app: one message per finding, which changes as the finding goes on, and a line in its thread for each news.
 * https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/reference/methods/chat.update
 */
import { type Logger, LogLevel, WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError, WebClient } from '@slack/web-api';
import { DeliveryError, type Kept, type Send } from '../../engine/alerts/delivery.ts';
import { isReminder } from '../../engine/alerts/reminder.ts';
import type { SlackMessage } from '../../engine/alerts/render/slack/blocks.ts';
import { slackMessage, slackReply } from '../../engine/alerts/render/slack.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import { withSecrets } from './fresh.ts';
import { type Outside, patience } from './outside.ts';
import { again, wayOut } from './slack-errors.ts';

export type SlackAppChannel = Extract<CompiledChannel, { slackApp: unknown }>;

/**
 * Slack documents no key that would make a message idempotent: one whose answer is lost may be posted twice. Its buttons say the same.
 * @param patienceMs how long Slack may take to answer
 */
export function slackApp(outside: Outside, { patienceMs = patience }: { readonly patienceMs?: number } = {}): Send<SlackAppChannel> {
  return async (alert, { slackApp: { token, channel } }, context, kept) => {
    const message = slackMessage(alert, context, { buttons: true });
    const before = alert.finding && kept?.slack?.channel === channel ? kept.slack : undefined;
    const isAnswer = alert.answered !== undefined;
    // Where it was answered nothing is shown any more.
    if (isAnswer && !before) return kept;
    if (before && (context.older || (await call((client) => changed(client, before, message))))) {
      if (!alert.inPlace) await reply(before.ts);
      return { slack: before };
    }
    const { ts } = await call((client) => client.chat.postMessage({ channel, ...message, ...literal, ...quiet }));
    if (!ts) throw new DeliveryError('again', 'Slack answers without the id of the message.');
    if (isAnswer) await reply(ts);
    return alert.finding ? { slack: { channel, ts } } : undefined;

    /** Who does not follow the thread must see what calls for a person, and that it still does. */
    async function reply(thread_ts: string): Promise<void> {
      const said = { channel, thread_ts, reply_broadcast: alert.urgency === 'page' || isReminder(alert), ...slackReply(alert, context) };
      await call((client) => client.chat.postMessage({ ...said, ...literal, ...quiet }));
    }

    function call<Result>(send: (client: WebClient) => Promise<Result>): Promise<Result> {
      return withSecrets(outside, [token], (secret) =>
        send(clientOf(secret!)).catch((error: unknown) => {
          throw failureOf(error, channel);
        }),
      );
    }
  };

  /** The queue of alerts does what there is to retry and to wait for. */
  function clientOf(secret: string): WebClient {
    return new WebClient(secret, {
      slackApiUrl: `${outside.base('slack')}/api/`,
      timeout: patienceMs,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: silent,
    });
  }
}

/** Nothing in a text is looked for: `chat.update` would, unless told. */
const literal = { parse: 'none', link_names: false } as const;

/** No previews. */
const quiet = { unfurl_links: false, unfurl_media: false } as const;

/** False: the message can be changed no more, or is gone. */
async function changed(client: WebClient, { channel, ts }: NonNullable<Kept['slack']>, message: SlackMessage): Promise<boolean> {
  try {
    await client.chat.update({ channel, ts, ...message, ...literal });
    return true;
  } catch (error) {
    if (error instanceof WebAPIPlatformError && lost.has(error.data.error)) return false;
    throw error;
  }
}

const lost: ReadonlySet<string> = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);

/** Words of ours alone: what Slack or the network answers is not quoted, but for a code. */
function failureOf(error: unknown, channel: string): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof WebAPIRateLimitedError)
    return new DeliveryError('again', 'Slack takes no more messages for now.', { retryAfter: Math.max(1, error.retryAfter) });
  if (error instanceof WebAPIHTTPError) return new DeliveryError(error.statusCode >= 500 ? 'again' : 'refused', `Slack answers ${error.statusCode}.`);
  if (error instanceof WebAPIPlatformError) {
    const code = String(error.data.error ?? '');
    if (!/^[a-z0-9_]{1,60}$/.test(code)) return new DeliveryError('again', 'Slack answers something that is not of its API.');
    const { retryAfter } = error.data.response_metadata ?? {};
    return again.has(code) ? new DeliveryError('again', `Slack answers ${code}.`, { retryAfter }) : new DeliveryError('refused', wayOut(code, channel));
  }
  if (!(error instanceof WebAPIRequestError)) return new DeliveryError('again', 'Slack gives no answer that can be used.', { cause: error });
  const timedOut = /\bTimeoutError\b/.test(String(error.original));
  return new DeliveryError('again', timedOut ? 'Slack has not answered in time.' : 'Slack cannot be reached.', { cause: error.original });
}

/** The client would log what Slack answers, past the bot's own log. */
const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};
