/** The stack that a resource belongs to: its tags and status on moto; what moto never shows, an update under way, and faults, on a shaped fake. */
import {
  CloudFormationClient,
  CloudFormationServiceException,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient, ResourceGroupsTaggingAPIServiceException } from '@aws-sdk/client-resource-groups-tagging-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { DeniedError } from '../../../engine/errors.ts';
import { ownerOf } from '../../../engine/owner.ts';
import type { AwsAccess } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { stackStatusOf } from '../../../handlers/aws/stack-status.ts';
import { tagsOf } from '../../../handlers/aws/tags.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';

const place = { accountId: '123456789012', region: 'eu-west-1' };
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const vpc = (id: string) => ({ ...place, type: 'AWS::EC2::VPC', id });

describeOnMoto('on moto', () => {
  let moto: Moto;
  let access: AwsAccess;
  beforeAll(async () => {
    moto = await startMoto();
    access = awsAccess({ endpoint: moto.endpoint, credentials });
  });
  afterAll(() => moto?.stop());

  test('a resource that a stack has made names it, in the region of the stack, also after it is deleted', async () => {
    const aws = access(place, { share: false });
    const cloudFormation = aws.client(CloudFormationClient);
    const TemplateBody = JSON.stringify({ Resources: { Clinic: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.7.0.0/16' } } } });
    const { StackId } = await cloudFormation.send(new CreateStackCommand({ StackName: 'portal', TemplateBody }));
    const { Vpcs = [] } = await aws.client(EC2Client).send(new DescribeVpcsCommand({ Filters: [{ Name: 'cidr', Values: ['10.7.0.0/16'] }] }));
    const arn = `arn:aws:ec2:${place.region}:${place.accountId}:vpc/${Vpcs[0]!.VpcId}`;

    const { stack } = ownerOf(await tagsOf(vpc(arn), access), undefined);
    expect(stack).toEqual({ name: 'portal', id: StackId, logicalId: 'Clinic' });
    expect(await stackStatusOf(stack!.id, access)).toBe('CREATE_COMPLETE');
    await cloudFormation.send(new DeleteStackCommand({ StackName: 'portal' }));
    expect(await stackStatusOf(stack!.id, access)).toBe('DELETE_COMPLETE');
  });

  test('one without tags has none', async () => {
    expect(await tagsOf(vpc(`arn:aws:ec2:${place.region}:${place.accountId}:vpc/vpc-0`), access)).toEqual({});
  });

  test('a stack that has never been is undefined', async () => {
    expect(await stackStatusOf(`arn:aws:cloudformation:${place.region}:${place.accountId}:stack/none/1`, access)).toBeUndefined();
  });

  test('denied is an error: with IAM enforced, a user without a policy', async () => {
    const iam = access(place, { share: false }).client(IAMClient);
    await iam.send(new CreateUserCommand({ UserName: 'nobody' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'nobody' }));
    await moto.enforceIam(true);
    const theirs = awsAccess({ endpoint: moto.endpoint, credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! } });
    await expect(stackStatusOf(`arn:aws:cloudformation:${place.region}:${place.accountId}:stack/none/1`, theirs)).rejects.toThrow(DeniedError);
    await moto.enforceIam(false);
  });
});

describe('the status (shaped fake)', () => {
  const fake = () => mockClient(CloudFormationClient);
  let cloudFormation: ReturnType<typeof fake>;
  beforeEach(() => {
    cloudFormation = fake();
  });
  afterEach(() => cloudFormation.restore());
  const access = awsAccess({ credentials });
  const id = `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/child/1`;
  const root = `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/root/1`;
  const fault = (name: string, message = '') => new CloudFormationServiceException({ name, message, $fault: 'client', $metadata: {} });
  const given = (StackName: string, StackStatus: string, RootId?: string) =>
    cloudFormation
      .on(DescribeStacksCommand, { StackName })
      .resolves({ Stacks: [{ StackName: 'x', CreationTime: new Date(0), StackStatus: StackStatus as 'CREATE_COMPLETE', RootId }] });

  test.each([
    ['quiet', 'UPDATE_COMPLETE', undefined, 'UPDATE_COMPLETE'],
    ['at work', 'UPDATE_IN_PROGRESS', undefined, 'UPDATE_IN_PROGRESS'],
    ['quiet, within one that is at work', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_IN_PROGRESS'],
    ['at work, within one that is at work', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'],
    ['quiet, within one that is quiet', 'UPDATE_COMPLETE', 'CREATE_COMPLETE', 'UPDATE_COMPLETE'],
  ])('%s', async (_, own, outer, status) => {
    given(id, own, outer && root);
    if (outer) given(root, outer);
    expect(await stackStatusOf(id, access)).toBe(status);
  });

  test('the one it was nested in is gone', async () => {
    given(id, 'UPDATE_COMPLETE', root);
    cloudFormation.on(DescribeStacksCommand, { StackName: root }).rejects(fault('ValidationError', `Stack with id ${root} does not exist`));
    expect(await stackStatusOf(id, access)).toBe('UPDATE_COMPLETE');
  });

  test('a request that CloudFormation does not understand, or one too many, is an error', async () => {
    cloudFormation.on(DescribeStacksCommand).rejectsOnce(fault('ValidationError', '1 validation error detected')).rejects(fault('Throttling'));
    await expect(stackStatusOf(id, access)).rejects.toThrow('validation error');
    await expect(stackStatusOf(id, access)).rejects.toMatchObject({ name: 'Throttling' });
  });
});

describe('the tags (shaped fake)', () => {
  const fake = () => mockClient(ResourceGroupsTaggingAPIClient);
  let tagging: ReturnType<typeof fake>;
  beforeEach(() => {
    tagging = fake();
  });
  afterEach(() => tagging.restore());
  const access = awsAccess({ credentials });
  const fault = (name: string) => new ResourceGroupsTaggingAPIServiceException({ name, message: '', $fault: 'client', $metadata: {} });

  test('of a type that the API does not know, nothing is known', async () => {
    tagging.on(GetResourcesCommand).rejects(fault('InvalidParameterException'));
    expect(await tagsOf(vpc('arn:aws:iam::123456789012:root'), access)).toBeUndefined();
  });

  test('throttled: an error', async () => {
    tagging.on(GetResourcesCommand).rejects(fault('ThrottledException'));
    await expect(tagsOf(vpc('arn:aws:ec2:x'), access)).rejects.toMatchObject({ name: 'ThrottledException' });
  });
});
