import { CreateTopicCommand, GetTopicAttributesCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { expect } from '@jest/globals';
import type { Aws } from '../../../engine/ports.ts';
import control from '../../../remediations/sns/sns-topic-not-public.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const arn = 'arn:aws:sns:us-east-1:123456789012:results';

const owner = {
  Sid: '__default_statement_ID',
  Effect: 'Allow',
  Principal: { AWS: '*' },
  Action: ['SNS:Publish', 'SNS:Subscribe'],
  Resource: arn,
  Condition: { StringEquals: { 'AWS:SourceOwner': '123456789012' } },
};
const open = { Sid: 'AnyoneSubscribes', Effect: 'Allow', Principal: '*', Action: ['SNS:Subscribe', 'SNS:Receive'], Resource: arn };
const events = { Sid: 'Events', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'SNS:Publish', Resource: arn };
const partner = { ...owner, Sid: 'Partner', Condition: { StringEquals: { 'aws:PrincipalAccount': '111122223333' } } };
const policy = (...Statement: object[]) => ({ Version: '2008-10-17', Id: '__default_policy_ID', Statement });

const topic =
  (document?: object): Arrange =>
  async (admin) => {
    const sns = admin.client(SNSClient);
    await sns.send(new CreateTopicCommand({ Name: 'results' }));
    if (document) await sns.send(new SetTopicAttributesCommand({ TopicArn: arn, AttributeName: 'Policy', AttributeValue: JSON.stringify(document) }));
    return 'results';
  };

const policyOf = async (admin: Aws) => JSON.parse((await admin.client(SNSClient).send(new GetTopicAttributesCommand({ TopicArn: arn }))).Attributes!.Policy!);

const call = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'sns.amazonaws.com', requestParameters, responseElements });

testControl(control, {
  compliant: {
    'the policy that SNS gives a new topic': topic(),
    'a service by name': topic(policy(owner, events)),
    'another account, when any may be named': topic(policy(owner, partner)),
    'another account that is allowed': { given: topic(policy(owner, partner)), params: { allowedAccounts: ['111122223333'] } },
  },
  remediated: {
    'everybody among others': {
      given: topic(policy(owner, open, events)),
      annotation: /^1 public statement .* lets in/,
      change: { before: [open], after: [] },
      async then(admin) {
        expect(await policyOf(admin)).toEqual(policy(owner, events));
      },
    },
    'nothing else in the policy': {
      given: topic(policy(open)),
      change: { before: [open], after: [expect.objectContaining({ Condition: { StringEquals: { 'AWS:SourceOwner': '123456789012' } } })] as never },
      async then(admin) {
        expect(await policyOf(admin)).toMatchObject(policy({ Sid: 'PhidelityOwnerOnly', Resource: arn }));
      },
    },
    'an account that is not allowed': {
      given: topic(policy(owner, partner)),
      params: { allowedAccounts: ['444455556666'] },
      change: { before: [partner], after: [] },
    },
  },
  gone: 'no-such-topic',
  events: {
    CreateTopic: { detail: call({ name: 'results', attributes: { Policy: '{}' } }, { topicArn: arn }), ids: [arn] },
    DeleteTopic: { detail: call({ topicArn: arn }), ids: [arn] },
    SetTopicAttributes: { detail: call({ topicArn: arn, attributeName: 'Policy', attributeValue: JSON.stringify(policy(open)) }), ids: [arn] },
    AddPermission: { detail: call({ topicArn: arn, label: 'open', aWSAccountIds: ['111122223333'], actionNames: ['Publish'] }), ids: [arn] },
    RemovePermission: { detail: call({ topicArn: arn, label: 'open' }), ids: [arn] },
    'AddPermission with null request parameters': { detail: call(null), sweep: true },
  },
});
