/**
 * One alert to one channel: once, in order, and heard of elsewhere when the channel does not take it. Whatever fails here fails alone:
 * each channel has messages of its own in the queue.
 */
import { randomUUID } from 'node:crypto';
import { codeOf, RetryLaterError } from '../errors.ts';
import type { DeliverPorts, Told } from './deliver-ports.ts';
import { type Context, type Delivery, DeliveryError } from './delivery.ts';
import { instead, isBack } from './fallback.ts';
import { admit } from './fold.ts';
import { stillTrue } from './late.ts';
import { isKnown, isOlder, noted, type ToldMemo, toldMemo } from './told-memo.ts';

/** Longer than one send may take. Seconds. */
const alone = 60;

/**
 * @param attempt how often this delivery has been taken from the queue, from 1
 * @throws DeliveryError when the channel did not take it, RetryLaterError when another process tells it of the same finding: the message comes back
 */
export async function deliver(delivery: Delivery, attempt: number, policy: Told, ports: DeliverPorts): Promise<void> {
  const { channel: name, alert: left } = delivery;
  const { ledger, clock, log } = ports;
  // `constructor` is no channel: many may write into a queue.
  const channel = Object.hasOwn(policy.channels, name) ? policy.channels[name] : undefined;
  // A deploy has taken it out of the policy since: the others are told by messages of their own.
  if (!channel) return log.count('AlertsDropped', { reason: 'no such channel' });
  const key = toldMemo(name, left);
  const lease = await ledger.lease(key, randomUUID(), alone);
  if (!lease) throw new RetryLaterError(`the channel ${name} is being told of the same finding`, 5);
  try {
    const last = await ledger.recall<ToldMemo>(key);
    const alert = isKnown(left, last) ? left : await stillTrue(left, attempt, ports);
    if (isKnown(alert, last)) return log.count('AlertsDropped', { reason: 'told already' });
    if (!delivery.instead && (await admit(name, channel, alert, last !== undefined, ports)) === 'held') return log.count('AlertsHeld', { channel: name });
    const context = contextOf(delivery, policy, ports);
    const kept = await ports.send(name, channel, alert, isOlder(alert, last) ? { ...context, older: true } : context, last?.kept).catch(asFailure);
    await ledger.remember(key, noted(alert, last, kept, clock.now()));
    log.count('AlertsDelivered', { channel: name });
    await isBack(name, ports);
  } catch (error) {
    if (error instanceof DeliveryError) await instead(delivery, error, attempt, policy, ports);
    throw error;
  } finally {
    await ledger.release(lease);
  }
}

/** A fault of the bot's own, such as a name that no renderer has met: people hear of it in another way like of any other failure. */
function asFailure(cause: unknown): never {
  if (cause instanceof DeliveryError) throw cause;
  throw new DeliveryError('again', `The bot could not send it (${codeOf(cause) || 'Error'}).`, { cause });
}

const contextOf = ({ alert, instead: why }: Delivery, { accounts }: Told, { stack, region }: DeliverPorts): Context => {
  const accountName = Object.hasOwn(accounts, alert.accountId) ? accounts[alert.accountId] : undefined;
  return { stack, region, ...(accountName && { accountName }), ...(why && { instead: why }) };
};

/** Seconds until a message that a channel did not take is tried again. SQS takes at most 12 hours. */
export function comesBackIn(error: unknown, attempt: number): number {
  // Longer each time: the attempts must not be used up while many are at it.
  if (error instanceof RetryLaterError) return Math.min(error.seconds * 2 ** (attempt - 1), longestPause);
  const asked = error instanceof DeliveryError ? error.retryAfter : undefined;
  return asked === undefined ? Math.min(15 * 2 ** (attempt - 1), longestPause) : Math.min(Math.max(asked, 1), longestWait);
}

const longestPause = 900;
const longestWait = 6 * 3_600;
