/** What a message of a dead-letter queue tells: who it is, since when it lies there and why. Pure. */
import type { Message } from '@aws-sdk/client-sqs';
import { redact, redactDeep } from '../../engine/redact.ts';

export interface Letter {
  readonly id: string;
  /** When it was first sent, ISO 8601. */
  readonly since: string | null;
  /** `s3.amazonaws.com`, or the event's source. */
  readonly source: string | null;
  /** Event name; the detail type where there is none. */
  readonly name: string | null;
  /** Of the event. */
  readonly region: string | null;
  readonly why: string;
}

/** Where a message is to be taken up again. */
export type Home = 'intake' | 'sweep' | 'alert' | 'ownHealth';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export function bodyOf({ Body = '' }: Pick<Message, 'Body'>): Json | undefined {
  try {
    const body: unknown = JSON.parse(Body);
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** @param raw what others wrote into it stays as it is */
export function letterOf(message: Message, raw?: true): Letter {
  const clean = (text: string | null) => (text === null || raw ? text : redact(text));
  const body = bodyOf(message) ?? {};
  const detail = isObject(body.detail) ? body.detail : {};
  const sent = Number(message.Attributes?.SentTimestamp);
  return {
    id: message.MessageId ?? '',
    since: sent ? new Date(sent).toISOString() : null,
    source: clean(textOf(detail.eventSource) ?? textOf(body.source) ?? channelOf(body)),
    name: clean(textOf(detail.eventName) ?? textOf(body['detail-type']) ?? alertOf(body)),
    region: clean(textOf(body.region)),
    why: raw ? whyOf(message) : redact(whyOf(message)),
  };
}

/**
 * EventBridge and Scheduler write attributes. SQS only counts, and it counts those who look into the queue too.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
function whyOf(message: Message): string {
  const { MessageAttributes = {} } = message;
  const given = (name: string) => MessageAttributes[name]?.StringValue;
  const [code, text] = [given('ERROR_CODE'), given('ERROR_MESSAGE')];
  const sender = given('RULE_ARN') ?? given('SCHEDULE_ARN');
  if (!code && !text) {
    const reader = homeOf(message) === 'alert' ? 'deliver' : 'detect';
    return `${reader} failed on it each time: the log of the function ${reader} tells more`;
  }
  return `${[code, text].filter(Boolean).join(': ')}${sender ? ` (${sender.split(':').slice(5).join(':')})` : ''}`;
}

/** An alert that a channel did not take. */
const channelOf = ({ channel }: Json): string | null => (textOf(channel) ? `channel ${channel}` : null);
const alertOf = ({ alert }: Json): string | null => (isObject(alert) ? textOf(alert.subject) : null);

export function homeOf(message: Pick<Message, 'Body'>): Home {
  const body = bodyOf(message);
  if (isObject(body?.alert) || body?.attend === true) return 'alert';
  const source = body?.source;
  if (source === 'phidelity') return 'sweep';
  // State changes of alarms are put on the topic by a rule; detect would drop them.
  return source === 'aws.cloudwatch' ? 'ownHealth' : 'intake';
}

/** As the rule words it that could not deliver it. */
export function alarmText(message: Pick<Message, 'Body'>): string {
  const { region, detail } = bodyOf(message) ?? {};
  const { alarmName, state, configuration } = (isObject(detail) ? detail : {}) as { alarmName?: unknown; state?: Json; configuration?: Json };
  return `${state?.value}: alarm ${alarmName} in ${region}, ${state?.timestamp}. ${configuration?.description ?? ''}`.trim();
}

/** What may be shown of an event: who did what, when, where. Everything else may hold the name of a resource, or what stands in it. */
const plain = new Set([
  'account',
  'accountId',
  'apply',
  'arn',
  'awsRegion',
  'began',
  'complianceType',
  'configRuleName',
  'control',
  'detail-type',
  'errorCode',
  'eventCategory',
  'eventID',
  'eventName',
  'eventSource',
  'eventTime',
  'eventType',
  'eventVersion',
  'first',
  'id',
  'invokedBy',
  'managementEvent',
  'messageType',
  'readOnly',
  'recipientAccountId',
  'region',
  'resourceType',
  'source',
  'time',
  'type',
  'version',
]);
const looksInside = new Set([
  'configurationItem',
  'configurationItemSummary',
  'detail',
  'newEvaluationResult',
  'sessionContext',
  'sessionIssuer',
  'userIdentity',
]);

export const withheld = '(withheld; --raw shows it)';

/** The shape of the message with the values that are no secret; the `arn` is that of who made the call. */
export function redacted(value: Json): Json {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (isObject(inner) && looksInside.has(name)) return [name, redacted(inner)];
      const shows = inner === null || (plain.has(name) && typeof inner !== 'object');
      return [name, shows ? redactDeep(inner, name === 'arn' ? { keep: ['email'] } : {}) : withheld];
    }),
  );
}
