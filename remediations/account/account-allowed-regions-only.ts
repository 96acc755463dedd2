import * as z from 'zod';
import { account, type CloudTrailDetail, compliant, defineEventControl, nonCompliant, notApplicable } from '../define.ts';
import { anyMakingCall, nothingMade, principalOf, textsAt } from './account.ts';

/**
 * Where a call made in one region names another one. Copies that are called in the region they go to (EBS and RDS snapshots, AMIs)
 * need no row, and a bucket's replication names a bucket, whose ARN does not tell its region.
 */
const destinations: Readonly<Record<string, string>> = {
  'backup.amazonaws.com:CreateBackupPlan': 'requestParameters.backupPlan.rules[].copyActions[].destinationBackupVaultArn',
  'backup.amazonaws.com:StartCopyJob': 'requestParameters.destinationBackupVaultArn',
  'backup.amazonaws.com:UpdateBackupPlan': 'requestParameters.backupPlan.rules[].copyActions[].destinationBackupVaultArn',
  'cloudformation.amazonaws.com:CreateStackInstances': 'requestParameters.regions[]',
  'dynamodb.amazonaws.com:CreateGlobalTable': 'requestParameters.replicationGroup[].regionName',
  'dynamodb.amazonaws.com:UpdateGlobalTable': 'requestParameters.replicaUpdates[].create.regionName',
  'dynamodb.amazonaws.com:UpdateTable': 'requestParameters.replicaUpdates[].create.regionName',
  'ecr.amazonaws.com:PutReplicationConfiguration': 'requestParameters.replicationConfiguration.rules[].destinations[].region',
  'elasticfilesystem.amazonaws.com:CreateReplicationConfiguration': 'requestParameters.destinations[].region',
  'kms.amazonaws.com:ReplicateKey': 'requestParameters.replicaRegion',
  'redshift.amazonaws.com:EnableSnapshotCopy': 'requestParameters.destinationRegion',
  's3.amazonaws.com:CreateBucket': 'requestParameters.createBucketConfiguration.locationConstraint',
  'secretsmanager.amazonaws.com:CreateSecret': 'requestParameters.addReplicaRegions[].region',
  'secretsmanager.amazonaws.com:ReplicateSecretToRegions': 'requestParameters.addReplicaRegions[].region',
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html: `EU` is the old name of one region.
const regionIn = (text: string): string => (text.startsWith('arn:') ? (text.split(':')[3] ?? '') : text === 'EU' ? 'eu-west-1' : text);

function destinationsIn(detail: CloudTrailDetail): string[] {
  const path = destinations[`${detail.eventSource}:${detail.eventName}`];
  return path === undefined
    ? []
    : textsAt(detail, path)
        .map(regionIn)
        .filter((region) => region !== '');
}

export default defineEventControl({
  id: 'account-allowed-regions-only',
  title: 'Resources are made only in the allowed regions',
  rationale: 'A region where nobody works has no alarms, no backups and nobody who looks: ePHI there is out of sight.',
  severity: 'HIGH',
  ...account,
  scope: 'regional',
  hipaa: [
    { section: '164.308(a)(4)(i)', specification: 'standard', rationale: 'ePHI stays in the places that somebody has allowed.' },
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Systems with ePHI are where access to them is controlled.' },
  ],
  related: { prowler: ['organizations_scp_check_deny_regions'] },
  triggers: [anyMakingCall('EnableSnapshotCopy', 'UpdateBackupPlan', 'UpdateGlobalTable', 'UpdateTable')],
  params: z.strictObject({
    ignoreSources: z
      .array(z.string().min(1))
      .default([
        'account.amazonaws.com',
        'budgets.amazonaws.com',
        'ce.amazonaws.com',
        'cloudfront.amazonaws.com',
        'globalaccelerator.amazonaws.com',
        'health.amazonaws.com',
        'iam.amazonaws.com',
        'networkmanager.amazonaws.com',
        'organizations.amazonaws.com',
        'route53.amazonaws.com',
        'route53domains.amazonaws.com',
        'shield.amazonaws.com',
        'signin.amazonaws.com',
        'sts.amazonaws.com',
        'support.amazonaws.com',
        'trustedadvisor.amazonaws.com',
        'waf.amazonaws.com',
      ])
      .describe('Event sources of services that are the same everywhere and log in a region of their own'),
    ignoreCalls: z
      .array(z.string().min(1))
      .default(['CreateServiceLinkedRole', 'RequestServiceQuotaIncrease', 'StartQuery'])
      .describe('Names of calls that leave nothing behind in a region'),
  }),
  impact: 'Nothing is changed. To forbid the regions, use a service control policy or leave them disabled.',
  defaultMode: 'page',
  noFix: 'What was made in the region belongs to its owner, who has to move or remove it.',

  // One page for a region and whoever works there a day: a stack put into the wrong region is a hundred calls.
  fold: (detail) => `${[...new Set([detail.awsRegion, ...destinationsIn(detail)])].sort().join(',')}|${principalOf(detail)}`,

  evaluate(detail, { ignoreSources, ignoreCalls }, _recent, { regions }) {
    const { awsRegion, eventName, eventSource } = detail;
    const idle = nothingMade(detail);
    if (idle) return idle;
    if (ignoreSources.includes(eventSource) || ignoreCalls.includes(eventName)) return notApplicable(`The policy leaves ${eventName} (${eventSource}) alone.`);
    if (!regions.includes(awsRegion)) return nonCompliant(`${eventName} (${eventSource}) was called in ${awsRegion}, which is not an allowed region.`);
    const foreign = [...new Set(destinationsIn(detail))].filter((region) => !regions.includes(region));
    if (foreign.length === 0) return compliant(`${awsRegion} is an allowed region.`);
    return nonCompliant(
      `${eventName} (${eventSource}) in ${awsRegion} reaches into ${foreign.join(', ')}, which ${foreign.length === 1 ? 'is not an allowed region' : 'are not allowed regions'}.`,
    );
  },
});
