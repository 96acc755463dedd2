/** `Outside` on a local server: secrets are what the test says, and may change. */
import { DeliveryError } from '../../../engine/alerts/delivery.ts';
import type { Outside } from '../../../handlers/channels/outside.ts';

/** @param secrets by reference: the values that are read one after another, the last one for ever; each is kept until it is forgotten */
export function fakeOutside(url: string, secrets: Record<string, string[]>): Outside {
  const kept = new Map<string, string>();
  return {
    plainHttp: true,
    base: (service) => `${url}/${service}`,
    forget: (ref) => void kept.delete(ref),
    async secret(ref) {
      const values = secrets[ref];
      if (!values) throw new DeliveryError('refused', `${ref} cannot be read.`);
      if (!kept.has(ref)) kept.set(ref, values.length > 1 ? values.shift()! : values[0]!);
      return kept.get(ref)!;
    },
  };
}

/** Waits no longer than it must for a service that keeps silent. @returns how long it would have waited, in milliseconds */
export async function impatiently<Result>(run: () => Promise<Result>): Promise<{ readonly result: Result; readonly patience: number[] }> {
  const timeout = AbortSignal.timeout;
  const patience: number[] = [];
  AbortSignal.timeout = (milliseconds) => {
    patience.push(milliseconds);
    return timeout.call(AbortSignal, 200);
  };
  try {
    return { result: await run(), patience };
  } finally {
    AbortSignal.timeout = timeout;
  }
}
