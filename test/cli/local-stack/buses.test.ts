/** Events in a place where moto would lose what they carry. */
import { DisableRuleCommand, EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand, type Target } from '@aws-sdk/client-eventbridge';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BusEvent, type Buses, eventBuses } from '../../../cli/local-stack/buses.ts';
import { adminClients, type Clients } from '../../../cli/local-stack/clients.ts';
import { type Emulator, startEmulator } from '../../../cli/local-stack/emulator.ts';
import { eventsApi } from '../../../cli/local-stack/events-api.ts';
import { openGateway } from '../../../cli/local-stack/gateway.ts';
import { keys } from '../../../cli/local-stack/keys.ts';
import { subscribe } from '../../../cli/local-stack/topics.ts';
import { describeOnMoto } from '../../support/moto.ts';

const home = 'us-east-2';
const away = 'us-west-2';
const account = '123456789012';

const event: BusEvent = {
  version: '0',
  id: 'e-1',
  source: 'aws.s3',
  'detail-type': 'AWS API Call via CloudTrail',
  account,
  region: away,
  time: '2026-11-22T12:00:00Z',
  resources: [],
  detail: { eventName: 'CreateBucket', says: 'a "word"' },
};
const pattern = { source: ['aws.s3'] };

describeOnMoto('event buses (on moto)', () => {
  let emulator: Emulator;
  let clients: Clients;
  let buses: Buses;
  beforeAll(async () => {
    emulator = await startEmulator();
    clients = adminClients(emulator, home);
    buses = eventBuses(clients, keys(clients), () => undefined);
  });
  afterAll(async () => {
    clients?.destroy();
    await emulator?.stop();
  });
  beforeEach(() => emulator.reset());

  const queue = async (region: string, QueueName: string) => {
    await clients.in(region).sqs.send(new CreateQueueCommand({ QueueName }));
    return `arn:aws:sqs:${region}:${account}:${QueueName}`;
  };
  const rule = async (region: string, Name: string, Arn: string, more: Partial<Target> = {}, EventPattern: object = pattern) => {
    const { eventBridge } = clients.in(region);
    await eventBridge.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(EventPattern) }));
    await eventBridge.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'it', Arn, ...more }] }));
  };
  const received = async (region: string, name: string) => {
    const QueueUrl = `${emulator.endpoint}/${account}/${name}`;
    const { Messages = [] } = await clients
      .in(region)
      .sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }));
    return Messages.map(({ Body, MessageAttributes = {} }) => ({ body: JSON.parse(Body!) as unknown, error: MessageAttributes.ERROR_CODE?.StringValue }));
  };
  const homeBus = `arn:aws:events:${home}:${account}:event-bus/default`;

  test('an event goes on to the bus of another region as it is', async () => {
    await rule(away, 'forward', homeBus);
    await rule(home, 'take', await queue(home, 'intake'));
    await buses.put(away, [event]);
    expect(await received(home, 'intake')).toEqual([{ body: event, error: undefined }]);
  });

  test('it reaches the rules of its own region only, and only those that match and are enabled', async () => {
    const arn = await queue(away, 'away');
    await rule(away, 'matching', arn);
    await rule(away, 'other', arn, {}, { source: ['aws.ec2'] });
    await rule(away, 'off', arn);
    await clients.in(away).eventBridge.send(new DisableRuleCommand({ Name: 'off' }));
    await rule(home, 'home', await queue(home, 'home'));
    await buses.put(away, [event]);
    expect(await received(away, 'away')).toHaveLength(1);
    expect(await received(home, 'home')).toEqual([]);
  });

  test('a topic is told, in the words of the rule', async () => {
    const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: 'health' }));
    const reader = await subscribe(clients, TopicArn!);
    const InputTransformer = { InputPathsMap: { name: '$.detail.eventName', region: '$.region' }, InputTemplate: '"<name> in <region>"' };
    await rule(home, 'tell', TopicArn!, { InputTransformer });
    await buses.put(home, [event]);
    expect(await reader.read()).toMatchObject([{ message: '"CreateBucket in us-west-2"' }]);
  });

  test('what the target does not take goes to the dead-letter queue with the reason; the next target gets it', async () => {
    await rule(home, 'a-broken', `arn:aws:sqs:${home}:${account}:missing`, { DeadLetterConfig: { Arn: await queue(home, 'dead') } });
    await rule(home, 'b-sound', await queue(home, 'intake'));
    await buses.put(home, [event]);
    expect(await received(home, 'dead')).toEqual([{ body: event, error: expect.stringContaining('NonExistentQueue') }]);
    expect(await received(home, 'intake')).toHaveLength(1);
  });

  describe('PutEvents', () => {
    test('is answered for default buses; faults are told for each entry; everything else is the emulator’s', async () => {
      const arn = await queue(home, 'intake');
      await rule(home, 'take', arn);
      const gateway = await openGateway(emulator.endpoint);
      const asked: string[] = [];
      const answer = eventsApi({
        authorise: async (_, action) => void asked.push(action),
        buses,
        clock: { now: () => new Date('2026-11-22T12:00:00.123Z') },
        accountId: account,
      });
      gateway.serve({ answer, roleOf: () => undefined, log: () => undefined });
      const client = new EventBridgeClient({ region: home, endpoint: gateway.endpoint, credentials: async () => emulator.adminCredentials() });
      try {
        const good = { Source: 'aws.s3', DetailType: 'x', Detail: '{"a":1}' };
        const { FailedEntryCount, Entries } = await client.send(
          new PutEventsCommand({ Entries: [good, { ...good, Detail: '{' }, { ...good, Source: undefined }] }),
        );
        expect(FailedEntryCount).toBe(2);
        expect(Entries).toMatchObject([{ EventId: expect.any(String) }, { ErrorCode: 'MalformedDetail' }, { ErrorCode: 'InvalidArgument' }]);
        expect(await received(home, 'intake')).toMatchObject([
          { body: { id: Entries![0]!.EventId, account, region: home, time: '2026-11-22T12:00:00Z', detail: { a: 1 } } },
        ]);
        await client.send(new PutRuleCommand({ Name: 'another', EventPattern: JSON.stringify(pattern) }));
        expect(asked).toEqual(['events:PutEvents']);
      } finally {
        client.destroy();
        await gateway.stop();
      }
    });
  });
});
