/** Alerts to a topic of the stack. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context, Send } from '../../engine/alerts/delivery.ts';
import { snsMessage } from '../../engine/alerts/render/sns.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';
import { deliveryErrorOf } from './refusal.ts';

export type SnsChannel = Extract<CompiledChannel, { readonly sns: true }>;

/** Keeps nothing: what is published cannot be changed. */
export const snsSend =
  (topicArn: string, aws: Aws): Send<SnsChannel> =>
  async (alert, _channel, context) => {
    try {
      await aws.client(SNSClient).send(publishCommand(topicArn, alert, context));
    } catch (error) {
      throw deliveryErrorOf(error, `The topic ${nameOf(topicArn)}`, refusalsOf(nameOf(topicArn)));
    }
    return undefined;
  };

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html; attributes are for the filters of subscriptions only. */
function publishCommand(TopicArn: string, alert: Alert, context: Context): PublishCommand {
  const { Subject, Message, attributes } = snsMessage(alert, context);
  const MessageAttributes = Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
  return new PublishCommand({ TopicArn, Subject, Message, MessageStructure: 'json', MessageAttributes });
}

const nameOf = (topicArn: string): string => topicArn.slice(topicArn.lastIndexOf(':') + 1);

// Each code as the SDK spells it, and as the Query protocol does.
const keyWords = (topic: string) => `The key of the topic ${topic} cannot be used: look at its state and its key policy, npx phidelity doctor tells.`;
const goneWords = (topic: string) => `The topic ${topic} does not exist: deploy again.`;
const refusalsOf = (topic: string): Readonly<Record<string, string>> => ({
  NotFound: goneWords(topic),
  NotFoundException: goneWords(topic),
  KMSAccessDenied: keyWords(topic),
  KMSAccessDeniedException: keyWords(topic),
  KMSDisabled: keyWords(topic),
  KMSDisabledException: keyWords(topic),
  KMSInvalidState: keyWords(topic),
  KMSInvalidStateException: keyWords(topic),
  KMSNotFound: keyWords(topic),
  KMSNotFoundException: keyWords(topic),
  InvalidParameter: `The topic ${topic} does not take the message: this is a fault of the bot.`,
  InvalidParameterException: `The topic ${topic} does not take the message: this is a fault of the bot.`,
});
