/** Any HTTPS endpoint. What it gets, and how it knows that the bot has sent it: docs/channels/webhook.md. */
import { createHmac } from 'node:crypto';
import type { Send } from '../../engine/alerts/delivery.ts';
import { machineForm } from '../../engine/alerts/render/machine.ts';
import { type CompiledChannel, isSecretRef } from '../../engine/policy/ways.ts';
import { withSecrets } from './fresh.ts';
import { type Outside, post } from './outside.ts';

export const webhook =
  (outside: Outside): Send<Extract<CompiledChannel, { webhook: unknown }>> =>
  async (alert, { webhook: { url, secret } }, context, kept) => {
    const body = JSON.stringify(machineForm(alert, context));
    const refs = isSecretRef(url) ? [secret, url] : [secret];
    await withSecrets(outside, refs, async (key, address = url) => {
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const headers = {
        'X-Phidelity-Timestamp': timestamp,
        'X-Phidelity-Signature': `v1=${signatureOf(key!, timestamp, body)}`,
        'X-Phidelity-Delivery': headerOf(alert.id),
      };
      await post(address, body, { who: 'The webhook', headers, plainHttp: outside.plainHttp });
    });
    return kept;
  };

/** HMAC-SHA256, hex. The time is signed along: a receiver can refuse what is sent again later. */
export const signatureOf = (key: string, timestamp: string, body: string): string => createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');

/** Headers hold no blanks at their ends and nothing beyond ASCII. */
const headerOf = (id: string): string => id.toWellFormed().replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
