/** Each state that CloudFormation can leave a forwarder in, played by a small CloudFormation. */
import {
  CloudFormationClient,
  CloudFormationServiceException,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  type StackStatus,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { forwarderOf } from '../../../infra/forwarders.ts';
import { dropForwarder, putForwarder } from '../../../infra/plugin/forwarding.ts';

const home = { stackName: 'phidelity-dev', region: 'us-east-2', forwarderRoleArn: 'arn:aws:iam::123456789012:role/f' };
const template = forwarderOf([], home);
const older = forwarderOf([], { ...home, forwarderRoleArn: 'arn:aws:iam::123456789012:role/before' });
const forwarder = { name: 'phidelity-dev-forwarder', template };

const mock = mockClient(CloudFormationClient);
const client = new CloudFormationClient({ region: 'us-west-2', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

interface Live {
  status: StackStatus;
  body: string;
}
let live: Live | undefined;
let calls: string[];

const refusal = (name: string, message: string) => new CloudFormationServiceException({ name, message, $fault: 'client', $metadata: {} });

beforeEach(() => {
  live = undefined;
  calls = [];
  mock.reset();
  mock.on(DescribeStacksCommand).callsFake(async ({ StackName }) => {
    if (!live) throw refusal('ValidationError', `Stack with id ${StackName} does not exist`);
    const { Description } = JSON.parse(live.body) as { Description: string };
    return { Stacks: [{ StackName, StackStatus: live.status, Description, CreationTime: new Date(0) }] };
  });
  mock.on(GetTemplateCommand).callsFake(async () => ({ TemplateBody: live!.body }));
  mock.on(DescribeStackEventsCommand).callsFake(async () => ({
    StackEvents: [
      { LogicalResourceId: 'forwarder', ResourceType: 'AWS::CloudFormation::Stack', ResourceStatus: 'ROLLBACK_COMPLETE' },
      {
        LogicalResourceId: 'RuleS3Api',
        ResourceType: 'AWS::Events::Rule',
        ResourceStatus: 'CREATE_FAILED',
        ResourceStatusReason: 'Resource creation cancelled',
      },
      { LogicalResourceId: 'TargetDlq', ResourceType: 'AWS::SQS::Queue', ResourceStatus: 'CREATE_FAILED', ResourceStatusReason: 'denied by a policy' },
      { LogicalResourceId: 'forwarder', ResourceType: 'AWS::CloudFormation::Stack', ResourceStatus: 'CREATE_IN_PROGRESS' },
      { LogicalResourceId: 'Old', ResourceType: 'AWS::SQS::Queue', ResourceStatus: 'CREATE_FAILED', ResourceStatusReason: 'an earlier attempt' },
    ],
  }));
  mock.on(CreateStackCommand).callsFake(async ({ TemplateBody }) => {
    calls.push('create');
    live = { status: 'CREATE_COMPLETE', body: TemplateBody };
    return {};
  });
  mock.on(UpdateStackCommand).callsFake(async ({ TemplateBody }) => {
    calls.push('update');
    live = { status: 'UPDATE_COMPLETE', body: TemplateBody };
    return {};
  });
  mock.on(DeleteStackCommand).callsFake(async () => {
    calls.push('delete');
    live = undefined;
    return {};
  });
});

const now = JSON.stringify(template);
const before = JSON.stringify(older);

describe('putting', () => {
  const cases: Record<string, [there: Live | undefined, answer: string, calls: string[]]> = {
    'none there': [undefined, 'made', ['create']],
    'the same template': [{ status: 'CREATE_COMPLETE', body: now }, 'as it was', []],
    'the same template with its members in another order': [
      { status: 'UPDATE_COMPLETE', body: JSON.stringify(Object.fromEntries(Object.entries(template).reverse())) },
      'as it was',
      [],
    ],
    'an older template': [{ status: 'CREATE_COMPLETE', body: before }, 'changed', ['update']],
    'rolled back to an older template': [{ status: 'UPDATE_ROLLBACK_COMPLETE', body: before }, 'changed', ['update']],
    'rolled back to this template': [{ status: 'UPDATE_ROLLBACK_COMPLETE', body: now }, 'as it was', []],
    'never made: ROLLBACK_COMPLETE': [{ status: 'ROLLBACK_COMPLETE', body: now }, 'made', ['delete', 'create']],
    'half removed: DELETE_FAILED': [{ status: 'DELETE_FAILED', body: now }, 'made', ['delete', 'create']],
    'a change set nobody executed': [{ status: 'REVIEW_IN_PROGRESS', body: now }, 'made', ['delete', 'create']],
  };
  test.each(Object.entries(cases))('%s', async (_, [there, answer, expected]) => {
    live = there;
    expect(await putForwarder(client, forwarder)).toBe(answer);
    expect(calls).toEqual(expected);
    expect(live?.body && JSON.parse(live.body)).toEqual(template);
  });

  test('what CloudFormation rolls back is told with the first reason of this attempt', async () => {
    mock.on(CreateStackCommand).callsFake(async ({ TemplateBody }) => {
      live = { status: 'ROLLBACK_COMPLETE', body: TemplateBody };
      return {};
    });
    await expect(putForwarder(client, forwarder)).rejects.toThrow('ROLLBACK_COMPLETE: TargetDlq: denied by a policy');
  });

  test('a region that refuses is told in its own words', async () => {
    mock.on(DescribeStacksCommand).rejects(refusal('AccessDenied', 'with an explicit deny in a service control policy'));
    await expect(putForwarder(client, forwarder)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('a stack of that name that belongs to another bot is left alone', async () => {
    live = { status: 'CREATE_COMPLETE', body: JSON.stringify(forwarderOf([], { ...home, region: 'us-east-1' })) };
    await expect(putForwarder(client, forwarder)).rejects.toThrow('not a forwarder of this bot');
    expect(calls).toEqual([]);
  });
});

describe('dropping', () => {
  const cases: Record<string, [there: Live | undefined, answer: string, calls: string[]]> = {
    'none there': [undefined, 'was not there', []],
    'ours, of whatever template': [{ status: 'CREATE_COMPLETE', body: before }, 'gone', ['delete']],
    'ours, never made': [{ status: 'ROLLBACK_COMPLETE', body: before }, 'gone', ['delete']],
    'of another bot': [{ status: 'CREATE_COMPLETE', body: JSON.stringify(forwarderOf([], { ...home, region: 'us-east-1' })) }, 'was not there', []],
  };
  test.each(Object.entries(cases))('%s', async (_, [there, answer, expected]) => {
    live = there;
    expect(await dropForwarder(client, forwarder)).toBe(answer);
    expect(calls).toEqual(expected);
  });

  test('one that cannot be deleted is told', async () => {
    live = { status: 'CREATE_COMPLETE', body: now };
    mock.on(DeleteStackCommand).callsFake(async () => {
      live = { status: 'DELETE_FAILED', body: now };
      return {};
    });
    await expect(dropForwarder(client, forwarder)).rejects.toThrow('DELETE_FAILED');
  });
});
