/** SDK clients with every right, for the stack itself. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import type { Emulator } from './emulator.ts';

type Services = ReturnType<typeof servicesIn>;

export interface Clients extends Services {
  /** The same for another region. */
  in(region: string): Clients;
  destroy(): void;
}

/** `lambda` reaches the emulator itself, not the stand-in. */
export function adminClients(emulator: Emulator, region: string): Clients {
  const elsewhere = new Map<string, Clients>();
  const services = servicesIn(emulator, region);
  const clients: Clients = {
    ...services,
    in(other) {
      if (other === region) return clients;
      const there = elsewhere.get(other) ?? adminClients(emulator, other);
      elsewhere.set(other, there);
      return there;
    },
    destroy() {
      for (const client of Object.values(services)) client.destroy();
      for (const there of elsewhere.values()) there.destroy();
    },
  };
  return clients;
}

export const configIn = (emulator: Emulator, region: string) => ({
  region,
  endpoint: emulator.endpoint,
  credentials: async () => emulator.adminCredentials(),
});

function servicesIn(emulator: Emulator, region: string) {
  const config = configIn(emulator, region);
  return {
    cloudFormation: new CloudFormationClient(config),
    cloudWatch: new CloudWatchClient(config),
    dynamoDb: new DynamoDBClient(config),
    ec2: new EC2Client(config),
    eventBridge: new EventBridgeClient(config),
    iam: new IAMClient(config),
    kms: new KMSClient(config),
    lambda: new LambdaClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    scheduler: new SchedulerClient(config),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    sts: new STSClient(config),
  };
}
