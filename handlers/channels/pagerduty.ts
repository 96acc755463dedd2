/** PagerDuty, Events API v2: https://developer.pagerduty.com/docs/events-api-v2/overview */
import { DeliveryError, type Send } from '../../engine/alerts/delivery.ts';
import { pagerDutyEvent } from '../../engine/alerts/render/pagerduty.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import { pagerDutyOf } from '../../engine/policy/ways.ts';
import { withSecrets } from './fresh.ts';
import { type Outside, post } from './outside.ts';

const who = 'PagerDuty';

export const pagerDuty =
  (outside: Outside): Send<Extract<CompiledChannel, { pagerDuty: unknown }>> =>
  async (alert, channel, context, kept) => {
    const event = pagerDutyEvent(alert, context, new Date());
    const { key, region } = pagerDutyOf(channel);
    await withSecrets(outside, [key], async (routingKey) => {
      const body = JSON.stringify({ routing_key: routingKey, ...event });
      const { status, text } = await post(`${outside.base(region === 'eu' ? 'pagerduty-eu' : 'pagerduty')}/v2/enqueue`, body, {
        who,
        judged: [400],
        plainHttp: outside.plainHttp,
      });
      if (status === 400) throw new DeliveryError('refused', `${who} answers 400${becauseOf(text)}.`);
    });
    return kept;
  };

const fields = [
  'routing_key',
  'event_action',
  'dedup_key',
  'summary',
  'source',
  'severity',
  'timestamp',
  'component',
  'group',
  'class',
  'custom_details',
  'links',
];

/** PagerDuty quotes the fields that it does not like. Their names alone: what else it says may hold what was sent. */
function becauseOf(answer: string): string {
  const named = fields.filter((field) => answer.includes(`${field}'`));
  return named.length > 0 ? `, because of ${named.join(', ')}` : '';
}
