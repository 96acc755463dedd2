/** Alerts to the topics of the policy's channels. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Alert } from '../../engine/alerts/alert.ts';
import { textOf } from '../../engine/alerts/lines.ts';
import { isAtLeast } from '../../engine/model.ts';
import type { CompiledChannel, CompiledPolicy } from '../../engine/policy/model.ts';
import type { Aws } from '../../engine/ports.ts';

/** A page goes to every channel that takes pages; anything else to those whose `minSeverity` it reaches. */
const takes = ({ pages, minSeverity }: CompiledChannel, { urgency, severity }: Alert): boolean =>
  urgency === 'page' ? pages : isAtLeast(severity, minSeverity);

/** A channel that the policy does not know yet is told: better twice than not at all. */
export async function publishTo(
  topics: Readonly<Record<string, string>>,
  channels: CompiledPolicy['channels'] | undefined,
  alert: Alert,
  aws: Aws,
): Promise<void> {
  const client = aws.client(SNSClient);
  const wanted = Object.entries(topics).filter(([name]) => !channels?.[name] || takes(channels[name], alert));
  await Promise.all(wanted.map(([, topicArn]) => client.send(messageOf(topicArn, alert))));
}

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html; attributes are for subscription filters only. */
function messageOf(topicArn: string, { id, urgency, severity, control, accountId, status, subject, ...alert }: Alert): PublishCommand {
  const attributes = { severity, control, account: accountId, status, urgency, alertId: id };
  return new PublishCommand({
    TopicArn: topicArn,
    Subject: subject,
    Message: textOf(alert),
    MessageAttributes: Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])),
  });
}
