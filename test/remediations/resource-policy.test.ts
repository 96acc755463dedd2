import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TerminalError } from '../../engine/errors.ts';
import { isPublicStatement } from '../../remediations/public-statement.ts';
import {
  conditionsOf,
  exchanged,
  isTlsOnlyStatement,
  keyOf,
  normalised,
  type Policy,
  parsePolicy,
  printPolicy,
  type Statement,
  sizeOf,
  tlsOnlyStatement,
} from '../../remediations/resource-policy.ts';

const bucket = 'arn:aws:s3:::records';
const both = [bucket, `${bucket}/*`];
const tls = tlsOnlyStatement('TlsOnly', 's3:*', both);
const read: Statement = { Sid: 'Read', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 's3:GetObject', Resource: `${bucket}/*` };

// Statements as people write them, each member in any of its forms.
const oneOrMore = (values: readonly string[]) => fc.oneof(fc.constantFrom(...values), fc.subarray([...values], { minLength: 1 }));
const statement: fc.Arbitrary<Statement> = fc.record(
  {
    Sid: fc.constantFrom('A', 'B', 'C'),
    Effect: fc.constantFrom('Allow', 'Deny'),
    Principal: fc.oneof(fc.constant('*'), fc.record({ AWS: oneOrMore(['*', 'arn:aws:iam::111122223333:root', '444455556666']) })),
    Action: oneOrMore(['s3:*', 's3:GetObject', 's3:PutObject']),
    Resource: oneOrMore(both),
    Condition: fc.record({ Bool: fc.record({ 'aws:SecureTransport': fc.constantFrom<unknown>('false', false, ['false'], 'true') }) }),
  },
  { requiredKeys: ['Effect', 'Principal', 'Action', 'Resource'] },
);
const statements = fc.uniqueArray(statement, { selector: keyOf, maxLength: 6 });
const policy: fc.Arbitrary<Policy> = fc.record(
  { Version: fc.constantFrom('2008-10-17', '2012-10-17'), Id: fc.string(), Statement: statements.filter((list) => list.length > 0) },
  { requiredKeys: ['Statement'] },
);
const ways = { numRuns: 300 };

describe('a policy text', () => {
  test.each<[string, string, Policy]>([
    ['a list of statements', JSON.stringify({ Version: '2012-10-17', Statement: [read] }), { Version: '2012-10-17', Statement: [read] }],
    ['a lone statement', JSON.stringify({ Id: 'x', Statement: read }), { Id: 'x', Statement: [read] }],
    ['no statement left', '{"Statement":[]}', { Statement: [] }],
  ])('%s', (_, text, expected) => {
    expect(parsePolicy(text)).toEqual(expected);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{"Statement": ['],
    ['a list', '[]'],
    ['null', 'null'],
    ['no statements', '{"Version":"2012-10-17"}'],
    ['statements that are words', '{"Statement":["Allow"]}'],
    ['one of them is null', '{"Statement":[{"Effect":"Allow"},null]}'],
  ])('%s is an error, never harmless', (_, text) => {
    expect(() => parsePolicy(text)).toThrow(TerminalError);
  });

  test('printed and parsed again it is the same', () => {
    fc.assert(
      fc.property(policy, (given) => {
        expect(parsePolicy(printPolicy(given))).toEqual(given);
        expect(printPolicy(parsePolicy(printPolicy(given)))).toBe(printPolicy(given));
      }),
      ways,
    );
  });

  test('any JSON and any text give a policy or a TerminalError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((json) => `{"Statement":${json}}`),
        ),
        (text) => {
          try {
            parsePolicy(text);
          } catch (error) {
            expect(error).toBeInstanceOf(TerminalError);
          }
        },
      ),
      ways,
    );
  });

  test('its size is in bytes', () => {
    expect(sizeOf({ Statement: [{ Sid: 'é' }] })).toBe(printPolicy({ Statement: [{ Sid: 'é' }] }).length + 1);
  });
});

describe('no statement, however misshapen, makes a judgement throw', () => {
  test('any JSON', () => {
    const member = fc.jsonValue();
    const misshapen = fc.record(
      { Effect: fc.constantFrom('Allow', 'Deny'), Principal: member, NotPrincipal: member, Action: member, Resource: member, Condition: member },
      { requiredKeys: ['Effect'] },
    );
    fc.assert(
      fc.property(misshapen, (given) => {
        keyOf(given);
        conditionsOf(given);
        isPublicStatement(given);
        isTlsOnlyStatement(given, 's3:*', both);
      }),
      ways,
    );
  });

  test('a pattern made to take for ever is answered at once', () => {
    const given = { ...tls, Resource: [`${'*a'.repeat(9_000)}b`, bucket] };
    expect(isTlsOnlyStatement(given, 's3:*', [bucket, 'a'.repeat(1_000)])).toBe(false);
  });
});

describe('statements in and out', () => {
  test('put in and taken out again leaves the document as it was', () => {
    fc.assert(
      fc.property(policy, statements, (given, more) => {
        const there = new Set(given.Statement.map(keyOf));
        const fresh = more.filter((one) => !there.has(keyOf(one)));
        expect(exchanged(exchanged(given, [], fresh), fresh, [])).toEqual(given);
      }),
      ways,
    );
  });

  test('taken out and put back gives the same document, whichever it was, but for the order of statements', () => {
    fc.assert(
      fc.property(policy, fc.func(fc.boolean()), (given, chosen) => {
        const out = given.Statement.filter((one) => chosen(keyOf(one)));
        const { Statement, ...envelope } = given;
        const back = exchanged(exchanged(given, out, []), [], out, { ...envelope, Statement: [] })!;
        expect({ ...back, Statement: normalised(back.Statement) }).toEqual({ ...envelope, Statement: normalised(Statement) });
      }),
      ways,
    );
  });

  test('twice is the same as once', () => {
    fc.assert(
      fc.property(fc.option(policy), statements, statements, (given, out, into) => {
        const leaving = new Set(into.map(keyOf));
        const gone = out.filter((one) => !leaving.has(keyOf(one)));
        const once = exchanged(given, gone, into);
        expect(exchanged(once, gone, into)).toEqual(once);
      }),
      ways,
    );
  });

  test('every other statement stays byte by byte', () => {
    fc.assert(
      fc.property(policy, statements, statements, (given, out, into) => {
        const leaving = new Set(out.map(keyOf));
        const staying = given.Statement.filter((one) => !leaving.has(keyOf(one)));
        expect((exchanged(given, out, into)?.Statement ?? []).slice(0, staying.length)).toEqual(staying);
      }),
      ways,
    );
  });

  test('no policy is left when no statement is', () => {
    expect(exchanged({ Version: '2012-10-17', Statement: [read] }, [read], [])).toBeNull();
    expect(exchanged(null, [read], [])).toBeNull();
    expect(exchanged(null, [], [read])).toEqual({ Version: '2012-10-17', Statement: [read] });
  });

  test.each<[string, Statement, Statement, boolean]>([
    ['a list of one', { ...read, Action: ['s3:GetObject'] }, read, true],
    ['another order', { ...tls, Resource: [...both].reverse() }, tls, true],
    ['a boolean for its word', { ...tls, Condition: { Bool: { 'aws:SecureTransport': false } } }, tls, true],
    ['the long form of everybody', { ...tls, Principal: { AWS: '*' } }, tls, true],
    ['another Sid', { ...tls, Sid: 'Other' }, tls, false],
    ['one action more', { ...read, Action: ['s3:GetObject', 's3:PutObject'] }, read, false],
    ['another service as principal', { ...read, Principal: { Service: '*' } }, { ...read, Principal: '*' }, false],
  ])('the same statement: %s', (_, left, right, same) => {
    expect(keyOf(left) === keyOf(right)).toBe(same);
  });
});

describe('a statement that lets in TLS only', () => {
  test.each<[string, Statement, boolean]>([
    ['as the bot writes it', tls, true],
    [
      'a boolean, lists, the long principal',
      { ...tls, Principal: { AWS: ['*'] }, Action: ['s3:*'], Condition: { Bool: { 'aws:SecureTransport': [false] } } },
      true,
    ],
    ['operator and key in another case', { ...tls, Condition: { bool: { 'AWS:SecureTransport': 'False' } } }, true],
    ['IfExists', { ...tls, Condition: { BoolIfExists: { 'aws:SecureTransport': 'false' } } }, true],
    ['every action of every service', { ...tls, Action: '*' }, true],
    ['any resource', { ...tls, Resource: '*' }, true],
    ['one pattern for the bucket and what is in it', { ...tls, Resource: `${bucket}*` }, true],
    ['a pattern in the middle', { ...tls, Resource: ['arn:*:s3:::rec*ds', `arn:*/*`] }, true],
    ['denies whatever comes', { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' }, true],
    ['an Allow', { ...tls, Effect: 'Allow' }, false],
    ['of some principals', { ...tls, Principal: { AWS: 'arn:aws:iam::111122223333:root' } }, false],
    ['of services only', { ...tls, Principal: { Service: '*' } }, false],
    ['of all but one', { ...tls, Principal: undefined, NotPrincipal: { AWS: '*' } }, false],
    ['some actions', { ...tls, Action: ['s3:Get*', 's3:Put*'] }, false],
    ['all actions but some', { ...tls, Action: undefined, NotAction: 's3:GetObject' }, false],
    ['the bucket without its objects', { ...tls, Resource: bucket }, false],
    ['the objects without the bucket', { ...tls, Resource: `${bucket}/*` }, false],
    ['a folder', { ...tls, Resource: [bucket, `${bucket}/inbox/*`] }, false],
    ['objects of one character', { ...tls, Resource: [bucket, `${bucket}/?`] }, false],
    ['another bucket', { ...tls, Resource: ['arn:aws:s3:::other', 'arn:aws:s3:::other/*'] }, false],
    ['the wrong way round', { ...tls, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }, false],
    ['Null instead of Bool', { ...tls, Condition: { Null: { 'aws:SecureTransport': 'false' } } }, false],
    ['under one more condition', { ...tls, Condition: { Bool: { 'aws:SecureTransport': 'false' }, StringEquals: { 'aws:PrincipalAccount': '1' } } }, false],
    ['an old TLS version, not plain HTTP', { ...tls, Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } }, false],
    ['a condition that says nothing', { ...tls, Condition: {} }, false],
  ])('%s', (_, given, expected) => {
    expect(isTlsOnlyStatement(given, 's3:*', both)).toBe(expected);
  });
});

describe('a public statement', () => {
  const open: Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${bucket}/*` };
  const under = (operator: string, key: string, value: unknown): Statement => ({ ...open, Condition: { [operator]: { [key]: value } } });

  test.each<[string, Statement, boolean]>([
    ['everybody', open, true],
    ['the long form', { ...open, Principal: { AWS: '*' } }, true],
    ['everybody beside an account', { ...open, Principal: { AWS: ['111122223333', '*'] } }, true],
    ['everybody beside a service', { ...open, Principal: { Service: 'sns.amazonaws.com', AWS: '*' } }, true],
    ['all but one', { ...open, Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam::111122223333:root' } }, true],
    ['a Deny', { ...open, Effect: 'Deny' }, false],
    ['an account', { ...open, Principal: { AWS: '111122223333' } }, false],
    ['a service', { ...open, Principal: { Service: 'cloudfront.amazonaws.com' } }, false],
    ['an account of the source', under('StringEquals', 'aws:SourceAccount', '111122223333'), false],
    ['the default of SNS', under('StringEquals', 'AWS:SourceOwner', '111122223333'), false],
    ['two accounts', under('StringEquals', 'aws:PrincipalAccount', ['111122223333', '444455556666']), false],
    ['one of two accounts is a wildcard', under('StringLike', 'aws:PrincipalAccount', ['111122223333', '*']), true],
    ['a part of an account', under('StringLike', 'aws:SourceAccount', '1111*'), true],
    ['a policy variable', under('StringEquals', 'aws:SourceAccount', `\${aws:PrincipalAccount}`), true],
    ['all accounts but one', under('StringNotEquals', 'aws:SourceAccount', '111122223333'), true],
    ['an account if it is known', under('StringEqualsIfExists', 'aws:SourceAccount', '111122223333'), true],
    ['for all values of none', under('ForAllValues:StringEquals', 'aws:PrincipalAccount', '111122223333'), true],
    ['no value at all', under('StringEquals', 'aws:SourceAccount', []), true],
    ['a topic', under('ArnLike', 'aws:SourceArn', 'arn:aws:sns:us-east-1:111122223333:*'), false],
    ['a topic of any account', under('ArnLike', 'aws:SourceArn', 'arn:aws:sns:us-east-1:*:alerts'), true],
    ['a bucket', under('ArnLike', 'aws:SourceArn', 'arn:aws:s3:*:*:records'), false],
    ['any bucket', under('ArnLike', 'aws:SourceArn', 'arn:aws:s3:::*'), true],
    ['access points of an account', under('StringLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-west-2:111122223333:accesspoint/*'), false],
    ['access points of anybody', under('StringLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-west-2:*:accesspoint/*'), true],
    ['a source that is no ARN', under('ArnLike', 'aws:SourceArn', '*'), true],
    ['an organisation', under('StringEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5'), false],
    ['the organisation of whoever asks', under('StringEquals', 'aws:PrincipalOrgID', `\${aws:PrincipalOrgID}`), true],
    ['any organisation', under('StringLike', 'aws:PrincipalOrgID', 'o-*'), true],
    ['a part of an organisation', under('ForAnyValue:StringLike', 'aws:PrincipalOrgPaths', 'o-a1b2c3d4e5/r-ab12/*'), false],
    ['a VPC', under('StringEquals', 'aws:SourceVpc', 'vpc-111'), false],
    ['any VPC', under('StringLike', 'aws:SourceVpc', 'vpc-*'), true],
    ['a VPC endpoint', under('StringEquals', 'aws:sourceVpce', 'vpce-1a2b3c4d'), false],
    ['the sessions of a role', under('StringLike', 'aws:userid', 'AROAEXAMPLEID12345678:*'), false],
    ['any user', under('StringLike', 'aws:userid', 'AROA*'), true],
    ['an address', under('IpAddress', 'aws:SourceIp', '203.0.113.7'), false],
    ['a range', under('IpAddress', 'aws:SourceIp', ['203.0.113.0/24', '2001:db8::/32']), false],
    ['a range as wide as /8', under('IpAddress', 'aws:SourceIp', '11.0.0.0/8'), false],
    ['half of the internet', under('IpAddress', 'aws:SourceIp', ['203.0.113.0/24', '0.0.0.0/1']), true],
    ['IPv6 wider than /32', under('IpAddress', 'aws:SourceIp', '2001:db8::/31'), true],
    ['a range that is none', under('IpAddress', 'aws:SourceIp', '203.0.113.0/x'), true],
    ['all but a range', under('NotIpAddress', 'aws:SourceIp', '203.0.113.0/24'), true],
    ['TLS only', under('Bool', 'aws:SecureTransport', 'true'), true],
    ['a referer', under('StringLike', 'aws:Referer', 'https://example.com/*'), true],
    ['a function URL without login', under('StringEquals', 'lambda:FunctionUrlAuthType', 'NONE'), true],
    ['one condition of two narrows', { ...open, Condition: { Bool: { 'aws:SecureTransport': 'true' }, StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }, false],
  ])('%s', (_, given, expected) => {
    expect(isPublicStatement(given)).toBe(expected);
  });

  test.each<[string, Statement, boolean]>([
    ['its account', under('StringEquals', 'aws:SourceAccount', '111122223333'), false],
    ['another account', under('StringEquals', 'aws:SourceAccount', '444455556666'), true],
    ['another account beside it', under('StringEquals', 'aws:SourceAccount', ['111122223333', '444455556666']), true],
    ['a topic of another account', under('ArnEquals', 'aws:SourceArn', 'arn:aws:sns:us-east-1:444455556666:alerts'), true],
    ['an organisation', under('StringEquals', 'aws:PrincipalOrgID', 'o-a1b2c3d4e5'), false],
  ])('where only one account is known: %s', (_, given, expected) => {
    expect(isPublicStatement(given, (account) => account === '111122223333')).toBe(expected);
  });
});
