import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Actor, type Mode, modes, type Owner, ownerKinds, type ResourceRef } from '../../../engine/model.ts';
import { exceptionFor, glob, modeFor, modeForAll, needsTags, routed, writes } from '../../../engine/policy/match.ts';
import type { CompiledControl, CompiledException, CompiledPolicy, CompiledWhen } from '../../../engine/policy/model.ts';

describe('glob', () => {
  test.each<[string, string, boolean]>([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'anything at all', true],
    ['**', 'a', true],
    ['?', '', false],
    ['?', 'a', true],
    ['a', 'A', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['(a|b)+', 'a', false],
    ['a*', 'b', false],
    ['*a', 'aba', true],
    ['*ab*', 'aab', true],
    ['a*b?', 'a__b_b', false],
    ['a*b?', 'a__b_bc', true],
    ['a*', 'a*', true],
    ['arn:aws:sts::*:assumed-role/terraform/*', 'arn:aws:sts::123456789012:assumed-role/terraform/run-1', true],
    ['arn:aws:sts::*:assumed-role/terraform/*', 'arn:aws:sts::123456789012:assumed-role/terraformer/run-1', false],
    ['rds-*', 'x-rds-a', false],
  ])('%j on %j: %s', (pattern, text, matches) => {
    expect(glob(pattern, text)).toBe(matches);
  });

  const naive = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === '';
    if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)));
    return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && naive(pattern.slice(1), text.slice(1));
  };
  const over = (letters: string[], maxLength: number) => fc.array(fc.constantFrom(...letters), { maxLength }).map((parts) => parts.join(''));

  test('agrees with a naive reference', () => {
    fc.assert(
      fc.property(over(['a', 'b', '*', '?', '.'], 8), over(['a', 'b', '.', '*'], 10), (pattern, text) => glob(pattern, text) === naive(pattern, text)),
      { numRuns: 20_000 },
    );
  });

  test('does not blow up', () => {
    const begun = performance.now();
    expect(glob(`${'a*'.repeat(1_000)}b`, 'a'.repeat(2_000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

const control = (parts: Partial<CompiledControl>): CompiledControl => ({ mode: 'fix', params: {}, fixAfter: 0, when: [], exceptions: [], ...parts });

describe('modeFor', () => {
  const terraform: Actor = {
    arn: 'arn:aws:sts::123456789012:assumed-role/terraform/run-1',
    type: 'AssumedRole',
    issuerArn: 'arn:aws:iam::123456789012:role/ci/terraform',
  };
  const dana: Actor = { arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser' };
  const rule = (actor: string, mode: Mode) => ({ actor, mode });
  const pipeline = rule('arn:aws:sts::*:assumed-role/terraform/*', 'page');

  test.each<[string, Mode, { actor: string; mode: Mode }[], Actor | undefined, Mode]>([
    ['no when', 'fix', [], dana, 'fix'],
    ['no when, no actor', 'fix', [], undefined, 'fix'],
    ['the session matches', 'fix', [pipeline], terraform, 'page'],
    ['the role behind the session matches', 'fix', [rule('arn:aws:iam::*:role/ci/*', 'notify')], terraform, 'notify'],
    ['somebody else', 'fix', [pipeline], dana, 'fix'],
    ['the first match wins', 'fix', [rule('*', 'notify'), pipeline], terraform, 'notify'],
    ['no actor: page before all', 'fix', [rule('a', 'approve'), pipeline], undefined, 'page'],
    ['no actor: approve before notify', 'fix', [rule('a', 'notify'), rule('b', 'approve')], undefined, 'approve'],
    ['no actor: notify before off', 'off', [rule('a', 'notify'), rule('b', 'fix')], undefined, 'notify'],
    ['no actor: told where only off and fix can be meant', 'fix', [rule('a', 'off')], undefined, 'notify'],
    ['no actor: told, whichever of the two is the rule', 'off', [rule('a', 'fix')], undefined, 'notify'],
    ['no actor: approve before the silence of off', 'approve', [rule('a', 'off')], undefined, 'approve'],
    ['no actor: off for everybody is off', 'off', [rule('a', 'off')], undefined, 'off'],
    ['no actor: the base mode counts', 'page', [rule('a', 'fix')], undefined, 'page'],
    ['no actor: nothing but fix', 'fix', [rule('a', 'fix')], undefined, 'fix'],
  ])('%s', (_, mode, when, actor, expected) => {
    expect(modeFor(control({ mode, when }), actor)).toEqual({ mode: expected, reason: expect.stringContaining(expected) });
  });
});

describe('modeFor and owners', () => {
  const cloudFormation = { owner: 'cloudformation', mode: 'notify' } as const;
  const any = { owner: 'any', mode: 'notify' } as const;
  const dana: Actor = { arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser' };
  const ci: Actor = { arn: 'arn:aws:iam::123456789012:user/ci', type: 'IAMUser', userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.5' };
  const stack = { stack: { name: 'portal', id: 'arn:aws:cloudformation:us-east-1:123456789012:stack/portal/1' } };

  test.each<[string, Mode, CompiledWhen[], Actor | undefined, Owner | undefined, Mode, RegExp]>([
    ['the stack matches', 'fix', [cloudFormation], dana, stack, 'notify', /notify for what CloudFormation defines/],
    ['no stack', 'fix', [cloudFormation], dana, {}, 'fix', /no other mode for this actor and owner/],
    ['no stack, nobody knows who', 'fix', [cloudFormation], undefined, {}, 'fix', /no other mode/],
    ['tags not read', 'fix', [cloudFormation], dana, { unread: true }, 'notify', /^Who defines the resource is not known: notify is the most cautious/],
    ['nobody has asked', 'fix', [cloudFormation], dana, undefined, 'notify', /^Who defines the resource is not known/],
    ['tags not read, but the rule is as the control', 'fix', [{ owner: 'any', mode: 'fix' }], dana, { unread: true }, 'fix', /fix/],
    ['any, by a tool', 'fix', [any], ci, {}, 'notify', /notify for what a tool defines/],
    ['any, by hand', 'fix', [any], dana, {}, 'fix', /fix/],
    ['any, nobody knows who', 'fix', [any], undefined, {}, 'notify', /^Who defines the resource is not known/],
    ['actor and owner: both', 'fix', [{ actor: '*/ci', ...cloudFormation }], ci, stack, 'notify', /for actors like \*\/ci and what CloudFormation defines/],
    ['actor and owner: another actor', 'fix', [{ actor: '*/ci', ...cloudFormation }], dana, stack, 'fix', /no other mode/],
    ['another actor: what tags would tell is no matter', 'fix', [{ actor: '*/ci', ...cloudFormation }], dana, { unread: true }, 'fix', /no other mode/],
    ['actor and owner: another owner', 'fix', [{ actor: '*/ci', ...cloudFormation }], ci, {}, 'fix', /no other mode/],
    ['another owner: who it was is no matter', 'fix', [{ actor: '*/ci', ...cloudFormation }], undefined, {}, 'fix', /no other mode/],
    [
      'neither is known',
      'fix',
      [{ actor: '*/ci', ...cloudFormation }],
      undefined,
      { unread: true },
      'notify',
      /^Neither the actor nor who defines the resource is known/,
    ],
    [
      'a rule that holds ends what could be meant',
      'fix',
      [cloudFormation, { actor: '*', mode: 'approve' }, { actor: 'x', mode: 'page' }],
      dana,
      undefined,
      'approve',
      /approve/,
    ],
    [
      'a rule that holds before one that may',
      'fix',
      [{ actor: '*', mode: 'off' }, cloudFormation],
      dana,
      undefined,
      'off',
      /^The policy says off for actors like \*\.$/,
    ],
  ])('%s', (_, mode, when, actor, owner, expected, reason) => {
    expect(modeFor(control({ mode, when }), actor, owner)).toEqual({ mode: expected, reason: expect.stringMatching(reason) });
  });

  test('what is not known never leads to a write or to silence that some knowledge would not lead to', () => {
    const kinds = fc.constantFrom(...ownerKinds, 'any' as const);
    const rule = fc.record({ owner: fc.option(kinds, { nil: undefined }), actor: fc.constantFrom('*', '*/ci', '*/dana'), mode: fc.constantFrom(...modes) });
    const when = fc.array(rule, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...modes),
        when,
        fc.constantFrom(undefined, dana, ci),
        fc.constantFrom<Owner | undefined>(undefined, { unread: true }),
        (mode, rules, actor, owner) => {
          const one = control({ mode, when: rules });
          const { mode: given } = modeFor(one, actor, owner);
          const possible = (actor ? [actor] : [dana, ci]).flatMap((who) => [{}, stack].map((what) => modeFor(one, who, what).mode));
          if (given === 'fix' || given === 'off') expect(new Set(possible)).toEqual(new Set([given]));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('modeForAll', () => {
  const user = (name: string): Actor => ({ arn: `arn:aws:iam::123456789012:user/${name}`, type: 'IAMUser' });
  const when = modes.map((mode) => ({ actor: `arn:aws:iam::*:user/${mode}`, mode }));
  const all = (mode: Mode, names: readonly string[], rules = when) => modeForAll(control({ mode, when: rules }), names.map(user));

  test.each<[string, readonly string[], Mode]>([
    ['one is judged as ever', ['fix'], 'fix'],
    ['one whose changes are left alone', ['off'], 'off'],
    ['several of one mode', ['fix', 'fix'], 'fix'],
    ['page before all', ['fix', 'off', 'notify', 'approve', 'page'], 'page'],
    ['approve before notify', ['notify', 'approve', 'fix'], 'approve'],
    ['notify before off', ['off', 'notify'], 'notify'],
    ['notify before fix', ['fix', 'notify'], 'notify'],
    ['neither silence nor a write between off and fix', ['off', 'fix'], 'notify'],
    ['somebody without a rule of their own counts with the mode of the control', ['off', 'dana'], 'approve'],
    ['nobody known', [], 'page'],
  ])('%s', (_, names, expected) => {
    expect(all('approve', names)).toEqual({ mode: expected, reason: expect.stringContaining(expected) });
  });

  test('without when there is one mode for all', () => {
    expect(all('fix', ['a', 'b'], [])).toEqual(modeFor(control({ mode: 'fix' }), undefined));
  });

  test('does not depend on the order of actors, never writes or keeps silent unless it does so for each, and for one is modeFor', () => {
    const some = fc.array(fc.constantFrom(...modes, 'dana'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...modes), fc.subarray(when), some, (mode, rules, names) => {
        const { mode: together } = all(mode, names, rules);
        const alone = names.map((name) => modeFor(control({ mode, when: rules }), user(name)).mode);
        expect(all(mode, names.toReversed(), rules).mode).toBe(together);
        if (alone.length > 0 && (together === 'fix' || together === 'off')) expect(new Set(alone)).toEqual(new Set([together]));
        if (alone.length === 1) expect(together).toBe(alone[0]);
      }),
    );
  });
});

describe('exceptionFor', () => {
  const bucket: ResourceRef = { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::site' };
  const base = { reason: 'public site', approvedBy: 'ciso@example.com', expires: '2026-11-22' };
  const tag = { key: 'public', value: 'yes' };
  const now = new Date('2026-11-22T23:59:59Z');

  test.each<[string, Partial<CompiledException>[], Record<string, string> | undefined, 'waives' | 'lowers' | undefined]>([
    ['the resource', [{ resource: 'arn:aws:s3:::s*' }], undefined, 'waives'],
    ['another resource', [{ resource: 'arn:aws:s3:::x*' }], undefined, undefined],
    ['the account', [{ account: '1234*' }], undefined, 'waives'],
    ['another account', [{ account: '2*' }], undefined, undefined],
    ['the region', [{ region: 'us-*' }], undefined, 'waives'],
    ['another region', [{ region: 'eu-*' }], undefined, undefined],
    ['every matcher must match', [{ resource: '*', account: '*', region: 'eu-*' }], undefined, undefined],
    ['a tag nobody has read', [{ tag }], undefined, undefined],
    ['a tag that anybody may set', [{ tag }], { public: 'yes' }, 'lowers'],
    ['a tag with who may set it', [{ tag, tagSetBy: '*' }], { public: 'yes' }, 'waives'],
    ['another value of the tag', [{ tag }], { public: 'no' }, undefined],
    ['any value of the tag', [{ tag: { key: 'public' } }], { public: 'no' }, 'lowers'],
    ['a tag named like a property of every object', [{ tag: { key: 'toString' } }], {}, undefined],
    ['a tag and another resource', [{ tag, resource: 'arn:aws:s3:::x' }], { public: 'yes' }, undefined],
    ['the stronger of two', [{ tag }, { resource: '*' }], { public: 'yes' }, 'waives'],
    ['ended', [{ resource: '*', expires: '2026-11-21' }], undefined, undefined],
    ['none', [], undefined, undefined],
  ])('%s', (_, exceptions, tags, strength) => {
    const found = exceptionFor(control({ exceptions: exceptions.map((parts) => ({ ...base, ...parts })) }), bucket, now, tags);
    expect(found?.strength).toBe(strength);
  });

  test('the day after the last it holds no longer', () => {
    const one = control({ exceptions: [{ ...base, resource: '*' }] });
    expect(exceptionFor(one, bucket, now)?.exception.reason).toBe('public site');
    expect(exceptionFor(one, bucket, new Date('2026-11-23T00:00:00Z'))).toBeUndefined();
  });

  test('needsTags', () => {
    expect(needsTags(control({ exceptions: [{ ...base, resource: '*' }] }))).toBe(false);
    expect(needsTags(control({ exceptions: [{ ...base, tag }] }))).toBe(true);
  });
});

test('writes and routed look at every reachable mode', () => {
  const when = (mode: Mode) => [{ actor: '*', mode }];
  const policy = {
    controls: {
      off: control({ mode: 'off' }),
      notify: control({ mode: 'notify' }),
      page: control({ mode: 'page' }),
      approve: control({ mode: 'approve' }),
      fix: control({ mode: 'fix' }),
      offPage: control({ mode: 'off', when: when('page') }),
      notifyFix: control({ mode: 'notify', when: when('fix') }),
    },
  } as unknown as CompiledPolicy;
  expect(writes(policy)).toEqual(['approve', 'fix', 'notifyFix']);
  expect(routed(policy)).toEqual(['notify', 'page', 'approve', 'fix', 'offPage', 'notifyFix']);
});
