/** Instances and snapshots of RDS. */
import {
  CreateDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  CreateDBSnapshotCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotAttributesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBSnapshotAttributeCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import fc from 'fast-check';
import type { Aws } from '../../../engine/ports.ts';
import { partners, someOf } from '../../support/arbitraries.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

type Extras = Partial<CreateDBInstanceCommandInput>;

const extras: fc.Arbitrary<Extras> = someOf<
  Pick<CreateDBInstanceCommandInput, 'BackupRetentionPeriod' | 'DeletionProtection' | 'MultiAZ' | 'StorageEncrypted' | 'Tags'>
>({
  BackupRetentionPeriod: fc.integer({ min: 0, max: 35 }),
  DeletionProtection: fc.boolean(),
  MultiAZ: fc.boolean(),
  StorageEncrypted: fc.boolean(),
  Tags: fc.constant([{ Key: 'team', Value: 'records' }]),
});

async function instance(aws: Aws, DBInstanceIdentifier: string, more: Extras): Promise<string> {
  const { DBInstance } = await aws.client(RDSClient).send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier,
      DBInstanceClass: 'db.t4g.small',
      Engine: 'postgres',
      AllocatedStorage: 20,
      MasterUsername: 'keeper',
      MasterUserPassword: 'only-in-a-test',
      ...more,
    }),
  );
  return DBInstance!.DBInstanceArn!;
}

const instanceNotPublic: RoundTrip<Extras> = {
  prior: extras,
  arrange: (aws, more, name) => instance(aws, name, { ...more, PubliclyAccessible: true }),
  async told(aws, arn) {
    const { DBInstances } = await aws.client(RDSClient).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: arn.split(':').at(-1) }));
    const { PubliclyAccessible, LatestRestorableTime: _, ...other } = DBInstances![0]!;
    return { own: PubliclyAccessible, other };
  },
};

const share = (aws: Aws, DBSnapshotIdentifier: string, ValuesToAdd: readonly string[]) =>
  aws.client(RDSClient).send(new ModifyDBSnapshotAttributeCommand({ DBSnapshotIdentifier, AttributeName: 'restore', ValuesToAdd: [...ValuesToAdd] }));

const nameOf = (arn: string) => arn.split(':').at(-1)!;

const snapshotNotPublic: RoundTrip<readonly string[]> = {
  moto: 'moto keeps a value twice that is added twice',
  prior: fc.subarray(partners.slice(0, 2)),
  async arrange(aws, accounts, name) {
    await instance(aws, name, {});
    const made = await aws.client(RDSClient).send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: name, DBSnapshotIdentifier: `${name}-manual` }));
    await share(aws, `${name}-manual`, [...accounts.slice(1), 'all', ...accounts.slice(0, 1)]);
    return made.DBSnapshot!.DBSnapshotArn!;
  },
  async told(aws, arn) {
    const DBSnapshotIdentifier = nameOf(arn);
    const rds = aws.client(RDSClient);
    const { DBSnapshotAttributesResult } = await rds.send(new DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier }));
    const { DBSnapshots } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }));
    const values = [...new Set(DBSnapshotAttributesResult!.DBSnapshotAttributes!.flatMap(({ AttributeValues = [] }) => AttributeValues))].sort();
    return { own: values.filter((value) => value === 'all'), other: { accounts: values.filter((value) => value !== 'all'), snapshot: DBSnapshots![0] } };
  },
  async meanwhile(aws, arn) {
    await share(aws, nameOf(arn), [partners[2]!]);
  },
};

export const rds = { 'rds-instance-not-public': instanceNotPublic, 'rds-snapshot-not-public': snapshotNotPublic };
