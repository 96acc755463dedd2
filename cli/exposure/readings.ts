/** Who read a resource, from CloudTrail records: counted by principal and address. Keys of objects may be PHI; they are counted. Pure. */
import type { ResourceRef } from '../../engine/model.ts';
import type { Readers } from './readers.ts';

export interface Window {
  /** ISO 8601, both within. */
  readonly from: string;
  readonly to: string;
}

export type Kind = 'anonymous' | 'other account' | 'own account' | 'AWS service';

export interface Reader {
  readonly kind: Kind;
  /** ARN, or what else the record names; undefined for nobody. */
  readonly actor?: string;
  readonly accountId?: string;
  readonly sourceIp?: string;
  readonly calls: readonly string[];
  readonly count: number;
  readonly first: string;
  readonly last: string;
  /** Sent, where the records tell. */
  readonly bytes?: number;
  /** Distinct keys that were named. */
  readonly objects: number;
}

export interface Tally {
  add(record: unknown): void;
  /** Those from outside the account first, then by count. */
  readers(): (Reader & { readonly keys: readonly string[] })[];
  readonly looked: {
    readonly records: number;
    readonly inWindow: number;
    /** Data events of this resource, at any time and of any kind: proof that they are recorded. */
    readonly data: number;
    readonly refused: number;
  };
}

type Json = Readonly<Record<string, unknown>>;
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A record as it stands in a log file, or in the envelope that EventBridge puts around it; undefined = it is none. */
export function recordOf(event: unknown): Json | undefined {
  const outer = objectOf(event);
  const record = 'detail-type' in outer ? objectOf(outer.detail) : outer;
  return textOf(record.eventSource) && textOf(record.eventName) && textOf(record.eventTime) ? record : undefined;
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* textsIn(inner);
}

const callOf = ({ eventSource, eventName }: Json): string => `${String(eventSource).split('.')[0]}:${String(eventName)}`;
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function touches(record: Json, resource: ResourceRef, { names, copies = [] }: Readers): boolean {
  const wanted = names(resource);
  const parameters = objectOf(record.requestParameters);
  if (copies.includes(callOf(record))) {
    const source = [...textsIn(parameters['x-amz-copy-source'])].map((text) => decoded(text).replace(/^\//, '').toLowerCase());
    // An access point stands in its place with an ARN of its own, which does not tell the bucket.
    return source.some((text) => wanted.includes(text.split('/')[0] ?? ''));
  }
  const resources = Array.isArray(record.resources) ? record.resources.map((each) => [objectOf(each).ARN, objectOf(each).arn]) : [];
  const bucket = textOf(parameters.bucketName)?.toLowerCase();
  if (bucket !== undefined && record.eventSource === 's3.amazonaws.com') return wanted.includes(bucket);
  const texts = [...textsIn([parameters, record.serviceEventDetails, record.responseElements, resources])].map((text) => text.toLowerCase());
  return texts.some((text) => wanted.some((name) => text === name || (name.startsWith('/') && text.endsWith(name))));
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html */
function whoOf({ userIdentity }: Json, own: string): Pick<Reader, 'kind' | 'actor' | 'accountId'> {
  const { type, accountId, arn, principalId, invokedBy } = objectOf(userIdentity);
  const account = textOf(accountId);
  const actor = textOf(arn) ?? textOf(principalId);
  if (account === own) return { kind: 'own account', actor: actor ?? textOf(invokedBy), accountId: account };
  if (account !== undefined && /^\d{12}$/.test(account)) return { kind: 'other account', actor, accountId: account };
  if (type === 'AWSService') return { kind: 'AWS service', actor: textOf(invokedBy) };
  // No account of AWS: signed in by nobody that AWS knows.
  return { kind: 'anonymous', ...(actor && actor !== 'ANONYMOUS_PRINCIPAL' && { actor }) };
}

const isData = ({ eventCategory, managementEvent }: Json): boolean => eventCategory === 'Data' || managementEvent === false;
const order: readonly Kind[] = ['anonymous', 'other account', 'AWS service', 'own account'];
export const isOutside = ({ kind }: Pick<Reader, 'kind'>): boolean => kind === 'anonymous' || kind === 'other account';

export function tallyOf(resource: ResourceRef, wanted: Readers, { from, to }: Window): Tally {
  const groups = new Map<string, Reader & { readonly keySet: Set<string> }>();
  const counted = new Set<string>();
  const looked = { records: 0, inWindow: 0, data: 0, refused: 0 };
  const reads = [...wanted.calls, ...(wanted.copies ?? [])];
  // CloudTrail tells whole seconds.
  const [first, last] = [Math.floor(Date.parse(from) / 1_000) * 1_000, Date.parse(to)];
  return {
    looked,
    add(event) {
      const record = recordOf(event);
      if (!record) return;
      looked.records += 1;
      const at = Date.parse(String(record.eventTime));
      const within = at >= first && at <= last;
      if (within) looked.inWindow += 1;
      const known = touches(record, resource, wanted);
      if (!known) return;
      if (isData(record)) looked.data += 1;
      if (!within || !reads.includes(callOf(record))) return;
      // Two trails may both have recorded it.
      const id = textOf(record.eventID);
      if (id !== undefined && counted.has(id)) return;
      if (id !== undefined) counted.add(id);
      if (textOf(record.errorCode)) looked.refused += 1;
      else count(record, new Date(at).toISOString());
    },
    readers: () =>
      [...groups.values()]
        .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.count - a.count || (a.first < b.first ? -1 : 1))
        .map(({ keySet, ...reader }) => ({ ...reader, objects: keySet.size, keys: [...keySet].sort() })),
  };

  function count(record: Json, time: string): void {
    const who = whoOf(record, resource.accountId);
    const sourceIp = textOf(record.sourceIPAddress);
    const group = JSON.stringify([who.kind, who.accountId, who.actor, sourceIp]);
    const before = groups.get(group);
    const sent = objectOf(record.additionalEventData).bytesTransferredOut;
    const bytes = typeof sent === 'number' ? (before?.bytes ?? 0) + sent : before?.bytes;
    const keySet = before?.keySet ?? new Set<string>();
    const key = textOf(objectOf(record.requestParameters).key);
    if (key !== undefined) keySet.add(key);
    const name = String(record.eventName);
    groups.set(group, {
      ...who,
      ...(sourceIp && { sourceIp }),
      calls: before?.calls.includes(name) ? before.calls : [...(before?.calls ?? []), name],
      count: (before?.count ?? 0) + 1,
      first: before && before.first < time ? before.first : time,
      last: before && before.last > time ? before.last : time,
      ...(bytes !== undefined && { bytes }),
      objects: keySet.size,
      keySet,
    });
  }
}
