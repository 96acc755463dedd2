/** Reads and writes that the controls of RDS share. */
import {
  type DBInstance,
  DescribeDBInstancesCommand,
  type DescribeDBInstancesCommandOutput,
  DescribeDBSnapshotAttributesCommand,
  DescribeDBSnapshotsCommand,
  type DescribeDBSnapshotsCommandOutput,
  ModifyDBInstanceCommand,
  ModifyDBSnapshotAttributeCommand,
  paginateDescribeDBInstances,
  paginateDescribeDBSnapshots,
  RDSClient,
} from '@aws-sdk/client-rds';
import {
  type Again,
  type Aws,
  idsAt,
  type Listing,
  listed,
  orUndefined,
  pagesOf,
  type ResourceIds,
  type ResourceRef,
  refTo,
  required,
  resourcePart,
} from '../define.ts';

// RDS keeps identifiers in lower case, whatever the caller wrote.
const lowered =
  (ids: ResourceIds): ResourceIds =>
  (detail) =>
    [...ids(detail)].map((id) => id?.toLowerCase());

/** The identifier in an ARN; an automated snapshot's holds a colon (`rds:orders-2026-11-01-03-00`). */
export const identifierOf = (resource: ResourceRef): string => resourcePart(resource).replace(/^[^:]+:/, '');

export const instanceArn = 'arn:{partition}:rds:{region}:{account}:db:{id}';
export const instanceType = 'AWS::RDS::DBInstance';

export const instanceNamed = lowered(
  idsAt(
    'responseElements.dBInstanceArn',
    'responseElements.dbInstanceArn',
    'responseElements.dBInstanceIdentifier',
    'responseElements.dbInstanceIdentifier',
    'requestParameters.targetDBInstanceIdentifier',
    'requestParameters.dBInstanceIdentifier',
    'requestParameters.dbInstanceIdentifier',
  ),
);

export interface InstanceState {
  readonly public: boolean;
  /** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html */
  readonly status: string;
  /** A Multi-AZ DB cluster settles public access for its members when it is made. */
  readonly multiAzCluster: boolean;
}

const instanceState = ({ PubliclyAccessible, DBInstanceStatus, DBClusterIdentifier, Engine }: DBInstance): InstanceState => ({
  public: required(PubliclyAccessible, 'PubliclyAccessible'),
  status: DBInstanceStatus ?? 'unknown',
  multiAzCluster: DBClusterIdentifier !== undefined && (Engine === 'mysql' || Engine === 'postgres'),
});

/** Undefined: there is no such instance. */
export async function instanceOf(aws: Aws, resource: ResourceRef): Promise<InstanceState | undefined> {
  const answer = await orUndefined(
    aws.client(RDSClient).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifierOf(resource) })),
    'DBInstanceNotFound',
    'DBInstanceNotFoundFault',
  );
  return answer && instanceState(required(answer.DBInstances?.[0], 'DBInstances'));
}

export const instancesOf = (aws: Aws, { from }: Listing) =>
  pagesOf<DescribeDBInstancesCommandOutput, InstanceState>(
    paginateDescribeDBInstances({ client: aws.client(RDSClient), startingToken: from }, { MaxRecords: 100 }),
    ({ Marker }) => Marker,
    ({ DBInstances = [] }) =>
      DBInstances.map((instance) =>
        listed(refTo({ resourceType: instanceType, arn: instanceArn }, aws, required(instance.DBInstanceArn, 'DBInstanceArn')), () => instanceState(instance)),
      ),
  );

/**
 * Sets `PubliclyAccessible`, which RDS applies at once. ApplyImmediately stays out: it would also flush whatever else waits
 * for the maintenance window, a restart included.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 */
export async function setPublic(aws: Aws, resource: ResourceRef, wanted: boolean): Promise<Again | void> {
  const instance = await instanceOf(aws, resource);
  if (!instance || instance.public === wanted) return;
  // A new or restored instance is `creating` for many minutes and refuses every change meanwhile.
  if (instance.status !== 'available') return { again: 60, note: `The instance is ${instance.status}; RDS takes the change once it is available.` };
  const answer = await aws.client(RDSClient).send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: identifierOf(resource), PubliclyAccessible: wanted }));
  if (answer.DBInstance?.PubliclyAccessible !== wanted) return { again: 30, note: 'RDS has taken the change and is applying it.' };
}

export const snapshotArn = 'arn:{partition}:rds:{region}:{account}:snapshot:{id}';
export const snapshotType = 'AWS::RDS::DBSnapshot';

export const snapshotNamed = lowered(
  idsAt(
    'responseElements.dBSnapshotArn',
    'responseElements.dbSnapshotArn',
    'responseElements.dBSnapshotIdentifier',
    'responseElements.dbSnapshotIdentifier',
    'responseElements.dBSnapshotAttributesResult.dBSnapshotIdentifier',
    'requestParameters.targetDBSnapshotIdentifier',
    'requestParameters.dBSnapshotIdentifier',
    'requestParameters.dbSnapshotIdentifier',
  ),
);

/** Account ids that may restore the snapshot; `all` is everybody. `null`: RDS made it by itself and never shares it. */
export type RestoredBy = readonly string[] | null;

/**
 * Undefined: there is no such snapshot. RDS has attributes for manual snapshots only.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshotAttributes.html
 */
export async function restoredBy(aws: Aws, resource: ResourceRef): Promise<RestoredBy | undefined> {
  const client = aws.client(RDSClient);
  const snapshot = { DBSnapshotIdentifier: identifierOf(resource) };
  const notFound = ['DBSnapshotNotFound', 'DBSnapshotNotFoundFault'] as const;
  if (snapshot.DBSnapshotIdentifier.startsWith('rds:')) {
    return (await orUndefined(client.send(new DescribeDBSnapshotsCommand(snapshot)), ...notFound)) && null;
  }
  const answer = await orUndefined(client.send(new DescribeDBSnapshotAttributesCommand(snapshot)), ...notFound);
  if (!answer) return undefined;
  const attributes = required(answer.DBSnapshotAttributesResult?.DBSnapshotAttributes, 'DBSnapshotAttributes');
  return attributes.filter(({ AttributeName }) => AttributeName === 'restore').flatMap(({ AttributeValues }) => required(AttributeValues, 'AttributeValues'));
}

/** RDS lists snapshots without telling who may restore them. */
export const manualSnapshotsOf = (aws: Aws, { from }: Listing) =>
  pagesOf<DescribeDBSnapshotsCommandOutput, never>(
    paginateDescribeDBSnapshots({ client: aws.client(RDSClient), startingToken: from }, { SnapshotType: 'manual', MaxRecords: 100 }),
    ({ Marker }) => Marker,
    ({ DBSnapshots = [] }) =>
      DBSnapshots.map(({ DBSnapshotArn }) => [refTo({ resourceType: snapshotType, arn: snapshotArn }, aws, required(DBSnapshotArn, 'DBSnapshotArn'))]),
  );

export async function setRestoredBy(aws: Aws, resource: ResourceRef, values: { readonly add?: readonly string[]; readonly remove?: readonly string[] }) {
  await aws.client(RDSClient).send(
    new ModifyDBSnapshotAttributeCommand({
      DBSnapshotIdentifier: identifierOf(resource),
      AttributeName: 'restore',
      ...(values.add && { ValuesToAdd: [...values.add] }),
      ...(values.remove && { ValuesToRemove: [...values.remove] }),
    }),
  );
}
