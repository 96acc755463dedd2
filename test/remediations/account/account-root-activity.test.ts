import control from '../../../remediations/account/account-root-activity.ts';
import { testEventControl } from '../../support/event-control-tester.ts';

const account = 'arn:aws:iam::123456789012:root';
const root = { type: 'Root', principalId: '123456789012', arn: account, accountId: '123456789012' };
const call = (eventName: string, more: object = {}) => ({
  eventSource: 'iam.amazonaws.com',
  eventName,
  eventType: 'AwsApiCall',
  userIdentity: root,
  sourceIPAddress: '198.51.100.7',
  requestParameters: null,
  responseElements: null,
  ...more,
});
const signIn = (ConsoleLogin: string, MFAUsed?: string) =>
  call('ConsoleLogin', {
    eventSource: 'signin.amazonaws.com',
    eventType: 'AwsConsoleSignIn',
    responseElements: { ConsoleLogin },
    additionalEventData: { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', ...(MFAUsed && { MFAUsed }) },
    ...(ConsoleLogin === 'Failure' && { errorMessage: 'Failed authentication' }),
  });

testEventControl(control, {
  nonCompliant: {
    'an access key for root': {
      detail: call('CreateAccessKey'),
      annotation: 'Root called CreateAccessKey (iam.amazonaws.com) from 198.51.100.7.',
      fold: 'used|198.51.100.7',
      resource: account,
    },
    'a call in another region belongs to the same account': {
      detail: call('RunInstances', { eventSource: 'ec2.amazonaws.com', awsRegion: 'eu-west-2' }),
      resource: account,
    },
    'the second call of the day folds with the first': { detail: call('PutUserPolicy'), recent: 1, fold: 'used|198.51.100.7' },
    'a sign-in with MFA is a sign-in': { detail: signIn('Success', 'Yes'), annotation: 'with MFA' },
    'a sign-in without MFA': { detail: signIn('Success', 'No'), annotation: 'Root called ConsoleLogin (signin.amazonaws.com) from 198.51.100.7, without MFA.' },
    'a failed sign-in, and a success after it is news': {
      detail: signIn('Failure', 'No'),
      annotation: 'Root failed at ConsoleLogin',
      fold: 'tried|198.51.100.7',
    },
    'a denied call': { detail: call('CloseAccount', { errorCode: 'AccessDenied' }), annotation: 'Root failed at CloseAccount', fold: 'tried|198.51.100.7' },
    'a forgotten password': {
      detail: call('PasswordRecoveryRequested', {
        eventSource: 'signin.amazonaws.com',
        eventType: 'AwsConsoleSignIn',
        responseElements: { PasswordRecoveryRequested: 'Success' },
      }),
    },
    'root for one task, lent by the management account': {
      detail: call('DeleteBucketPolicy', { eventSource: 's3.amazonaws.com', userIdentity: { ...root, sessionContext: { assumedRoot: 'true' } } }),
      annotation: 'through AssumeRoot',
    },
  },
  compliant: {},
  notApplicable: {
    'an IAM user': { detail: call('CreateAccessKey', { userIdentity: { ...root, type: 'IAMUser' } }) },
    'a service for the account': { detail: call('CreateNetworkInterface', { userIdentity: { ...root, invokedBy: 'elasticloadbalancing.amazonaws.com' } }) },
    'a call that consoles make': { detail: call('CreateServiceLinkedRole') },
    'a call that the policy leaves alone': { detail: call('CreateCase'), params: { ignore: ['CreateCase'] } },
  },
  ignored: { 'an event of a service': { detail: call('RotateKey', { eventType: 'AwsServiceEvent' }) } },
});
