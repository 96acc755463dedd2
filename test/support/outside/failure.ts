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
