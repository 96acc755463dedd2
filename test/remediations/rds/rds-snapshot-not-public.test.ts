import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBSnapshotAttributesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBSnapshotAttributeCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { expect } from '@jest/globals';
import control from '../../../remediations/rds/rds-snapshot-not-public.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const database = {
  DBInstanceIdentifier: 'orders',
  DBInstanceClass: 'db.t4g.small',
  Engine: 'postgres',
  AllocatedStorage: 20,
  MasterUsername: 'keeper',
  MasterUserPassword: 'only-in-a-test',
};

const snapshot =
  (...sharedWith: string[]): Arrange =>
  async (admin) => {
    const rds = admin.client(RDSClient);
    await rds.send(new CreateDBInstanceCommand(database));
    const made = await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'before-migration' }));
    if (sharedWith.length > 0) {
      await rds.send(new ModifyDBSnapshotAttributeCommand({ DBSnapshotIdentifier: 'before-migration', AttributeName: 'restore', ValuesToAdd: sharedWith }));
    }
    return made.DBSnapshot!.DBSnapshotArn!;
  };

/** moto makes an automated snapshot with each instance, as AWS does a little later. */
const automated: Arrange = async (admin) => {
  const rds = admin.client(RDSClient);
  await rds.send(new CreateDBInstanceCommand({ ...database, BackupRetentionPeriod: 7 }));
  const { DBSnapshots = [] } = await rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'automated' }));
  return DBSnapshots[0]!.DBSnapshotArn!;
};

const called = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'rds.amazonaws.com', requestParameters, responseElements });
const attribute = (name: object) => ({ ...name, attributeName: 'restore', valuesToAdd: ['all'] });

testControl(control, {
  compliant: { 'shared with nobody': snapshot(), 'shared with one account by id': snapshot('210987654321') },
  notApplicable: { 'an automated snapshot': automated },
  remediated: {
    public: { given: snapshot('all'), change: { before: ['all'], after: [] } },
    'public and shared with an account, which keeps its share': {
      given: snapshot('all', '210987654321'),
      change: { before: ['all'], after: [] },
      async then(admin) {
        const { DBSnapshotAttributesResult } = await admin
          .client(RDSClient)
          .send(new DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier: 'before-migration' }));
        expect(DBSnapshotAttributesResult!.DBSnapshotAttributes![0]!.AttributeValues).toEqual(['210987654321']);
      },
    },
  },
  gone: 'no-such-snapshot',
  events: {
    ModifyDBSnapshotAttribute: { detail: called(attribute({ dBSnapshotIdentifier: 'before-migration' })), ids: ['before-migration'] },
    'ModifyDBSnapshotAttribute, other casing, capitals in the name': {
      detail: { ...called(attribute({ dbSnapshotIdentifier: 'Before-Migration' })), eventName: 'ModifyDBSnapshotAttribute' },
      ids: ['before-migration'],
    },
    CreateDBSnapshot: {
      detail: called(
        { dBSnapshotIdentifier: 'Before-Migration', dBInstanceIdentifier: 'orders' },
        { dBSnapshotIdentifier: 'before-migration', dBSnapshotArn: 'arn:aws:rds:us-east-1:123456789012:snapshot:before-migration' },
      ),
      ids: ['before-migration'],
    },
    DeleteDBSnapshot: { detail: called({ dBSnapshotIdentifier: 'before-migration' }, { dBSnapshotIdentifier: 'before-migration' }), ids: ['before-migration'] },
    'CopyDBSnapshot names the copy, not its source': {
      detail: called({ sourceDBSnapshotIdentifier: 'arn:aws:rds:us-east-1:123456789012:snapshot:before-migration', targetDBSnapshotIdentifier: 'copy' }),
      ids: ['copy'],
    },
    'ModifyDBSnapshotAttribute with null blocks': { detail: { ...called(null), eventName: 'ModifyDBSnapshotAttribute' }, sweep: true },
  },
});
