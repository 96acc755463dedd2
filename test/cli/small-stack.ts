/** A stack of this project as far as the command line looks at it, on the bare emulator: queues, table, outputs, no functions. */
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueUrlCommand, type MessageAttributeValue, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Deployment, Ledger } from '../../engine/ports.ts';
import { dynamoLedger, tableDefinition } from '../../handlers/aws/ledger.ts';
import type { Moto } from '../support/moto.ts';

export const home = 'us-east-1';
export const stackName = 'bot';
const queueNames = ['IntakeQueue', 'IntakeDlq', 'SweepQueue', 'SweepDlq', 'AlertQueue', 'AlertDlq', 'TargetDlq'] as const;

const ref = (name: string) => ({ Ref: name });
const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });

const homeTemplate = {
  Resources: {
    Ledger: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'ledger', ...tableDefinition, TimeToLiveSpecification: undefined } },
    OwnHealth: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'own-health' } },
    ...Object.fromEntries(queueNames.map((name) => [name, queue(name)])),
  },
  Outputs: {
    LedgerTableName: { Value: ref('Ledger') },
    OwnHealthTopic: { Value: ref('OwnHealth') },
    ...Object.fromEntries(queueNames.map((name) => [`${name}Url`, { Value: ref(name) }])),
  },
};
const forwarderTemplate = { Resources: { TargetDlq: queue('ForwarderDlq') } };

export interface SmallStack {
  readonly ledger: Ledger;
  send(queue: string, body: unknown, attributes?: Readonly<Record<string, string>>, region?: string): Promise<string>;
  /** Bodies of what can be received now. */
  bodies(queue: string, region?: string): Promise<string[]>;
  /** As if its messages had been dealt with. */
  empty(queue: string): Promise<void>;
  sqs(region?: string): SQSClient;
  destroy(): void;
}

/** @param regions those that the memo of the deploy says are covered; each but the home region gets a forwarder */
export async function smallStack({ endpoint }: Moto, regions: readonly string[] = [home]): Promise<SmallStack> {
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
  const of = (region: string) => ({ endpoint, region, credentials });
  const create = (region: string, StackName: string, template: object) => {
    const client = new CloudFormationClient(of(region));
    return client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) })).finally(() => client.destroy());
  };
  await create(home, stackName, homeTemplate);
  for (const region of regions.filter((one) => one !== home)) await create(region, `${stackName}-forwarder`, forwarderTemplate);

  const dynamo = new DynamoDBClient(of(home));
  const ledger = dynamoLedger({ client: dynamo, table: 'ledger', clock: { now: () => new Date() } });
  const deployment: Deployment = { at: '2026-03-01T08:00:00.000Z', policyId: 'p', regions, unreached: {}, fixSince: {} };
  await ledger.remember('deployment', deployment);

  const clients = new Map<string, SQSClient>();
  const sqs = (region = home) => {
    const client = clients.get(region) ?? new SQSClient({ ...of(region), useQueueUrlAsEndpoint: false });
    clients.set(region, client);
    return client;
  };
  const urlOf = async (name: string, region?: string) => (await sqs(region).send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
  return {
    ledger,
    sqs,
    async send(name, body, attributes = {}, region) {
      const MessageAttributes = Object.fromEntries(
        Object.entries(attributes).map(([key, StringValue]): [string, MessageAttributeValue] => [key, { DataType: 'String', StringValue }]),
      );
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(body);
      const { MessageId } = await sqs(region).send(new SendMessageCommand({ QueueUrl: await urlOf(name, region), MessageBody, MessageAttributes }));
      return MessageId!;
    },
    async bodies(name, region) {
      const QueueUrl = await urlOf(name, region);
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await sqs(region).send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }));
        if (Messages.length === 0) return bodies.sort();
        bodies.push(...Messages.map(({ Body = '' }) => Body));
      }
    },
    async empty(name) {
      await sqs().send(new PurgeQueueCommand({ QueueUrl: await urlOf(name) }));
    },
    destroy() {
      dynamo.destroy();
      for (const client of clients.values()) client.destroy();
    },
  };
}
