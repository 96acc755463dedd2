/** What moto's CloudFormation skips, put in by API: one small function for each resource type, and for properties it ignores. */
import { DeleteAlarmsCommand, PutMetricAlarmCommand, type PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import { DescribeTimeToLiveCommand, UpdateContinuousBackupsCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { AttachRolePolicyCommand, DetachRolePolicyCommand, paginateListAttachedRolePolicies } from '@aws-sdk/client-iam';
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { CreateAliasCommand, DeleteAliasCommand, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import {
  GetObjectLockConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { SetTopicAttributesCommand, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { codeOf } from '../../engine/errors.ts';
import type { Clients } from './clients.ts';

type Properties = Readonly<Record<string, unknown>>;

export interface Effect {
  /** What was done, if it is less than the template says. */
  readonly note?: string;
  /** What `Ref` gives for the resource, where others of the template ask. */
  readonly id?: string;
  /** For what would outlive the stack: the emulator's CloudFormation does not know it. */
  readonly undo?: () => Promise<unknown>;
}

type Applier = (properties: Properties, clients: Clients, stackName: string, logicalId: string) => Promise<Effect>;

const exists = new Set(['ConflictException', 'ResourceConflictException']);

const createOrUpdate = async (create: () => Promise<unknown>, update: () => Promise<unknown>) => {
  try {
    await create();
  } catch (error) {
    if (!exists.has(codeOf(error))) throw error;
    await update();
  }
};

const named = (properties: Properties, key: string, stackName: string, logicalId: string) => String(properties[key] ?? `${stackName}-${logicalId}`);

const bucketPolicy: Applier = async ({ Bucket, PolicyDocument }, { s3 }) => {
  const document = PolicyDocument as { Statement: readonly { Condition?: object }[] };
  // The emulator speaks HTTP: a statement on aws:SecureTransport would shut the bucket to everybody.
  const Statement = document.Statement.filter(({ Condition }) => !JSON.stringify(Condition ?? {}).includes('aws:SecureTransport'));
  const note = Statement.length < document.Statement.length ? 'without the statement that demands TLS' : undefined;
  if (Statement.length > 0) await s3.send(new PutBucketPolicyCommand({ Bucket: String(Bucket), Policy: JSON.stringify({ ...document, Statement }) }));
  return { note };
};

const schedule: Applier = async (properties, { scheduler }, stackName, logicalId) => {
  const Name = named(properties, 'Name', stackName, logicalId);
  const input = { ...properties, Name } as CreateScheduleCommandInput;
  await createOrUpdate(
    () => scheduler.send(new CreateScheduleCommand(input)),
    () => scheduler.send(new UpdateScheduleCommand(input)),
  );
  return {
    note: "fires when the stack's clock is moved, or when the stack is told to",
    undo: () => scheduler.send(new DeleteScheduleCommand({ Name, GroupName: input.GroupName })),
  };
};

/** The stack itself answers for it: what refers to it needs a name. */
const served: Applier = async (_properties, _clients, _stackName, logicalId) => ({ id: logicalId.toLowerCase(), note: 'the stack serves it' });

/** Whole resources, by type. */
export const appliers: Readonly<Record<string, Applier>> = {
  'AWS::SQS::QueuePolicy': async ({ Queues, PolicyDocument }, { sqs }) => {
    for (const QueueUrl of Queues as string[])
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify(PolicyDocument) } }));
    return {};
  },
  'AWS::SNS::TopicPolicy': async ({ Topics, PolicyDocument }, { sns }) => {
    for (const TopicArn of Topics as string[])
      await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue: JSON.stringify(PolicyDocument) }));
    return {};
  },
  'AWS::SNS::Subscription': async ({ TopicArn, Protocol, Endpoint, RawMessageDelivery, FilterPolicy }, { sns }) => {
    const Attributes = {
      ...(RawMessageDelivery === undefined ? {} : { RawMessageDelivery: String(RawMessageDelivery) }),
      ...(FilterPolicy === undefined ? {} : { FilterPolicy: JSON.stringify(FilterPolicy) }),
    };
    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({ TopicArn: String(TopicArn), Protocol: String(Protocol), Endpoint: String(Endpoint), Attributes, ReturnSubscriptionArn: true }),
    );
    return { undo: () => sns.send(new UnsubscribeCommand({ SubscriptionArn })) };
  },
  'AWS::CloudWatch::Alarm': async (properties, { cloudWatch }, stackName, logicalId) => {
    const AlarmName = named(properties, 'AlarmName', stackName, logicalId);
    await cloudWatch.send(new PutMetricAlarmCommand({ ...properties, AlarmName } as PutMetricAlarmCommandInput));
    return { undo: () => cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] })) };
  },
  'AWS::S3::BucketPolicy': bucketPolicy,
  'AWS::Scheduler::ScheduleGroup': async (properties, { scheduler }, stackName, logicalId) => {
    const Name = named(properties, 'Name', stackName, logicalId);
    await createOrUpdate(
      () => scheduler.send(new CreateScheduleGroupCommand({ Name })),
      async () => undefined,
    );
    return { id: Name, undo: () => scheduler.send(new DeleteScheduleGroupCommand({ Name })) };
  },
  'AWS::Scheduler::Schedule': schedule,
  'AWS::ApiGatewayV2::Api': served,
  'AWS::ApiGatewayV2::Integration': served,
  'AWS::ApiGatewayV2::Route': served,
  'AWS::ApiGatewayV2::Stage': served,
  'AWS::Lambda::Permission': served,
  'AWS::Lambda::Alias': async (properties, { lambda }) => {
    const input = { FunctionName: String(properties.FunctionName), Name: String(properties.Name), FunctionVersion: String(properties.FunctionVersion) };
    await createOrUpdate(
      () => lambda.send(new CreateAliasCommand(input)),
      () => lambda.send(new UpdateAliasCommand(input)),
    );
    return { undo: () => lambda.send(new DeleteAliasCommand(input)) };
  },
};

/** Properties of resources that the emulator makes but not wholly, by `TYPE PROPERTY`; they are given the physical id. */
export const propertyAppliers: Readonly<Record<string, (id: string, value: unknown, clients: Clients) => Promise<Effect>>> = {
  'AWS::IAM::Role ManagedPolicyArns': async (RoleName, value, { iam }) => {
    const wanted = new Set(value as string[]);
    for await (const { AttachedPolicies = [] } of paginateListAttachedRolePolicies({ client: iam }, { RoleName }))
      for (const { PolicyArn } of AttachedPolicies) if (!wanted.has(PolicyArn!)) await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    for (const PolicyArn of wanted) await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    return {
      undo: async () => {
        for (const PolicyArn of wanted) await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
      },
    };
  },
  'AWS::DynamoDB::Table TimeToLiveSpecification': async (TableName, value, { dynamoDb }) => {
    const { TimeToLiveDescription } = await dynamoDb.send(new DescribeTimeToLiveCommand({ TableName }));
    const TimeToLiveSpecification = value as { AttributeName: string; Enabled: boolean };
    // Refused when it changes nothing.
    if ((TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED') !== TimeToLiveSpecification.Enabled)
      await dynamoDb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    return {};
  },
  'AWS::DynamoDB::Table PointInTimeRecoverySpecification': async (TableName, value, { dynamoDb }) => {
    const PointInTimeRecoverySpecification = value as { PointInTimeRecoveryEnabled: boolean };
    await dynamoDb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
    return {};
  },
  // moto keeps it as an object, and then fails each DescribeKey.
  'AWS::KMS::Key KeyPolicy': async (KeyId, value, { kms }) => {
    await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify(value) }));
    return {};
  },
  'AWS::S3::Bucket VersioningConfiguration': async (Bucket, value, { s3 }) => {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: value as { Status: 'Enabled' } }));
    return {};
  },
  'AWS::S3::Bucket PublicAccessBlockConfiguration': async (Bucket, value, { s3 }) => {
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: value as object }));
    return {};
  },
  'AWS::S3::Bucket ObjectLockConfiguration': async (Bucket, value, { s3 }) => {
    const same = (lock: unknown) => JSON.stringify(Object.entries(lock ?? {}).sort()) === JSON.stringify(Object.entries(value as object).sort());
    const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket })).catch(() => ({ ObjectLockConfiguration: undefined }));
    // moto takes one for an empty bucket only.
    if (!same(ObjectLockConfiguration)) await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: value as object }));
    return {};
  },
};
