/** Alerts to the topics of the policy's channels. */
import { SNSClient } from '@aws-sdk/client-sns';
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { isAtLeast } from '../../engine/model.ts';
import type { CompiledChannel, CompiledPolicy } from '../../engine/policy/model.ts';
import type { Aws } from '../../engine/ports.ts';
import { publishCommand } from '../channels/sns.ts';

/** A page goes to every channel that takes pages; anything else to those whose `minSeverity` it reaches. */
const takes = ({ pages, minSeverity }: CompiledChannel, { urgency, severity }: Alert): boolean =>
  urgency === 'page' ? pages : isAtLeast(severity, minSeverity);

/** A channel that the policy does not know yet is told: better twice than not at all. */
export async function publishTo(
  topics: Readonly<Record<string, string>>,
  channels: CompiledPolicy['channels'] | undefined,
  alert: Alert,
  aws: Aws,
  context: Context = { stack: 'NAME', region: aws.region },
): Promise<void> {
  const client = aws.client(SNSClient);
  const wanted = Object.entries(topics).filter(([name]) => !channels?.[name] || takes(channels[name], alert));
  await Promise.all(wanted.map(([, topicArn]) => client.send(publishCommand(topicArn, alert, context))));
}
