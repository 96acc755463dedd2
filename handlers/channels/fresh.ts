/** Secrets may be changed at any time, and what was read of them is kept for a while. */
import { DeliveryError } from '../../engine/alerts/delivery.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Outside } from './outside.ts';

/**
 * Sends; when the other side refuses, reads the secrets anew, and sends once more if one of them is another.
 * @throws DeliveryError
 */
export async function withSecrets<Sent>(
  outside: Pick<Outside, 'secret' | 'forget'>,
  refs: readonly SecretRef[],
  send: (...secrets: string[]) => Promise<Sent>,
): Promise<Sent> {
  const read = () => Promise.all(refs.map((ref) => outside.secret(ref)));
  const kept = await read();
  try {
    return await send(...kept);
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.failure !== 'refused') throw error;
    for (const ref of refs) outside.forget(ref);
    const fresh = await read();
    if (fresh.every((secret, at) => secret === kept[at])) throw error;
    return send(...fresh);
  }
}
