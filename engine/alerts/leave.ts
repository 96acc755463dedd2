import type { CompiledPolicy } from '../policy/model.ts';
import type { Ledger } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Delivery } from './delivery.ts';
import { escalatedTo } from './remind.ts';
import { takes } from './routing.ts';

/** Who is to be told: the channels that take it, and those that were called because the finding stayed open. */
export async function deliveriesOf(alert: Alert, { channels }: Pick<CompiledPolicy, 'channels'>, ledger: Pick<Ledger, 'recall'>): Promise<Delivery[]> {
  const escalates = Object.values(channels).some(({ escalateAfter }) => escalateAfter !== undefined);
  const called = escalates && alert.finding ? await escalatedTo(alert.finding.id, ledger) : [];
  return Object.entries(channels).flatMap(([channel, way]) => (takes(way, alert) || called.includes(channel) ? [{ channel, alert }] : []));
}
