/** CloudTrail records and EventBridge events for the command line's tests. */
export const account = '111122223333';

export interface Call {
  readonly eventSource: string;
  readonly eventName: string;
  readonly eventID?: string;
  readonly recipientAccountId?: string;
  readonly awsRegion?: string;
  readonly requestParameters?: Readonly<Record<string, unknown>> | null;
}

let made = 0;

export const record = (call: Call) => ({
  eventVersion: '1.09',
  userIdentity: {
    type: 'AssumedRole',
    principalId: 'AROAEXAMPLE:jo',
    arn: `arn:aws:sts::${account}:assumed-role/Dev/jo`,
    accountId: account,
    sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/Dev` } },
  },
  eventTime: '2026-05-04T10:11:12Z',
  awsRegion: 'us-east-1',
  sourceIPAddress: '192.0.2.7',
  userAgent: 'aws-cli/2',
  requestParameters: null,
  responseElements: null,
  eventID: `event-${++made}`,
  eventType: 'AwsApiCall',
  recipientAccountId: account,
  ...call,
});

/** As EventBridge delivers a record. */
export const delivered = (call: Call) => {
  const detail = record(call);
  return {
    version: '0',
    id: `delivery-${detail.eventID}`,
    'detail-type': 'AWS API Call via CloudTrail',
    source: `aws.${detail.eventSource.replace('.amazonaws.com', '')}`,
    account: detail.recipientAccountId,
    time: detail.eventTime,
    region: detail.awsRegion,
    resources: [],
    detail,
  };
};

const trail = (name: string, region = 'us-east-1') => `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
export const stopLogging = (name = 'main'): Call => ({
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'StopLogging',
  requestParameters: { name: trail(name) },
});
export const openBucket = (bucketName: string): Call => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucketPublicAccessBlock',
  requestParameters: { bucketName },
});
export const boring: Call = { eventSource: 'sts.amazonaws.com', eventName: 'GetCallerIdentity' };
