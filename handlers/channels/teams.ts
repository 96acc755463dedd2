/**
 * Microsoft Teams, by the webhook of a Workflow, or by that of a connector as they were before.
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
import { DeliveryError, type Send } from '../../engine/alerts/delivery.ts';
import { teamsMessage } from '../../engine/alerts/render/teams.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import { withSecrets } from './fresh.ts';
import { type Outside, post } from './outside.ts';

const who = 'Microsoft Teams';

export const teams =
  (outside: Outside): Send<Extract<CompiledChannel, { teams: unknown }>> =>
  async (alert, channel, context, kept) => {
    const body = JSON.stringify(teamsMessage(alert, context));
    await withSecrets(outside, [channel.teams], async (url) => {
      const { status, text } = await post(url, body, { who, plainHttp: outside.plainHttp });
      const failure = status === 202 ? undefined : failureOf(text);
      if (failure) throw failure;
    });
    return kept;
  };

/** A connector answers 200 and the text `1` when the message was posted, and 200 with another text when it was not. */
function failureOf(text: string): DeliveryError | undefined {
  if (/^\s*1?\s*$/.test(text)) return undefined;
  const code = /\bHTTP error ([1-5]\d\d)\b/.exec(text)?.[1];
  if (!code) return new DeliveryError('refused', `${who} answers 200, but not as a webhook of Teams does.`);
  return new DeliveryError(code === '429' || code.startsWith('5') ? 'again' : 'refused', `${who} answers 200, and that its own endpoint answered ${code}.`);
}
