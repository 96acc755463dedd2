/** Which calls open what a control guards, and which end it, by what they ask for. The details are of the form that CloudTrail logs. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { AnyStateControl } from '../../engine/control.ts';
import { isEventControl } from '../../engine/control.ts';
import { edgesOf } from '../../engine/edges.ts';
import { normalise } from '../../engine/normalise.ts';
import { catalogue } from '../../remediations/index.ts';

type Turn = 'opens' | 'closes' | 'neither';
type Case = readonly [eventName: string, detail: unknown, turn: Turn, params?: Record<string, unknown>];

const everyone = 'http://acs.amazonaws.com/groups/global/AllUsers';
const anyAccount = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
const logDelivery = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
const fixture = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
const requested = (requestParameters: unknown) => ({ requestParameters });
const grant = (...URI: string[]) => {
  const Grant = URI.map((uri) => ({
    Grantee: { 'xsi:type': 'Group', 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance', URI: uri },
    Permission: 'READ',
  }));
  const AccessControlPolicy = { AccessControlList: { Grant: Grant.length === 1 ? Grant[0] : Grant }, Owner: { ID: '75aa57f0' } };
  return requested({ bucketName: 'records', AccessControlPolicy, acl: '', Host: 's3.amazonaws.com' });
};
const bucket = (more: object) => requested({ bucketName: 'records', Host: 's3.amazonaws.com', ...more });
const statement = (more: object) => ({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::records/*', ...more });
const policy = (...Statement: object[]) => bucket({ bucketPolicy: { Version: '2012-10-17', Statement }, policy: '' });
const block = (...off: string[]) => ({
  publicAccessBlock: '',
  PublicAccessBlockConfiguration: {
    xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
    ...Object.fromEntries(['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'].map((name) => [name, !off.includes(name)])),
  },
});
const shared = (member: string, operation: 'add' | 'remove', ...items: object[]) => requested({ snapshotId: 'snap-1', [member]: { [operation]: { items } } });
const ingress = (cidr: object, fromPort: number, toPort = fromPort, ipProtocol = 'tcp') =>
  requested({
    groupId: 'sg-1',
    ipPermissions: { items: [{ ipProtocol, fromPort, toPort, groups: {}, ipRanges: {}, ipv6Ranges: {}, prefixListIds: {}, ...cidr }] },
  });
const from = (cidrIp: string) => ({ ipRanges: { items: [{ cidrIp }] } });
const topicPolicy = (...Statement: object[]) =>
  requested({
    topicArn: 'arn:aws:sns:us-east-1:123456789012:results',
    attributeName: 'Policy',
    attributeValue: JSON.stringify({ Version: '2008-10-17', Statement }),
  });
const subscribe = { Sid: 'a', Effect: 'Allow', Principal: { AWS: '*' }, Action: 'SNS:Subscribe', Resource: 'arn:aws:sns:us-east-1:123456789012:results' };
const only = (account: string) => ({ ...subscribe, Condition: { StringEquals: { 'aws:PrincipalAccount': account } } });
const url = (authType?: string) => requested({ functionName: 'intake', ...(authType && { authType }) });
const trail = (name: string) => requested({ name });

const cases: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  's3-bucket-acl-not-public': {
    'a canned ACL, as a list of one': ['PutBucketAcl', bucket({ 'x-amz-acl': ['public-read'], acl: [''] }), 'opens'],
    'a canned ACL, as text': ['PutBucketAcl', bucket({ 'x-amz-acl': 'authenticated-read' }), 'opens'],
    'a new bucket with one': ['CreateBucket', bucket({ 'x-amz-acl': 'public-read-write' }), 'opens'],
    'a list of grants': ['PutBucketAcl', grant(logDelivery, everyone), 'opens'],
    'a lone grant': ['PutBucketAcl', grant(anyAccount), 'opens'],
    'a header': ['PutBucketAcl', bucket({ 'x-amz-grant-read': [`uri="${everyone}"`] }), 'opens'],
    private: ['PutBucketAcl', bucket({ 'x-amz-acl': ['private'] }), 'closes'],
    'log delivery is not the public': ['PutBucketAcl', grant(logDelivery), 'closes'],
    'a bucket that goes': ['DeleteBucket', bucket({}), 'closes'],
    'a new bucket without one': ['CreateBucket', bucket({}), 'neither'],
    'an ACL that the event does not show': ['PutBucketAcl', bucket({ acl: '' }), 'neither'],
    'a block that is lifted shows no grant': ['DeleteBucketPublicAccessBlock', bucket({}), 'neither'],
    'a block that takes ACLs their force': ['PutBucketPublicAccessBlock', bucket(block('BlockPublicPolicy')), 'closes'],
  },
  's3-bucket-policy-not-public': {
    everybody: ['PutBucketPolicy', policy(statement({})), 'opens'],
    'everybody of an organization': ['PutBucketPolicy', policy(statement({ Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } } })), 'closes'],
    'an account': ['PutBucketPolicy', policy(statement({ Principal: { AWS: 'arn:aws:iam::111122223333:root' } })), 'closes'],
    'a policy that is not shown': ['PutBucketPolicy', bucket({ policy: '' }), 'neither'],
    'a policy that goes': ['DeleteBucketPolicy', bucket({ policy: '' }), 'closes'],
    'a block that is lifted': ['PutBucketPublicAccessBlock', bucket(block('RestrictPublicBuckets')), 'neither'],
  },
  's3-bucket-public-access-block': {
    'a block with a hole': ['PutBucketPublicAccessBlock', bucket(block('IgnorePublicAcls')), 'opens'],
    'no block at all': ['DeleteBucketPublicAccessBlock', bucket({ publicAccessBlock: '' }), 'opens'],
    'all four': ['PutBucketPublicAccessBlock', bucket(block()), 'closes'],
    'a block that is not shown': ['PutBucketPublicAccessBlock', bucket({ publicAccessBlock: '' }), 'neither'],
  },
  's3-account-public-access-block': {
    'a block with a hole': ['PutAccountPublicAccessBlock', requested({ accountId: '123456789012', ...block('BlockPublicAcls') }), 'opens'],
    'no block at all': ['DeleteAccountPublicAccessBlock', requested({ accountId: '123456789012' }), 'opens'],
    'all four': ['PutAccountPublicAccessBlock', requested({ accountId: '123456789012', ...block() }), 'closes'],
  },
  'ebs-snapshot-not-public': {
    everybody: ['ModifySnapshotAttribute', shared('createVolumePermission', 'add', { userId: '111122223333' }, { group: 'all' }), 'opens'],
    'one account': ['ModifySnapshotAttribute', fixture('ec2-share-snapshot')[0], 'neither'],
    'everybody no more': ['ModifySnapshotAttribute', shared('createVolumePermission', 'remove', { group: 'all' }), 'closes'],
    'a snapshot that goes': ['DeleteSnapshot', requested({ snapshotId: 'snap-1' }), 'closes'],
  },
  'ami-not-public': {
    everybody: ['ModifyImageAttribute', shared('launchPermission', 'add', { group: 'all' }), 'opens'],
    'one account': ['ModifyImageAttribute', shared('launchPermission', 'add', { userId: '111122223333' }), 'neither'],
    'everybody no more': ['ModifyImageAttribute', shared('launchPermission', 'remove', { group: 'all' }), 'closes'],
    'a description': ['ModifyImageAttribute', requested({ imageId: 'ami-1', description: { value: 'all' } }), 'neither'],
  },
  'ebs-snapshot-block-public-access': {
    'the block lifted': ['DisableSnapshotBlockPublicAccess', requested({ DisableSnapshotBlockPublicAccessRequest: {} }), 'opens'],
    weakened: ['EnableSnapshotBlockPublicAccess', requested({ EnableSnapshotBlockPublicAccessRequest: { State: 'block-new-sharing' } }), 'opens'],
    'weak, as the policy allows': [
      'EnableSnapshotBlockPublicAccess',
      requested({ EnableSnapshotBlockPublicAccessRequest: { State: 'block-new-sharing' } }),
      'closes',
      { state: 'block-new-sharing' },
    ],
    whole: ['EnableSnapshotBlockPublicAccess', requested({ EnableSnapshotBlockPublicAccessRequest: { State: 'block-all-sharing' } }), 'closes'],
  },
  'security-group-no-world-ssh-rdp': {
    'SSH, named by one range': ['AuthorizeSecurityGroupIngress', fixture('ec2-authorize-ingress')[0], 'opens'],
    'RDP from IPv6': ['AuthorizeSecurityGroupIngress', ingress({ ipv6Ranges: { items: [{ cidrIpv6: '::/0' }] } }, 3389), 'opens'],
    'every port': ['AuthorizeSecurityGroupIngress', ingress(from('0.0.0.0/0'), 0, 65_535), 'opens'],
    'everything, without ports': [
      'AuthorizeSecurityGroupIngress',
      requested({ groupId: 'sg-1', ipPermissions: { items: [{ ipProtocol: '-1', ...from('0.0.0.0/0') }] } }),
      'opens',
    ],
    HTTPS: ['AuthorizeSecurityGroupIngress', ingress(from('0.0.0.0/0'), 443), 'neither'],
    'SSH from an office': ['AuthorizeSecurityGroupIngress', ingress(from('203.0.113.0/24'), 22), 'neither'],
    'a port that the policy names': ['AuthorizeSecurityGroupIngress', ingress(from('0.0.0.0/0'), 5432), 'opens', { ports: [5432] }],
    'SSH, where the policy names another': ['AuthorizeSecurityGroupIngress', ingress(from('0.0.0.0/0'), 22), 'neither', { ports: [5432] }],
    'a prefix list, which the call does not tell of': [
      'AuthorizeSecurityGroupIngress',
      ingress({ prefixListIds: { items: [{ prefixListId: 'pl-1' }] } }, 22),
      'neither',
    ],
    'a rule changed': [
      'ModifySecurityGroupRules',
      requested({
        ModifySecurityGroupRulesRequest: {
          GroupId: 'sg-1',
          SecurityGroupRule: {
            tag: 1,
            SecurityGroupRuleId: 'sgr-1',
            SecurityGroupRule: { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIpv4: '0.0.0.0/0' },
          },
        },
      }),
      'opens',
    ],
    'one rule less says nothing of the others': ['RevokeSecurityGroupIngress', ingress(from('0.0.0.0/0'), 22), 'neither'],
    'a group that goes': ['DeleteSecurityGroup', requested({ groupId: 'sg-1' }), 'closes'],
  },
  'rds-snapshot-not-public': {
    everybody: ['ModifyDBSnapshotAttribute', requested({ dBSnapshotIdentifier: 's', attributeName: 'restore', valuesToAdd: ['all'] }), 'opens'],
    'one account': ['ModifyDBSnapshotAttribute', requested({ dBSnapshotIdentifier: 's', attributeName: 'restore', valuesToAdd: ['111122223333'] }), 'neither'],
    'everybody no more': ['ModifyDBSnapshotAttribute', requested({ dBSnapshotIdentifier: 's', attributeName: 'restore', valuesToRemove: ['all'] }), 'closes'],
  },
  'sns-topic-not-public': {
    everybody: ['SetTopicAttributes', topicPolicy(subscribe), 'opens'],
    'a new topic': ['CreateTopic', requested({ name: 'results', attributes: { Policy: JSON.stringify({ Statement: [subscribe] }) } }), 'opens'],
    'an account': ['SetTopicAttributes', topicPolicy(only('111122223333')), 'closes'],
    'an account that the policy does not name': ['SetTopicAttributes', topicPolicy(only('111122223333')), 'opens', { allowedAccounts: ['444455556666'] }],
    'another attribute': ['SetTopicAttributes', requested({ attributeName: 'DisplayName', attributeValue: '*' }), 'neither'],
    'a policy that is none': ['SetTopicAttributes', requested({ attributeName: 'Policy', attributeValue: '{' }), 'neither'],
  },
  'lambda-url-auth': {
    'no authorization': ['CreateFunctionUrlConfig', url('NONE'), 'opens'],
    'by its other name': ['UpdateFunctionUrlConfig20211031', url('NONE'), 'opens'],
    IAM: ['UpdateFunctionUrlConfig', url('AWS_IAM'), 'closes'],
    'something else': ['UpdateFunctionUrlConfig', url(), 'neither'],
    'the URL goes': ['DeleteFunctionUrlConfig', url(), 'closes'],
  },
  'cloudtrail-logging-on': {
    stopped: ['StopLogging', fixture('cloudtrail-stop-logging')[0], 'opens'],
    'stopped, as the policy allows': ['StopLogging', trail('arn:aws:cloudtrail:us-east-1:123456789012:trail/lab'), 'neither', { exemptTrails: ['lab'] }],
    started: ['StartLogging', trail('audit'), 'closes'],
    made: ['CreateTrail', trail('audit'), 'neither'],
  },
  'cloudtrail-log-validation': {
    off: ['UpdateTrail', requested({ name: 'audit', enableLogFileValidation: false }), 'opens'],
    on: ['UpdateTrail', requested({ name: 'audit', enableLogFileValidation: true }), 'closes'],
    'another setting': ['UpdateTrail', requested({ name: 'audit', s3KeyPrefix: 'false' }), 'neither'],
  },
};

const controls = new Map<string, AnyStateControl>();
beforeAll(async () => {
  for (const entry of catalogue) {
    const control = await entry.load();
    if (!isEventControl(control)) controls.set(entry.id, control);
  }
});

function turnOf(control: AnyStateControl, eventName: string, detail: unknown, params: unknown): Turn {
  const declared = control.triggers.find((trigger) => trigger.source === 'cloudtrail' && trigger.eventNames.includes(eventName));
  expect({ control: control.id, eventName, declared: declared !== undefined }).toMatchObject({ declared: true });
  const eventSource = declared?.source === 'cloudtrail' ? declared.eventSource : '';
  const record = { eventID: 'e', awsRegion: 'us-east-1', eventTime: '2026-11-01T03:00:00Z', recipientAccountId: '123456789012', ...(detail as object) };
  const { triggers } = normalise({ ...record, eventSource, eventName });
  expect(triggers).toHaveLength(1);
  return edgesOf(control, triggers, control.params.parse(params ?? {}))[0]?.turns ?? 'neither';
}

describe.each(Object.entries(cases))('%s', (id, table) => {
  test.each(Object.entries(table))('%s', (_, [eventName, detail, turn, params]) => {
    expect(turnOf(controls.get(id)!, eventName, detail, params)).toBe(turn);
  });

  test.each([null, undefined, '', 7, [], { bucketName: 7 }, { ipPermissions: { items: 'x' } }])(
    'request parameters %j tell of nothing, whatever the call',
    (requestParameters) => {
      const { triggers } = controls.get(id)!;
      const names = triggers.flatMap((trigger) => (trigger.source === 'cloudtrail' ? trigger.eventNames : []));
      // Calls whose name alone says it.
      const plain = names.filter((name) => !/^(Delete|Deregister|Disable|Reset|Start|Stop)/.test(name));
      expect(plain.map((name) => turnOf(controls.get(id)!, name, { requestParameters }, undefined))).toEqual(plain.map(() => 'neither'));
    },
  );
});

test('law: a control that reports what is gone can tell from a call that it opened it, and from another that it did not', () => {
  const reporting = [...controls.values()].filter(({ reportTransient }) => reportTransient);
  expect(reporting.map(({ id }) => id).sort()).toEqual(Object.keys(cases).sort());
  for (const { id, opens, closes } of reporting) {
    expect({ id, opens: typeof opens, closes: typeof closes }).toEqual({ id, opens: 'function', closes: 'function' });
    const turns = Object.values(cases[id]!).map(([, , turn]) => turn);
    expect({ id, opens: turns.includes('opens'), other: turns.some((turn) => turn !== 'opens') }).toEqual({ id, opens: true, other: true });
  }
  for (const { id, opens, reportTransient } of controls.values())
    expect({ id, both: (opens !== undefined) === Boolean(reportTransient) }).toEqual({ id, both: true });
});
