/** Forwarders in many regions, on moto: made where the policy looks, removed where it no longer does, a refusal told and passed by. */
import { CloudFormationClient, CloudFormationServiceException, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import type { Deployment } from '../../../engine/ports.ts';
import { cover, uncover } from '../../../infra/plugin/coverage.ts';
import type { Rule } from '../../../infra/rules.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { policyOf } from '../../support/policy-of.ts';

const home = { stackName: 'phidelity-dev', region: 'us-east-2', forwarderRoleArn: 'arn:aws:iam::123456789012:role/f' };
const rules: Rule[] = [
  { name: 's3-api', pattern: { source: ['aws.s3'], 'detail-type': ['AWS API Call via CloudTrail'], detail: { eventName: ['CreateBucket'] } } },
];
const watching = async (watch: CompiledPolicy['watch']) => ({ ...(await policyOf('')), watch });
const denied = () =>
  new CloudFormationServiceException({ name: 'AccessDenied', message: 'with an explicit deny in a service control policy', $fault: 'client', $metadata: {} });
const lastOf = (regions: readonly string[], unreached: Deployment['unreached'] = {}): Deployment => ({
  at: '',
  policyId: '',
  regions,
  unreached,
  fixSince: {},
});

describeOnMoto('forwarders of a policy (on moto)', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());
  beforeEach(() => moto.reset());

  const configOf = async (region: string) => ({ region, endpoint: moto.endpoint, credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } });
  const stacksIn = async (region: string) => {
    const { StackSummaries = [] } = await new CloudFormationClient(await configOf(region)).send(new ListStacksCommand({}));
    return StackSummaries.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE').map(({ StackName }) => StackName);
  };

  test('are made where it looks, left as they are by the next deploy, and removed where it no longer looks', async () => {
    const wide = await watching(['us-east-2', 'us-west-2', 'eu-west-1', 'xx-nowhere-1']);
    const first = await cover(wide, rules, home, { configOf });
    expect(first).toEqual({
      covered: ['us-east-2', 'us-west-2', 'eu-west-1'],
      unreached: { 'xx-nowhere-1': 'the region is not enabled in this account' },
      changed: ['us-west-2', 'eu-west-1'],
      removed: [],
      left: {},
    });
    expect(await cover(wide, rules, home, { configOf })).toEqual({ ...first, changed: [] });
    const later = await cover(await watching(['us-west-2']), rules, home, { configOf });
    expect(later).toEqual({ covered: ['us-east-2', 'us-west-2'], unreached: {}, changed: [], removed: ['eu-west-1'], left: {} });
    expect(await Promise.all(['us-west-2', 'eu-west-1'].map(stacksIn))).toEqual([['phidelity-dev-forwarder'], []]);
  });

  test('are changed when the rules change', async () => {
    const policy = await watching(['us-west-2']);
    await cover(policy, rules, home, { configOf });
    expect((await cover(policy, [], home, { configOf })).changed).toEqual(['us-west-2']);
  });

  test('are all removed, also where the policy had stopped looking; twice is the same as once', async () => {
    await cover(await watching(['us-west-2', 'eu-west-1']), rules, home, { configOf });
    expect(await uncover(home, { configOf })).toEqual({ removed: ['eu-west-1', 'us-west-2'], left: {} });
    expect(await uncover(home, { configOf })).toEqual({ removed: [], left: {} });
  });

  describe('a region that refuses', () => {
    const refusing = (refused: string) => async (region: string) => {
      const handle = async () => {
        throw denied();
      };
      return { ...(await configOf(region)), ...(region === refused && { requestHandler: { handle } }) };
    };

    test('is told with its reason; the others are covered', async () => {
      const { covered, unreached } = await cover(await watching(['us-west-2', 'eu-west-1']), rules, home, { configOf: refusing('us-west-2') });
      expect(covered).toEqual(['us-east-2', 'eu-west-1']);
      expect(unreached).toEqual({ 'us-west-2': 'AccessDenied: with an explicit deny in a service control policy' });
    });

    const cases: Record<string, [last: Deployment | undefined, told: boolean]> = {
      'where the last deploy had one': [lastOf(['us-west-2']), true],
      'where the last deploy had failed': [lastOf([], { 'us-west-2': 'ROLLBACK_FAILED' }), true],
      'where no deploy has been': [lastOf(['eu-west-1']), false],
      'where nobody knows what has been': [undefined, true],
    };
    test.each(Object.entries(cases))('a removal that is refused %s', async (_, [last, told]) => {
      expect(Object.keys((await uncover(home, { configOf: refusing('us-west-2'), last })).left)).toEqual(told ? ['us-west-2'] : []);
    });
  });
});
