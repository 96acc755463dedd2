/** Flow logs of VPCs: read, made where none delivers, and deleted again by undo. */
import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFlowLogsCommand,
  DeleteFlowLogsCommand,
  EC2Client,
  type Filter,
  type FlowLog,
  type LogDestinationType,
  paginateDescribeFlowLogs,
  type TrafficType,
  type UnsuccessfulItem,
} from '@aws-sdk/client-ec2';
import { type Aws, required } from '../define.ts';

/** What a flow log records and where it goes. */
export interface Recording {
  readonly trafficType: TrafficType;
  readonly destinationType: LogDestinationType;
  /** Name of the log group, else the ARN. */
  readonly destination: string;
  /** Needed to make one; not part of the setting. */
  readonly roleArn?: string;
  readonly retentionDays?: number;
}

export const recordingOf = ({ TrafficType, LogDestinationType = 'cloud-watch-logs', LogGroupName, LogDestination = '' }: FlowLog): Recording => ({
  trafficType: required(TrafficType, 'TrafficType'),
  destinationType: LogDestinationType,
  destination: LogGroupName ?? LogDestination,
});

// Undo must delete the flow log that the fix made and no other.
const mark = { Key: 'phidelity', Value: 'vpc-flow-logs-enabled' };

export const isMade = ({ Tags = [] }: FlowLog): boolean => Tags.some(({ Key, Value }) => Key === mark.Key && Value === mark.Value);

export async function flowLogsOf(aws: Aws, ...filters: Filter[]): Promise<FlowLog[]> {
  const found: FlowLog[] = [];
  const pages = paginateDescribeFlowLogs({ client: aws.client(EC2Client) }, { Filter: filters, MaxResults: 1_000 });
  for await (const { FlowLogs } of pages) found.push(...required(FlowLogs, 'FlowLogs'));
  return found;
}

export const ofVpc = (vpcId: string): Filter => ({ Name: 'resource-id', Values: [vpcId] });

async function made(aws: Aws, vpcId: string, { destination }: Recording): Promise<string[]> {
  const marked = await flowLogsOf(aws, ofVpc(vpcId), { Name: `tag:${mark.Key}`, Values: [mark.Value] });
  return marked.filter((log) => recordingOf(log).destination === destination).map(({ FlowLogId = '' }) => FlowLogId);
}

/** Makes the flow log, and its log group where that is absent. */
export async function record(aws: Aws, vpcId: string, wanted: Recording): Promise<void> {
  if ((await made(aws, vpcId, wanted)).length > 0) return;
  const inGroup = wanted.destinationType === 'cloud-watch-logs';
  if (inGroup) await makeLogGroup(aws, wanted);
  const { Unsuccessful } = await aws.client(EC2Client).send(
    new CreateFlowLogsCommand({
      ResourceType: 'VPC',
      ResourceIds: [vpcId],
      TrafficType: wanted.trafficType,
      TagSpecifications: [{ ResourceType: 'vpc-flow-log', Tags: [mark] }],
      ...(inGroup
        ? { LogDestinationType: 'cloud-watch-logs', LogGroupName: wanted.destination, DeliverLogsPermissionArn: wanted.roleArn }
        : { LogDestinationType: 's3', LogDestination: wanted.destination }),
    }),
  );
  refuse('CreateFlowLogs', Unsuccessful);
}

/** A group that exists keeps its retention: lowering it would delete logs. */
async function makeLogGroup(aws: Aws, { destination: logGroupName, retentionDays: retentionInDays }: Recording): Promise<void> {
  const logs = aws.client(CloudWatchLogsClient);
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
  if (logGroups.some((group) => group.logGroupName === logGroupName)) return;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
}

/** Deletes what `record` made; the log group stays. */
export async function eraseMade(aws: Aws, vpcId: string, recording: Recording): Promise<void> {
  const FlowLogIds = await made(aws, vpcId, recording);
  if (FlowLogIds.length === 0) return;
  const { Unsuccessful } = await aws.client(EC2Client).send(new DeleteFlowLogsCommand({ FlowLogIds }));
  refuse('DeleteFlowLogs', Unsuccessful);
}

/** These calls answer 200 with their errors inside. */
function refuse(call: string, unsuccessful: readonly UnsuccessfulItem[] = []): void {
  const [first] = unsuccessful;
  if (first) throw new Error(`${call}: ${first.Error?.Code} ${first.Error?.Message}`);
}
