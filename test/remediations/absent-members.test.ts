/** A member that AWS always sends and that is not there is no verdict: neither compliant nor gone. */
import { CloudTrailClient, DescribeTrailsCommand, GetTrailStatusCommand } from '@aws-sdk/client-cloudtrail';
import {
  DescribeFlowLogsCommand,
  DescribeImagesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
  GetEbsEncryptionByDefaultCommand,
  GetManagedPrefixListEntriesCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  type IpPermission,
} from '@aws-sdk/client-ec2';
import { GetAccountPasswordPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetFunctionUrlConfigCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { arnFrom } from '../../engine/arn.ts';
import type { AnyStateControl } from '../../engine/control.ts';
import { TerminalError } from '../../engine/errors.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import logValidation from '../../remediations/cloudtrail/cloudtrail-log-validation.ts';
import loggingOn from '../../remediations/cloudtrail/cloudtrail-logging-on.ts';
import ami from '../../remediations/ec2/ami-not-public.ts';
import encryptionByDefault from '../../remediations/ec2/ebs-encryption-by-default.ts';
import blockPublicAccess from '../../remediations/ec2/ebs-snapshot-block-public-access.ts';
import snapshot from '../../remediations/ec2/ebs-snapshot-not-public.ts';
import volume from '../../remediations/ec2/ebs-volume-encrypted.ts';
import worldOpen from '../../remediations/ec2/security-group-no-world-ssh-rdp.ts';
import flowLogs from '../../remediations/ec2/vpc-flow-logs-enabled.ts';
import passwordPolicy from '../../remediations/iam/iam-password-policy-strong.ts';
import deletion from '../../remediations/kms/kms-key-not-scheduled-for-deletion.ts';
import rotation from '../../remediations/kms/kms-key-rotation-enabled.ts';
import urlAuth from '../../remediations/lambda/lambda-url-auth.ts';
import { accountId, region } from '../support/control-tester.ts';

const clients: { restore(): void }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.restore();
});
const install = <Mock extends { restore(): void }>(mock: Mock): Mock => {
  clients.push(mock);
  return mock;
};
const ec2 = () => install(mockClient(EC2Client));
const kms = () => install(mockClient(KMSClient));
const trails = () => install(mockClient(CloudTrailClient));
const passwords = () => install(mockClient(IAMClient)).on(GetAccountPasswordPolicyCommand);

const group = (...IpPermissions: IpPermission[]) =>
  ec2()
    .on(DescribeSecurityGroupsCommand)
    .resolves({ SecurityGroups: [{ GroupId: 'x', GroupName: 'web', IpPermissions, IpPermissionsEgress: [] }] });
const ssh = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22 };
const key = { KeyId: 'x', KeyManager: 'CUSTOMER', KeySpec: 'SYMMETRIC_DEFAULT', Origin: 'AWS_KMS', KeyState: 'Enabled' } as const;

const answers: Readonly<Record<string, readonly [AnyStateControl, () => unknown]>> = {
  Images: [ami, () => ec2().on(DescribeImagesCommand).resolves({})],
  Public: [
    ami,
    () =>
      ec2()
        .on(DescribeImagesCommand)
        .resolves({ Images: [{ ImageId: 'x' }] }),
  ],
  EbsEncryptionByDefault: [encryptionByDefault, () => ec2().on(GetEbsEncryptionByDefaultCommand).resolves({})],
  State: [blockPublicAccess, () => ec2().on(GetSnapshotBlockPublicAccessStateCommand).resolves({})],
  Snapshots: [
    blockPublicAccess,
    () => ec2().on(GetSnapshotBlockPublicAccessStateCommand).resolves({ State: 'unblocked' }).on(DescribeSnapshotsCommand).resolves({}),
  ],
  CreateVolumePermissions: [snapshot, () => ec2().on(DescribeSnapshotAttributeCommand).resolves({ SnapshotId: 'x' })],
  Volumes: [volume, () => ec2().on(DescribeVolumesCommand).resolves({})],
  Encrypted: [
    volume,
    () =>
      ec2()
        .on(DescribeVolumesCommand)
        .resolves({ Volumes: [{ VolumeId: 'x' }] }),
  ],
  SecurityGroups: [worldOpen, () => ec2().on(DescribeSecurityGroupsCommand).resolves({})],
  IpPermissions: [
    worldOpen,
    () =>
      ec2()
        .on(DescribeSecurityGroupsCommand)
        .resolves({ SecurityGroups: [{ GroupId: 'x', GroupName: 'web', IpPermissionsEgress: [] }] }),
  ],
  'the protocol of a rule': [worldOpen, () => group({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] })],
  'the source of a rule': [worldOpen, () => group({ ...ssh, IpRanges: [{ Description: 'office' }] })],
  'any source of a rule': [worldOpen, () => group(ssh)],
  Entries: [
    worldOpen,
    () =>
      group({ ...ssh, PrefixListIds: [{ PrefixListId: 'pl-1' }] })
        .on(GetManagedPrefixListEntriesCommand)
        .resolves({}),
  ],
  Cidr: [
    worldOpen,
    () =>
      group({ ...ssh, PrefixListIds: [{ PrefixListId: 'pl-1' }] })
        .on(GetManagedPrefixListEntriesCommand)
        .resolves({ Entries: [{}] }),
  ],
  FlowLogs: [
    flowLogs,
    () =>
      ec2()
        .on(DescribeVpcsCommand)
        .resolves({ Vpcs: [{}] })
        .on(DescribeFlowLogsCommand)
        .resolves({}),
  ],
  TrafficType: [
    flowLogs,
    () =>
      ec2()
        .on(DescribeVpcsCommand)
        .resolves({ Vpcs: [{}] })
        .on(DescribeFlowLogsCommand)
        .resolves({ FlowLogs: [{ FlowLogStatus: 'ACTIVE' }] }),
  ],
  trailList: [logValidation, () => trails().on(DescribeTrailsCommand).resolves({})],
  LogFileValidationEnabled: [
    logValidation,
    () =>
      trails()
        .on(DescribeTrailsCommand)
        .resolves({ trailList: [{ TrailARN: arnFrom(logValidation.arn, { accountId, region }, 'x') }] }),
  ],
  IsLogging: [loggingOn, () => trails().on(GetTrailStatusCommand).resolves({})],
  PasswordPolicy: [passwordPolicy, () => passwords().resolves({ PasswordPolicy: undefined })],
  MinimumPasswordLength: [passwordPolicy, () => passwords().resolves({ PasswordPolicy: { RequireSymbols: true } as never })],
  KeyMetadata: [rotation, () => kms().on(DescribeKeyCommand).resolves({})],
  KeyState: [
    deletion,
    () =>
      kms()
        .on(DescribeKeyCommand)
        .resolves({ KeyMetadata: { ...key, KeyState: undefined } }),
  ],
  KeySpec: [
    rotation,
    () =>
      kms()
        .on(DescribeKeyCommand)
        .resolves({ KeyMetadata: { ...key, KeySpec: undefined } }),
  ],
  Origin: [
    rotation,
    () =>
      kms()
        .on(DescribeKeyCommand)
        .resolves({ KeyMetadata: { ...key, Origin: undefined } }),
  ],
  KeyRotationEnabled: [rotation, () => kms().on(DescribeKeyCommand).resolves({ KeyMetadata: key }).on(GetKeyRotationStatusCommand).resolves({})],
  AuthType: [
    urlAuth,
    () =>
      install(mockClient(LambdaClient))
        .on(GetFunctionUrlConfigCommand)
        .resolves({ FunctionUrl: 'https://abc.lambda-url.us-east-1.on.aws/', AuthType: undefined }),
  ],
};

const place = () => awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });

describe('an answer of AWS without a member it always sends', () => {
  test.each(Object.entries(answers))('%s', async (member, [control, arrange]) => {
    arrange();
    const resource = { accountId, region, type: control.resourceType, id: arnFrom(control.arn, { accountId, region }, 'x') };
    await expect(control.inspect(resource, place())).rejects.toEqual(new TerminalError(`AWS answered without ${member}`));
  });

  test('in a listing: the one resource is left to inspect, the others keep their states', async () => {
    const whole = { IpPermissions: [], IpPermissionsEgress: [] };
    ec2()
      .on(DescribeSecurityGroupsCommand)
      .resolves({
        SecurityGroups: [
          { GroupId: 'one', GroupName: 'web' },
          { GroupId: 'two', GroupName: 'web', ...whole },
        ],
        NextToken: undefined,
      });
    const [page] = await Array.fromAsync(worldOpen.list(place(), { params: worldOpen.params.parse({}) }));
    expect(page?.resources.map(([{ id }, ...state]) => [id.split('/')[1], ...state])).toEqual([['one'], ['two', { ingress: [], worldLists: [] }]]);
  });
});
