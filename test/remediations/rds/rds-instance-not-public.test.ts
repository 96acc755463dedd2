import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  type RDSClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-rds';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsStub, mockClient } from 'aws-sdk-client-mock';
import type { Change } from '../../../engine/model.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/rds/rds-instance-not-public.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';

const instance =
  (PubliclyAccessible: boolean): Arrange =>
  async (admin) => {
    const made = await admin.client(RDSClient).send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: 'orders',
        DBInstanceClass: 'db.t4g.small',
        Engine: 'postgres',
        AllocatedStorage: 20,
        MasterUsername: 'keeper',
        MasterUserPassword: 'only-in-a-test',
        PubliclyAccessible,
      }),
    );
    return made.DBInstance!.DBInstanceArn!;
  };

const member =
  (Engine: string): Arrange =>
  async (admin) => {
    const rds = admin.client(RDSClient);
    await rds.send(
      new CreateDBClusterCommand({ DBClusterIdentifier: 'group', Engine, MasterUsername: 'keeper', MasterUserPassword: 'only-in-a-test', ...multiAz(Engine) }),
    );
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: 'member',
        DBInstanceClass: 'db.r6gd.large',
        Engine,
        DBClusterIdentifier: 'group',
        PubliclyAccessible: true,
      }),
    );
    return 'member';
  };
const multiAz = (engine: string) =>
  engine.startsWith('aurora') ? {} : { StorageType: 'io1', Iops: 1000, AllocatedStorage: 100, DBClusterInstanceClass: 'db.r6gd.large' };

const called = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'rds.amazonaws.com', requestParameters, responseElements });
const answered = (dBInstanceIdentifier: string) => ({
  dBInstanceIdentifier,
  dBInstanceArn: `arn:aws:rds:us-east-1:123456789012:db:${dBInstanceIdentifier}`,
  publiclyAccessible: true,
  dBInstanceStatus: 'creating',
});

testControl(control, {
  compliant: { 'a private instance': instance(false) },
  remediated: {
    'a public instance': { given: instance(true), change: { before: true, after: false } },
    'a public member of an Aurora cluster': { given: member('aurora-postgresql') },
  },
  blocked: { 'a member of a Multi-AZ DB cluster': { given: member('postgres'), reason: 'new, private cluster' } },
  gone: 'no-such-instance',
  events: {
    CreateDBInstance: { detail: called({ dBInstanceIdentifier: 'Orders', publiclyAccessible: true }, answered('orders')), ids: ['orders'] },
    'ModifyDBInstance as a name in capitals, no answer': {
      detail: { ...called({ dBInstanceIdentifier: 'ORDERS' }), eventName: 'ModifyDBInstance' },
      ids: ['orders'],
    },
    DeleteDBInstance: {
      detail: called({ dBInstanceIdentifier: 'orders', skipFinalSnapshot: true }, { ...answered('orders'), dBInstanceStatus: 'deleting' }),
      ids: ['orders'],
    },
    'CreateDBCluster, whose instances RDS makes': {
      detail: { ...called({ dBClusterIdentifier: 'group', dBClusterInstanceClass: 'db.r6gd.large' }), eventName: 'CreateDBCluster' },
      sweep: true,
    },
    RestoreDBClusterFromSnapshot: { detail: called({ dBClusterIdentifier: 'group', snapshotIdentifier: 'before' }), sweep: true },
    RestoreDBClusterToPointInTime: { detail: called({ dBClusterIdentifier: 'group', sourceDBClusterIdentifier: 'first' }), sweep: true },
    DeleteDBCluster: { detail: called({ dBClusterIdentifier: 'group', skipFinalSnapshot: true }), sweep: true },
    CreateDBInstanceReadReplica: { detail: called({ dBInstanceIdentifier: 'copy', sourceDBInstanceIdentifier: 'orders' }, answered('copy')), ids: ['copy'] },
    RestoreDBInstanceFromDBSnapshot: {
      detail: called({ dBInstanceIdentifier: 'back', dBSnapshotIdentifier: 'before' }, { dbInstanceIdentifier: 'back' }),
      ids: ['back'],
    },
    RestoreDBInstanceFromS3: { detail: called({ dBInstanceIdentifier: 'back' }), ids: ['back'] },
    RestoreDBInstanceToPointInTime: {
      detail: called({ sourceDBInstanceIdentifier: 'orders', targetDBInstanceIdentifier: 'earlier' }),
      ids: ['earlier'],
    },
    'ModifyDBInstance with null blocks': { detail: { ...called(null), eventName: 'ModifyDBInstance' }, sweep: true },
  },
});

// moto's instances are available at once and change at once; AWS's are not.
describe('waiting for RDS', () => {
  let rds: AwsStub<ServiceInputTypes, ServiceOutputTypes, RDSClientResolvedConfig>;
  beforeEach(() => {
    rds = mockClient(RDSClient);
  });
  afterEach(() => rds.restore());

  const fix = () => {
    const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
    const resource = { accountId, region, type: control.resourceType, id: `arn:aws:rds:${region}:${accountId}:db:orders` };
    return control.remediate!(resource, { after: false, before: true } as Change<boolean>, aws, { findingId: 'f-1' });
  };
  const live = (DBInstanceStatus: string, PubliclyAccessible = true) =>
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBInstanceIdentifier: 'orders', DBInstanceStatus, PubliclyAccessible }] });

  test('an instance that is being created is left alone until it is available', async () => {
    live('creating');
    expect(await fix()).toEqual({ again: 60, note: expect.stringContaining('creating') });
    expect(rds.commandCalls(ModifyDBInstanceCommand)).toHaveLength(0);
  });

  test('a change that RDS has taken and not yet applied is looked at again; pending changes are not flushed', async () => {
    live('available');
    rds.on(ModifyDBInstanceCommand).resolves({ DBInstance: { DBInstanceStatus: 'available', PubliclyAccessible: true } });
    expect(await fix()).toMatchObject({ again: 30 });
    expect(rds.commandCalls(ModifyDBInstanceCommand)[0]!.args[0].input).toEqual({ DBInstanceIdentifier: 'orders', PubliclyAccessible: false });
  });

  test('an instance that has become private is done, whatever else is going on', async () => {
    live('modifying', false);
    expect(await fix()).toBeUndefined();
  });
});
