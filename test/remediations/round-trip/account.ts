/** The password policy, trails and function URLs. */
import {
  CloudTrailClient,
  CreateTrailCommand,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  CreateRoleCommand,
  DeleteAccountPasswordPolicyCommand,
  GetAccountPasswordPolicyCommand,
  IAMClient,
  UpdateAccountPasswordPolicyCommand,
  type UpdateAccountPasswordPolicyCommandInput,
} from '@aws-sdk/client-iam';
import {
  type Cors,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  type InvokeMode,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { orUndefined } from '../../../remediations/define.ts';
import { own, someOf } from '../../support/arbitraries.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

type Passwords = UpdateAccountPasswordPolicyCommandInput | null;

const passwordPolicy: RoundTrip<Passwords> = {
  prior: fc.option(
    someOf<UpdateAccountPasswordPolicyCommandInput>({
      // Too short by itself; the other members may be weak, strong or absent.
      MinimumPasswordLength: fc.integer({ min: 6, max: 13 }),
      RequireSymbols: fc.boolean(),
      RequireNumbers: fc.boolean(),
      RequireUppercaseCharacters: fc.boolean(),
      RequireLowercaseCharacters: fc.boolean(),
      AllowUsersToChangePassword: fc.boolean(),
      MaxPasswordAge: fc.integer({ min: 1, max: 1_095 }),
      PasswordReusePrevention: fc.integer({ min: 1, max: 24 }),
      HardExpiry: fc.boolean(),
    })
      // With HardExpiry only an age that suffices already is not blocked.
      .map((policy) => (policy.HardExpiry ? { ...policy, MaxPasswordAge: Math.min(policy.MaxPasswordAge ?? 90, 90) } : policy)),
    { nil: null },
  ),
  async arrange(aws, policy) {
    if (policy) await aws.client(IAMClient).send(new UpdateAccountPasswordPolicyCommand(policy));
    return `arn:aws:iam::${own}:root`;
  },
  async told(aws) {
    const answer = await orUndefined(aws.client(IAMClient).send(new GetAccountPasswordPolicyCommand({})), 'NoSuchEntity', 'NoSuchEntityException');
    return { own: answer?.PasswordPolicy, other: null };
  },
  async clear(aws) {
    await orUndefined(aws.client(IAMClient).send(new DeleteAccountPasswordPolicyCommand({})), 'NoSuchEntity', 'NoSuchEntityException');
  },
};

interface Trail {
  readonly logs: 'never' | 'stopped' | 'on';
  readonly prefix?: string;
  readonly multiRegion: boolean;
  readonly globalEvents: boolean;
  readonly validates: boolean;
  readonly selectors: boolean;
}

const trails = (fixed: Partial<{ readonly [Name in keyof Trail]: fc.Arbitrary<Trail[Name]> }>): fc.Arbitrary<Trail> =>
  fc.record(
    {
      logs: fc.constantFrom<Trail['logs']>('never', 'stopped', 'on'),
      prefix: fc.constantFrom('logs', 'audit/one'),
      multiRegion: fc.boolean(),
      globalEvents: fc.boolean(),
      validates: fc.boolean(),
      selectors: fc.boolean(),
      ...fixed,
    },
    { requiredKeys: ['logs', 'multiRegion', 'globalEvents', 'validates', 'selectors'] },
  ) as fc.Arbitrary<Trail>;

async function makeTrail(aws: Aws, { logs, prefix, multiRegion, globalEvents, validates, selectors }: Trail, Name: string): Promise<string> {
  await aws.client(S3Client).send(new CreateBucketCommand({ Bucket: Name }));
  const client = aws.client(CloudTrailClient);
  await client.send(
    new CreateTrailCommand({
      Name,
      S3BucketName: Name,
      ...(prefix && { S3KeyPrefix: prefix }),
      // A trail of every region takes global events.
      IsMultiRegionTrail: multiRegion,
      IncludeGlobalServiceEvents: multiRegion || globalEvents,
      EnableLogFileValidation: validates,
      TagsList: [{ Key: 'team', Value: 'audit' }],
    }),
  );
  const EventSelectors = [{ ReadWriteType: 'WriteOnly' as const, IncludeManagementEvents: true, DataResources: [] }];
  if (selectors) await client.send(new PutEventSelectorsCommand({ TrailName: Name, EventSelectors }));
  if (logs !== 'never') await client.send(new StartLoggingCommand({ Name }));
  if (logs === 'stopped') await client.send(new StopLoggingCommand({ Name }));
  return Name;
}

async function trailTold(aws: Aws, Name: string) {
  const client = aws.client(CloudTrailClient);
  const { trailList = [] } = await client.send(new DescribeTrailsCommand({}));
  const { LogFileValidationEnabled, ...trail } = trailList.find((trail) => trail.Name === Name)!;
  const { IsLogging } = await client.send(new GetTrailStatusCommand({ Name }));
  const { EventSelectors } = await client.send(new GetEventSelectorsCommand({ TrailName: Name }));
  return { validates: LogFileValidationEnabled, logging: IsLogging, other: { ...trail, EventSelectors } };
}

const logging: RoundTrip<Trail> = {
  // Whether a trail was stopped or never started cannot be told apart after an undo, and means the same from then on.
  prior: trails({ logs: fc.constantFrom('never', 'stopped') }),
  arrange: makeTrail,
  async told(aws, name) {
    const { logging, validates, other } = await trailTold(aws, name);
    return { own: logging, other: { ...other, validates } };
  },
};

const digests: RoundTrip<Trail> = {
  prior: trails({ validates: fc.constant(false) }),
  arrange: makeTrail,
  async told(aws, name) {
    const { logging, validates, other } = await trailTold(aws, name);
    return { own: validates, other: { ...other, logging } };
  },
};

interface Url {
  readonly Cors?: Cors | undefined;
  readonly InvokeMode?: InvokeMode | undefined;
}

const zip = Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64');

const functionUrl: RoundTrip<Url> = {
  prior: someOf<Url>({
    Cors: someOf<Cors>({
      AllowOrigins: fc.subarray(['https://portal.example.com', 'https://example.com'], { minLength: 1 }),
      AllowMethods: fc.subarray(['GET', 'POST'], { minLength: 1 }),
      AllowCredentials: fc.boolean(),
      MaxAge: fc.integer({ min: 0, max: 86_400 }),
    }),
    InvokeMode: fc.constantFrom<InvokeMode>('BUFFERED', 'RESPONSE_STREAM'),
  }),
  async arrange(aws, url, FunctionName) {
    const AssumeRolePolicyDocument = '{"Version":"2012-10-17","Statement":[]}';
    const { Role } = await aws.client(IAMClient).send(new CreateRoleCommand({ RoleName: FunctionName, AssumeRolePolicyDocument }));
    const lambda = aws.client(LambdaClient);
    await lambda.send(new CreateFunctionCommand({ FunctionName, Role: Role!.Arn, Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile: zip } }));
    await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE', ...url }));
    return FunctionName;
  },
  async told(aws, FunctionName) {
    const answer = await aws.client(LambdaClient).send(new GetFunctionUrlConfigCommand({ FunctionName }));
    const { $metadata: _, AuthType, LastModifiedTime: __, ...other } = answer;
    return { own: AuthType, other };
  },
};

export const account = {
  'iam-password-policy-strong': passwordPolicy,
  'cloudtrail-logging-on': logging,
  'cloudtrail-log-validation': digests,
  'lambda-url-auth': functionUrl,
};
