import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFlowLogsCommand,
  CreateVpcCommand,
  DeleteFlowLogsCommand,
  DescribeFlowLogsCommand,
  DescribeVpcsCommand,
  EC2Client,
  type Tag,
  type TrafficType,
} from '@aws-sdk/client-ec2';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { change } from '../../../engine/model.ts';
import type { Aws } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/ec2/vpc-flow-logs-enabled.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';

const role = `arn:aws:iam::${accountId}:role/flow-logs`;
const toGroup = { deliverLogsPermissionArn: role };
const toBucket = { s3DestinationArn: 'arn:aws:s3:::flow-log-archive' };

async function vpc(admin: Aws) {
  const { Vpc } = await admin.client(EC2Client).send(new CreateVpcCommand({ CidrBlock: '10.1.0.0/16' }));
  await admin.client(S3Client).send(new CreateBucketCommand({ Bucket: 'flow-log-archive' }));
  return Vpc!.VpcId!;
}

const bare: Arrange = vpc;

async function group(admin: Aws, logGroupName: string, retentionInDays?: number) {
  const logs = admin.client(CloudWatchLogsClient);
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  if (retentionInDays) await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
}

const logged =
  (TrafficType: TrafficType, LogGroupName = 'network'): Arrange =>
  async (admin) => {
    const id = await vpc(admin);
    await group(admin, LogGroupName);
    await flowLog(admin, id, TrafficType, LogGroupName);
    return id;
  };

const flowLog = (admin: Aws, id: string, TrafficType: TrafficType, LogGroupName: string) =>
  admin
    .client(EC2Client)
    .send(new CreateFlowLogsCommand({ ResourceType: 'VPC', ResourceIds: [id], TrafficType, LogGroupName, DeliverLogsPermissionArn: role }));

/** moto, like AWS, lets a flow log be made for a group that is not there, and then reports that delivery failed. */
const failing =
  (named: (id: string) => string): Arrange =>
  async (admin) => {
    const id = await vpc(admin);
    await flowLog(admin, id, 'ALL', named(id));
    return id;
  };

/** The group that the fix would make is there already and keeps its logs for longer. */
const groupKept: Arrange = async (admin) => {
  const id = await vpc(admin);
  await group(admin, `/hipaa/vpc-flow-logs/${id}`, 3653);
  return id;
};

const retentionOf = async (admin: Aws, id: string) => {
  const { logGroups } = await admin
    .client(CloudWatchLogsClient)
    .send(new DescribeLogGroupsCommand({ logGroupNamePrefix: `/hipaa/vpc-flow-logs/${id.split('/')[1]}` }));
  return logGroups!.map(({ retentionInDays }) => retentionInDays);
};

const ec2 = (parts: object) => ({ eventSource: 'ec2.amazonaws.com', ...parts });
const created = ec2({ requestParameters: { cidrBlock: '10.0.0.0/16' }, responseElements: { vpc: { vpcId: 'vpc-1', state: 'pending' } } });
const creating = (ResourceId: unknown) => ec2({ requestParameters: { CreateFlowLogsRequest: { ResourceType: 'VPC', ResourceId, TrafficType: 'ALL' } } });

testControl(control, {
  params: toGroup,
  compliant: {
    'all traffic': logged('ALL'),
    'rejected traffic, which the default accepts': logged('REJECT'),
    'all traffic suffices whatever is accepted': { given: logged('ALL'), params: { acceptTraffic: [] } },
  },
  remediated: {
    'no flow log': {
      given: bare,
      annotation: 'no flow log',
      change: {
        before: [],
        after: [
          {
            trafficType: 'ALL',
            destinationType: 'cloud-watch-logs',
            destination: expect.stringMatching(/^\/hipaa\/vpc-flow-logs\/vpc-/) as unknown as string,
            roleArn: role,
            retentionDays: 2192,
          },
        ],
      },
      then: async (admin, id) => expect(await retentionOf(admin, id)).toEqual([2192]),
    },
    'the log group is there and keeps its longer retention': {
      given: groupKept,
      then: async (admin, id) => expect(await retentionOf(admin, id)).toEqual([3653]),
    },
    'to a bucket': {
      given: bare,
      params: toBucket,
      change: { after: [{ trafficType: 'ALL', destinationType: 's3', destination: toBucket.s3DestinationArn }] },
    },
    'only accepted traffic is logged, elsewhere': { given: logged('ACCEPT'), annotation: 'records ALL or REJECT' },
    'rejected traffic, where that is not enough': { given: logged('REJECT'), params: { ...toGroup, acceptTraffic: ['ALL'] } },
    'delivery elsewhere fails': { given: failing(() => 'deleted-group') },
  },
  blocked: {
    'nowhere to go': { given: bare, params: {}, reason: 'set the parameter deliverLogsPermissionArn' },
    'a flow log to the same group fails': { given: failing((id) => `/hipaa/vpc-flow-logs/${id}`), reason: 'does not deliver' },
  },
  gone: 'vpc-0123456789abcdef0',
  events: {
    CreateVpc: { detail: created, ids: ['vpc-1'] },
    CreateDefaultVpc: { detail: created, ids: ['vpc-1'] },
    'CreateVpc with null response': { detail: ec2({ responseElements: null }), sweep: true },
    CreateFlowLogs: { detail: creating({ tag: 1, content: 'vpc-1' }), ids: ['vpc-1'] },
    'CreateFlowLogs for two VPCs': {
      detail: creating([
        { tag: 1, content: 'vpc-1' },
        { tag: 2, content: 'vpc-2' },
      ]),
      ids: ['vpc-1', 'vpc-2'],
    },
    'CreateFlowLogs for a subnet': { detail: creating({ tag: 1, content: 'subnet-1' }), sweep: true },
    DeleteVpc: { detail: ec2({ requestParameters: { vpcId: 'vpc-1' }, responseElements: { _return: true } }), ids: ['vpc-1'] },
    DeleteFlowLogs: { detail: ec2({ requestParameters: { DeleteFlowLogsRequest: { FlowLogId: { content: 'fl-1', tag: 1 } } } }), sweep: true },
  },
});

test.each(['remediate', 'undo'] as const)('%s: an error inside a 200 is an error', async (phase) => {
  const refused = { Unsuccessful: [{ ResourceId: 'vpc-1', Error: { Code: '400', Message: 'LogDestination does not exist' } }] };
  const recording = { trafficType: 'ALL', destinationType: 's3', destination: toBucket.s3DestinationArn } as const;
  const own = { FlowLogId: 'fl-1', ResourceId: 'vpc-1', TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: recording.destination } as const;
  const mock = mockClient(EC2Client);
  mock.on(DescribeFlowLogsCommand).resolves({ FlowLogs: phase === 'undo' ? [own] : [] });
  mock.on(CreateFlowLogsCommand).resolves(refused);
  mock.on(DeleteFlowLogsCommand).resolves(refused);
  try {
    const aws = awsAccess()({ accountId, region }, { share: false });
    const resource = { accountId, region, type: control.resourceType, id: `arn:aws:ec2:${region}:${accountId}:vpc/vpc-1` };
    const planned = change({ action: 'ec2:CreateFlowLogs', summary: 'Log', before: [], after: [recording] });
    await expect(control[phase]!(resource, planned, aws, { findingId: 'f-1' })).rejects.toThrow('LogDestination does not exist');
  } finally {
    mock.restore();
  }
});

test.each([
  ['to a log group', toGroup, { roleArn: role, service: 'vpc-flow-logs.amazonaws.com' }],
  ['to a bucket', toBucket, undefined],
  ['to a bucket although there is a role', { ...toGroup, ...toBucket }, undefined],
  ['nowhere', {}, undefined],
])('the role that is handed over: %s', (_, params, expected) => {
  expect(control.passRole!(control.params.parse(params))).toEqual(expected);
});

test.each([{ deliverLogsPermissionArn: 'flow-logs' }, { s3DestinationArn: 'flow-log-archive' }, { logGroupPrefix: '' }, { retentionDays: 2000 }])(
  'a parameter that AWS would refuse is refused: %j',
  (params) => {
    expect(control.params.safeParse(params).success).toBe(false);
  },
);

test('the setting is the flow log that the fix made: an undo is not refused for another that came later', async () => {
  const log = (FlowLogId: string, LogGroupName: string, Tags?: Tag[]) => ({
    FlowLogId,
    LogGroupName,
    Tags,
    TrafficType: 'ALL' as const,
    FlowLogStatus: 'ACTIVE',
  });
  const made = log('fl-1', '/hipaa/vpc-flow-logs/vpc-1', [{ Key: 'phidelity', Value: 'vpc-flow-logs-enabled' }]);
  const mock = mockClient(EC2Client);
  mock.on(DescribeVpcsCommand).resolves({ Vpcs: [{ VpcId: 'vpc-1' }] });
  mock.on(DescribeFlowLogsCommand).resolves({ FlowLogs: [log('fl-2', 'network', [{ Key: 'team', Value: 'network' }]), made] });
  try {
    const resource = { accountId, region, type: control.resourceType, id: `arn:aws:ec2:${region}:${accountId}:vpc/vpc-1` };
    const state = await control.inspect(resource, awsAccess()({ accountId, region }, { share: false }));
    expect(control.setting!(state!)).toEqual([{ trafficType: 'ALL', destinationType: 'cloud-watch-logs', destination: made.LogGroupName }]);
  } finally {
    mock.restore();
  }
});
