/** A listing tells where its next page begins, and goes on from there; what needs a call of its own is named only. */
import {
  DescribeFlowLogsCommand,
  DescribeImagesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { LambdaClient, ListAliasesCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import type { AnyStateControl } from '../../engine/control.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import ami from '../../remediations/ec2/ami-not-public.ts';
import snapshot from '../../remediations/ec2/ebs-snapshot-not-public.ts';
import volume from '../../remediations/ec2/ebs-volume-encrypted.ts';
import worldOpen from '../../remediations/ec2/security-group-no-world-ssh-rdp.ts';
import defaultGroup from '../../remediations/ec2/vpc-default-security-group-closed.ts';
import flowLogs from '../../remediations/ec2/vpc-flow-logs-enabled.ts';
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

/** `one` on the first page, `two` on the second. */
const onPages = (token: string | undefined): { readonly id: 'one' | 'two'; readonly next?: 'more' } => {
  if (token !== undefined && token !== 'more') throw new Error(`no such token: ${token}`);
  return token ? { id: 'two' } : { id: 'one', next: 'more' };
};
const nextToken = <Answer extends object>(answer: (id: string) => Answer) => ({
  answer: async ({ NextToken }: { NextToken?: string }) => {
    const { id, next } = onPages(NextToken);
    return { ...answer(id), ...(next && { NextToken: next }) };
  },
});
const world = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
const byList = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, PrefixListIds: [{ PrefixListId: 'pl-1' }] };
const groups = (name: string, IpPermissions: object[]) =>
  ec2()
    .on(DescribeSecurityGroupsCommand)
    .callsFake(nextToken((GroupId) => ({ SecurityGroups: [{ GroupId, GroupName: name, IpPermissions, IpPermissionsEgress: [] }] })).answer);
const keys = () =>
  install(mockClient(KMSClient))
    .on(ListKeysCommand)
    .callsFake(async ({ Marker }) => {
      const { id, next } = onPages(Marker);
      return { Keys: [{ KeyId: id, KeyArn: `arn:aws:kms:${region}:${accountId}:key/${id}` }], Truncated: Boolean(next), ...(next && { NextMarker: next }) };
    });

const listings: Readonly<Record<string, readonly [AnyStateControl, () => unknown, { readonly states: boolean }]>> = {
  images: [
    ami,
    () =>
      ec2()
        .on(DescribeImagesCommand)
        .callsFake(nextToken((ImageId) => ({ Images: [{ ImageId, Public: true }] })).answer),
    { states: true },
  ],
  'snapshots that can be public': [
    snapshot,
    () =>
      ec2()
        .on(DescribeSnapshotsCommand)
        .callsFake(nextToken((SnapshotId) => ({ Snapshots: [{ SnapshotId, OwnerId: accountId, Encrypted: false }] })).answer),
    { states: false },
  ],
  'encrypted snapshots, which cannot': [
    snapshot,
    () =>
      ec2()
        .on(DescribeSnapshotsCommand)
        .callsFake(nextToken((SnapshotId) => ({ Snapshots: [{ SnapshotId, OwnerId: accountId, Encrypted: true }] })).answer),
    { states: true },
  ],
  volumes: [
    volume,
    () =>
      ec2()
        .on(DescribeVolumesCommand)
        .callsFake(nextToken((VolumeId) => ({ Volumes: [{ VolumeId, Encrypted: true }] })).answer),
    { states: true },
  ],
  'security groups': [worldOpen, () => groups('web', [world]), { states: true }],
  'security groups that use a prefix list': [worldOpen, () => groups('web', [byList]), { states: false }],
  'default groups without rules': [defaultGroup, () => groups('default', []), { states: true }],
  'default groups whose users count': [defaultGroup, () => groups('default', [world]), { states: false }],
  VPCs: [
    flowLogs,
    () =>
      ec2()
        .on(DescribeFlowLogsCommand)
        .resolves({ FlowLogs: [] })
        .on(DescribeVpcsCommand)
        .callsFake(nextToken((VpcId) => ({ Vpcs: [{ VpcId, OwnerId: accountId }] })).answer),
    { states: true },
  ],
  'keys, for their deletion': [deletion, keys, { states: false }],
  'keys, for their rotation': [rotation, keys, { states: false }],
  functions: [
    urlAuth,
    () =>
      install(mockClient(LambdaClient))
        .on(ListAliasesCommand)
        .resolves({ Aliases: [] })
        .on(ListFunctionsCommand)
        .callsFake(async ({ Marker }) => {
          const { id, next } = onPages(Marker);
          return {
            Functions: [{ FunctionName: id, FunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${id}` }],
            ...(next && { NextMarker: next }),
          };
        }),
    { states: false },
  ],
};

describe('two pages of', () => {
  test.each(Object.entries(listings))('%s', async (_, [control, arrange, { states }]) => {
    arrange();
    const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
    const params = control.params.parse({});
    const list = async (from?: string) =>
      (await Array.fromAsync(control.list(aws, { params, ...(from && { from }) }))).map(({ resources, next }) => ({
        ids: resources.map(([{ id, type, accountId, region }]) => ({ name: /(one|two)$/.exec(id)?.[0], type, accountId, region })),
        states: resources.every((pair) => pair.length === 2),
        next,
      }));
    const at = (name: string) => [{ name, type: control.resourceType, accountId, region }];
    expect(await list()).toEqual([
      { ids: at('one'), states, next: 'more' },
      { ids: at('two'), states, next: undefined },
    ]);
    expect(await list('more')).toEqual([{ ids: at('two'), states, next: undefined }]);
  });
});
