/** What a deploy tells the controls that guard the bot is data: it is stored with the policy, and read back by another process. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { fingerprint } from '../../engine/canonical.ts';
import type { AnyStateControl, OwnStack } from '../../engine/control.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { withFacts } from '../../infra/plugin/record.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

const arnOf = (service: string, rest: string, region = 'us-east-1') => `arn:aws:${service}:${region}:123456789012:${rest}`;
const queue = arnOf('sqs', 'phidelity-dev-IntakeQueue-1A2B3C');

const stack: OwnStack = {
  name: 'phidelity-dev',
  region: 'us-east-1',
  updated: '2026-11-01T00:00:00.000Z',
  rules: [
    { arn: arnOf('events', 'rule/phidelity-dev-s3-api'), pattern: fingerprint({ source: ['aws.s3'] }), targets: [queue] },
    {
      arn: arnOf('events', 'rule/phidelity-dev-s3-api', 'eu-west-1'),
      pattern: fingerprint({ source: ['aws.s3'] }),
      targets: [arnOf('events', 'event-bus/default')],
    },
  ],
  functions: [
    {
      arn: arnOf('lambda', 'function:phidelity-dev-detect'),
      codeSha256: 'kH2tQ0JvXMZl3QGfQ4nJ1h3C9X8iZ0eXAMPLEhash0=',
      roleArn: 'arn:aws:iam::123456789012:role/phidelity-dev-DetectRole-1A2B3C',
      policies: ['arn:aws:iam::123456789012:policy/phidelity-dev-DetectPolicy1-1A2B3C'],
      sources: [queue],
    },
  ],
  keys: [arnOf('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab')],
};

const told = (await Promise.all(catalogue.filter(({ kind }) => kind === 'state').map(async (entry) => (await entry.load()) as AnyStateControl))).filter(
  ({ deployed }) => deployed,
);

test('there are such controls', () => {
  expect(told.map(({ id }) => id)).toEqual(['bot-keys-usable', 'bot-lambda-untouched', 'eventbridge-bot-rules-on']);
});

describe.each(told.map((control) => [control.id, control] as const))('%s', (_, { params, deployed, list, sweptOften }) => {
  test('takes plain data from the deploy, and nothing else', () => {
    const facts = deployed!(stack);
    expect(JSON.parse(JSON.stringify(facts))).toStrictEqual(facts);
    expect(deployed!(stack)).toStrictEqual(facts);
  });

  test('its params take what it stores as it is', () => {
    const facts = deployed!(stack);
    expect(params.parse(facts)).toStrictEqual({ ...params.parse({}), ...facts });
    expect(Object.keys(facts)).not.toEqual([]);
  });

  test('knows nothing until a stack is deployed, and then looks at no resource', async () => {
    const aws = awsAccess()({ accountId: '123456789012', region: 'us-east-1' }, { share: false });
    const resourcesWith = async (given: object) => (await Array.fromAsync(list(aws, { params: params.parse(given) }))).flatMap(({ resources }) => resources);
    expect(await resourcesWith({})).toEqual([]);
    expect(await resourcesWith(deployed!(stack))).not.toEqual([]);
  });

  // The event that would tell of it may be what somebody has switched off.
  test('is swept every quarter of an hour', () => {
    expect(sweptOften).toBe(true);
  });
});

describe('the policy that a deploy stores', () => {
  let policy: CompiledPolicy;
  beforeAll(async () => {
    policy = await policyOf('controls: {}');
  });

  test('is plain data, and has another id when the stack is another', async () => {
    const controls = await Promise.all(catalogue.map((entry) => entry.load()));
    const stored = withFacts(policy, controls, stack);
    expect(JSON.parse(JSON.stringify(stored))).toStrictEqual(stored);
    expect(withFacts(policy, controls, stack).id).toBe(stored.id);
    expect(withFacts(policy, controls, { ...stack, keys: [] }).id).not.toBe(stored.id);
    const { id, ...rest } = stored;
    expect(id).toBe(fingerprint(rest));
  });
});
