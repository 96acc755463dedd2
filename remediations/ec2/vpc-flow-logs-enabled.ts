import { DescribeVpcsCommand, EC2Client, type FlowLog, paginateDescribeVpcs } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  blocked,
  change,
  compliant,
  defineControl,
  idsAt,
  leafOf,
  listed,
  nonCompliant,
  orUndefined,
  pagesOf,
  type ResourceIds,
  refTo,
  required,
  unnamed,
} from '../define.ts';
import { onEc2Calls } from './ec2.ts';
import { eraseMade, flowLogsOf, isMade, ofVpc, type Recording, record, recordingOf } from './flow-logs.ts';

const vpcs = { resourceType: 'AWS::EC2::VPC', arn: 'arn:{partition}:ec2:{region}:{account}:vpc/{id}' };

interface State {
  readonly vpcId: string;
  readonly flowLogs: readonly (Recording & { readonly delivers: boolean; readonly made: boolean })[];
}

const stateOf = (vpcId: string, flowLogs: readonly FlowLog[]): State => ({
  vpcId,
  flowLogs: flowLogs.map((log) => ({
    ...recordingOf(log),
    delivers: log.FlowLogStatus === 'ACTIVE' && log.DeliverLogsStatus !== 'FAILED',
    made: isMade(log),
  })),
});

/** A flow log can also be made for a subnet or an interface: then no VPC is named. */
const monitored: ResourceIds = (detail) =>
  [...idsAt('requestParameters.CreateFlowLogsRequest.ResourceId[].content')(detail)].filter((id) => id?.startsWith('vpc-'));

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
const retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;

export default defineControl({
  id: 'vpc-flow-logs-enabled',
  title: 'Every VPC has an active flow log',
  rationale: 'Without flow logs nobody can tell afterwards where ePHI went on the network.',
  severity: 'MEDIUM',
  ...vpcs,
  scope: 'regional',
  hipaa: [
    { section: '164.312(b)', specification: 'standard', rationale: 'Records activity in networks that carry ePHI.' },
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Gives the review of system activity something to review.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'Lets a response to an incident see what was reached.' },
  ],
  related: { securityHub: ['EC2.6'], configRule: ['vpc-flow-logs-enabled'], prowler: ['vpc_flow_logs_enabled'] },
  triggers: [
    onEc2Calls(['CreateVpc', 'CreateDefaultVpc'], idsAt('responseElements.vpc.vpcId')),
    onEc2Calls(['CreateFlowLogs'], monitored),
    // Names only fl- ids, and they are gone.
    onEc2Calls(['DeleteFlowLogs'], unnamed, ['DeleteFlowLogs']),
    onEc2Calls(['DeleteVpc'], idsAt('requestParameters.vpcId')),
    { source: 'config', resourceType: vpcs.resourceType },
  ],
  params: z.strictObject({
    acceptTraffic: z
      .array(z.enum(['ALL', 'ACCEPT', 'REJECT']))
      .default(['ALL', 'REJECT'])
      .describe('Traffic types that suffice; the fix records ALL, which always does'),
    deliverLogsPermissionArn: z
      .string()
      .regex(/^$|^arn:[a-z-]+:iam::\d{12}:role\/.+$/)
      .default('')
      .describe('Role that vpc-flow-logs.amazonaws.com may assume to write to CloudWatch Logs; the fix sends there when no bucket is given'),
    logGroupPrefix: z
      .string()
      .regex(/^[\w./#-]+$/)
      .default('/hipaa/vpc-flow-logs/')
      .describe('Name of the log group; the VPC id is added to it'),
    retentionDays: z.literal(retentions).default(2192).describe('Of a log group that the fix makes; one that exists is left as it is'),
    s3DestinationArn: z
      .string()
      .regex(/^$|^arn:[a-z-]+:s3:::.+$/)
      .default('')
      .describe('Bucket, or folder in it, whose policy lets delivery.logs.amazonaws.com write; the fix sends there and not to CloudWatch Logs'),
  }),
  reads: 2,
  writes: ['ec2:vpc-flow-logs'],
  permissions: {
    inspect: ['ec2:DescribeVpcs', 'ec2:DescribeFlowLogs'],
    remediate: [
      'ec2:DescribeFlowLogs',
      'ec2:CreateFlowLogs',
      'ec2:CreateTags',
      'iam:PassRole',
      'logs:CreateLogDelivery',
      'logs:CreateLogGroup',
      'logs:DescribeLogGroups',
      'logs:PutRetentionPolicy',
    ],
    undo: ['ec2:DescribeFlowLogs', 'ec2:DeleteFlowLogs', 'logs:DeleteLogDelivery'],
  },
  passRole: ({ deliverLogsPermissionArn: roleArn, s3DestinationArn }) =>
    roleArn && !s3DestinationArn ? { roleArn, service: 'vpc-flow-logs.amazonaws.com' } : undefined,
  impact: 'Delivery and storage of the logs cost money; traffic is not touched. Undo leaves the log group.',
  defaultMode: 'fix',

  async *list(aws, { from: startingToken }) {
    const byVpc = Map.groupBy(await flowLogsOf(aws), ({ ResourceId }) => ResourceId);
    yield* pagesOf(
      paginateDescribeVpcs({ client: aws.client(EC2Client), startingToken }, { MaxResults: 1_000 }),
      ({ NextToken }) => NextToken,
      ({ Vpcs }) =>
        required(Vpcs, 'Vpcs')
          // Only its owner can log a VPC whose subnets are shared.
          .filter(({ OwnerId }) => OwnerId === aws.accountId)
          .map(({ VpcId = '' }) => listed(refTo(vpcs, aws, VpcId), () => stateOf(VpcId, byVpc.get(VpcId) ?? []))),
    );
  },

  async inspect(resource, aws) {
    const vpcId = leafOf(resource);
    const vpc = await orUndefined(aws.client(EC2Client).send(new DescribeVpcsCommand({ VpcIds: [vpcId] })), 'InvalidVpcID.NotFound');
    return vpc && stateOf(vpcId, await flowLogsOf(aws, ofVpc(vpcId)));
  },

  evaluate({ flowLogs }, { acceptTraffic }) {
    if (flowLogs.length === 0) return nonCompliant('The VPC has no flow log.');
    return flowLogs.some(({ delivers, trafficType }) => delivers && ['ALL', ...acceptTraffic].includes(trafficType))
      ? compliant('A flow log of the VPC is active and delivers.')
      : nonCompliant(`None of the flow logs of the VPC is active, delivers and records ${[...new Set(['ALL', ...acceptTraffic])].join(' or ')}.`);
  },

  plan({ vpcId, flowLogs }, { deliverLogsPermissionArn: roleArn, logGroupPrefix, retentionDays, s3DestinationArn }) {
    if (!roleArn && !s3DestinationArn) {
      return blocked(
        'A flow log needs somewhere to go: set the parameter deliverLogsPermissionArn (a role for CloudWatch Logs) or s3DestinationArn (a bucket).',
      );
    }
    const wanted: Recording = s3DestinationArn
      ? { trafficType: 'ALL', destinationType: 's3', destination: s3DestinationArn }
      : { trafficType: 'ALL', destinationType: 'cloud-watch-logs', destination: `${logGroupPrefix}${vpcId}`, roleArn, retentionDays };
    if (flowLogs.some(({ destination, delivers }) => destination === wanted.destination && !delivers)) {
      return blocked(`A flow log to ${wanted.destination} exists and does not deliver: mend its role, group or bucket policy, then make it anew.`);
    }
    return change<readonly Recording[]>({
      action: 'ec2:CreateFlowLogs',
      summary: `Log all traffic of ${vpcId} to ${wanted.destination}`,
      before: [],
      after: [wanted],
    });
  },

  setting: ({ flowLogs }) =>
    flowLogs
      .filter(({ made }) => made)
      .map(({ trafficType, destinationType, destination }) => ({ trafficType, destinationType, destination }))
      .sort((one, other) => (one.destination + one.trafficType < other.destination + other.trafficType ? -1 : 1)),

  async remediate(resource, { after }, aws) {
    for (const wanted of after) await record(aws, leafOf(resource), wanted);
  },

  async undo(resource, { after }, aws) {
    for (const recording of after) await eraseMade(aws, leafOf(resource), recording);
  },
});
