/**
 * What EventBridge does with an event of a region's default bus.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
import { ListRulesCommand, ListTargetsByRuleCommand, type Rule, type Target } from '@aws-sdk/client-eventbridge';
import { PublishCommand } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { codeOf, TerminalError } from '../../engine/errors.ts';
import { matchesPattern } from '../../engine/pattern.ts';
import type { Clients } from './clients.ts';
import type { Keys } from './keys.ts';

/** moto delivers events too, but otherwise. */
export const differences: readonly string[] = [
  'EventBridge: an event that a rule sends to the bus of another region keeps its id, time and region (moto gives it new ones)',
  'EventBridge: an event in a queue names its account (moto leaves it out)',
  'EventBridge: a topic can be the target of a rule (moto fails the whole PutEvents)',
  'EventBridge: what a target does not take goes to its dead-letter queue (moto fails the whole PutEvents); the permissions of the targets are not asked',
];

/** As a target receives it. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: string;
  readonly region: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface Buses {
  /** Delivers events of one region; returns when every target has them. */
  put(region: string, events: readonly BusEvent[]): Promise<void>;
  /** Events of a rule that neither its target nor a dead-letter queue has taken. */
  failedInvocations(ruleArn: string): number;
}

const at = (event: unknown, path: string): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], event);

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html */
function messageFor({ InputTransformer }: Target, event: BusEvent): string {
  const { InputPathsMap = {}, InputTemplate } = InputTransformer ?? {};
  if (InputTemplate === undefined) return JSON.stringify(event);
  return InputTemplate.replace(/<([\w.-]+)>/g, (_, name: string) => {
    const value = at(event, InputPathsMap[name] ?? '$');
    return typeof value === 'string' ? value : JSON.stringify(value ?? '');
  });
}

export function eventBuses(clients: Clients, keys: Keys, log: (line: string) => void): Buses {
  const failed = new Map<string, number>();

  const queueUrl = async (arn: string) => {
    const [, , , region = '', account, name] = arn.split(':');
    const { QueueUrl } = await clients.in(region).sqs.send(new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }));
    await keys.demandForQueue(region, QueueUrl!);
    return { sqs: clients.in(region).sqs, QueueUrl };
  };

  const deliver = async (target: Target, event: BusEvent): Promise<void> => {
    const [, , service, region = '', , resource = ''] = target.Arn!.split(':');
    if (service === 'sqs') {
      const { sqs, QueueUrl } = await queueUrl(target.Arn!);
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: messageFor(target, event) }));
    } else if (service === 'sns') {
      await clients.in(region).sns.send(new PublishCommand({ TopicArn: target.Arn, Message: messageFor(target, event) }));
    } else if (service === 'events' && resource === 'event-bus/default') {
      await put(region, [event]);
    } else {
      throw new TerminalError(`the local stack delivers no events to ${target.Arn}`);
    }
  };

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
  const fail = async (rule: Rule, target: Target, event: BusEvent, error: Error): Promise<void> => {
    log(`${rule.Arn}: ${target.Arn}: ${error.message}`);
    try {
      if (target.DeadLetterConfig?.Arn) return await bury(rule, target, event, error);
    } catch (lost) {
      log(`${rule.Arn}: ${target.DeadLetterConfig?.Arn}: ${(lost as Error).message}`);
    }
    failed.set(rule.Arn!, (failed.get(rule.Arn!) ?? 0) + 1);
  };

  const bury = async (rule: Rule, target: Target, event: BusEvent, error: Error): Promise<void> => {
    const { sqs, QueueUrl } = await queueUrl(target.DeadLetterConfig!.Arn!);
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    const MessageAttributes = {
      RULE_ARN: text(rule.Arn!),
      TARGET_ARN: text(target.Arn!),
      ERROR_CODE: text(codeOf(error) || 'INTERNAL_ERROR'),
      ERROR_MESSAGE: text(error.message || 'unknown'),
    };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(event), MessageAttributes }));
  };

  const rulesIn = async (region: string): Promise<Rule[]> => {
    const rules: Rule[] = [];
    let NextToken: string | undefined;
    do {
      const page = await clients.in(region).eventBridge.send(new ListRulesCommand({ NextToken }));
      rules.push(...(page.Rules ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    return rules.filter(({ State, EventPattern }) => State !== 'DISABLED' && EventPattern);
  };

  async function put(region: string, events: readonly BusEvent[]): Promise<void> {
    for (const rule of await rulesIn(region)) {
      const pattern: unknown = JSON.parse(rule.EventPattern!);
      const taken = events.filter((event) => matchesPattern(pattern, event));
      if (taken.length === 0) continue;
      const { Targets = [] } = await clients.in(region).eventBridge.send(new ListTargetsByRuleCommand({ Rule: rule.Name }));
      for (const event of taken) {
        for (const target of Targets) await deliver(target, event).catch((error: Error) => fail(rule, target, event, error));
      }
    }
  }
  return { put, failedInvocations: (ruleArn) => failed.get(ruleArn) ?? 0 };
}
