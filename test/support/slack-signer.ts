/** Requests as Slack makes and signs them. https://docs.slack.dev/authentication/verifying-requests-from-slack */
import { createHmac, randomBytes } from 'node:crypto';

export const slackSecret = '8f742231b10e8888abcd99yyyzzz85a5';

export interface SlackRequest {
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
}

/** @param payload an object is the `payload` of a form, a text the whole body */
export function signed(secret: string, payload: object | string, now: Date): SlackRequest {
  const body = typeof payload === 'string' ? payload : new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  return { timestamp, signature, body };
}

const common = (user: string) => ({
  team: { id: 'T9TK3CUKW', domain: 'clinic' },
  user: { id: user, username: 'somebody', name: 'somebody', team_id: 'T9TK3CUKW' },
  api_app_id: 'AABA1ABCD',
  token: 'verification-token',
});
const random = () => randomBytes(8).toString('hex');

/** Two clicks are never the same. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
export const blockActions = (user: string, actionId: string, value: string, parts: object = {}): object => ({
  type: 'block_actions',
  ...common(user),
  container: { type: 'message', message_ts: '1548261231.000200', channel_id: 'C0123', is_ephemeral: false },
  trigger_id: `12321423423.333649436676.${random()}`,
  channel: { id: 'C0123', name: 'security' },
  message: { type: 'message', ts: '1548261231.000200', text: 'Approval needed', blocks: [] },
  response_url: 'https://hooks.slack.com/actions/T9TK3CUKW/1/abc',
  actions: [{ action_id: actionId, block_id: '=qXel', text: { type: 'plain_text', text: 'A button' }, value, type: 'button', action_ts: random() }],
  ...parts,
});

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
export const viewSubmission = (
  user: string,
  callbackId: string,
  value: string,
  given: { reason?: string | null; until?: string | null },
  parts: object = {},
): object => ({
  type: 'view_submission',
  ...common(user),
  trigger_id: `12321423423.333649436676.${random()}`,
  view: {
    id: `V${random()}`,
    type: 'modal',
    callback_id: callbackId,
    private_metadata: JSON.stringify({ value }),
    state: {
      values: {
        reason: { reason: { type: 'plain_text_input', value: given.reason ?? null } },
        until: { until: { type: 'datepicker', selected_date: given.until ?? null } },
      },
    },
    ...parts,
  },
});
