/** When a channel does not take an alert: SNS is told instead, and told that it is told instead. */
import { createHash, randomUUID } from 'node:crypto';
import type { MemoKey } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { DeliverPorts, Told } from './deliver-ports.ts';
import type { Delivery, DeliveryError } from './delivery.ts';
import { linesOf } from './lines.ts';
import { subjectOf } from './names.ts';
import { isEscalation } from './reminder.ts';
import { takes } from './routing.ts';

/** A channel that does not take what it is sent. */
interface Outage {
  /** ISO 8601; undefined: there is none any more. */
  readonly since?: string;
  /** When people were told of it last. */
  readonly toldAt?: string;
}

const outageKey = (channel: string): MemoKey => `outage|${channel}`;
/** That an alert has been passed on. */
const movedKey = (channel: string, { id }: Alert): MemoKey => `outage|${channel}|${createHash('sha256').update(id).digest('base64url')}`;

/** A page must not wait for the next attempt; of other alerts a short outage need not be told. */
const attemptsBefore = { page: 1, notify: 4 } as const;

/** Milliseconds between two alerts about one outage. */
const tellAgainMs = 6 * 3_600_000;

export async function instead(
  { channel: name, alert, instead: already }: Delivery,
  error: DeliveryError,
  attempt: number,
  { channels }: Told,
  ports: DeliverPorts,
): Promise<void> {
  const { ledger, clock, log, enqueue } = ports;
  log.warn('Channel did not take an alert', { channel: name, attempt, failure: error.failure, reason: error.message });
  // When patience ends, or at once where no later attempt can succeed. Attempts count that never came as far as the channel.
  const now = error.failure === 'refused' || attempt >= attemptsBefore[alert.urgency];
  if (!now || already || (await ledger.recall(movedKey(name, alert)))) return;
  const topics = Object.entries(channels).filter(([other, channel]) => 'sns' in channel && other !== name);
  const paged = topics.filter(([, { pages }]) => pages);
  const [target] = paged.length > 0 ? paged : topics;
  if (!target) return;
  const [topic, channel] = target;
  // Whoever hears of it anyhow need not hear of it twice.
  const hears = takes(channel, alert) && !isAddressed(alert);
  // What is shown where it was told, and nowhere else, has no other place.
  const moved =
    hears || alert.inPlace || alert.answered !== undefined
      ? []
      : [{ channel: topic, alert: { ...alert, id: `${alert.id}:instead of ${name}` }, instead: sentence(name, error) }];
  // Several alerts may fail together: one of them tells of the channel.
  const lease = await ledger.lease(outageKey(name), randomUUID(), 30);
  try {
    const outage = await ledger.recall<Outage>(outageKey(name));
    const at = clock.now();
    const fresh = lease !== undefined && (!outage?.since || !outage.toldAt || at.getTime() - Date.parse(outage.toldAt) >= tellAgainMs);
    const notice = fresh ? [{ channel: topic, alert: outageAlert(name, topic, error, alert, at) }] : [];
    await enqueue([...notice, ...moved]);
    if (fresh) await ledger.remember(outageKey(name), { since: outage?.since ?? at.toISOString(), toldAt: at.toISOString() } satisfies Outage, lease);
    await ledger.remember(movedKey(name, alert), { at: at.toISOString() });
  } finally {
    if (lease) await ledger.release(lease);
  }
}

/** It was made for one channel: no other was told it. */
const isAddressed = (alert: Alert): boolean => ['DIGEST', 'FOLDED', 'TEST', 'CHANNEL_FAILS'].includes(alert.status) || isEscalation(alert);

/** It takes alerts again. */
export async function isBack(name: string, { ledger }: Pick<DeliverPorts, 'ledger'>): Promise<void> {
  if ((await ledger.recall<Outage>(outageKey(name)))?.since) await ledger.remember(outageKey(name), {} satisfies Outage);
}

const sentence = (name: string, { message }: DeliveryError): string => `This was for the channel ${name}, which did not take it: ${message}`;

function outageAlert(name: string, topic: string, error: DeliveryError, { accountId }: Alert, at: Date): Alert {
  const again = error.failure === 'again';
  return {
    id: `outage:${name}:${at.toISOString()}`,
    urgency: 'page',
    severity: 'HIGH',
    accountId,
    status: 'CHANNEL_FAILS',
    title: `The channel ${name} does not take alerts`,
    headline: 'CHANNEL FAILS',
    subject: subjectOf(`[HIGH] CHANNEL FAILS: ${name} does not take alerts`),
    lines: linesOf([
      ['Channel', name],
      ['Wrong', error.message],
      [
        'Done',
        again
          ? `It is tried again for about an hour and a half, longer where it asks to be left alone. What only it was to be told comes to ${topic} meanwhile.`
          : `What only it was to be told comes to ${topic}.`,
      ],
      [
        'Way out',
        again
          ? 'If it lasts, look whether the other side is up.'
          : 'Mend the channel, then send it what has waited: npx phidelity dlq redrive --all --stack NAME',
      ],
      ['When', at.toISOString()],
    ]),
    hipaa: [],
  };
}
