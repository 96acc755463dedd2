/** Drifts made with an administrator's rights on fresh resources, told as CloudTrail tells them, and read back without the help of the controls. */
import {
  CloudTrailClient,
  CreateTrailCommand,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotAttributeCommand,
  DescribeVolumesCommand,
  DisableEbsEncryptionByDefaultCommand,
  EC2Client,
  EnableEbsEncryptionByDefaultCommand,
  GetEbsEncryptionByDefaultCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { GetAccountPasswordPolicyCommand, IAMClient, UpdateAccountPasswordPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBSnapshotAttributesCommand,
  ModifyDBSnapshotAttributeCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, GetTopicAttributesCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Aws } from '../../engine/ports.ts';

/** A call as CloudTrail records it. */
export interface Told {
  readonly source: string;
  readonly eventName: string;
  readonly detail: Record<string, unknown>;
}

/** One control that the drift breaks. */
export interface Broken {
  readonly control: string;
  /** The resource's ARN. */
  readonly id: string;
  readonly region: string;
  /** Whether it is right, as last read. */
  right(live: unknown): boolean;
  /** What a write sets for this control, where one write carries the settings of several: two that differ are two effects. */
  effect?(body: string): unknown;
}

export interface Drift {
  readonly broken: readonly Broken[];
  readonly told: Told;
  /** In every write of the bot to this resource. */
  readonly marks: readonly string[];
  /** Makes it drift once more. */
  again(): Promise<void>;
  /** Of what there is one of: makes it right, so that the next schedule finds no open finding. */
  repair?(): Promise<void>;
  read(): Promise<unknown>;
}

export interface Scenario {
  readonly name: string;
  readonly controls: readonly string[];
  /** The bot can mend it. */
  readonly fixes: boolean;
  /** There is one of it in the account: two schedules at a time must not have the same. */
  readonly alone?: true;
  make(admin: Aws, name: string): Promise<Drift>;
}

const plain = (value: unknown): string => JSON.stringify(value);
const statementsOf = (live: unknown) => (live as { Statement: readonly Record<string, unknown>[] }).Statement;
const refusesHttp = ({ Effect, Condition }: Record<string, unknown>) => Effect === 'Deny' && plain(Condition ?? {}).includes('aws:SecureTransport');
const letsAllIn = ({ Effect, Principal, Condition }: Record<string, unknown>) => Effect === 'Allow' && Principal === '*' && Condition === undefined;

const accessBlock: Scenario = {
  name: 'bucket access block',
  controls: ['s3-bucket-public-access-block'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const open = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    const again = async () => void (await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: open })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await again();
    return {
      broken: [
        {
          control: 's3-bucket-public-access-block',
          id: `arn:aws:s3:::${Bucket}`,
          region: admin.region,
          right: (live) => Object.values(live as object).every((on) => on === true) && Object.keys(live as object).length === 4,
        },
      ],
      told: { source: 's3', eventName: 'PutBucketPublicAccessBlock', detail: { requestParameters: { bucketName: Bucket, publicAccessBlock: '' } } },
      marks: [Bucket],
      again,
      read: async () => (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
    };
  },
};

const versioning: Scenario = {
  name: 'bucket versioning',
  controls: ['s3-bucket-versioning'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const put = async (Status: 'Enabled' | 'Suspended') =>
      void (await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await put('Enabled');
    await put('Suspended');
    return {
      broken: [{ control: 's3-bucket-versioning', id: `arn:aws:s3:::${Bucket}`, region: admin.region, right: (live) => live === 'Enabled' }],
      told: { source: 's3', eventName: 'PutBucketVersioning', detail: { requestParameters: { bucketName: Bucket, versioning: '' } } },
      marks: [Bucket],
      again: () => put('Suspended'),
      read: async () => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status,
    };
  },
};

const bucketPolicy: Scenario = {
  name: 'bucket policy that lets in everybody, by plain HTTP: two controls, one setting',
  controls: ['s3-bucket-policy-not-public', 's3-bucket-tls-only'],
  fixes: true,
  async make(admin, Bucket) {
    const s3 = admin.client(S3Client);
    const Policy = plain({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'Downloads', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
        { Sid: 'Partner', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
      ],
    });
    const again = async () => void (await s3.send(new PutBucketPolicyCommand({ Bucket, Policy })));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await again();
    const at = { id: `arn:aws:s3:::${Bucket}`, region: admin.region };
    return {
      broken: [
        {
          ...at,
          control: 's3-bucket-policy-not-public',
          right: (live) => !statementsOf(live).some(letsAllIn),
          effect: (body) => statementsOf(JSON.parse(body)).filter(letsAllIn),
        },
        {
          ...at,
          control: 's3-bucket-tls-only',
          right: (live) => statementsOf(live).some(refusesHttp),
          effect: (body) => statementsOf(JSON.parse(body)).filter(refusesHttp),
        },
      ],
      told: { source: 's3', eventName: 'PutBucketPolicy', detail: { requestParameters: { bucketName: Bucket, policy: '', bucketPolicy: JSON.parse(Policy) } } },
      marks: [Bucket],
      again,
      read: async () => JSON.parse((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy!),
    };
  },
};

const queue = (name: string, control: string, wrong: Record<string, string>, right: (attributes: Record<string, string>) => boolean): Scenario => ({
  name,
  controls: [control],
  fixes: true,
  async make(admin, QueueName) {
    const sqs = admin.client(SQSClient);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: wrong }));
    return {
      broken: [
        {
          control,
          id: `arn:aws:sqs:${admin.region}:${admin.accountId}:${QueueName}`,
          region: admin.region,
          right: (live) => right(live as Record<string, string>),
        },
      ],
      told: {
        source: 'sqs',
        eventName: 'SetQueueAttributes',
        detail: { requestParameters: { queueUrl: `https://sqs.${admin.region}.amazonaws.com/${admin.accountId}/${QueueName}`, attributes: wrong } },
      },
      marks: [QueueName],
      again: async () => void (await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { ...wrong, Policy: wrong.Policy ?? '' } }))),
      read: async () => (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {},
    };
  },
});

const queueInClear = queue(
  'queue in clear',
  'sqs-queue-encrypted',
  { SqsManagedSseEnabled: 'false' },
  ({ SqsManagedSseEnabled }) => SqsManagedSseEnabled === 'true',
);
const queueByHttp = queue('queue by plain HTTP', 'sqs-queue-tls-only', {}, ({ Policy }) =>
  Policy ? statementsOf(JSON.parse(Policy)).some(refusesHttp) : false,
);

const topicInClear: Scenario = {
  name: 'topic in clear',
  controls: ['sns-topic-encrypted'],
  fixes: true,
  async make(admin, Name) {
    const sns = admin.client(SNSClient);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name }));
    return {
      broken: [{ control: 'sns-topic-encrypted', id: TopicArn!, region: admin.region, right: (live) => live === 'alias/messages' }],
      told: {
        source: 'sns',
        eventName: 'SetTopicAttributes',
        detail: { requestParameters: { topicArn: TopicArn, attributeName: 'KmsMasterKeyId', attributeValue: '' } },
      },
      marks: [Name],
      again: async () => void (await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue: '' }))),
      read: async () => (await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes?.KmsMasterKeyId || null,
    };
  },
};

const publicTopic: Scenario = {
  name: 'public topic',
  controls: ['sns-topic-not-public'],
  fixes: true,
  async make(admin, Name) {
    const sns = admin.client(SNSClient);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name }));
    const AttributeValue = plain({
      Version: '2008-10-17',
      Statement: [
        { Sid: 'Anyone', Effect: 'Allow', Principal: '*', Action: ['SNS:Subscribe'], Resource: TopicArn },
        { Sid: 'Events', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'SNS:Publish', Resource: TopicArn },
      ],
    });
    const again = async () => void (await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue })));
    await again();
    return {
      broken: [{ control: 'sns-topic-not-public', id: TopicArn!, region: admin.region, right: (live) => !statementsOf(live).some(letsAllIn) }],
      told: { source: 'sns', eventName: 'SetTopicAttributes', detail: { requestParameters: { topicArn: TopicArn, attributeName: 'Policy' } } },
      marks: [Name],
      again,
      read: async () => JSON.parse((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes!.Policy!),
    };
  },
};

const worldSsh: Scenario = {
  name: 'SSH from the world',
  controls: ['security-group-no-world-ssh-rdp'],
  fixes: true,
  async make(admin, GroupName) {
    const ec2 = admin.client(EC2Client);
    const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName, Description: 'bastion' }));
    const again = async () =>
      void (await ec2.send(
        new AuthorizeSecurityGroupIngressCommand({
          GroupId,
          IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'temporary' }] }],
        }),
      ));
    await again();
    return {
      broken: [
        {
          control: 'security-group-no-world-ssh-rdp',
          id: `arn:aws:ec2:${admin.region}:${admin.accountId}:security-group/${GroupId}`,
          region: admin.region,
          right: (live) => (live as unknown[]).length === 0,
        },
      ],
      told: { source: 'ec2', eventName: 'AuthorizeSecurityGroupIngress', detail: { requestParameters: { groupId: GroupId } } },
      marks: [GroupId!],
      again,
      read: async () => (await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }))).SecurityGroups![0]!.IpPermissions ?? [],
    };
  },
};

const publicVolumeSnapshot: Scenario = {
  name: 'public snapshot of a volume',
  controls: ['ebs-snapshot-not-public'],
  fixes: true,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 8 }));
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    const Attribute = 'createVolumePermission';
    const again = async () =>
      void (await ec2.send(
        new ModifySnapshotAttributeCommand({ SnapshotId, Attribute, OperationType: 'add', GroupNames: ['all'], UserIds: ['111122223333'] }),
      ));
    await again();
    return {
      broken: [
        {
          control: 'ebs-snapshot-not-public',
          id: `arn:aws:ec2:${admin.region}::snapshot/${SnapshotId}`,
          region: admin.region,
          right: (live) => plain(live) === plain([{ UserId: '111122223333' }]),
        },
      ],
      told: {
        source: 'ec2',
        eventName: 'ModifySnapshotAttribute',
        detail: {
          requestParameters: {
            snapshotId: SnapshotId,
            attributeType: 'CREATE_VOLUME_PERMISSION',
            createVolumePermission: { add: { items: [{ group: 'all' }] } },
          },
        },
      },
      marks: [SnapshotId!],
      again,
      read: async () => (await ec2.send(new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }))).CreateVolumePermissions ?? [],
    };
  },
};

const clearVolume: Scenario = {
  name: 'volume in clear, which has no fix',
  controls: ['ebs-volume-encrypted'],
  fixes: false,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 8, Encrypted: false }));
    return {
      broken: [
        {
          control: 'ebs-volume-encrypted',
          id: `arn:aws:ec2:${admin.region}:${admin.accountId}:volume/${VolumeId}`,
          region: admin.region,
          right: (live) => live === true,
        },
      ],
      told: {
        source: 'ec2',
        eventName: 'CreateVolume',
        detail: { requestParameters: { size: '8', encrypted: false }, responseElements: { volumeId: VolumeId, encrypted: false } },
      },
      marks: [VolumeId!],
      again: async () => undefined,
      read: async () => (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }))).Volumes![0]!.Encrypted,
    };
  },
};

const defaultEncryption: Scenario = {
  name: 'default encryption of volumes off in a region',
  controls: ['ebs-encryption-by-default'],
  fixes: true,
  alone: true,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const again = async () => void (await ec2.send(new DisableEbsEncryptionByDefaultCommand({})));
    await again();
    return {
      broken: [{ control: 'ebs-encryption-by-default', id: `arn:aws:iam::${admin.accountId}:root`, region: admin.region, right: (live) => live === true }],
      told: { source: 'ec2', eventName: 'DisableEbsEncryptionByDefault', detail: { requestParameters: {} } },
      marks: ['EnableEbsEncryptionByDefault'],
      again,
      repair: async () => void (await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))),
      read: async () => (await ec2.send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault,
    };
  },
};

const keyRotation: Scenario = {
  name: 'key that does not rotate',
  controls: ['kms-key-rotation-enabled'],
  fixes: true,
  async make(admin) {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { KeyId, Arn } = KeyMetadata!;
    return {
      broken: [{ control: 'kms-key-rotation-enabled', id: Arn!, region: admin.region, right: (live) => live === true }],
      told: {
        source: 'kms',
        eventName: 'DisableKeyRotation',
        detail: { requestParameters: { keyId: KeyId }, resources: [{ accountId: admin.accountId, type: 'AWS::KMS::Key', ARN: Arn }] },
      },
      marks: [KeyId!],
      again: async () => void (await kms.send(new DisableKeyRotationCommand({ KeyId }))),
      read: async () => (await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    };
  },
};

const dyingKey: Scenario = {
  name: 'key about to be deleted',
  controls: ['kms-key-not-scheduled-for-deletion'],
  fixes: true,
  async make(admin) {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { KeyId, Arn } = KeyMetadata!;
    const again = async () => void (await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 })));
    await again();
    return {
      broken: [{ control: 'kms-key-not-scheduled-for-deletion', id: Arn!, region: admin.region, right: (live) => live === 'Enabled' }],
      told: {
        source: 'kms',
        eventName: 'ScheduleKeyDeletion',
        detail: {
          requestParameters: { keyId: KeyId, pendingWindowInDays: 7 },
          responseElements: { keyId: Arn, keyState: 'PendingDeletion' },
          resources: [{ accountId: admin.accountId, type: 'AWS::KMS::Key', ARN: Arn }],
        },
      },
      marks: [KeyId!],
      again,
      read: async () => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!.KeyState,
    };
  },
};

const trail = (name: string, control: string, kind: 'logging' | 'validation'): Scenario => ({
  name,
  controls: [control],
  fixes: true,
  async make(admin, Name) {
    const client = admin.client(CloudTrailClient);
    await admin.client(S3Client).send(new CreateBucketCommand({ Bucket: Name }));
    const { TrailARN } = await client.send(new CreateTrailCommand({ Name, S3BucketName: Name, EnableLogFileValidation: kind === 'logging' }));
    const stop = async () => void (await client.send(new StopLoggingCommand({ Name })));
    const weaken = async () => void (await client.send(new UpdateTrailCommand({ Name, EnableLogFileValidation: false })));
    return {
      broken: [{ control, id: TrailARN!, region: admin.region, right: (live) => live === true }],
      told: {
        source: 'cloudtrail',
        eventName: kind === 'logging' ? 'StopLogging' : 'UpdateTrail',
        detail: { requestParameters: { name: Name }, ...(kind === 'validation' && { responseElements: { trailARN: TrailARN } }) },
      },
      marks: [Name],
      again: kind === 'logging' ? stop : weaken,
      read: async () => {
        if (kind === 'logging') return (await client.send(new GetTrailStatusCommand({ Name }))).IsLogging;
        // moto lists all of them, whatever the names.
        const { trailList = [] } = await client.send(new DescribeTrailsCommand({ trailNameList: [Name] }));
        return trailList.find((found) => found.Name === Name)?.LogFileValidationEnabled;
      },
    };
  },
});

const publicDatabaseSnapshot: Scenario = {
  name: 'public snapshot of a database',
  controls: ['rds-snapshot-not-public'],
  fixes: true,
  async make(admin, name) {
    const rds = admin.client(RDSClient);
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: name,
        DBInstanceClass: 'db.t4g.small',
        Engine: 'postgres',
        AllocatedStorage: 20,
        MasterUsername: 'keeper',
        MasterUserPassword: 'only-in-a-test',
      }),
    );
    const DBSnapshotIdentifier = `s-${name}`;
    const { DBSnapshot } = await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: name, DBSnapshotIdentifier }));
    const again = async () =>
      void (await rds.send(new ModifyDBSnapshotAttributeCommand({ DBSnapshotIdentifier, AttributeName: 'restore', ValuesToAdd: ['all', '210987654321'] })));
    await again();
    return {
      broken: [
        {
          control: 'rds-snapshot-not-public',
          id: DBSnapshot!.DBSnapshotArn!,
          region: admin.region,
          right: (live) => plain(live) === plain(['210987654321']),
        },
      ],
      told: {
        source: 'rds',
        eventName: 'ModifyDBSnapshotAttribute',
        detail: { requestParameters: { dBSnapshotIdentifier: DBSnapshotIdentifier, attributeName: 'restore', valuesToAdd: ['all'] } },
      },
      marks: [DBSnapshotIdentifier],
      again,
      read: async () =>
        (await rds.send(new DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier }))).DBSnapshotAttributesResult!.DBSnapshotAttributes![0]!
          .AttributeValues ?? [],
    };
  },
};

const passwords: Scenario = {
  name: 'weak passwords',
  controls: ['iam-password-policy-strong'],
  fixes: true,
  alone: true,
  async make(admin) {
    const iam = admin.client(IAMClient);
    const again = async () => void (await iam.send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 8, RequireNumbers: true })));
    await again();
    return {
      broken: [
        {
          control: 'iam-password-policy-strong',
          id: `arn:aws:iam::${admin.accountId}:root`,
          region: 'us-east-1',
          right: (live) => (live as { MinimumPasswordLength: number }).MinimumPasswordLength === 14,
        },
      ],
      told: { source: 'iam', eventName: 'UpdateAccountPasswordPolicy', detail: { requestParameters: { minimumPasswordLength: 8 } } },
      marks: ['UpdateAccountPasswordPolicy'],
      again,
      repair: async () =>
        void (await iam.send(
          new UpdateAccountPasswordPolicyCommand({
            MinimumPasswordLength: 14,
            RequireUppercaseCharacters: true,
            RequireLowercaseCharacters: true,
            RequireNumbers: true,
            RequireSymbols: true,
            AllowUsersToChangePassword: true,
            MaxPasswordAge: 90,
            PasswordReusePrevention: 24,
            HardExpiry: false,
          }),
        )),
      read: async () => (await iam.send(new GetAccountPasswordPolicyCommand({}))).PasswordPolicy,
    };
  },
};

export const scenarios: readonly Scenario[] = [
  accessBlock,
  versioning,
  bucketPolicy,
  queueInClear,
  queueByHttp,
  topicInClear,
  publicTopic,
  worldSsh,
  publicVolumeSnapshot,
  clearVolume,
  defaultEncryption,
  keyRotation,
  dyingKey,
  trail('stopped trail', 'cloudtrail-logging-on', 'logging'),
  trail('trail without digests', 'cloudtrail-log-validation', 'validation'),
  publicDatabaseSnapshot,
  passwords,
];
