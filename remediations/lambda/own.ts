/** What the bot reads of its own functions, their roles and their stack. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { IAMClient, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { GetFunctionConcurrencyCommand, GetFunctionConfigurationCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { type Aws, orUndefined, type ResourceIds } from '../define.ts';
import { urlNamed } from './lambda.ts';

export interface Mapping {
  /** ARN of the queue. */
  readonly source: string;
  /** https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html */
  readonly state: string;
}

export interface OwnFunction {
  readonly codeSha256: string;
  /** Pending, Active, Inactive or Failed. */
  readonly state: string;
  readonly roleArn: string;
  /** Absent: none is reserved. */
  readonly reserved?: number;
  readonly mappings: readonly Mapping[];
  /** ARNs of the managed policies of its role; absent: the role is gone. */
  readonly policies?: readonly string[];
  /** Names of the inline policies of its role. */
  readonly inline: readonly string[];
}

const nameOf = (functionArn: string): string => functionArn.split(':')[6] ?? '';
const roleNameOf = (roleArn: string): string => roleArn.slice(roleArn.lastIndexOf('/') + 1);

/** Undefined: there is no such function. */
export async function ownFunctionOf(aws: Aws, functionArn: string): Promise<OwnFunction | undefined> {
  const lambda = aws.client(LambdaClient);
  const FunctionName = nameOf(functionArn);
  const found = await orUndefined(lambda.send(new GetFunctionConfigurationCommand({ FunctionName })), 'ResourceNotFoundException');
  if (!found) return undefined;
  const concurrency = await orUndefined(lambda.send(new GetFunctionConcurrencyCommand({ FunctionName })), 'ResourceNotFoundException');
  const reserved = concurrency?.ReservedConcurrentExecutions ?? undefined;
  // A page holds a hundred, a function of the bot has two.
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
  const { Role: roleArn = '' } = found;
  return {
    codeSha256: found.CodeSha256 ?? '',
    state: found.State ?? 'Active',
    roleArn,
    ...(reserved !== undefined && { reserved }),
    mappings: EventSourceMappings.map(({ EventSourceArn = '', State = '' }) => ({ source: EventSourceArn, state: State })),
    ...(await policiesOf(aws, roleNameOf(roleArn))),
  };
}

/** A role has ten managed policies, or twenty-five where AWS has raised it; a page holds a hundred. */
async function policiesOf(aws: Aws, RoleName: string): Promise<Pick<OwnFunction, 'policies' | 'inline'>> {
  const iam = aws.client(IAMClient);
  const attached = await orUndefined(iam.send(new ListAttachedRolePoliciesCommand({ RoleName })), 'NoSuchEntityException', 'NoSuchEntity');
  if (!attached) return { inline: [] };
  const inline = await orUndefined(iam.send(new ListRolePoliciesCommand({ RoleName })), 'NoSuchEntityException', 'NoSuchEntity');
  return { policies: (attached.AttachedPolicies ?? []).map(({ PolicyArn = '' }) => PolicyArn), inline: inline?.PolicyNames ?? [] };
}

/** The framework names a function after its stack: `STACK-detect`. */
export const stackOf = (functionArn: string): string => nameOf(functionArn).replace(/-[^-]*$/, '');

export interface StackUpdate {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
  readonly status: string;
  /** When the last deploy began, ISO 8601. */
  readonly began: string;
}

/** Undefined: there is no such stack. */
export async function stackUpdateOf(aws: Aws, StackName: string): Promise<StackUpdate | undefined> {
  const answer = await orUndefined(aws.client(CloudFormationClient).send(new DescribeStacksCommand({ StackName })), 'ValidationError');
  const [stack] = answer?.Stacks ?? [];
  const began = stack?.LastUpdatedTime ?? stack?.CreationTime;
  return stack && { status: stack.StackStatus ?? '', began: began?.toISOString() ?? '' };
}

/** The function that a call is about, whichever version or alias of it the call names. */
export const functionNamed: ResourceIds = (detail) =>
  [...urlNamed(detail)].map((id) => (id?.startsWith('arn:') ? id.split(':').slice(0, 7).join(':') : id?.split(':')[0]));
