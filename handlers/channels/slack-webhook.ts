/**
 * Slack through an incoming webhook: one message per state of a finding. It answers with no id, so that no message can be changed later,
 * and buttons would answer to whoever made the webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
import { DeliveryError, type Send } from '../../engine/alerts/delivery.ts';
import { slackMessage } from '../../engine/alerts/render/slack.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import { type Outside, patience, post } from './outside.ts';

export type SlackWebhookChannel = Extract<CompiledChannel, { slackWebhook: unknown }>;

/** @param patienceMs how long Slack may take to answer */
export function slackWebhook(outside: Outside, { patienceMs = patience }: { readonly patienceMs?: number } = {}): Send<SlackWebhookChannel> {
  return async (alert, { slackWebhook: ref }, context) => {
    const body = JSON.stringify({ ...slackMessage(alert, context, { buttons: false }), unfurl_links: false, unfurl_media: false });
    const send = async (): Promise<string | undefined> => {
      const { status, text } = await post(await outside.secret(ref), body, {
        who: 'The Slack webhook',
        plainHttp: outside.plainHttp,
        patienceMs,
        judged: refusals,
      });
      return refusals.includes(status) ? `${status} ${text.trim()}` : undefined;
    };
    let refused = await send();
    if (refused && gone.has(codeOf(refused))) {
      // The address may have been changed since it was read.
      outside.forget(ref);
      refused = await send();
    }
    if (refused) throw new DeliveryError('refused', sentence(refused));
    return undefined;
  };
}

/** Statuses whose text says what is wrong: https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks */
const refusals: readonly number[] = [400, 403, 404, 410];

const codeOf = (refused: string): string => refused.slice(4);

/** The text may be anything, so that only what is known of it is told. */
function sentence(refused: string): string {
  const code = codeOf(refused);
  return Object.hasOwn(ways, code) ? `The Slack webhook refuses (${code}). ${ways[code]}` : `The Slack webhook answers ${refused.slice(0, 3)}.`;
}

const gone: ReadonlySet<string> = new Set(['no_service', 'invalid_token', 'no_team', 'no_service_id', 'team_disabled', 'no_active_hooks']);

const renew = 'It is gone or switched off: make a new one, and put its address into the secret that the policy names.';
const form = 'It does not take the form of the message: please report this.';

/** By the text of the answer. */
const ways: Readonly<Record<string, string>> = {
  no_service: renew,
  no_service_id: renew,
  no_active_hooks: renew,
  invalid_token: renew,
  no_team: 'Its workspace is gone: make a webhook in another one, and put its address into the secret that the policy names.',
  team_disabled: 'Its workspace is disabled: make a webhook in another one, and put its address into the secret that the policy names.',
  action_prohibited: 'An administrator of the workspace has restricted it: ask for it to be allowed.',
  posting_to_general_channel_denied: 'The workspace lets only some people post into its general channel: make a webhook for another channel.',
  channel_not_found: 'Its channel is gone: make a webhook for another one, and put its address into the secret that the policy names.',
  channel_is_archived: 'Its channel is archived: unarchive it, or make a webhook for another one.',
  user_not_found: 'It is addressed to a person who is gone: make a webhook for a channel.',
  invalid_payload: form,
  invalid_blocks: form,
  no_text: form,
};
