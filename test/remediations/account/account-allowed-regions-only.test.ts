import control from '../../../remediations/account/account-allowed-regions-only.ts';
import { testEventControl } from '../../support/event-control-tester.ts';

const robin = 'arn:aws:iam::123456789012:user/robin';
const call = (service: string, eventName: string, more: object = {}) => ({
  eventSource: `${service}.amazonaws.com`,
  eventName,
  eventType: 'AwsApiCall',
  readOnly: false,
  awsRegion: 'us-east-1',
  userIdentity: { type: 'IAMUser', arn: robin, accountId: '123456789012' },
  requestParameters: null,
  ...more,
});
const asking = (service: string, eventName: string, requestParameters: unknown) => ({ detail: call(service, eventName, { requestParameters }) });
const foreign = { annotation: 'reaches into eu-west-1, which is not an allowed region', fold: `eu-west-1,us-east-1|${robin}` };
const vault = (region: string) => `arn:aws:backup:${region}:123456789012:backup-vault:far`;

testEventControl(control, {
  nonCompliant: {
    'a call in a region that is not allowed': {
      detail: call('ec2', 'RunInstances', { awsRegion: 'ap-south-1' }),
      annotation: 'RunInstances (ec2.amazonaws.com) was called in ap-south-1',
      fold: `ap-south-1|${robin}`,
      resource: 'arn:aws:iam::123456789012:root',
    },
    'the hundredth call there folds with the first': {
      detail: call('lambda', 'CreateFunction20150331', { awsRegion: 'ap-south-1' }),
      recent: 99,
      fold: `ap-south-1|${robin}`,
    },
    'a stack there, whose resources CloudFormation makes': { detail: call('cloudformation', 'CreateStack', { awsRegion: 'sa-east-1' }) },
    'a snapshot copied to there is called there': {
      detail: call('ec2', 'CopySnapshot', { awsRegion: 'eu-west-1', requestParameters: { sourceRegion: 'us-east-1' } }),
    },
    'a bucket made there from here': {
      ...asking('s3', 'CreateBucket', { bucketName: 'far', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
      ...foreign,
    },
    'a bucket made in the region that S3 calls EU': {
      ...asking('s3', 'CreateBucket', { bucketName: 'far', CreateBucketConfiguration: { LocationConstraint: 'EU' } }),
      ...foreign,
    },
    'a key replicated to there': { ...asking('kms', 'ReplicateKey', { keyId: 'mrk-1', replicaRegion: 'eu-west-1' }), ...foreign },
    'a recovery point copied to there': { ...asking('backup', 'StartCopyJob', { destinationBackupVaultArn: vault('eu-west-1') }), ...foreign },
    'a backup plan that copies to there': {
      ...asking('backup', 'CreateBackupPlan', {
        backupPlan: {
          rules: [{ copyActions: [{ destinationBackupVaultArn: vault('us-east-2') }] }, { copyActions: [{ destinationBackupVaultArn: vault('eu-west-1') }] }],
        },
      }),
      annotation: 'reaches into eu-west-1,',
    },
    'a table that gets a replica there': {
      ...asking('dynamodb', 'UpdateTable', { tableName: 'orders', replicaUpdates: [{ create: { regionName: 'eu-west-1' } }] }),
      ...foreign,
    },
    'a global table': asking('dynamodb', 'CreateGlobalTable', { replicationGroup: [{ regionName: 'us-east-1' }, { regionName: 'eu-west-1' }] }),
    'a global table that grows': asking('dynamodb', 'UpdateGlobalTable', { replicaUpdates: [{ create: { regionName: 'eu-west-1' } }] }),
    'images replicated to there': {
      ...asking('ecr', 'PutReplicationConfiguration', {
        replicationConfiguration: { rules: [{ destinations: [{ region: 'eu-west-1', registryId: '123456789012' }] }] },
      }),
      ...foreign,
    },
    'a file system replicated to there': {
      ...asking('elasticfilesystem', 'CreateReplicationConfiguration', { destinations: [{ region: 'eu-west-1' }] }),
      ...foreign,
    },
    'warehouse snapshots copied to there': {
      ...asking('redshift', 'EnableSnapshotCopy', { clusterIdentifier: 'w', destinationRegion: 'eu-west-1' }),
      ...foreign,
    },
    'a secret made with a replica there': {
      ...asking('secretsmanager', 'CreateSecret', { name: 's', addReplicaRegions: [{ region: 'eu-west-1' }] }),
      ...foreign,
    },
    'a secret replicated to there': { ...asking('secretsmanager', 'ReplicateSecretToRegions', { addReplicaRegions: [{ region: 'eu-west-1' }] }), ...foreign },
    'stacks of a set in two regions': {
      ...asking('cloudformation', 'CreateStackInstances', { regions: ['eu-west-1', 'ap-south-1'] }),
      annotation: 'reaches into eu-west-1, ap-south-1, which are not allowed regions',
    },
    'a backup plan that copies to there after a change': asking('backup', 'UpdateBackupPlan', {
      backupPlan: { rules: [{ copyActions: [{ destinationBackupVaultArn: vault('eu-west-1') }] }] },
    }),
  },
  compliant: {
    'a call in an allowed region': { detail: call('ec2', 'RunInstances', { awsRegion: 'us-west-2' }) },
    'a bucket without a location': asking('s3', 'CreateBucket', { bucketName: 'near' }),
    'a key replicated to an allowed region': asking('kms', 'ReplicateKey', { replicaRegion: 'us-west-2' }),
    'a table that changes its throughput': asking('dynamodb', 'UpdateTable', { tableName: 'orders' }),
  },
  notApplicable: {
    'a global service logs where it likes': { detail: call('globalaccelerator', 'CreateAccelerator', { awsRegion: 'eu-west-1' }) },
    'a service the policy leaves alone': {
      detail: call('translate', 'StartTextTranslationJob', { awsRegion: 'eu-west-1' }),
      params: { ignoreSources: ['translate.amazonaws.com'] },
    },
    'a call that leaves nothing behind': { detail: call('logs', 'StartQuery', { awsRegion: 'eu-west-1' }) },
    'a read': { detail: call('ec2', 'CreateThing', { awsRegion: 'eu-west-1', readOnly: true }) },
    'a service on somebody else’s behalf': {
      detail: call('ec2', 'RunInstances', { awsRegion: 'eu-west-1', userIdentity: { type: 'AssumedRole', invokedBy: 'autoscaling.amazonaws.com' } }),
    },
  },
  ignored: {
    'a call that was refused': { detail: call('ec2', 'RunInstances', { awsRegion: 'eu-west-1', errorCode: 'Client.UnauthorizedOperation' }) },
    'cleaning up there': { detail: call('ec2', 'TerminateInstances', { awsRegion: 'eu-west-1' }) },
  },
});
