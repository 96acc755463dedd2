/** Errors of AWS calls that deliver, as what the queue must know. */
import { DeliveryError } from '../../engine/alerts/delivery.ts';
import { codeOf, isDenied, retryAfter } from '../../engine/errors.ts';

/**
 * What is neither known nor denied may succeed later: throttling, a fault of the service, credentials that are being changed.
 * @param who what did not take it, for the message
 * @param refusals by error code: a sentence for who must mend it
 */
export function deliveryErrorOf(cause: unknown, who: string, refusals: Readonly<Record<string, string>>): DeliveryError {
  if (cause instanceof DeliveryError) return cause;
  const code = codeOf(cause instanceof Error && isDenied(cause) && cause.cause ? cause.cause : cause);
  const known = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  if (known) return new DeliveryError('refused', known, { cause });
  if (isDenied(cause))
    return new DeliveryError('refused', `${who} refuses the bot's role (${code}): deploy again, or look for a policy that denies it.`, { cause });
  return new DeliveryError('again', `${who} answers ${code || 'nothing'}.`, { cause, retryAfter: retryAfter(cause) });
}
