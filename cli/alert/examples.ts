/**
 * What a preview shows where the general words would say too little: states that controls judge and plan by themselves, names that
 * resources of a type bear, calls that only the control's own list cannot name. Invented, all of it.
 */

/** Behind the account in the ARN, by Config type. */
export const resourceNames: Readonly<Record<string, string>> = {
  'AWS::CloudTrail::Trail': 'audit',
  'AWS::EC2::Image': 'ami-0a1b2c3d4e5f67890',
  'AWS::EC2::SecurityGroup': 'sg-0a1b2c3d4e5f67890',
  'AWS::EC2::Snapshot': 'snap-0a1b2c3d4e5f67890',
  'AWS::EC2::VPC': 'vpc-0a1b2c3d4e5f67890',
  'AWS::EC2::Volume': 'vol-0a1b2c3d4e5f67890',
  'AWS::ElasticLoadBalancing::LoadBalancer': 'portal-classic',
  'AWS::ElasticLoadBalancingV2::Listener': 'app/portal/50dc6c495c0c9188/f2f7dc8efc522ab2',
  'AWS::Events::Rule': 'phidelity-s3-api',
  'AWS::IAM::User': 'alex',
  'AWS::KMS::Key': '1f3a9c52-7d4e-4b7a-9a53-2f0c6e8d1b7f',
  'AWS::Lambda::Function': 'phidelity-detect',
  'AWS::Lambda::Url': 'intake-form',
  'AWS::RDS::DBInstance': 'portal-db',
  'AWS::RDS::DBSnapshot': 'portal-db-before-upgrade',
  'AWS::S3::Bucket': 'clinic-exports',
  'AWS::SNS::Topic': 'lab-results',
  'AWS::SQS::Queue': 'lab-results',
};

export interface Example {
  /** As `inspect` would give it; the control's own `evaluate` and `plan` say the rest. */
  readonly state?: unknown;
  readonly eventName?: string;
  readonly byRoot?: true;
}

const allOff = { block: null };

/** By control. What is not here is told in general words. */
export const examples: Readonly<Record<string, Example>> = {
  'account-allowed-regions-only': { eventName: 'RunInstances' },
  'account-eligible-services-only': { eventName: 'CreateApp' },
  'account-root-activity': { eventName: 'CreateAccessKey', byRoot: true },
  'cloudtrail-logging-on': {
    state: { name: 'audit', arn: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/audit', logging: false, stoppedAt: new Date('2026-11-01T03:00:00Z') },
  },
  'cloudtrail-log-validation': { state: { validation: false } },
  'ebs-encryption-by-default': { state: { enabled: false } },
  'ebs-snapshot-block-public-access': { state: { sharing: 'unblocked', declared: false, published: false } },
  'kms-key-not-scheduled-for-deletion': { state: { keyState: 'PendingDeletion', pending: { deletionDate: new Date('2026-11-08T03:00:00Z') } } },
  'rds-instance-not-public': { state: { public: true, status: 'available', multiAzCluster: false } },
  's3-account-public-access-block': { state: allOff },
  's3-bucket-public-access-block': { state: allOff },
  's3-bucket-versioning': { state: { status: null } },
  'security-group-no-world-ssh-rdp': {
    state: { ingress: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }], worldLists: [] },
  },
  'sqs-queue-encrypted': { state: { encryption: { by: 'none' }, region: 'us-east-1' } },
};
