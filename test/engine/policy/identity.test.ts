import { describe, expect, test } from '@jest/globals';
import { identified, withParams } from '../../../engine/policy/identity.ts';
import { load } from './fixture.ts';

const policy = (await load('version: 1\nextends: hipaa\ncontrols: { rds-instance-not-public: { params: { port: 8443, owners: [dana] } } }\n')).policy;

describe('the id of a policy', () => {
  test('is that of a loaded one, whatever id it had', () => {
    const { id, ...said } = policy;
    expect(identified(said)).toEqual(policy);
    expect(identified({ ...said, id: 'another' } as typeof said).id).toBe(id);
  });

  test('does not depend on the order of members', () => {
    expect(identified(Object.fromEntries(Object.entries(policy).toReversed()) as unknown as typeof policy).id).toBe(policy.id);
  });
});

describe('withParams', () => {
  const params = (one: typeof policy) => Object.fromEntries(Object.entries(one.controls).map(([id, control]) => [id, control.params]));

  test('replaces what is given, one by one, and nothing else', () => {
    const after = withParams(policy, { 'rds-instance-not-public': { owners: ['zoë'] }, 'root-user-not-used': { rules: [{ arn: 'a' }] } });
    expect(params(after)).toEqual({
      ...params(policy),
      'rds-instance-not-public': { port: 8443, owners: ['zoë'] },
      'root-user-not-used': { rules: [{ arn: 'a' }] },
    });
    expect({ ...after, id: policy.id, controls: { ...after.controls, ...policy.controls } }).toEqual(policy);
    expect(after.controls['rds-instance-not-public']).toMatchObject({ mode: 'approve' });
  });

  test('takes the id anew; the same params give the same policy', () => {
    const after = withParams(policy, { 'rds-instance-not-public': { port: 1 } });
    expect(after.id).toMatch(/^[0-9a-f]{64}$/);
    expect(after.id).not.toBe(policy.id);
    expect(identified(after)).toEqual(after);
    expect(withParams(after, { 'rds-instance-not-public': { port: 8443 } })).toEqual(policy);
    expect(withParams(policy, {})).toEqual(policy);
  });

  test('a control that the policy does not have is an error', () => {
    expect(() => withParams(policy, { 's3-bucket-tls-onyl': {} })).toThrow('no control "s3-bucket-tls-onyl"');
  });
});
