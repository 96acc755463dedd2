/**
 * Resource policies (buckets, topics, queues, keys, functions) as data: read, compared, statements taken out and put in.
 * Nothing here throws on a misshapen statement; a text that is no policy at all is an error, never a verdict.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { TerminalError } from '../engine/errors.ts';

/** As it stands in the document; members may be lone values or lists. */
export type Statement = Readonly<Record<string, unknown>>;

/** The whole document: `Version`, `Id` and whatever else it holds, its statements always as a list. */
export interface Policy {
  readonly Statement: readonly Statement[];
  readonly [member: string]: unknown;
}

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws TerminalError when the text is not a policy: what cannot be read must not pass as harmless. */
export function parsePolicy(text: string): Policy {
  const document = parsed(text);
  const statements: readonly unknown[] = isRecord(document) ? [document.Statement].flat() : [];
  if (!isRecord(document) || !statements.every(isRecord)) throw new TerminalError('The resource policy is not an object with statements');
  return { ...document, Statement: statements };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TerminalError('The resource policy is not JSON', { cause });
  }
}

export const printPolicy = (policy: Policy): string => JSON.stringify(policy);

/** Quotas of policies count bytes. */
export const sizeOf = (policy: Policy): number => new TextEncoder().encode(printPolicy(policy)).length;

/** The strings of a member that may be one value or a list of them; AWS takes `true` for `"true"`. */
export const textsOf = (value: unknown): string[] => [value].flat().flatMap((item) => (isRecord(item) || item == null ? [] : [String(item)]));

/**
 * The same for two statements that mean the same: AWS shows a list of one as a lone value, `true` as `"true"`, and may
 * reorder members and lists, none of which has a meaning.
 */
export function keyOf(statement: Statement): string {
  return JSON.stringify(canonical(isRecord(statement.Principal) ? statement : { ...statement, Principal: { AWS: statement.Principal } }));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = new Map(value.map(canonical).map((item) => [JSON.stringify(item), item]));
    const sorted = [...items.keys()].sort().map((key) => items.get(key));
    return sorted.length === 1 ? sorted[0] : sorted;
  }
  if (isRecord(value))
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((key) => [key, canonical(value[key])]),
    );
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : value;
}

/** Each statement once, in an order that does not depend on the document's: what two documents say is the same or not. */
export const normalised = (statements: readonly Statement[]): Statement[] => {
  const byKey = new Map(statements.map((statement) => [keyOf(statement), statement]));
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
};

export const emptyPolicy: Policy = { Version: '2012-10-17', Statement: [] };

/**
 * The policy without `out` and with `into`; twice is the same as once, and every other statement stays as it is.
 * `null` = no policy: a policy without statements is refused by every service. A new one takes the rest of `envelope`.
 */
export function exchanged(policy: Policy | null, out: readonly Statement[], into: readonly Statement[], envelope: Policy = emptyPolicy): Policy | null {
  const leaving = new Set(out.map(keyOf));
  const kept = (policy?.Statement ?? []).filter((statement) => !leaving.has(keyOf(statement)));
  const there = new Set(kept.map(keyOf));
  const statements = [...kept, ...into.filter((statement) => !there.has(keyOf(statement)))];
  return statements.length === 0 ? null : { ...(policy ?? envelope), Statement: statements };
}

export interface Condition {
  /** Lower case, as operators and keys are compared without case. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** All of them must hold; of one's values any. */
export const conditionsOf = ({ Condition }: Statement): Condition[] =>
  !isRecord(Condition)
    ? []
    : Object.entries(Condition).flatMap(([operator, keys]) =>
        isRecord(keys)
          ? Object.entries(keys).map(([key, values]) => ({ operator: operator.toLowerCase(), key: key.toLowerCase(), values: textsOf(values) }))
          : [],
      );

/** `*`, `{"AWS": "*"}`, also in a list or beside others: everybody, also without credentials. */
export const namesEverybody = (principal: unknown): boolean =>
  isRecord(principal) ? Object.values(principal).some((of) => textsOf(of).includes('*')) : textsOf(principal).includes('*');

/** An Allow whose principal is everybody, or everybody but some; its conditions may narrow it. */
export const allowsEverybody = (statement: Statement): boolean =>
  statement.Effect === 'Allow' && (namesEverybody(statement.Principal) || 'NotPrincipal' in statement);

// No regular expression: whoever writes a policy could make it run for hours. `?` covers nothing here, which errs towards
// one Deny too many. `needed` may hold a `*` itself (`s3:*`), which only a `*` of the pattern covers.
function covers(pattern: string, needed: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return pattern === needed;
  const end = needed.length - tail.length;
  if (end < head.length || !needed.startsWith(head) || !needed.endsWith(tail)) return false;
  let from = head.length;
  for (const part of parts) {
    const at = needed.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

/**
 * A Deny to everybody of that action on each of those resources, under no condition but those that `when` accepts.
 * For S3 the resources are the bucket and `BUCKET/*`.
 */
export function deniesEverybody(statement: Statement, action: string, resources: readonly string[], when: (condition: Condition) => boolean): boolean {
  const { Effect, Principal, Action, Resource, Condition } = statement;
  const conditions = conditionsOf(statement);
  return (
    Effect === 'Deny' &&
    (isRecord(Principal) ? textsOf(Principal.AWS) : textsOf(Principal)).includes('*') &&
    textsOf(Action).some((pattern) => covers(pattern.toLowerCase(), action.toLowerCase())) &&
    resources.every((resource) => textsOf(Resource).some((pattern) => covers(pattern, resource))) &&
    (Condition === undefined || conditions.length > 0) &&
    conditions.every(when)
  );
}

/** Requests that do not come by TLS. The key is there in every request, so IfExists changes nothing. */
export const withoutTls = ({ operator, key, values }: Condition): boolean =>
  (operator === 'bool' || operator === 'boolifexists') && key === 'aws:securetransport' && values.some((value) => value.toLowerCase() === 'false');

export const isTlsOnlyStatement = (statement: Statement, action: string, resources: readonly string[]): boolean =>
  deniesEverybody(statement, action, resources, withoutTls);

export const tlsOnlyStatement = (sid: string, action: string, resources: readonly string[]): Statement => ({
  Sid: sid,
  Effect: 'Deny',
  Principal: '*',
  Action: action,
  Resource: resources,
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
});
