/**
 * One alert to one channel: once, in order, and heard of elsewhere when the channel does not take it. Whatever fails here fails alone:
 * each channel has messages of its own in the queue.
 */
import { randomUUID } from 'node:crypto';
import { codeOf, RetryLaterError } from '../errors.ts';
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import type { Alert } from './alert.ts';
import { type Context, type Delivery, DeliveryError, type Kept } from './delivery.ts';
import { instead, isBack } from './fallback.ts';
import { admit } from './fold.ts';
import { type LatePorts, stillTrue } from './late.ts';
import { toldMemo } from './told-memo.ts';

export interface DeliverPorts extends Pick<Ports, 'ledger' | 'clock' | 'log'>, LatePorts {
  /** @throws DeliveryError */
  send(name: string, channel: CompiledChannel, alert: Alert, context: Context, kept: Kept | undefined): Promise<Kept | undefined>;
  /** Puts them into the alert queue. */
  enqueue(deliveries: readonly Delivery[]): Promise<void>;
  readonly stack: string;
  readonly region: string;
}

/** Who is to be told, and how they call the account. */
export type Told = Pick<CompiledPolicy, 'channels' | 'accounts'>;

/** What a channel was told last of a finding. */
interface ToldMemo {
  readonly alertId: string;
  readonly version: number;
  /** ISO 8601. */
  readonly at: string;
  readonly kept?: Kept;
  /** Version that it shows, where what became of an answer has brought it up to date: news before that are news still. */
  readonly shown?: number;
  /** Ids of the latest alerts about answers that were told. */
  readonly answers?: readonly string[];
}

/** As many answers as may lie in the queue at a time, twice. */
const mostAnswers = 50;

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

const versionOf = ({ finding }: Alert): number => finding?.version ?? 0;

/** The queue may bring a message twice, and an older one after a newer. An answer that was given earlier is news all the same. */
const isKnown = (alert: Alert, last: ToldMemo | undefined): boolean =>
  last !== undefined &&
  (alert.answered === undefined ? last.alertId === alert.id || versionOf(alert) < last.version : last.answers?.includes(alert.id) === true);

const isOlder = (alert: Alert, last: ToldMemo | undefined): boolean => last !== undefined && versionOf(alert) < Math.max(last.version, last.shown ?? 0);

function noted(alert: Alert, last: ToldMemo | undefined, kept: Kept | undefined, now: Date): ToldMemo {
  const version = versionOf(alert);
  const shown = Math.max(last?.shown ?? 0, alert.answered === undefined ? 0 : version);
  const answers = [...(last?.answers ?? []), ...(alert.answered === undefined ? [] : [alert.id])].slice(-mostAnswers);
  const more = { ...(kept && { kept }), ...(shown > 0 && { shown }), ...(answers.length > 0 && { answers }) };
  // It is no state of the finding: the state that is told next, or still lies in the queue, is not to be taken for known.
  if (alert.answered !== undefined && last) return { ...last, ...more };
  return { alertId: alert.id, version, at: now.toISOString(), ...more };
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
