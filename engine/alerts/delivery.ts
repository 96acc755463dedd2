/** What stands between an alert and a channel: what is sent along, what a channel keeps, and how sending can fail. */
import type { CompiledChannel } from '../policy/channels.ts';
import type { Alert } from './alert.ts';

/** What a renderer needs beside the alert. */
export interface Context {
  /** Name of the account in the policy's `accounts`. */
  readonly accountName?: string;
  /** Name of the stack, for commands that people are told to run. */
  readonly stack: string;
  /** Home region of the bot. */
  readonly region: string;
  /** Why this channel is told what was meant for another; one sentence. */
  readonly instead?: string;
  /** What the channel shows of the finding is newer than this alert: it stays. */
  readonly older?: true;
}

/** What a channel must know again to go on with what it has said of a finding. Stored; no secrets. */
export interface Kept {
  /** Slack: id of the channel and of the message there. */
  readonly slack?: { readonly channel: string; readonly ts: string };
}

/** One channel is to be told one alert. What lies in the alert queue. */
export interface Delivery {
  readonly channel: string;
  readonly alert: Alert;
  /** Why this channel is told what was for another, which did not take it; one sentence. */
  readonly instead?: string;
}

/** `again`: the same may succeed later. `refused`: it will not, until somebody mends the policy, a secret or the other side. */
export type Failure = 'again' | 'refused';

/** A channel did not take an alert. The message names what answered and with which code; never a secret, an address that is one, or a body. */
export class DeliveryError extends Error {
  readonly failure: Failure;
  /** Seconds after which the other side wants to be asked again. */
  readonly retryAfter?: number;

  constructor(failure: Failure, message: string, options: { readonly retryAfter?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'DeliveryError';
    this.failure = failure;
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter;
  }
}

/** Sends to one kind of channel. @throws DeliveryError */
export type Send<Channel extends CompiledChannel = CompiledChannel> = (
  alert: Alert,
  channel: Channel,
  context: Context,
  /** What it has kept of this finding; undefined: it has said nothing of it yet. */
  kept: Kept | undefined,
) => Promise<Kept | undefined>;
