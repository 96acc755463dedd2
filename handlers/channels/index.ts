/** Sends to whichever way out a channel is. Loaded when there is something to send: a Lambda that tells SNS alone needs no other. */
import type { Alert } from '../../engine/alerts/alert.ts';
import { type Context, DeliveryError, type Kept } from '../../engine/alerts/delivery.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';
import type { Outside } from './outside.ts';

export interface Ways {
  /** Topic ARN per channel. */
  readonly topics: Readonly<Record<string, string>>;
  readonly outside: Outside;
  readonly aws: Aws;
}

export async function sendTo(
  name: string,
  channel: CompiledChannel,
  alert: Alert,
  context: Context,
  kept: Kept | undefined,
  { topics, outside, aws }: Ways,
): Promise<Kept | undefined> {
  if ('sns' in channel) {
    const topic = topics[name];
    if (!topic) throw new DeliveryError('refused', `The stack has no topic for the channel ${name}: deploy it to its end.`);
    const { snsSend } = await import('./sns.ts');
    return snsSend(topic, aws)(alert, channel, context, kept);
  }
  if ('slackApp' in channel) return (await import('./slack.ts')).slackApp(outside)(alert, channel, context, kept);
  if ('slackWebhook' in channel) return (await import('./slack-webhook.ts')).slackWebhook(outside)(alert, channel, context, kept);
  if ('pagerDuty' in channel) return (await import('./pagerduty.ts')).pagerDuty(outside)(alert, channel, context, kept);
  if ('teams' in channel) return (await import('./teams.ts')).teams(outside)(alert, channel, context, kept);
  if ('webhook' in channel) return (await import('./webhook.ts')).webhook(outside)(alert, channel, context, kept);
  return (await import('./security-hub.ts')).securityHub(aws)(alert, channel, context, kept);
}
