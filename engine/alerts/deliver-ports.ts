/** What delivering needs from outside. */
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Context, Delivery, Kept } from './delivery.ts';
import type { LatePorts } from './late.ts';

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
