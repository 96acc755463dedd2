/** Random pieces that settings of more than one service are made of. */
import fc from 'fast-check';
import { keyOf, type Statement } from '../../remediations/resource-policy.ts';

/** Any of these members, present or absent. */
export const someOf = <Whole extends object>(members: { readonly [Name in keyof Whole]: fc.Arbitrary<Whole[Name]> }) =>
  fc.record<Whole, never>(members, { requiredKeys: [] });

/** As policies take it: one value or a list. */
const oneOrMore = (values: readonly string[]): fc.Arbitrary<string | string[]> =>
  fc.oneof(fc.constantFrom(...values), fc.subarray([...values], { minLength: 1 }));

export const own = '123456789012';
export const partners = ['111122223333', '444455556666', '777788889999'];
export const somePartners = fc.subarray(partners);
const [partner] = partners;

const everybody = fc.constantFrom<unknown>('*', { AWS: '*' }, { AWS: ['*'] }, { AWS: [`arn:aws:iam::${partner}:root`, '*'] });
const somebody = fc.constantFrom<unknown>(
  { AWS: `arn:aws:iam::${partner}:root` },
  { AWS: [`arn:aws:iam::${own}:root`, `arn:aws:iam::${partner}:role/reader`] },
  { Service: 'events.amazonaws.com' },
  { Service: ['sns.amazonaws.com', 's3.amazonaws.com'], AWS: partner },
);

/** None of them narrows a statement. */
const idle = fc.constantFrom(
  { Bool: { 'aws:SecureTransport': 'true' } },
  { IpAddress: { 'aws:SourceIp': ['0.0.0.0/0', '198.51.100.0/24'] } },
  { StringLike: { 'aws:PrincipalArn': '*' }, NumericLessThan: { 's3:max-keys': 100 } },
);
/** Each of them narrows a statement to somebody known. */
const narrow = fc.constantFrom<object>(
  { StringEquals: { 'AWS:SourceOwner': own } },
  { StringEquals: { 'aws:PrincipalOrgID': ['o-a1b2c3d4e5'] } },
  { IpAddress: { 'aws:SourceIp': '198.51.100.0/24' }, Bool: { 'aws:SecureTransport': true } },
  { ArnLike: { 'aws:SourceArn': [`arn:aws:events:us-east-1:${own}:rule/intake`] } },
);

export type Envelope = Readonly<Record<string, string>>;
export const envelopes = fc.constantFrom<Envelope>(
  { Version: '2012-10-17' },
  { Version: '2008-10-17', Id: '__default_policy_ID' },
  { Version: '2012-10-17', Id: 'of-the-owner' },
);

/** Stands for the ARN of the resource until it has one. */
const theArn = 'THE-ARN';
const named = <Value>(value: Value, arn: string): Value => JSON.parse(JSON.stringify(value).replaceAll(theArn, arn)) as Value;

const resources = (within: readonly string[]) => oneOrMore(within.map((path) => `${theArn}${path}`));

/** Statements told apart by keyOf; every second one has a Sid. */
const several = (statement: fc.Arbitrary<Statement>, prefix: string, minLength: number): fc.Arbitrary<readonly Statement[]> =>
  fc
    .uniqueArray(statement, { minLength, maxLength: 3, selector: keyOf })
    .map((list) => list.map((one, index) => (index % 2 === 0 ? { Sid: `${prefix}${index}`, ...one } : one)));

/** Statements that let in everybody. */
export const open = (actions: readonly string[], within: readonly string[]) =>
  several(
    fc.record(
      { Effect: fc.constant('Allow'), Principal: everybody, Action: oneOrMore(actions), Resource: resources(within), Condition: idle },
      { requiredKeys: ['Effect', 'Principal', 'Action', 'Resource'] },
    ),
    'Open',
    1,
  );

/** Statements that are nobody's business. */
export const foreign = (actions: readonly string[], within: readonly string[]) => {
  const about = { Action: oneOrMore(actions), Resource: resources(within) };
  return several(
    fc.oneof(
      fc.record({ Effect: fc.constantFrom('Allow', 'Deny'), Principal: somebody, ...about }),
      fc.record({ Effect: fc.constant('Allow'), Principal: everybody, ...about, Condition: narrow }),
      fc.record({ Effect: fc.constant('Deny'), Principal: fc.constant('*'), ...about, Condition: narrow }),
    ),
    'Foreign',
    0,
  );
};

export interface Written {
  readonly envelope: Envelope;
  /** Statements that the control takes away. */
  readonly mine: readonly Statement[];
  readonly foreign: readonly Statement[];
}

/** Undefined = no statement, no policy. AWS takes a lone statement without its list. */
export function written({ envelope, mine, foreign }: Written, arn: string): string | undefined {
  const statements = [...foreign.slice(1), ...mine, ...foreign.slice(0, 1)];
  if (statements.length === 0) return undefined;
  return JSON.stringify(named({ ...envelope, Statement: statements.length === 1 ? statements[0] : statements }, arn));
}

type Parsed = Envelope & { readonly Statement?: Statement | readonly Statement[] };

/** The policy after somebody else has added to it; `envelope` where there is none. */
export function withLatecomer(live: string | undefined, envelope: Envelope, action: string, arn: string): string {
  const { Statement = [], ...rest } = JSON.parse(live || JSON.stringify(envelope)) as Parsed;
  const latecomer = { Sid: 'Latecomer', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${partners[2]}:root` }, Action: action, Resource: arn };
  return JSON.stringify({ ...rest, Statement: [Statement, latecomer].flat() });
}

/** A policy in two heaps, neither in an order, for none has a meaning. `undefined` = there is none. */
export function parted(text: string | undefined, owns: (statement: Statement) => boolean) {
  const { Statement = [], ...envelope } = JSON.parse(text || '{}') as Parsed;
  const all = [Statement].flat();
  const [mine = [], others = []] = [all.filter(owns), all.filter((one) => !owns(one))].map((list) => list.map((one) => JSON.stringify(one)).sort());
  return { mine, others, envelope };
}

export const mentions =
  (...words: readonly string[]) =>
  (statement: Statement): boolean =>
    words.some((word) => JSON.stringify([statement.Action, statement.Sid]).includes(word));
