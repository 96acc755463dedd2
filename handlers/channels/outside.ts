/** The world outside AWS, as the channels need it: secrets by reference, and HTTPS that says how it failed. */
import { DeliveryError } from '../../engine/alerts/delivery.ts';
import { codeOf, isDenied, TerminalError } from '../../engine/errors.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Secrets } from '../aws/secrets.ts';

/** https://support.pagerduty.com/main/docs/service-regions */
const bases = { slack: 'https://slack.com', pagerduty: 'https://events.pagerduty.com', 'pagerduty-eu': 'https://events.eu.pagerduty.com' } as const;

export interface Outside {
  /** @throws DeliveryError when it cannot be read; it names the reference, never the value */
  secret(ref: SecretRef): Promise<string>;
  /** Forgets what was read: it may have been changed since. */
  forget(ref: SecretRef): void;
  /** Base address of a service, e.g. `https://slack.com`. Another one on the local stack. */
  base(service: keyof typeof bases): string;
  /** Local stack only: addresses that are not https. */
  readonly plainHttp?: true;
}

/** How long the other side may take to answer. */
export const patience = 10_000;

/**
 * Posts, follows no redirect, and gives up after 10 s.
 * @param who what the errors call the other side
 * @param judged statuses that the caller judges itself
 * @throws DeliveryError `again` for time-outs, 429 and 5xx, `refused` for other answers that are not 2xx
 */
export async function post(
  url: string,
  body: string,
  {
    who,
    headers = {},
    judged = [],
    plainHttp,
    patienceMs = patience,
  }: {
    readonly who: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly judged?: readonly number[];
    readonly plainHttp?: true;
    readonly patienceMs?: number;
  },
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const { protocol } = URL.parse(url) ?? {};
  if (protocol !== 'https:' && !(plainHttp && protocol === 'http:')) throw new DeliveryError('refused', `The address of ${who} is not an https address.`);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    });
    text = await beginningOf(response);
  } catch (cause) {
    const timedOut = (cause as Error).name === 'TimeoutError';
    throw new DeliveryError('again', timedOut ? `${who} has not answered within ${patienceMs / 1_000} s.` : `${who} cannot be reached.`, { cause });
  }
  const { status } = response;
  if (judged.includes(status)) return { status, text, headers: response.headers };
  if (status === 429 || status >= 500) throw new DeliveryError('again', `${who} answers ${status}.`, { retryAfter: retryAfterOf(response.headers) });
  if (!response.ok) throw new DeliveryError('refused', `${who} answers ${status}.`);
  return { status, text, headers: response.headers };
}

/** Bytes of an answer that are read: whoever answers without end must not fill the memory that other channels are told from. */
const mostRead = 64 * 1_024;

async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let read = 0;
  // Leaving it ends the connection.
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    read += chunk.byteLength;
    if (read >= mostRead) break;
  }
  return Buffer.concat(chunks).subarray(0, mostRead).toString();
}

/** Seconds; RFC 9110 10.2.3 allows a date too. */
export function retryAfterOf(headers: Headers): number | undefined {
  const given = headers.get('retry-after');
  if (!given) return undefined;
  const seconds = /^\d+$/.test(given) ? Number(given) : Math.ceil((Date.parse(given) - Date.now()) / 1_000);
  return Number.isFinite(seconds) ? Math.max(1, seconds) : undefined;
}

/** @param elsewhere local stack only: address of what stands in for the world, each service at its name */
export function outsideOf({ read, forget }: Secrets, elsewhere?: string): Outside {
  return {
    async secret(ref) {
      try {
        return await read(ref);
      } catch (cause) {
        // What AWS says names roles and keys: its code is enough. The words of the bot's own errors say how to mend it.
        const why = cause instanceof TerminalError ? cause.message : codeOf(cause) || 'no answer';
        const failure = isDenied(cause) || cause instanceof TerminalError ? 'refused' : 'again';
        throw new DeliveryError(failure, `The secret ${ref} cannot be read: ${why}`, { cause });
      }
    },
    forget,
    base: (service) => (elsewhere ? `${elsewhere}/${service}` : bases[service]),
    ...(elsewhere && { plainHttp: true as const }),
  };
}
