import type { Seen } from '../../cli/local-stack/gateway.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Delivery } from '../../engine/alerts/delivery.ts';

/** What a call leaves in the alert queue. */
export const alertsIn = ({ target, body }: Seen): Alert[] => {
  if (!target.endsWith('.SendMessageBatch')) return [];
  const { Entries, QueueUrl } = JSON.parse(body.toString()) as { QueueUrl: string; Entries: { MessageBody: string }[] };
  return QueueUrl.includes('AlertQueue') ? Entries.map(({ MessageBody }) => (JSON.parse(MessageBody) as Delivery).alert) : [];
};
