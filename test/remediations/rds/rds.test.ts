/** Answers of RDS that lack what it always sends: an error, never a verdict. */
import { DescribeDBInstancesCommand, DescribeDBSnapshotAttributesCommand, RDSClient } from '@aws-sdk/client-rds';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { TerminalError } from '../../../engine/errors.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import instance from '../../../remediations/rds/rds-instance-not-public.ts';
import snapshot from '../../../remediations/rds/rds-snapshot-not-public.ts';
import { accountId, region } from '../../support/control-tester.ts';

const rds = mockClient(RDSClient);
beforeEach(() => void rds.reset());
afterAll(() => rds.restore());

const aws = () => awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
const arnOf = (id: string) => `arn:aws:rds:${region}:${accountId}:${id}`;
const refTo = (type: string, id: string) => ({ accountId, region, type, id: arnOf(id) });

test.each([
  ['no instance', {}],
  ['an empty list', { DBInstances: [] }],
  ['an instance that does not tell', { DBInstances: [{ DBInstanceIdentifier: 'orders', DBInstanceStatus: 'available' }] }],
])('%s', async (_, answer) => {
  rds.on(DescribeDBInstancesCommand).resolves(answer);
  await expect(instance.inspect(refTo(instance.resourceType, 'db:orders'), aws())).rejects.toThrow(TerminalError);
});

test('in a list, an instance that does not tell is left to inspect and hides no other', async () => {
  const told = { DBInstanceArn: arnOf('db:told'), DBInstanceStatus: 'available', PubliclyAccessible: true };
  rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBInstanceArn: arnOf('db:orders') }, told] });
  const [page] = await Array.fromAsync(instance.list(aws(), { params: {} }));
  expect(page!.resources.map(([{ id }, state]) => [id, state?.public])).toEqual([
    [arnOf('db:orders'), undefined],
    [arnOf('db:told'), true],
  ]);
});

test.each([
  ['no result', {}],
  ['no attributes', { DBSnapshotAttributesResult: { DBSnapshotIdentifier: 'before' } }],
  ['an attribute without values', { DBSnapshotAttributesResult: { DBSnapshotAttributes: [{ AttributeName: 'restore' }] } }],
])('a snapshot with %s', async (_, answer) => {
  rds.on(DescribeDBSnapshotAttributesCommand).resolves(answer);
  await expect(snapshot.inspect(refTo(snapshot.resourceType, 'snapshot:before'), aws())).rejects.toThrow(TerminalError);
});
