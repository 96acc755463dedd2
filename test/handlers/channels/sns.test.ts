import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import type { MachineForm } from '../../../engine/alerts/render/machine.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { type SnsChannel, snsSend } from '../../../handlers/channels/sns.ts';
import { lives } from '../../support/findings.ts';
import { told } from '../../support/lamps.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { failure } from '../../support/outside/failure.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const context = { stack: 'phidelity-prod', region: 'us-east-1' };
const channel: SnsChannel = { sns: true, pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' };
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const alert = told(lives['a page']);

describeOnMoto('SNS, on moto', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());

  test('a queue is sent the form for programs, and filters by the attributes', async () => {
    const aws = awsAccess({ endpoint: moto.endpoint, credentials })(place, { share: false });
    const [topics, queues] = [aws.client(SNSClient), aws.client(SQSClient)];
    const { TopicArn } = await topics.send(new CreateTopicCommand({ Name: 'phidelity-prod-ChannelSecurity' }));
    const heard = async (name: string, filter: object) => {
      const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: name }));
      const Endpoint = `arn:aws:sqs:us-east-1:123456789012:${name}`;
      await topics.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { FilterPolicy: JSON.stringify(filter) } }));
      return async () => (await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))).Messages ?? [];
    };
    const high = await heard('high', {
      severity: ['HIGH', 'CRITICAL'],
      control: [{ prefix: 'lamp-' }],
      account: ['123456789012'],
      status: ['page'],
      urgency: ['page'],
    });
    const low = await heard('low', { severity: ['LOW'] });
    const security = snsSend(TopicArn!, aws);
    expect(await security(alert, channel, context, undefined)).toBeUndefined();
    const [message, ...more] = await high();
    expect(more).toEqual([]);
    expect(await low()).toEqual([]);
    const { Subject, Message } = JSON.parse(message!.Body!) as { Subject: string; Message: string };
    expect(Subject).toBe('[HIGH] ACTION NEEDED: lamp-off on hall');
    expect(JSON.parse(Message) as MachineForm).toMatchObject({ version: 1, id: alert.id, status: 'page', findingId: 'f-abcdefghijklmnopqrstuvwxyz' });
  });

  test('a topic that is gone', async () => {
    const aws = awsAccess({ endpoint: moto.endpoint, credentials })(place, { share: false });
    const security = snsSend('arn:aws:sns:us-east-1:123456789012:gone', aws);
    await expect(security(alert, channel, context, undefined)).rejects.toMatchObject({
      failure: 'refused',
      message: 'The topic gone does not exist: deploy again.',
    });
  });
});

describe('SNS, mocked', () => {
  const mocked = () => mockClient(SNSClient);
  let topics: ReturnType<typeof mocked>;
  beforeEach(() => {
    topics = mocked();
  });
  afterEach(() => {
    topics.restore();
  });
  const security = snsSend('arn:aws:sns:us-east-1:123456789012:alerts', awsAccess({ credentials })(place, { share: false }));

  const key = 'The key of the topic alerts cannot be used: look at its state and its key policy, npx phidelity doctor tells.';
  const cases: readonly (readonly [code: string, failure: string, message: string, retryAfter?: number])[] = [
    ['Throttled', 'again', 'The topic alerts answers Throttled.'],
    ['ThrottledException', 'again', 'The topic alerts answers ThrottledException.', 30],
    ['InternalErrorException', 'again', 'The topic alerts answers InternalErrorException.'],
    ['KMSThrottlingException', 'again', 'The topic alerts answers KMSThrottlingException.'],
    ['ExpiredTokenException', 'again', 'The topic alerts answers ExpiredTokenException.'],
    [
      'AuthorizationErrorException',
      'refused',
      "The topic alerts refuses the bot's role (AuthorizationErrorException): deploy again, or look for a policy that denies it.",
    ],
    ['NotFoundException', 'refused', 'The topic alerts does not exist: deploy again.'],
    ['KMSAccessDeniedException', 'refused', key],
    ['KMSDisabledException', 'refused', key],
    ['KMSInvalidStateException', 'refused', key],
    ['InvalidParameterException', 'refused', 'The topic alerts does not take the message: this is a fault of the bot.'],
    ['constructor', 'again', 'The topic alerts answers constructor.'],
  ];
  for (const [name, ...is] of cases)
    test(name, async () => {
      topics.on(PublishCommand).rejects(Object.assign(new Error('patient-john'), { name }));
      const error = await failure(security(alert, channel, context, undefined));
      expect([error.failure, error.message, ...(error.retryAfter === undefined ? [] : [error.retryAfter])]).toEqual(is);
    });

  test('what is published: a text for each protocol, attributes for filters', async () => {
    topics.on(PublishCommand).resolves({ MessageId: 'm' });
    await security(alert, channel, context, undefined);
    const [{ args }] = topics.commandCalls(PublishCommand) as unknown as [{ args: [PublishCommand] }];
    const { MessageStructure, MessageAttributes, TopicArn } = args[0].input;
    expect([MessageStructure, TopicArn]).toEqual(['json', 'arn:aws:sns:us-east-1:123456789012:alerts']);
    expect(MessageAttributes).toEqual({
      severity: { DataType: 'String', StringValue: 'HIGH' },
      control: { DataType: 'String', StringValue: 'lamp-off' },
      account: { DataType: 'String', StringValue: '123456789012' },
      status: { DataType: 'String', StringValue: 'page' },
      urgency: { DataType: 'String', StringValue: 'page' },
    });
  });
});
