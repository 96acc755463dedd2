/** Topics of SNS and queues of SQS. */
import { CreateTopicCommand, GetTopicAttributesCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { envelopes, foreign, mentions, open, own, parted, partners, someOf, type Written, withLatecomer, written } from '../../support/arbitraries.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

const topicArn = (name: string) => `arn:aws:sns:us-east-1:${own}:${name}`;
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:${own}:${name}`;
const key = `arn:aws:kms:us-east-1:${own}:key/1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9`;
const keys = fc.constantFrom(key, 'alias/messages', '1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9');

type Attributes = Readonly<Record<string, string>>;
/** Absent and present attributes that nobody here owns. */
const attributes = (values: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Attributes> =>
  someOf<Attributes>(Object.fromEntries(Object.entries(values).map(([name, of]) => [name, fc.constantFrom(...of)]))) as fc.Arbitrary<Attributes>;

const topicAttributes = attributes({ DisplayName: ['Results', ''], DeliveryPolicy: ['{"http":{"disableSubscriptionOverrides":true}}'] });
const queueAttributes = attributes({ VisibilityTimeout: ['0', '600'], KmsDataKeyReusePeriodSeconds: ['60', '86400'], DelaySeconds: ['15'] });

const topicOf = async (aws: Aws, name: string) =>
  (await aws.client(SNSClient).send(new GetTopicAttributesCommand({ TopicArn: topicArn(name) }))).Attributes ?? {};
const setTopic = (aws: Aws, name: string, AttributeName: string, AttributeValue: string) =>
  aws.client(SNSClient).send(new SetTopicAttributesCommand({ TopicArn: topicArn(name), AttributeName, AttributeValue }));

async function makeTopic(aws: Aws, name: string, more: Attributes): Promise<string> {
  await aws.client(SNSClient).send(new CreateTopicCommand({ Name: name, Attributes: more }));
  return name;
}

const topicEncrypted: RoundTrip<{ readonly more: Attributes; readonly key: string }> = {
  prior: fc.record({ more: topicAttributes, key: keys }),
  params: (prior) => ({ kmsKeyId: prior.key }),
  arrange: (aws, { more }, name) => makeTopic(aws, name, more),
  async told(aws, name) {
    const { KmsMasterKeyId = '', ...other } = await topicOf(aws, name);
    return { own: KmsMasterKeyId, other };
  },
};

interface Prior extends Written {
  readonly more: Attributes;
}

// A topic's policy is never empty: the owner's statement that the fix leaves in the place of the last one is the control's own.
const isTopicsOwn = mentions('SNS:Publish', 'SNS:Subscribe', 'PhidelityOwnerOnly');

interface Topic extends Prior {
  readonly allowedAccounts: readonly string[];
}

/** Where accounts are named that a statement for everybody may be narrowed to, one narrowed to another account is public. */
const strangers = (allowed: readonly string[]) =>
  ['555566667777', '888899990000'].slice(0, allowed.length).map((account) => ({
    Effect: 'Allow',
    Principal: '*',
    Action: 'SNS:Publish',
    Resource: 'THE-ARN',
    Condition: { StringEquals: { 'aws:PrincipalAccount': account } },
  }));

const topicNotPublic: RoundTrip<Topic> = {
  prior: fc
    .record({
      allowedAccounts: fc.subarray(partners),
      envelope: envelopes,
      mine: open(['SNS:Publish', 'SNS:Subscribe'], ['']),
      foreign: foreign(['SNS:GetTopicAttributes', 'SNS:ListSubscriptionsByTopic'], ['']),
      more: topicAttributes,
    })
    .map((prior) => ({ ...prior, mine: [...prior.mine, ...strangers(prior.allowedAccounts)] })),
  params: ({ allowedAccounts }) => ({ allowedAccounts }),
  async arrange(aws, prior, name) {
    await makeTopic(aws, name, prior.more);
    await setTopic(aws, name, 'Policy', written(prior, topicArn(name))!);
    return name;
  },
  async told(aws, name) {
    const { Policy, ...more } = await topicOf(aws, name);
    const { mine, others, envelope } = parted(Policy, isTopicsOwn);
    return { own: mine, other: { others, envelope, more } };
  },
  async meanwhile(aws, name, { envelope }) {
    await setTopic(aws, name, 'Policy', withLatecomer((await topicOf(aws, name)).Policy, envelope, 'SNS:GetTopicAttributes', topicArn(name)));
  },
};

const urlOf = async (aws: Aws, QueueName: string) => (await aws.client(SQSClient).send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
const queueOf = async (aws: Aws, name: string) => {
  const command = new GetQueueAttributesCommand({ QueueUrl: await urlOf(aws, name), AttributeNames: ['All'] });
  const { LastModifiedTimestamp: _, ...told } = (await aws.client(SQSClient).send(command)).Attributes ?? {};
  return told;
};

async function makeQueue(aws: Aws, QueueName: string, Attributes: Attributes): Promise<string> {
  await aws.client(SQSClient).send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueName;
}

const queueEncrypted: RoundTrip<{ readonly more: Attributes; readonly key?: string | undefined }> = {
  prior: fc.record({ more: queueAttributes, key: fc.option(keys, { nil: undefined }) }),
  params: (prior) => ({ kmsKeyId: prior.key }),
  arrange: (aws, { more }, name) => makeQueue(aws, name, { ...more, SqsManagedSseEnabled: 'false' }),
  async told(aws, name) {
    // SQS shows the reuse period only where there is a key.
    const { KmsMasterKeyId = '', SqsManagedSseEnabled, KmsDataKeyReusePeriodSeconds, ...other } = await queueOf(aws, name);
    return { own: { KmsMasterKeyId, SqsManagedSseEnabled, KmsDataKeyReusePeriodSeconds }, other };
  },
};

const queueTlsOnly: RoundTrip<Prior> = {
  prior: fc.record({
    envelope: envelopes,
    mine: fc.constant([]),
    foreign: foreign(['sqs:SendMessage', 'sqs:ReceiveMessage'], ['']),
    more: queueAttributes,
  }),
  async arrange(aws, prior, name) {
    const Policy = written(prior, queueArn(name));
    return makeQueue(aws, name, { ...prior.more, ...(Policy && { Policy }) });
  },
  async told(aws, name) {
    const { Policy, ...more } = await queueOf(aws, name);
    const { mine, others, envelope } = parted(Policy, mentions('Phidelity'));
    // Before the first statement of somebody there is no policy, and so no envelope that would be anybody's.
    return { own: mine, other: { others, envelope: others.length > 0 ? envelope : undefined, more } };
  },
  async meanwhile(aws, name, { envelope }) {
    const Policy = withLatecomer((await queueOf(aws, name)).Policy, envelope, 'sqs:SendMessage', queueArn(name));
    await aws.client(SQSClient).send(new SetQueueAttributesCommand({ QueueUrl: await urlOf(aws, name), Attributes: { Policy } }));
  },
};

export const messages = {
  'sns-topic-encrypted': topicEncrypted,
  'sns-topic-not-public': topicNotPublic,
  'sqs-queue-encrypted': queueEncrypted,
  'sqs-queue-tls-only': queueTlsOnly,
};
