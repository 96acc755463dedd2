import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { AnyControl, OwnStack } from '../../../engine/control.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import type { Deployment } from '../../../engine/ports.ts';
import { deploymentOf, withFacts } from '../../../infra/plugin/record.ts';
import { catalogue } from '../../../remediations/index.ts';
import { policyOf } from '../../support/policy-of.ts';

const own: OwnStack = {
  name: 'phidelity-dev',
  region: 'us-east-2',
  updated: '2026-11-01T00:00:00.000Z',
  rules: [{ arn: 'arn:aws:events:us-east-2:123456789012:rule/phidelity-dev-s3-api', pattern: 'a1', targets: ['arn:aws:sqs:us-east-2:123456789012:q'] }],
  functions: [],
  keys: ['arn:aws:kms:us-east-2:123456789012:key/1'],
};

describe('facts of the stack in the policy', () => {
  const id = 's3-bucket-public-access-block';
  const controlWith = async (deployed?: (stack: OwnStack) => object): Promise<AnyControl> =>
    ({ ...(await catalogue.find((entry) => entry.id === id)!.load()), params: z.strictObject({}), deployed }) as AnyControl;
  const given = async () => {
    const policy = await policyOf('');
    return { ...policy, controls: { ...policy.controls, [id]: { ...policy.controls[id]!, params: { mine: 1, keys: [] } } } };
  };

  test('replace the params they know, leave the others, and the id is another', async () => {
    const policy = await given();
    const told = withFacts(policy, [await controlWith(({ keys }) => ({ keys }))], own);
    expect(told.controls[id]!.params).toEqual({ mine: 1, keys: own.keys });
    expect(told.id).not.toBe(policy.id);
    expect({ ...told, id: '', controls: { ...told.controls, [id]: policy.controls[id] } }).toEqual({ ...policy, id: '' });
  });

  test('taken again they are the same, and other facts replace them', async () => {
    const controls = [await controlWith(({ keys }) => ({ keys }))];
    const once = withFacts(await given(), controls, own);
    expect(withFacts(once, controls, own)).toEqual(once);
    const later = withFacts(once, controls, { ...own, keys: ['arn:aws:kms:us-east-2:123456789012:key/2'] });
    expect(later.controls[id]!.params).toEqual({ mine: 1, keys: ['arn:aws:kms:us-east-2:123456789012:key/2'] });
    expect(later.id).not.toBe(once.id);
  });

  test('a catalogue without such controls leaves the policy as it was compiled, its id too', async () => {
    const policy = await policyOf('');
    expect(withFacts(policy, [await controlWith()], own)).toEqual(policy);
  });
});

describe('the deployment', () => {
  const at = (day: number) => new Date(Date.UTC(2026, 10, day));
  const coverage = { covered: ['us-east-2', 'us-west-2'], unreached: { 'eu-west-1': 'AccessDenied: no' } };
  const mode = (text: string): Promise<CompiledPolicy> => policyOf(`controls: { "*": "off", kms-key-rotation-enabled: ${text} }`);
  const since = async (text: string, before?: Deployment) => deploymentOf(await mode(text), coverage, at(2), before).fixSince;

  test('holds when, which policy, and where', async () => {
    const policy = await mode('fix');
    expect(deploymentOf(policy, coverage, at(1), undefined)).toEqual({
      at: '2026-11-01T00:00:00.000Z',
      policyId: policy.id,
      regions: ['us-east-2', 'us-west-2'],
      unreached: { 'eu-west-1': 'AccessDenied: no' },
      fixSince: { 'kms-key-rotation-enabled': '2026-11-01T00:00:00.000Z' },
    });
  });

  const first = { 'kms-key-rotation-enabled': '2026-11-01T00:00:00.000Z' };
  const now = { 'kms-key-rotation-enabled': '2026-11-02T00:00:00.000Z' };
  const cases: Record<string, [before: string | undefined, after: string, fixSince: object]> = {
    'fix for the first time': [undefined, 'fix', now],
    'fix as before: the first day stays': ['fix', 'fix', first],
    'fix after approve': ['approve', 'fix', now],
    'approve after fix: forgotten': ['fix', 'approve', {}],
    'fix for one actor counts': ['{ mode: page, when: [{ actor: "*", mode: fix }] }', 'fix', first],
  };
  test.each(Object.entries(cases))('%s', async (_, [before, after, fixSince]) => {
    const earlier = before === undefined ? undefined : deploymentOf(await mode(before), coverage, at(1), undefined);
    expect(await since(after, earlier)).toEqual(fixSince);
  });
});
