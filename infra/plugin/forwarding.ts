/** The forwarder of one region, through CloudFormation: there, as the template says, or gone. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { fingerprint } from '../../engine/canonical.ts';
import { codeOf, TerminalError } from '../../engine/errors.ts';
import type { ForwarderTemplate } from '../forwarders.ts';

export interface Forwarder {
  readonly name: string;
  readonly template: ForwarderTemplate;
}

const pollSeconds = 3;
const longestWait = 20 * 60;

/** Waits while CloudFormation works. Undefined: there is no such stack. */
async function settled(client: CloudFormationClient, StackName: string): Promise<Stack | undefined> {
  for (let waited = 0; ; waited += pollSeconds) {
    const stack = await described(client, StackName);
    // A change set that nobody has executed, and nobody will.
    if (!stack?.StackStatus?.endsWith('_IN_PROGRESS') || stack.StackStatus === 'REVIEW_IN_PROGRESS') return stack;
    if (waited >= longestWait) throw new TerminalError(`${StackName} is still ${stack.StackStatus} after ${longestWait / 60} minutes`);
    await pause(pollSeconds * 1_000);
  }
}

async function described(client: CloudFormationClient, StackName: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks[0];
  } catch (error) {
    if (codeOf(error) === 'ValidationError' && (error as Error).message.includes('does not exist')) return undefined;
    throw error;
  }
}

/** What went wrong first; what follows it is cancelled because of it. */
async function reasonOf(client: CloudFormationClient, { StackId, StackName, StackStatus }: Stack): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: StackId ?? StackName }));
  // Newest first; only what belongs to the latest attempt, which the stack itself begins.
  const began = StackEvents.findIndex(
    ({ ResourceType, ResourceStatus = '' }) => ResourceType === 'AWS::CloudFormation::Stack' && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus),
  );
  const failed = StackEvents.slice(0, began < 0 ? undefined : began).findLast(({ ResourceStatus = '' }) => ResourceStatus.endsWith('_FAILED'));
  return `${StackStatus}${failed ? `: ${failed.LogicalResourceId}: ${failed.ResourceStatusReason ?? failed.ResourceStatus}` : ''}`;
}

/** A leftover that CloudFormation lets nobody update. */
const unusable = new Set(['CREATE_FAILED', 'DELETE_FAILED', 'REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'UPDATE_ROLLBACK_FAILED']);
const done = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE']);

const isOurs = ({ Description }: Stack, { template }: Forwarder): boolean => Description === template.Description;

/**
 * Makes or changes the forwarder, and waits for it.
 * @throws TerminalError with CloudFormation's reason; any other error as the region gave it
 */
export async function putForwarder(client: CloudFormationClient, forwarder: Forwarder): Promise<'made' | 'changed' | 'as it was'> {
  const { name: StackName, template } = forwarder;
  let before = await settled(client, StackName);
  if (before && !isOurs(before, forwarder)) throw new TerminalError(`there is a stack ${StackName} that is not a forwarder of this bot: ${before.Description}`);
  if (before && unusable.has(before.StackStatus!)) {
    await deleteStack(client, StackName);
    before = undefined;
  }
  const TemplateBody = JSON.stringify(template);
  if (before) {
    const { TemplateBody: live = '{}' } = await client.send(new GetTemplateCommand({ StackName }));
    if (fingerprint(JSON.parse(live)) === fingerprint(template)) return 'as it was';
  }
  await client.send(before ? new UpdateStackCommand({ StackName, TemplateBody }) : new CreateStackCommand({ StackName, TemplateBody }));
  const after = await settled(client, StackName);
  if (!after) throw new TerminalError(`${StackName} was deleted meanwhile`);
  if (!done.has(after.StackStatus!)) throw new TerminalError(await reasonOf(client, after));
  return before ? 'changed' : 'made';
}

async function deleteStack(client: CloudFormationClient, StackName: string): Promise<void> {
  await client.send(new DeleteStackCommand({ StackName }));
  const left = await settled(client, StackName);
  if (left && left.StackStatus !== 'DELETE_COMPLETE') throw new TerminalError(await reasonOf(client, left));
}

/** Deletes the forwarder of this bot, if it is there, and waits until it is gone. */
export async function dropForwarder(client: CloudFormationClient, forwarder: Forwarder): Promise<'gone' | 'was not there'> {
  const stack = await settled(client, forwarder.name);
  if (!stack || !isOurs(stack, forwarder)) return 'was not there';
  await deleteStack(client, forwarder.name);
  return 'gone';
}
