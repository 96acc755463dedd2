/**
 * Slack through an incoming webhook: one message per state of a finding. It answers with no id, so that no message can be changed later,
 * and buttons would answer to whoever made the webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
import { DeliveryError, type Send } from '../../engine/alerts/delivery.ts';
import { slackMessage } from '../../engine/alerts/render/slack.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import { withSecrets } from './fresh.ts';
import { type Outside, patience, post } from './outside.ts';

export type SlackWebhookChannel = Extract<CompiledChannel, { slackWebhook: unknown }>;

/** @param patienceMs how long Slack may take to answer */
export function slackWebhook(outside: Outside, { patienceMs = patience }: { readonly patienceMs?: number } = {}): Send<SlackWebhookChannel> {
  return async (alert, { slackWebhook: ref }, context) => {
    const body = JSON.stringify({ ...slackMessage(alert, context, { buttons: false }), unfurl_links: false, unfurl_media: false });
    await withSecrets(outside, [ref], async (url) => {
      const { status, text } = await post(url!, body, { who: 'The Slack webhook', plainHttp: outside.plainHttp, patienceMs, judged: refusals });
      if (refusals.includes(status)) throw new DeliveryError('refused', sentence(status, text.trim()));
    });
    return undefined;
  };
}

/** Statuses whose text says what is wrong: https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks */
const refusals: readonly number[] = [400, 403, 404, 410];

/** The text may be anything, so that only what is known of it is told. */
const sentence = (status: number, code: string): string =>
  Object.hasOwn(ways, code) ? `The Slack webhook refuses (${code}). ${ways[code]}` : `The Slack webhook answers ${status}.`;

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
