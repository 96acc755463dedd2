/** A receiver of signed webhooks, as docs/channels/webhook.md tells people to write one. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Service } from './server.ts';

export interface Webhook {
  readonly service: Service;
  /** Bodies by delivery: what comes twice counts once. */
  readonly received: Map<string, Record<string, unknown>>;
}

const maxAgeSeconds = 300;

export function webhookService(secret: string): Webhook {
  const received = new Map<string, Record<string, unknown>>();
  const service: Service = ({ method, headers, body }) => {
    if (method !== 'POST') return { status: 405 };
    const timestamp = headers['x-phidelity-timestamp'] ?? '';
    const delivery = headers['x-phidelity-delivery'];
    const expected = Buffer.from(`v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`);
    const given = Buffer.from(headers['x-phidelity-signature'] ?? '');
    const fresh = /^\d{10}$/.test(timestamp) && Math.abs(Date.now() / 1_000 - Number(timestamp)) <= maxAgeSeconds;
    if (!delivery || !fresh || given.length !== expected.length || !timingSafeEqual(given, expected)) return { status: 401 };
    received.set(delivery, JSON.parse(body));
    return { status: 204 };
  };
  return { service, received };
}
