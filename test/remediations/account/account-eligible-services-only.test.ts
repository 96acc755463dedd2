import control from '../../../remediations/account/account-eligible-services-only.ts';
import { testEventControl } from '../../support/event-control-tester.ts';

const account = 'arn:aws:iam::123456789012:root';
const user = { type: 'IAMUser', arn: 'arn:aws:iam::123456789012:user/robin', accountId: '123456789012', userName: 'robin' };
const session = {
  type: 'AssumedRole',
  arn: 'arn:aws:sts::123456789012:assumed-role/Builder/robin-1730430000',
  sessionContext: { sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::123456789012:role/Builder' } },
};
const call = (service: string, eventName: string, more: object = {}) => ({
  eventSource: `${service}.amazonaws.com`,
  eventName,
  eventType: 'AwsApiCall',
  readOnly: false,
  userIdentity: user,
  requestParameters: null,
  ...more,
});

testEventControl(control, {
  nonCompliant: {
    'a service that is not on the list': {
      detail: call('lightsail', 'CreateInstances'),
      annotation: "lightsail.amazonaws.com is not on AWS's list of HIPAA eligible services",
      fold: 'lightsail.amazonaws.com|arn:aws:iam::123456789012:user/robin',
      resource: account,
    },
    'another session of a role folds with the first': {
      detail: call('gamelift', 'CreateFleet', { userIdentity: session }),
      recent: 3,
      fold: 'gamelift.amazonaws.com|arn:aws:iam::123456789012:role/Builder',
    },
    'Simple AD': { detail: call('ds', 'CreateDirectory'), annotation: 'makes use of Simple AD' },
    'a public workforce': {
      detail: call('sagemaker', 'CreateLabelingJob', {
        requestParameters: { humanTaskConfig: { workteamArn: 'arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default' } },
      }),
      annotation: 'public or vendor workforce',
    },
    'a vendor that reviews': {
      detail: call('sagemaker', 'CreateFlowDefinition', {
        requestParameters: { humanLoopConfig: { workteamArn: 'arn:aws:sagemaker:us-east-1:394669845002:workteam/vendor-crowd/acme' } },
      }),
    },
    'a service that AWS has made since': { detail: call('shinynew', 'CreateThing') },
    'an event without a caller': { detail: call('lightsail', 'CreateInstances', { userIdentity: null }), fold: 'lightsail.amazonaws.com|unknown' },
  },
  compliant: {
    'an eligible service': { detail: call('rds', 'CreateDBInstance') },
    'the directory service without Simple AD': { detail: call('ds', 'CreateMicrosoftAD') },
    'a workforce of our own': {
      detail: call('sagemaker', 'CreateLabelingJob', {
        requestParameters: { humanTaskConfig: { workteamArn: 'arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/coders' } },
      }),
    },
    'CloudWatch by the name CloudTrail has for it': { detail: call('monitoring', 'PutMetricAlarm') },
    'what the policy allows besides': { detail: call('codeartifact', 'CreateRepository'), params: { alsoAllowed: ['codeartifact.amazonaws.com'] } },
  },
  notApplicable: {
    'a service that runs the account': { detail: call('iam', 'CreateRole'), annotation: 'who may do what' },
    money: { detail: call('budgets', 'CreateBudget') },
    'a read': { detail: call('lightsail', 'StartThing', { readOnly: true }) },
    'a service on somebody else’s behalf': {
      detail: call('lightsail', 'CreateInstances', { userIdentity: { ...user, invokedBy: 'cloudformation.amazonaws.com' } }),
    },
  },
  ignored: {
    'a call that was refused': { detail: call('lightsail', 'CreateInstances', { errorCode: 'AccessDenied' }) },
    'a call that makes nothing': { detail: call('lightsail', 'DeleteInstance') },
    'an event of a service': { detail: call('lightsail', 'CreateInstances', { eventType: 'AwsServiceEvent' }) },
  },
});
