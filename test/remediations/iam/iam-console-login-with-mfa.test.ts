import control from '../../../remediations/iam/iam-console-login-with-mfa.ts';
import { testEventControl } from '../../support/event-control-tester.ts';

const robin = 'arn:aws:iam::123456789012:user/robin';
const user = { type: 'IAMUser', principalId: 'AIDA', arn: robin, accountId: '123456789012', userName: 'robin' };
const signIn = (MFAUsed: string | undefined, more: object = {}) => ({
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  eventType: 'AwsConsoleSignIn',
  awsRegion: 'eu-west-2',
  userIdentity: user,
  sourceIPAddress: '198.51.100.7',
  requestParameters: null,
  responseElements: { ConsoleLogin: 'Success' },
  additionalEventData: MFAUsed && { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', MFAUsed },
  ...more,
});

testEventControl(control, {
  nonCompliant: {
    'an IAM user by password alone': {
      detail: signIn('No'),
      annotation: 'User robin signed in without MFA from 198.51.100.7.',
      fold: `${robin}|198.51.100.7`,
      resource: robin,
    },
    'the same again folds': { detail: signIn('No'), recent: 2, fold: `${robin}|198.51.100.7` },
    'a user under a path': {
      detail: signIn('No', { userIdentity: { ...user, arn: 'arn:aws:iam::123456789012:user/clinic/robin' } }),
      resource: 'arn:aws:iam::123456789012:user/clinic/robin',
    },
    'an event that does not say': { detail: signIn(undefined) },
    'root belongs to the account': {
      detail: signIn('No', { userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' } }),
      annotation: 'Root signed in without MFA',
      resource: 'arn:aws:iam::123456789012:root',
    },
  },
  compliant: { 'an IAM user with MFA': { detail: signIn('Yes') } },
  notApplicable: {
    'a failed sign-in': { detail: signIn('No', { responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' }) },
    'Identity Center, which always says No': {
      detail: signIn('No', {
        userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/robin' },
      }),
    },
    'SAML, which always says No': {
      detail: signIn('No', {
        userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::123456789012:assumed-role/Clinic/robin' },
        additionalEventData: { MFAUsed: 'No', SamlProviderArn: 'arn:aws:iam::123456789012:saml-provider/clinic' },
      }),
    },
  },
  ignored: {
    'another event of the sign-in page': { detail: signIn('No', { eventName: 'CheckMfa' }) },
    'the same name from another service': { detail: signIn('No', { eventSource: 'example.amazonaws.com' }) },
  },
});
