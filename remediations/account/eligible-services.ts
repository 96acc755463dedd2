/**
 * Which services AWS's business associate addendum covers, and by which names CloudTrail knows them. Data, with its source and date:
 * compare it with the page before relying on it, and widen it meanwhile with the param `alsoAllowed` of account-eligible-services-only.
 */

export const source = 'https://aws.amazon.com/compliance/hipaa-eligible-services-reference/';

/** Date of the list on that page, read from a published copy of it rather than from the page. */
export const asOf = '2026-05-22';

/**
 * Name on the page -> event sources, without `.amazonaws.com`. AWS says there that generally available features of an eligible
 * service are eligible too, hence the parts of CloudWatch, EventBridge, Connect and Systems Manager with sources of their own.
 * Left out: Alexa for Business (eligible only under an addendum of its own); CloudEndure, Kiro and AWS Managed Services, which
 * have no event source of their own; the WhatsApp channel of End User Messaging, which the page excludes; Aurora DSQL, which the
 * page does not name and which is another service than Aurora.
 */
export const eligibleServices: Readonly<Record<string, readonly string[]>> = {
  'Amazon API Gateway': ['apigateway'],
  'Amazon AppFlow': ['appflow'],
  'Amazon Application Recovery Controller': [
    'arc-region-switch',
    'arc-zonal-shift',
    'route53-recovery-cluster',
    'route53-recovery-control-config',
    'route53-recovery-readiness',
  ],
  'Amazon Athena': ['athena'],
  'Amazon Aurora': ['rds', 'rds-data'],
  'Amazon Augmented AI': ['sagemaker'],
  'Amazon Bedrock': ['bedrock'],
  'Amazon Bedrock AgentCore': ['bedrock-agentcore'],
  'Amazon Chime': ['chime'],
  'Amazon CloudFront': ['cloudfront', 'cloudfront-keyvaluestore'],
  'Amazon CloudWatch': [
    'monitoring',
    'application-signals',
    'applicationinsights',
    'evidently',
    'internetmonitor',
    'networkflowmonitor',
    'networkmonitor',
    'oam',
    'observabilityadmin',
    'rum',
    'synthetics',
  ],
  'Amazon CloudWatch Logs': ['logs'],
  'Amazon Cloud Directory': ['clouddirectory'],
  'Amazon Cognito': ['cognito-identity', 'cognito-idp', 'cognito-sync'],
  'Amazon Comprehend': ['comprehend'],
  'Amazon Comprehend Medical': ['comprehendmedical'],
  'Amazon Connect': ['connect', 'app-integrations', 'cases', 'connect-campaigns', 'profile', 'voiceid', 'wisdom'],
  'Amazon Connect Health': ['health-agent'],
  'Amazon DataZone': ['datazone'],
  'Amazon Detective': ['detective'],
  'Amazon DevOps Guru': ['devops-guru'],
  'Amazon DocumentDB': ['rds', 'docdb-elastic'],
  'Amazon DynamoDB': ['dynamodb', 'dax'],
  'Amazon EC2 Auto Scaling': ['autoscaling', 'autoscaling-plans'],
  'Amazon ElastiCache': ['elasticache'],
  'Amazon Elastic Block Store': ['ebs', 'dlm', 'rbin'],
  'Amazon Elastic Compute Cloud': ['ec2', 'ec2-instance-connect'],
  'Amazon Elastic Container Registry': ['ecr'],
  'Amazon Elastic Container Service': ['ecs'],
  'Amazon Elastic File System': ['elasticfilesystem'],
  'Amazon Elastic Kubernetes Service': ['eks', 'eks-auth'],
  'Amazon Elastic MapReduce': ['elasticmapreduce', 'emr-containers', 'emr-serverless'],
  'Amazon EventBridge': ['events', 'pipes', 'scheduler', 'schemas'],
  'Amazon Forecast': ['forecast'],
  'Amazon FreeRTOS': ['freertos'],
  'Amazon FSx': ['fsx'],
  'Amazon GuardDuty': ['guardduty'],
  'Amazon Inspector': ['inspector', 'inspector2'],
  'Amazon Kendra': ['kendra', 'kendra-ranking'],
  'Amazon Keyspaces': ['cassandra'],
  'Amazon Kinesis Data Firehose': ['firehose'],
  'Amazon Kinesis Data Streams': ['kinesis'],
  'Amazon Kinesis Video Streams': ['kinesisvideo'],
  'Amazon Lex': ['lex'],
  'Amazon Location Service': ['geo', 'geo-maps', 'geo-places', 'geo-routes'],
  'Amazon MQ': ['mq'],
  'Amazon Macie': ['macie2'],
  'Amazon Managed Service for Apache Flink': ['kinesisanalytics'],
  'Amazon Managed Service for Prometheus': ['aps'],
  'Amazon Managed Streaming for Apache Kafka': ['kafka', 'kafkaconnect'],
  'Amazon Managed Workflows for Apache Airflow': ['airflow', 'airflow-serverless'],
  'Amazon MemoryDB': ['memorydb'],
  'Amazon Neptune': ['rds', 'neptune-graph'],
  'Amazon Nova Act': ['nova-act'],
  'Amazon OpenSearch Service': ['es', 'aoss', 'osis', 'opensearch'],
  'Amazon Personalize': ['personalize'],
  'Amazon Pinpoint and End User Messaging': ['mobiletargeting', 'sms-voice'],
  'Amazon Polly': ['polly'],
  'Amazon Q Business': ['qbusiness', 'qapps'],
  'Amazon Quantum Ledger Database': ['qldb'],
  'Amazon Quick Suite': ['quicksight'],
  'Amazon Redshift': ['redshift', 'redshift-data', 'redshift-serverless'],
  'Amazon Rekognition': ['rekognition'],
  'Amazon Relational Database Service': ['rds'],
  'Amazon Route 53': ['route53', 'route53domains', 'route53profiles', 'route53resolver'],
  'Amazon S3 Glacier': ['glacier'],
  'Amazon SageMaker AI': ['sagemaker', 'sagemaker-geospatial', 'sagemaker-mlflow'],
  'Amazon Simple Email Service': ['ses'],
  'Amazon Simple Notification Service': ['sns'],
  'Amazon Simple Queue Service': ['sqs'],
  'Amazon Simple Storage Service': ['s3', 's3-outposts', 's3express', 's3tables', 's3vectors'],
  'Amazon Simple Workflow Service': ['swf'],
  'Amazon Textract': ['textract'],
  'Amazon Timestream': ['timestream', 'timestream-influxdb'],
  'Amazon Translate': ['translate'],
  'Amazon Verified Permissions': ['verifiedpermissions'],
  'Amazon Virtual Private Cloud': ['ec2'],
  'Amazon WorkDocs': ['workdocs'],
  'Amazon WorkLink': ['worklink'],
  'Amazon WorkSpaces': ['workspaces', 'workspaces-instances'],
  'Amazon WorkSpaces Applications': ['appstream', 'appstream2'],
  'Amazon WorkSpaces Secure Browser': ['workspaces-web'],
  'Amazon WorkSpaces Thin Client': ['thinclient'],
  'AWS Amplify Console': ['amplify', 'amplifybackend', 'amplifyuibuilder'],
  'AWS App Mesh': ['appmesh'],
  'AWS AppFabric': ['appfabric'],
  'AWS Application Migration Service': ['mgn'],
  'AWS AppSync': ['appsync'],
  'AWS Audit Manager': ['auditmanager'],
  'AWS B2B Data Interchange': ['b2bi'],
  'AWS Backup': ['backup', 'backup-gateway', 'backup-search', 'backup-storage'],
  'AWS Batch': ['batch'],
  'AWS Certificate Manager': ['acm'],
  'AWS Clean Rooms': ['cleanrooms', 'cleanrooms-ml'],
  'AWS Cloud Map': ['servicediscovery'],
  'AWS Cloud9': ['cloud9'],
  'AWS CloudFormation': ['cloudformation', 'cloudcontrolapi'],
  'AWS CloudHSM': ['cloudhsm'],
  'AWS CloudShell': ['cloudshell'],
  'AWS CloudTrail': ['cloudtrail', 'cloudtrail-data'],
  'AWS CodeBuild': ['codebuild'],
  'AWS CodeCommit': ['codecommit'],
  'AWS CodeDeploy': ['codedeploy'],
  'AWS CodePipeline': ['codepipeline', 'codeconnections', 'codestar-connections'],
  'AWS Config': ['config'],
  'AWS Control Tower': ['controltower', 'controlcatalog'],
  'AWS Data Exchange': ['dataexchange'],
  'AWS Database Migration Service': ['dms'],
  'AWS DataSync': ['datasync'],
  'AWS DevOps Agent': ['aidevops'],
  'AWS Direct Connect': ['directconnect'],
  'AWS Directory Service': ['ds', 'ds-data'],
  'AWS Elastic Beanstalk': ['elasticbeanstalk'],
  'AWS Elastic Disaster Recovery': ['drs'],
  'AWS Elemental MediaConnect': ['mediaconnect'],
  'AWS Elemental MediaConvert': ['mediaconvert'],
  'AWS Elemental MediaLive': ['medialive'],
  'AWS Entity Resolution': ['entityresolution'],
  'AWS Fargate': ['ecs', 'eks'],
  'AWS Fault Injection Service': ['fis'],
  'AWS Firewall Manager': ['fms'],
  'AWS Global Accelerator': ['globalaccelerator'],
  'AWS Glue': ['glue'],
  'AWS Glue DataBrew': ['databrew'],
  'AWS HealthImaging': ['medical-imaging'],
  'AWS HealthLake': ['healthlake'],
  'AWS HealthOmics': ['omics'],
  'AWS IAM Identity Center': ['sso', 'identitystore', 'sso-directory', 'sso-oauth'],
  'AWS IoT Core': ['iot'],
  'AWS IoT Device Management': ['iot'],
  'AWS IoT Events': ['iotevents'],
  'AWS IoT Greengrass': ['greengrass'],
  'AWS IoT SiteWise': ['iotsitewise'],
  'AWS Key Management Service': ['kms'],
  'AWS Lake Formation': ['lakeformation'],
  'AWS Lambda': ['lambda'],
  'AWS Mainframe Modernization': ['m2', 'apptest'],
  'AWS Network Firewall': ['network-firewall'],
  'AWS OpsWorks': ['opsworks', 'opsworks-cm'],
  'AWS Organizations': ['organizations'],
  'AWS Outposts': ['outposts'],
  'AWS Parallel Computing Service': ['pcs'],
  'AWS Private Certificate Authority': ['acm-pca', 'pca-connector-ad', 'pca-connector-scep'],
  'AWS Resilience Hub': ['resiliencehub'],
  'AWS Resource Access Manager': ['ram'],
  'AWS Resource Explorer': ['resource-explorer-2'],
  'AWS Secrets Manager': ['secretsmanager'],
  'AWS Security Hub CSPM': ['securityhub'],
  'AWS Serverless Application Repository': ['serverlessrepo'],
  'AWS Service Catalog': ['servicecatalog', 'servicecatalog-appregistry'],
  'AWS Shield': ['shield'],
  'AWS Snowball': ['snowball', 'snow-device-management'],
  'AWS Step Functions': ['states'],
  'AWS Storage Gateway': ['storagegateway'],
  'AWS Systems Manager': ['ssm', 'appconfig', 'ssm-contacts', 'ssm-guiconnect', 'ssm-incidents', 'ssm-quicksetup', 'ssm-sap', 'ssmmessages'],
  'AWS Transcribe': ['transcribe'],
  'AWS Transfer Family': ['transfer'],
  'AWS Transform': ['transform', 'transform-custom'],
  'AWS Verified Access': ['ec2'],
  'AWS Web Application Firewall': ['waf', 'waf-regional', 'wafv2'],
  'AWS Wickr': ['wickr'],
  'AWS X-Ray': ['xray'],
  'Elastic Load Balancing': ['elasticloadbalancing'],
  'VM Import/Export': ['ec2'],
};

export interface ExcludedFeature {
  readonly eventSource: string;
  readonly eventName: string;
  readonly what: string;
  /** Only where the text at this path says so. */
  readonly when?: { readonly path: string; readonly matches: RegExp };
}

// https://docs.aws.amazon.com/sagemaker/latest/dg/sms-workforce-management-public.html
const foreignWorkers = /:workteam\/(public|vendor)-crowd\//;

/** Features that the page excludes from an eligible service and that one call shows. */
export const excludedFeatures: readonly ExcludedFeature[] = [
  { eventSource: 'ds.amazonaws.com', eventName: 'CreateDirectory', what: 'Simple AD' },
  {
    eventSource: 'sagemaker.amazonaws.com',
    eventName: 'CreateFlowDefinition',
    what: 'a public or vendor workforce',
    when: { path: 'requestParameters.humanLoopConfig.workteamArn', matches: foreignWorkers },
  },
  {
    eventSource: 'sagemaker.amazonaws.com',
    eventName: 'CreateLabelingJob',
    what: 'a public or vendor workforce',
    when: { path: 'requestParameters.humanTaskConfig.workteamArn', matches: foreignWorkers },
  },
];

/** Services that are not on the list and run the account rather than hold what is in it. */
export const infrastructure: readonly { readonly reason: string; readonly sources: readonly string[] }[] = [
  {
    reason: 'The service settles who may do what; it holds no customer content.',
    sources: ['access-analyzer', 'account', 'iam', 'rolesanywhere', 'signin', 'sts'],
  },
  {
    reason: 'The service is about contracts and money.',
    sources: [
      'artifact',
      'aws-portal',
      'bcm-data-exports',
      'bcm-pricing-calculator',
      'billing',
      'billingconductor',
      'billingconsole',
      'budgets',
      'ce',
      'compute-optimizer',
      'consolidatedbilling',
      'cost-optimization-hub',
      'cur',
      'freetier',
      'invoicing',
      'license-manager',
      'payments',
      'pricing',
      'purchase-orders',
      'savingsplans',
      'servicequotas',
      'tax',
    ],
  },
  {
    reason: 'The service tells of the state of AWS or asks AWS for help; ePHI has no place in a support case.',
    sources: ['health', 'notifications', 'notifications-contacts', 'support', 'supportplans', 'trustedadvisor'],
  },
  {
    reason: 'The service is part of the console.',
    sources: ['consoleapp', 'user-subscriptions', 'uxc'],
  },
  {
    reason: 'The service names, groups, measures or scales resources of other services.',
    sources: ['application-autoscaling', 'pi', 'resource-groups', 'tagging'],
  },
];

const full = (name: string) => `${name}.amazonaws.com`;

export const eligibleSources: ReadonlySet<string> = new Set(Object.values(eligibleServices).flat().map(full));

/** Why a service that is not eligible may be used all the same. */
export const infrastructureReason = (eventSource: string): string | undefined =>
  infrastructure.find(({ sources }) => sources.map(full).includes(eventSource))?.reason;
