import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asffFinding } from '../../engine/alerts/render/security-hub.ts';
import type { Trigger } from '../../engine/model.ts';
import { type DropReason, eventsIn, normalise } from '../../engine/normalise.ts';
import { changed, eventNamed, fixture, fixtureNames, mutatedFixture, onBus } from '../support/events.ts';
import { alertIn } from '../support/lamps.ts';

const own = { accountId: '123456789012' };
const dana = 'arn:aws:iam::123456789012:user/dana';
const run = 'arn:aws:sts::123456789012:assumed-role/deploy/run-7';
const bucket = 'arn:aws:s3:::records';

/** A trigger in one line: what it is, who did it, what it names. */
function told(trigger: Trigger): string {
  switch (trigger.source) {
    case 'cloudtrail':
      return [trigger.kind, trigger.outcome, trigger.eventName, trigger.actor?.type, trigger.actor?.arn].join(' ');
    case 'config':
      return ['config', trigger.resourceType, trigger.resourceId, trigger.arn].join(' ');
    case 'config-rule':
      return ['rule', trigger.rule, trigger.resourceType, trigger.resourceId].join(' ');
    case 'securityhub':
      return ['hub', trigger.controlIds.join(' = '), trigger.resourceId].join(' ');
    case 'tick':
      return 'tick';
    default:
      return [trigger.source, trigger.control].join(' ');
  }
}

const by = (kind: string, outcome: string, ...names: string[]) => names.map((name) => `${kind} ${outcome} ${name} IAMUser ${dana}`);
const calls = (...names: string[]) => by('api', 'succeeded', ...names);

const table: Readonly<Record<string, { readonly triggers: readonly string[]; readonly dropped?: readonly DropReason[] }>> = {
  'cloudtrail-log-file': {
    triggers: calls(
      'PutBucketPublicAccessBlock',
      'DeleteAccountPublicAccessBlock',
      'DisableKeyRotation',
      'ScheduleKeyDeletion',
      'DeleteAccountPasswordPolicy',
      'DisableEbsEncryptionByDefault',
      'CreateListener',
      'ModifyDBInstance',
    ),
  },
  'cloudtrail-put-event-selectors': { triggers: calls('PutEventSelectors') },
  'cloudtrail-stop-logging': { triggers: calls('StopLogging') },
  'config-item-change': { triggers: [`config AWS::S3::Bucket records ${bucket}`] },
  'config-item-change-oversized': {
    triggers: ['config AWS::EC2::VPC vpc-0123456789abcdef0 arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123456789abcdef0'],
  },
  'config-rule-compliance-change': {
    triggers: ['rule s3-bucket-level-public-access-prohibited-conformance-pack-abc123xyz AWS::S3::Bucket records'],
  },
  'console-login-without-mfa': { triggers: by('signin', 'succeeded', 'ConsoleLogin') },
  'console-sign-in-root': { triggers: ['signin succeeded ConsoleLogin Root arn:aws:iam::123456789012:root'] },
  'ec2-authorize-ingress': { triggers: calls('AuthorizeSecurityGroupIngress') },
  'ec2-delete-flow-logs': { triggers: calls('DeleteFlowLogs') },
  'ec2-run-instances-denied': { triggers: [...calls('AssumeRole'), `api failed RunInstances AssumedRole ${run}`] },
  'ec2-share-snapshot': { triggers: calls('ModifySnapshotAttribute') },
  'ec2-user-data': { triggers: calls('DescribeInstances', 'StopInstances', 'ModifyInstanceAttribute', 'StartInstances') },
  'iam-backdoor-role': { triggers: calls('UpdateAssumeRolePolicy') },
  'iam-create-admin-user': { triggers: calls('CreateUser', 'AttachUserPolicy', 'CreateAccessKey') },
  'kms-rotate-key': { triggers: ['service succeeded RotateKey Unknown AWS Internal'] },
  'lambda-backdoor-function': { triggers: calls('AddPermission20150331v2') },
  'organizations-leave-denied': { triggers: [...calls('AssumeRole'), `api failed LeaveOrganization AssumedRole ${run}`] },
  'securityhub-account-failed': { triggers: ['hub EC2.7 = security-control/EC2.7 AWS::::Account:123456789012'] },
  // A person sent both: the PASSED one is looked at, our own is known already.
  'securityhub-custom-action': { triggers: [`hub S3.8 = security-control/S3.8 ${bucket}`], dropped: ['own Security Hub finding'] },
  'securityhub-fsbp-failed': { triggers: [`hub S3.8 = aws-foundational-security-best-practices/v/1.0.0/S3.8 ${bucket}`] },
  'securityhub-member-account': { triggers: [], dropped: ['another account in the record'] },
  'securityhub-own-finding': { triggers: [], dropped: ['own Security Hub finding'] },
  'securityhub-passed': { triggers: [], dropped: ['Security Hub finding without a failed check'] },
  'securityhub-prowler-failed': { triggers: [`hub prowler-s3_bucket_level_public_access_block = s3_bucket_level_public_access_block ${bucket}`] },
  sweep: { triggers: ['sweep s3-bucket-public-access-block'] },
  check: { triggers: ['operator s3-bucket-public-access-block'] },
};

describe('the fixtures', () => {
  test('each has its row', () => expect(Object.keys(table).sort()).toEqual(fixtureNames));

  for (const [name, { triggers, dropped = [] }] of Object.entries(table)) {
    test(name, () => {
      const all = fixture(name).map((event) => normalise(event, own));
      expect(all.flatMap((each) => each.triggers.map(told))).toEqual(triggers);
      expect(all.flatMap((each) => each.dropped)).toEqual(dropped);
      for (const trigger of all.flatMap((each) => each.triggers)) {
        expect(trigger).toMatchObject({ accountId: own.accountId, region: 'us-east-1', time: expect.stringMatching(/^2026-10-31T08:3[01]:00\.000Z$/) });
        expect(trigger.eventId).not.toBe('');
      }
    });
  }

  test('a bare CloudTrail record gives the same trigger as the record on the bus', () => {
    for (const event of fixtureNames.flatMap(fixture).filter((each) => String(each['detail-type']).endsWith('via CloudTrail'))) {
      const [onItsOwn] = normalise(event.detail, own).triggers;
      expect(onItsOwn).toEqual(normalise(event, own).triggers[0]);
    }
  });

  test('the actor of a role session is the session, with the role behind it', () => {
    const [trigger] = normalise(eventNamed('organizations-leave-denied/LeaveOrganization'), own).triggers;
    expect(trigger).toMatchObject({
      actor: {
        arn: run,
        issuerArn: 'arn:aws:iam::123456789012:role/deploy',
        sourceIp: '192.0.2.10',
        userAgent: 'aws-cli/2.15.30 md/Botocore#1.34.0',
        accountId: '123456789012',
      },
    });
  });
});

describe('dropped, with a reason', () => {
  const stop = eventNamed('cloudtrail-stop-logging');
  const item = eventNamed('config-item-change');
  const rule = eventNamed('config-rule-compliance-change');
  const hub = eventNamed('securityhub-fsbp-failed');
  const sweep = eventNamed('sweep');
  const finding = (changes: Record<string, unknown>) =>
    changed(hub, { findings: [{ ...((hub.detail as { findings: Record<string, unknown>[] }).findings[0] as object), ...changes }] });
  const ownMarks = { ProductArn: 'arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default', GeneratorId: 'phidelity/s3-bucket-versioning' };
  const cases: Readonly<Record<string, { readonly event: unknown; readonly reason: DropReason }>> = {
    null: { event: null, reason: 'not an event' },
    'a string': { event: 'StopLogging', reason: 'not an event' },
    'an array inside an array': { event: [stop], reason: 'not an event' },
    'an empty object': { event: {}, reason: 'not an event' },
    'no detail': { event: { ...stop, detail: null }, reason: 'not an event' },
    'a detail that is text': { event: { ...stop, detail: JSON.stringify(stop.detail) }, reason: 'not an event' },
    'a detail-type that is no text': { event: { ...stop, 'detail-type': ['AWS API Call via CloudTrail'] }, reason: 'not an event' },
    'the bus of another account': { event: { ...stop, account: '210987654321' }, reason: 'another account' },
    'no account': { event: { ...stop, account: undefined }, reason: 'another account' },
    'our account as a number': { event: { ...stop, account: 123456789012 }, reason: 'another account' },
    'a sweep of another account': { event: { ...sweep, account: '210987654321' }, reason: 'another account' },
    'our bus, but a record of another account': { event: changed(stop, { recipientAccountId: '210987654321' }), reason: 'another account in the record' },
    'a bare record of another account': {
      event: { ...(stop.detail as object), recipientAccountId: '210987654321' },
      reason: 'another account in the record',
    },
    'a Config item of another account': {
      event: changed(item, { configurationItem: { resourceType: 'AWS::S3::Bucket', resourceId: 'records', awsAccountId: '210987654321' } }),
      reason: 'another account in the record',
    },
    'a rule result of another account': { event: changed(rule, { awsAccountId: '210987654321' }), reason: 'another account in the record' },
    'forged: a source of somebody else': { event: { ...stop, source: 'com.example' }, reason: 'unknown kind of event' },
    'forged: a source that begins nearly like AWS': { event: { ...stop, source: 'aws-cloudtrail' }, reason: 'unknown kind of event' },
    'forged: no source': { event: { ...stop, source: undefined }, reason: 'unknown kind of event' },
    'forged: our source with the shape of a call': { event: { ...stop, source: 'phidelity' }, reason: 'incomplete event' },
    'a kind that nobody asked for': { event: { ...stop, 'detail-type': 'EC2 Instance State-change Notification' }, reason: 'unknown kind of event' },
    'a kind that is a name every object has': { event: { ...stop, 'detail-type': 'constructor' }, reason: 'unknown kind of event' },
    'another event of Config': { event: { ...item, 'detail-type': 'Config Rules Re-evaluation Status' }, reason: 'unknown kind of event' },
    'another event of Security Hub': { event: { ...hub, 'detail-type': 'Security Hub Insight Results' }, reason: 'unknown kind of event' },
    'a record without its name': { event: changed(stop, { eventName: null }), reason: 'incomplete event' },
    'a record without its source': { event: changed(stop, { eventSource: '' }), reason: 'incomplete event' },
    'a record without ids': { event: changed(stop, { eventID: undefined }, { id: undefined }), reason: 'incomplete event' },
    'a record without region': { event: changed(stop, { awsRegion: undefined }, { region: undefined }), reason: 'incomplete event' },
    'a Config item without resource': {
      event: changed(item, { configurationItem: { resourceType: 'AWS::S3::Bucket' } }),
      reason: 'incomplete event',
    },
    'a Config item without event id': { event: { ...item, id: '' }, reason: 'incomplete event' },
    'a rule result without resource': { event: changed(rule, { resourceId: null }), reason: 'incomplete event' },
    'Security Hub without findings': { event: changed(hub, { findings: [] }), reason: 'incomplete event' },
    'a finding without resources': { event: finding({ Resources: [] }), reason: 'incomplete event' },
    'a finding of nobody known': { event: finding({ GeneratorId: '', Compliance: { Status: 'FAILED' }, ProductFields: {} }), reason: 'incomplete event' },
    'a finding that is no check': { event: finding({ Compliance: undefined }), reason: 'Security Hub finding without a failed check' },
    'our own finding by product and generator only': { event: finding(ownMarks), reason: 'own Security Hub finding' },
    'our own finding, from another region': {
      event: finding({ ...ownMarks, ProductArn: 'arn:aws-us-gov:securityhub:us-gov-west-1:123456789012:product/123456789012/default' }),
      reason: 'own Security Hub finding',
    },
    'our own finding, sent by a person': {
      event: { ...finding(ownMarks), 'detail-type': 'Security Hub Findings - Custom Action' },
      reason: 'own Security Hub finding',
    },
    'our own finding by company name only': { event: finding({ CompanyName: 'phidelity' }), reason: 'own Security Hub finding' },
    'a finding of a member account': { event: finding({ AwsAccountId: '210987654321' }), reason: 'another account in the record' },
    'a sweep without control': { event: changed(sweep, { control: '' }), reason: 'incomplete event' },
    'a check without a resource': { event: { ...sweep, 'detail-type': 'Check' }, reason: 'incomplete event' },
    'a message of ours of another type': { event: { ...sweep, 'detail-type': 'Whatever' }, reason: 'incomplete event' },
  };
  for (const [name, { event, reason }] of Object.entries(cases)) {
    test(`${name}: ${reason}`, () => expect(normalise(event, own)).toEqual({ triggers: [], dropped: [reason] }));
  }

  test('what the bot has sent to Security Hub comes back as sent: each is dropped and counted, what else is in the event is not', () => {
    const context = { stack: 'phidelity-prod', region: 'us-east-1' };
    const sent = asffFinding(alertIn('a page'), context)!;
    const theirs = (hub.detail as { findings: Record<string, unknown>[] }).findings[0]!;
    const { triggers, dropped } = normalise(changed(hub, { findings: [sent, theirs, { ...sent, Compliance: { Status: 'PASSED' } }] }), own);
    expect(triggers).toEqual(normalise(hub, own).triggers);
    expect(triggers).toHaveLength(1);
    expect(dropped).toEqual(['own Security Hub finding', 'own Security Hub finding']);
  });

  test.each<[string, Record<string, unknown>]>([
    ['the generator of a control of the bot, of another product', { ...ownMarks, ProductArn: 'arn:aws:securityhub:us-east-1::product/aws/securityhub' }],
    ['the default product of another account', { ...ownMarks, ProductArn: 'arn:aws:securityhub:us-east-1:210987654321:product/210987654321/default' }],
    ['another generator of the default product', { ...ownMarks, GeneratorId: 'prowler-s3_bucket_level_public_access_block' }],
    ['a generator that begins nearly like the bot', { ...ownMarks, GeneratorId: 'phidelity-fork/s3' }],
  ])('%s is not its own', (_, changes) => {
    expect(normalise(finding(changes), own).triggers).toHaveLength(1);
  });

  test('a finding that warns counts as one that failed', () => {
    expect(normalise(finding({ Compliance: { Status: 'WARNING', SecurityControlId: 'S3.8' } }), own).triggers).toHaveLength(1);
  });

  test('one finding with several resources: one trigger each, with ids of their own', () => {
    const several = finding({ Resources: [{ Id: bucket, Region: 'us-west-2' }, { Id: 'arn:aws:s3:::other' }, { Type: 'Other' }] });
    const { triggers } = normalise(several, own);
    expect(triggers.map(({ region }) => region)).toEqual(['us-west-2', 'us-east-1']);
    expect(new Set(triggers.map(({ eventId }) => eventId)).size).toBe(2);
  });

  test('a Config item that is null beside its summary is read from the summary', () => {
    const event = changed(eventNamed('config-item-change-oversized'), { configurationItem: null });
    expect(normalise(event, own).triggers).toMatchObject([{ resourceId: 'vpc-0123456789abcdef0' }]);
  });
});

describe('without an account of our own (offline replay)', () => {
  test('records of every account are taken, each under its own', () => {
    const record = { ...(eventNamed('cloudtrail-stop-logging').detail as object), recipientAccountId: '210987654321' };
    expect(normalise(onBus(record)).triggers).toMatchObject([{ accountId: '210987654321' }]);
    expect(normalise(record).triggers).toMatchObject([{ accountId: '210987654321' }]);
    expect(normalise(eventNamed('securityhub-member-account')).triggers).toMatchObject([{ accountId: '210987654321' }]);
  });

  test('an old record without recipientAccountId belongs to the account of its caller', () => {
    const record = { ...(eventNamed('cloudtrail-stop-logging').detail as object), recipientAccountId: undefined };
    expect(normalise(record).triggers).toMatchObject([{ accountId: '123456789012', detail: { recipientAccountId: '123456789012' } }]);
  });
});

describe('eventsIn', () => {
  const one = { eventName: 'A' };
  const cases: Readonly<Record<string, readonly [document: unknown, events: readonly unknown[]]>> = {
    'one event': [one, [one]],
    'an array': [
      [one, one],
      [one, one],
    ],
    'an empty array': [[], []],
    'a CloudTrail log file': [{ Records: [one] }, [one]],
    'an empty log file': [{ Records: [] }, []],
    'Records that is no list': [{ Records: 'x' }, [{ Records: 'x' }]],
    null: [null, [null]],
    text: ['x', ['x']],
  };
  for (const [name, [document, events]] of Object.entries(cases)) test(name, () => expect(eventsIn(document)).toEqual(events));
});

describe('whatever comes in', () => {
  const holds = (event: unknown) => {
    for (const account of [own, undefined]) {
      const { triggers, dropped } = normalise(event, account);
      expect(triggers.length + dropped.length).toBeGreaterThan(0);
      for (const trigger of triggers) {
        expect(typeof trigger.eventId).toBe('string');
        expect(trigger.eventId).not.toBe('');
        expect(Number.isNaN(Date.parse(trigger.time))).toBe(false);
        expect(trigger.region).toMatch(/./);
        if (account) expect(trigger.accountId).toBe(account.accountId);
        if (trigger.source === 'cloudtrail') expect(['api', 'signin', 'service']).toContain(trigger.kind);
      }
    }
  };

  test('any JSON: no throw, and a trigger or a reason', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), holds), { numRuns: 500 });
  });

  test('any JSON as the detail of each kind of event', () => {
    const envelopes = fixtureNames.flatMap(fixture);
    fc.assert(
      fc.property(fc.constantFrom(...envelopes), fc.jsonValue({ maxDepth: 4 }), (envelope, detail) => holds({ ...envelope, detail })),
      { numRuns: 500 },
    );
  });

  test('fixtures with parts missing or misshapen, however deep', () => {
    fc.assert(fc.property(mutatedFixture, holds), { numRuns: 2_000 });
  });
});
