import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBSnapshotAttributesCommand,
  ModifyDBSnapshotAttributeCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { plain, type Scenario } from './model.ts';

export const publicDatabaseSnapshot: Scenario = {
  name: 'public snapshot of a database',
  controls: ['rds-snapshot-not-public'],
  fixes: true,
  async make(admin, name) {
    const rds = admin.client(RDSClient);
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: name,
        DBInstanceClass: 'db.t4g.small',
        Engine: 'postgres',
        AllocatedStorage: 20,
        MasterUsername: 'keeper',
        MasterUserPassword: 'only-in-a-test',
      }),
    );
    const DBSnapshotIdentifier = `s-${name}`;
    const { DBSnapshot } = await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: name, DBSnapshotIdentifier }));
    const again = async () =>
      void (await rds.send(new ModifyDBSnapshotAttributeCommand({ DBSnapshotIdentifier, AttributeName: 'restore', ValuesToAdd: ['all', '210987654321'] })));
    await again();
    return {
      broken: [
        {
          control: 'rds-snapshot-not-public',
          id: DBSnapshot!.DBSnapshotArn!,
          region: admin.region,
          right: (live) => plain(live) === plain(['210987654321']),
        },
      ],
      told: {
        source: 'rds',
        eventName: 'ModifyDBSnapshotAttribute',
        detail: { requestParameters: { dBSnapshotIdentifier: DBSnapshotIdentifier, attributeName: 'restore', valuesToAdd: ['all'] } },
      },
      marks: [DBSnapshotIdentifier],
      again,
      read: async () =>
        (await rds.send(new DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier }))).DBSnapshotAttributesResult!.DBSnapshotAttributes![0]!
          .AttributeValues ?? [],
    };
  },
};
