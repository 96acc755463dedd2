/** What Slack answers when it does not take a message, and what a person can do about it. */

/** On Slack's side, and passing. */
export const again: ReadonlySet<string> = new Set([
  'ratelimited',
  'rate_limited',
  'message_limit_exceeded',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'update_failed',
  'team_added_to_org',
  'org_login_required',
  'external_channel_migrating',
]);

const form = 'It does not take the form of the message: please report this.';

const ways: Readonly<Record<string, (channel: string) => string>> = {
  invalid_auth: () => 'It does not know the token: put the bot token of the app (xoxb-) into the secret that the policy names.',
  not_authed: () => 'The secret that the policy names holds no token: put the bot token of the app (xoxb-) into it.',
  token_revoked: () => 'The token was revoked: install the app anew, and put its bot token into the secret that the policy names.',
  token_expired: () => 'The token has expired: switch token rotation off for the app, and put its bot token into the secret that the policy names.',
  account_inactive: () => 'The app or its workspace is gone: install the app anew, and put its bot token into the secret that the policy names.',
  channel_not_found: (channel) => `It shows the app no channel ${channel}: correct the id in the policy; into a private channel, invite the app with /invite.`,
  not_in_channel: (channel) => `It does not let the app into channel ${channel}: invite it there with /invite.`,
  is_archived: (channel) => `Channel ${channel} is archived: unarchive it, or name another one in the policy.`,
  is_inactive: (channel) => `Channel ${channel} is frozen, archived or deleted: name another one in the policy.`,
  missing_scope: () => 'The app lacks the scope chat:write: add it on the app\'s page "OAuth & Permissions", and install the app anew.',
  no_permission: (channel) => `The app may not write into channel ${channel}: invite it there with /invite.`,
  restricted_action: (channel) => `The workspace lets only some people post into channel ${channel}: let the app, or name another channel in the policy.`,
  restricted_action_read_only_channel: (channel) => `Channel ${channel} is read-only: let the app post, or name another channel in the policy.`,
  restricted_action_thread_only_channel: (channel) => `Channel ${channel} takes replies only: name another channel in the policy.`,
  restricted_action_non_threadable_channel: (channel) => `Channel ${channel} takes no replies: name another channel in the policy.`,
  invalid_blocks: () => form,
  invalid_blocks_format: () => form,
  msg_blocks_too_long: () => form,
  msg_too_long: () => form,
};

/** @param code of Slack, e.g. `not_in_channel` */
export const wayOut = (code: string, channel: string): string => {
  const way = Object.hasOwn(ways, code) && ways[code]!(channel);
  return way ? `Slack refuses (${code}). ${way}` : `Slack refuses (${code}).`;
};
