import { describe, expect, test } from '@jest/globals';
import { planOf, writers } from '../../infra/plan.ts';
import { environmentOf, resourcesOf } from '../../infra/resources.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

const stackFor = async (text: string) => {
  const policy = await policyOf(text);
  return { ...resourcesOf(policy, planOf(policy, catalogue, await writers(policy, catalogue))), environment: environmentOf(policy) };
};

describe('channels', () => {
  test('each is a topic, told to the functions and to whoever deploys', async () => {
    const { Resources, Outputs, environment } = await stackFor('channels: { security: { sns: true, pages: true }, on-call: { sns: true } }');
    expect(Object.keys(Resources).filter((id) => id.startsWith('Channel'))).toEqual(['ChannelOnCall', 'ChannelSecurity']);
    expect(Object.keys(Outputs)).toEqual(expect.arrayContaining(['ChannelSecurityTopic', 'ChannelOnCallTopic']));
    expect(JSON.parse(environment.TOPICS['Fn::Sub'])).toEqual({ security: `\${ChannelSecurity}`, 'on-call': `\${ChannelOnCall}` });
  });

  test('two that would be one topic are refused', async () => {
    await expect(stackFor('channels: { on-call: { sns: true, pages: true }, onCall: { sns: true } }')).rejects.toThrow(
      'on-call and onCall would share a topic',
    );
  });
});

describe('iam', () => {
  const given = 'iam: { path: /security/, permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary" }';

  test('path and boundary are on every role, the path on every managed policy', async () => {
    const { Resources } = await stackFor(given);
    const of = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type);
    expect(of('AWS::IAM::Role')).toHaveLength(6);
    for (const { Properties } of of('AWS::IAM::Role')) {
      expect(Properties).toMatchObject({ Path: '/security/', PermissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary' });
    }
    for (const { Properties } of of('AWS::IAM::ManagedPolicy')) expect(Properties).toMatchObject({ Path: '/security/' });
  });

  test('the bot may not write on its own roles, wherever they are', async () => {
    expect(JSON.stringify(await stackFor(given))).toContain(':role/security/');
  });

  test('left out: no boundary', async () => {
    expect(JSON.stringify(await stackFor(''))).not.toContain('PermissionsBoundary');
  });
});

test('every rule has its place in one alarm on lost events, ten to an alarm', async () => {
  const { Resources } = await stackFor('');
  const lost = Object.entries(Resources)
    .filter(([id]) => id.startsWith('AlarmEventsLost'))
    .map(([, { Properties }]) => (Properties as { Metrics: object[] }).Metrics);
  const rules = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Events::Rule');
  expect(lost.flat()).toHaveLength(rules.length + lost.length);
  for (const metrics of lost) expect(metrics.length).toBeLessThanOrEqual(11);
});
