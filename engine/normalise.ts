/** Any JSON in, triggers out, or a reason why there are none. Pure; never throws. */
import { findingIdField, generatorPrefix } from './hub-marks.ts';
import type { Actor, CloudTrailDetail, Trigger } from './model.ts';

export type DropReason =
  | 'not an event'
  | 'another account'
  | 'another account in the record'
  | 'unknown kind of event'
  | 'incomplete event'
  | 'own Security Hub finding'
  | 'Security Hub finding without a failed check';

export interface Normalised {
  readonly triggers: readonly Trigger[];
  /** Why the event, or a part of it, gave no trigger. An event without triggers always has a reason. */
  readonly dropped: readonly DropReason[];
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const dropped = (...reasons: DropReason[]): Normalised => ({ triggers: [], dropped: reasons });

/** The events in a document: one EventBridge event or CloudTrail record, an array of them, or a CloudTrail log file. */
export function eventsIn(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document;
  if (isObject(document) && Array.isArray(document.Records)) return document.Records;
  return [document];
}

// Maps, because the names come from outside: an object also answers to "constructor".
const kinds: ReadonlyMap<string, 'api' | 'signin' | 'service'> = new Map([
  ['AWS API Call via CloudTrail', 'api'],
  ['AWS Console Sign In via CloudTrail', 'signin'],
  ['AWS Console Action via CloudTrail', 'api'],
  ['AWS Service Event via CloudTrail', 'service'],
]);
const kindOfType: ReadonlyMap<string, 'signin' | 'service'> = new Map([
  ['AwsConsoleSignIn', 'signin'],
  ['AwsServiceEvent', 'service'],
]);

/** The account the bot runs in; undefined takes every account. */
type Own = { readonly accountId: string } | undefined;

/**
 * @param event an EventBridge event, a bare CloudTrail record, or one of the bot's own messages
 * @param own the account the bot runs in; events of other accounts are dropped. Undefined takes every account (offline replay).
 */
export function normalise(event: unknown, own?: Own): Normalised {
  if (!isObject(event)) return dropped('not an event');
  if (!('detail-type' in event) && textOf(event.eventSource) && textOf(event.eventName)) return fromCloudTrail(event, {}, own);
  const detail = event.detail;
  const type = textOf(event['detail-type']);
  if (!type || !isObject(detail)) return dropped('not an event');
  if (own && event.account !== own.accountId) return dropped('another account');
  const source = textOf(event.source) ?? '';
  if (source === 'phidelity') return fromOwnMessage(type, detail, event);
  // Only AWS can put events whose source begins with "aws.": anything else that looks like one is forged.
  if (!source.startsWith('aws.')) return dropped('unknown kind of event');
  if (kinds.has(type)) return fromCloudTrail(detail, event, own);
  if (source === 'aws.config') return fromConfig(type, detail, event, own);
  if (source === 'aws.securityhub') return fromSecurityHub(type, detail, event, own);
  return dropped('unknown kind of event');
}

/** `part` is what an event of Config or Security Hub tells of the resource itself; undefined without an id or a place. */
function baseOf(envelope: Json, part: { readonly accountId?: unknown; readonly region?: unknown } = {}) {
  const eventId = textOf(envelope.id);
  const accountId = textOf(part.accountId) ?? textOf(envelope.account);
  const region = textOf(part.region) ?? textOf(envelope.region);
  return eventId && accountId && region ? { eventId, time: timeOf(envelope.time), accountId, region } : undefined;
}

const timeOf = (...values: unknown[]): string => {
  const time = values.find((value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)));
  return new Date(typeof time === 'string' ? time : 0).toISOString();
};

function fromCloudTrail(detail: Json, envelope: Json, own: Own): Normalised {
  const eventSource = textOf(detail.eventSource);
  const eventName = textOf(detail.eventName);
  const region = textOf(detail.awsRegion) ?? textOf(envelope.region);
  const accountId = textOf(detail.recipientAccountId) ?? textOf(envelope.account) ?? textOf(objectOf(detail.userIdentity).accountId);
  const eventId = textOf(detail.eventID) ?? textOf(envelope.id);
  if (!eventSource || !eventName || !region || !accountId || !eventId) return dropped('incomplete event');
  if (own && accountId !== own.accountId) return dropped('another account in the record');
  const type = textOf(envelope['detail-type']);
  return {
    dropped: [],
    triggers: [
      {
        source: 'cloudtrail',
        kind: kinds.get(type ?? '') ?? kindOfType.get(textOf(detail.eventType) ?? '') ?? 'api',
        outcome: textOf(detail.errorCode) ? 'failed' : 'succeeded',
        eventId,
        time: timeOf(detail.eventTime, envelope.time),
        accountId,
        region,
        eventSource,
        eventName,
        actor: actorOf(detail),
        detail: { ...detail, eventSource, eventName, awsRegion: region, recipientAccountId: accountId } satisfies CloudTrailDetail,
      },
    ],
  };
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html */
function actorOf(detail: Json): Actor | undefined {
  const identity = objectOf(detail.userIdentity);
  const arn = textOf(identity.arn) ?? textOf(identity.invokedBy) ?? textOf(identity.principalId);
  if (!arn) return undefined;
  return {
    arn,
    type: textOf(identity.type) ?? 'Unknown',
    accountId: textOf(identity.accountId),
    issuerArn: textOf(objectOf(objectOf(identity.sessionContext).sessionIssuer).arn),
    sourceIp: textOf(detail.sourceIPAddress),
    userAgent: textOf(detail.userAgent),
    invokedBy: textOf(identity.invokedBy),
  };
}

/** https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html */
function fromConfig(type: string, detail: Json, envelope: Json, own: Own): Normalised {
  if (type === 'Config Configuration Item Change') {
    const item = isObject(detail.configurationItem) ? detail.configurationItem : objectOf(detail.configurationItemSummary);
    const resourceType = textOf(item.resourceType);
    const resourceId = textOf(item.resourceId);
    const base = baseOf(envelope, { accountId: item.awsAccountId, region: item.awsRegion });
    if (!base || !resourceType || !resourceId) return dropped('incomplete event');
    if (own && base.accountId !== own.accountId) return dropped('another account in the record');
    return { dropped: [], triggers: [{ ...base, source: 'config', resourceType, resourceId, arn: textOf(item.ARN) ?? textOf(item.arn) }] };
  }
  if (type === 'Config Rules Compliance Change') {
    const rule = textOf(detail.configRuleName);
    const resourceType = textOf(detail.resourceType);
    const resourceId = textOf(detail.resourceId);
    const base = baseOf(envelope, { accountId: detail.awsAccountId, region: detail.awsRegion });
    if (!base || !rule || !resourceType || !resourceId) return dropped('incomplete event');
    if (own && base.accountId !== own.accountId) return dropped('another account in the record');
    return { dropped: [], triggers: [{ ...base, source: 'config-rule', rule, resourceType, resourceId }] };
  }
  return dropped('unknown kind of event');
}

/** https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html */
function fromSecurityHub(type: string, detail: Json, envelope: Json, own: Own): Normalised {
  if (!type.startsWith('Security Hub Findings')) return dropped('unknown kind of event');
  const findings = listOf(detail.findings).map(objectOf);
  if (findings.length === 0) return dropped('incomplete event');
  const asked = type.includes('Custom Action');
  const parts = findings.map((finding): Normalised => {
    const product = objectOf(finding.ProductFields);
    if (isOwn(finding)) return dropped('own Security Hub finding');
    // An administrator account is sent the findings of its members too.
    if (own && (textOf(finding.AwsAccountId) ?? own.accountId) !== own.accountId) return dropped('another account in the record');
    const compliance = objectOf(finding.Compliance);
    // A person who picks a finding and sends it means it, whatever its status; an import counts when the check failed.
    if (!asked && compliance.Status !== 'FAILED' && compliance.Status !== 'WARNING') return dropped('Security Hub finding without a failed check');
    const generator = textOf(finding.GeneratorId);
    const controlIds = [textOf(compliance.SecurityControlId), textOf(product.ControlId), generator?.split('/').at(-1), generator?.replace(/^prowler-/, '')];
    const known = [...new Set(controlIds.filter((id) => id !== undefined))];
    const resources = listOf(finding.Resources).map(objectOf);
    const triggers = resources.flatMap(({ Id, Region }, index): Trigger[] => {
      const resourceId = textOf(Id);
      const base = baseOf(envelope, { accountId: finding.AwsAccountId, region: textOf(Region) ?? finding.Region });
      if (!base || !resourceId || known.length === 0) return [];
      return [{ ...base, eventId: `${base.eventId}:${textOf(finding.Id) ?? ''}:${index}`, source: 'securityhub', controlIds: known, resourceId }];
    });
    return triggers.length > 0 ? { triggers, dropped: [] } : dropped('incomplete event');
  });
  return { triggers: parts.flatMap(({ triggers }) => triggers), dropped: parts.flatMap((part) => part.dropped) };
}

/**
 * What the bot has sent there comes back as an event, and when a person picks it: it tells nothing that the bot does not know. One
 * of these marks is enough.
 */
function isOwn({ AwsAccountId, CompanyName, GeneratorId, ProductArn, ProductFields }: Json): boolean {
  if (objectOf(ProductFields)[findingIdField] !== undefined || CompanyName === 'phidelity') return true;
  const isDefault = textOf(ProductArn)?.endsWith(`:product/${AwsAccountId}/default`);
  return Boolean(isDefault && textOf(GeneratorId)?.startsWith(generatorPrefix));
}

/** What the bot sends itself (`Tick`; `Sweep`: control) and an operator may (`Check`: control and the ARN of a resource). Only the bot and the rules of its own stack may write to its queues. */
function fromOwnMessage(type: string, detail: Json, envelope: Json): Normalised {
  const base = baseOf(envelope);
  if (base && type === 'Tick') return { dropped: [], triggers: [{ ...base, source: 'tick' }] };
  const control = textOf(detail.control);
  if (!control || !base) return dropped('incomplete event');
  if (type === 'Sweep') {
    const began = timeOf(detail.began, envelope.time);
    const sweep = {
      control,
      began,
      from: textOf(detail.from),
      only: textOf(detail.only),
      first: detail.first === true || undefined,
      apply: detail.apply === true || undefined,
    };
    // All pages of a sweep are one event: a resource that one of them has dealt with is done for the rest.
    return { dropped: [], triggers: [{ ...base, eventId: `sweep:${began}`, source: 'sweep', ...sweep }] };
  }
  const resourceId = textOf(detail.resourceId);
  if (type !== 'Check' || !resourceId) return dropped('incomplete event');
  return { dropped: [], triggers: [{ ...base, source: 'operator', control, resourceId }] };
}
