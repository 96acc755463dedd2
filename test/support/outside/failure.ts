import { DeliveryError } from '../../../engine/alerts/delivery.ts';

/** How sending failed. */
export const failure = async (sending: Promise<unknown>): Promise<DeliveryError> => {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeliveryError)) throw new Error('It did not fail as deliveries do.', { cause: error });
  return error;
};

/** The same, as plain data. */
export async function failed(sending: Promise<unknown>): Promise<Pick<DeliveryError, 'failure' | 'message' | 'retryAfter'>> {
  const { failure: how, message, retryAfter } = await failure(sending);
  return { failure: how, message, retryAfter };
}
