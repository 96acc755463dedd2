import * as z from 'zod';
import { blocked, change, compliant, defineControl, nonCompliant, onCalls, unnamed } from '../define.ts';
import { instanceArn, instanceNamed, instanceOf, instancesOf, instanceType, setPublic } from './rds.ts';

export default defineControl({
  id: 'rds-instance-not-public',
  title: 'RDS instances are not publicly accessible',
  rationale: 'A public instance has an address on the internet: one wrong security group and anybody can try to log in to a database with ePHI.',
  severity: 'CRITICAL',
  resourceType: instanceType,
  arn: instanceArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets only systems that were granted access reach the database.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps people without a need away from ePHI.' },
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Keeps ePHI off a path that is open to everybody.' },
  ],
  related: { securityHub: ['RDS.2'], configRule: ['rds-instance-public-access-check'], prowler: ['rds_instance_no_public_access'] },
  triggers: [
    onCalls(
      'rds.amazonaws.com',
      [
        'CreateDBInstance',
        'CreateDBInstanceReadReplica',
        'DeleteDBInstance',
        'ModifyDBInstance',
        'RestoreDBInstanceFromDBSnapshot',
        'RestoreDBInstanceFromS3',
        'RestoreDBInstanceToPointInTime',
      ],
      instanceNamed,
    ),
    // A Multi-AZ DB cluster comes and goes with its instances, and an answer may not name them yet.
    onCalls('rds.amazonaws.com', ['CreateDBCluster', 'DeleteDBCluster', 'RestoreDBClusterFromSnapshot', 'RestoreDBClusterToPointInTime'], unnamed),
    { source: 'config', resourceType: instanceType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['rds:publicly-accessible'],
  permissions: {
    inspect: ['rds:DescribeDBInstances'],
    remediate: ['rds:DescribeDBInstances', 'rds:ModifyDBInstance'],
    undo: ['rds:DescribeDBInstances', 'rds:ModifyDBInstance'],
  },
  impact: 'Clients outside the VPC lose the database; its name then resolves to the private address, after DNS caches have run out.',
  defaultMode: 'approve',
  endsPublicExposure: true,

  list: instancesOf,
  inspect: (resource, aws) => instanceOf(aws, resource),

  evaluate: (state) => (state.public ? nonCompliant('The instance is publicly accessible.') : compliant('The instance is not publicly accessible.')),

  plan({ multiAzCluster }) {
    if (multiAzCluster) {
      return blocked('A Multi-AZ DB cluster settles public access when it is made: restore it into a new, private cluster and move the clients.');
    }
    return change({ action: 'rds:ModifyDBInstance', summary: 'Turn public access off', before: true, after: false });
  },

  setting: (state) => state.public,
  remediate: (resource, { after }, aws) => setPublic(aws, resource, after),
  undo: (resource, { before }, aws) => setPublic(aws, resource, before),
});
