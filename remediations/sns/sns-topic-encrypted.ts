import * as z from 'zod';
import { type Aws, blocked, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef } from '../define.ts';
import { isAwsManagedKey, regionOfKey } from '../kms-key.ts';
import { setTopicAttribute, topicArn, topicAttributesOf, topicNamed, topicsOf, topicType } from './sns.ts';

interface State {
  readonly kmsKeyId: string | null;
  readonly region: string;
}

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const attributes = await topicAttributesOf(aws, resource);
  return attributes && { kmsKeyId: attributes.KmsMasterKeyId || null, region: resource.region };
}

// Nobody can widen the policy of an AWS managed key, and nobody is told that a publisher was refused.
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
const silences = 'the AWS managed alias/aws/sns would silence CloudWatch alarms, S3 and EventBridge, which cannot use it to publish';

export default defineControl({
  id: 'sns-topic-encrypted',
  title: 'SNS topics are encrypted with KMS',
  rationale: 'A message that waits for delivery may hold ePHI; without a key SNS keeps it in clear.',
  severity: 'HIGH',
  resourceType: topicType,
  arn: topicArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI at rest.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI while it waits to be passed on.' },
  ],
  related: { securityHub: ['SNS.1'], configRule: ['sns-encrypted-kms'], prowler: ['sns_topics_kms_encryption_at_rest_enabled'] },
  triggers: [onCalls('sns.amazonaws.com', ['CreateTopic', 'SetTopicAttributes', 'DeleteTopic'], topicNamed), { source: 'config', resourceType: topicType }],
  params: z.strictObject({
    kmsKeyId: z
      .string()
      .min(1)
      .optional()
      .describe('Id, ARN or alias of a customer managed KMS key whose policy lets in every publisher, AWS services too; nothing is fixed without it'),
  }),
  reads: 1,
  writes: ['sns:encryption'],
  permissions: {
    inspect: ['sns:GetTopicAttributes', 'sns:ListTopics'],
    remediate: ['sns:SetTopicAttributes'],
    undo: ['sns:SetTopicAttributes'],
  },
  impact: 'Publishers need kms:GenerateDataKey and kms:Decrypt on the key; AWS services that publish must be named in its policy, else they fall silent.',
  defaultMode: 'approve',

  list: topicsOf,
  inspect,

  evaluate: ({ kmsKeyId }) => (kmsKeyId ? compliant('The topic has a KMS key.') : nonCompliant('The topic has no KMS key.')),

  plan({ kmsKeyId: before, region }, { kmsKeyId }) {
    if (!kmsKeyId) return blocked(`Name a customer managed key in the parameter kmsKeyId: ${silences}.`);
    if (isAwsManagedKey(kmsKeyId)) return blocked(`The parameter kmsKeyId must be a customer managed key: ${silences}.`);
    const keyRegion = regionOfKey(kmsKeyId) ?? region;
    if (keyRegion !== region) return blocked(`The key is in ${keyRegion}, the topic in ${region}: a topic takes a key of its own region only.`);
    return change<string | null>({ action: 'sns:SetTopicAttributes', summary: `Encrypt the topic with ${kmsKeyId}`, before, after: kmsKeyId });
  },

  setting: ({ kmsKeyId }) => kmsKeyId,
  remediate: (resource, { after }, aws) => setTopicAttribute(aws, resource, 'KmsMasterKeyId', after ?? ''),
  undo: (resource, { before }, aws) => setTopicAttribute(aws, resource, 'KmsMasterKeyId', before ?? ''),
});
