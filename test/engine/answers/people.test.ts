import { describe, expect, test } from '@jest/globals';
import { identityOf, isActor, isDoubtful, personOf } from '../../../engine/answers/people.ts';
import type { Actor, Principal } from '../../../engine/model.ts';

const own = '123456789012';
const session = (role: string, name: string, account = own) => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const user = (name: string) => `arn:aws:iam::${own}:user/${name}`;
const principal = (arn: string): Principal => ({ arn, accountId: arn.split(':')[4]! });
const actor = (arn: string): Actor => ({ arn, type: 'AssumedRole', accountId: arn.split(':')[4]! });

const people = {
  dana: { arns: ['arn:aws:sts::*:assumed-role/SecOps/dana', 'arn:aws:iam::*:user/dana'], approver: false },
  lee: { arns: [`arn:aws:sts::${own}:assumed-role/AWSReservedSSO_Admin_*/lee@clinic.example`], approver: true },
  vendor: { arns: ['arn:aws:sts::999999999999:assumed-role/Support/*'], approver: false },
};

describe('who a principal is', () => {
  test.each<[string, string, string | undefined]>([
    ['a session', session('SecOps', 'dana'), 'dana'],
    ['a user', user('dana'), 'dana'],
    ['another session of the role', session('SecOps', 'dan'), undefined],
    ['a single sign-on session', session('AWSReservedSSO_Admin_0123abc', 'lee@clinic.example'), 'lee'],
    ['a role of that name in another account', session('SecOps', 'dana', '666666666666'), undefined],
    ['an account that the policy names', session('Support', 'anybody', '999999999999'), 'vendor'],
    ['nobody', user('mallory'), undefined],
    ['a user whose path ends like the name of another', user('x:user/dana'), undefined],
    ['a user with a path', user('team/dana'), undefined],
  ])('%s', (_, arn, name) => expect(personOf(principal(arn), people, own)?.name).toBe(name));
});

describe('two logins of one person', () => {
  test.each([
    ['sessions differ in case only', session('SecOps', 'Dana'), session('SecOps', 'dana'), true],
    ['a role with a path', `arn:aws:sts::${own}:assumed-role/team/SecOps/dana`, session('SecOps', 'dana'), true],
    ['other sessions', session('SecOps', 'dana'), session('SecOps', 'lee'), false],
    ['other roles', session('SecOps', 'dana'), session('Admin', 'dana'), false],
    ['other accounts', session('SecOps', 'dana'), session('SecOps', 'dana', '999999999999'), false],
  ])('%s', (_, one, other, same) => expect(identityOf(one) === identityOf(other)).toBe(same));

  test.each([
    'botocore-session-1690000000',
    'aws-cli-session',
    'AWSCLI-Session',
    'aws-go-sdk-1690000000',
    'i-0123456789abcdef0',
    'session',
    '1690000000123',
    'default',
    'AWSCloudFormation',
    'AWSCodeBuild-0a1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f',
    'GitHubActions',
  ])('the session name %s is nobody’s', (name) => {
    expect(identityOf(session('Admin', name))).toBeUndefined();
    expect(isDoubtful(actor(session('Admin', name)))).toBe(true);
  });

  test.each(['dana', 'dana@clinic.example', 'd.ana', 'isabel', 'ada', 'Dee', 'deploy-42'])('the session name %s is somebody’s', (name) => {
    expect(identityOf(session('Admin', name))).toBeDefined();
    expect(isDoubtful(actor(session('Admin', name)))).toBe(false);
  });

  test('without an actor nobody can tell', () => expect(isDoubtful(undefined)).toBe(true));
});

describe('whoever made the change', () => {
  const is = (made: string, answers: string) => isActor(actor(made), personOf(principal(answers), people, own)!, principal(answers), people, own);
  test('is known under another ARN of the policy', () => expect(is(user('dana'), session('SecOps', 'dana'))).toBe(true));
  test('is known under another spelling of a session', () => {
    const anyRole = { dana: { arns: ['arn:aws:sts::*:assumed-role/*/dana'], approver: false } };
    const dana = principal(session('SecOps', 'dana'));
    expect(isActor(actor(session('Admin', 'Dana')), personOf(dana, anyRole, own)!, dana, anyRole, own)).toBe(true);
  });
  test('is known under a pattern that another person of the policy comes before', () => {
    const shared = {
      dana: { arns: ['arn:aws:sts::*:assumed-role/*/dana'], approver: false },
      ops: { arns: ['arn:aws:sts::*:assumed-role/Ops/*'], approver: false },
    };
    const ops = principal(session('Ops', 'night'));
    expect(isActor(actor(session('Ops', 'dana')), personOf(ops, shared, own)!, ops, shared, own)).toBe(true);
  });
  test('is another person', () => expect(is(user('dana'), session('AWSReservedSSO_Admin_1', 'lee@clinic.example'))).toBe(false));
  test('is in no policy, but the same session', () =>
    expect(isActor(actor(user('eve')), { name: 'x', arns: [], approver: false }, principal(user('eve')), {}, own)).toBe(true));
});

describe('members of Slack', () => {
  const team = {
    anybody: { arns: ['*', 'slack:*', 'slack:U012LEE'], approver: true },
    lee: { arns: ['arn:aws:sts::*:assumed-role/SecOps/lee'], slack: 'U012LEE', approver: false },
  };
  const member = (id: string) => ({ arn: `slack:${id}`, accountId: '' });

  test.each([
    ['U012LEE', 'lee'],
    ['U012KIM', undefined],
    ['', undefined],
    ['*', undefined],
  ])('%s is found by their id alone, never by a pattern over ARNs', (id, name) => {
    expect(personOf(member(id), team, own)?.name).toBe(name);
  });

  test('made the change with their role', () => {
    const made = { arn: `arn:aws:sts::${own}:assumed-role/SecOps/Lee`, type: 'AssumedRole' };
    expect(isActor(made, personOf(member('U012LEE'), team, own)!, member('U012LEE'), team, own)).toBe(true);
    expect(
      isActor(
        { ...made, arn: made.arn.replace('Lee', 'kim') },
        personOf(member('U012LEE'), { lee: team.lee }, own)!,
        member('U012LEE'),
        { lee: team.lee },
        own,
      ),
    ).toBe(false);
  });
});
