import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import type { Trigger } from '../../engine/model.ts';
import { normalise } from '../../engine/normalise.ts';
import { globalRegionOf, type Routed, route, routerOf } from '../../engine/route.ts';
import { catalogue } from '../../remediations/index.ts';
import { changed, eventNamed, fixture, fixtureNames, mutatedFixture } from '../support/events.ts';

const router = routerOf(catalogue);
const controls = new Map<string, AnyControl>();
beforeAll(async () => {
  for (const entry of catalogue) controls.set(entry.id, await entry.load());
});

const all = { watch: 'all' } as const;
const routed = (trigger: Trigger, policy: Parameters<typeof route>[2] = all): Routed =>
  route(
    trigger,
    router.select(trigger).map(({ id }) => controls.get(id)!),
    policy,
  );
const triggersOf = (event: unknown, accountId = '123456789012') => normalise(event, { accountId }).triggers;

/** State controls only: `control ARN region`, and `control * region` where all of a type are looked at. */
const worked = (event: unknown, policy: Parameters<typeof route>[2] = all): string[] =>
  triggersOf(event)
    .map((trigger) => routed(trigger, policy))
    .flatMap(({ items, sweeps }) => [
      ...items.filter(({ fold }) => fold === undefined).map(({ control, resource }) => `${control.id} ${resource.id} ${resource.region}`),
      ...sweeps.map(({ control, place }) => `${control.id} * ${place.region}`),
    ])
    .sort();

const arn = {
  account: 'arn:aws:iam::123456789012:root',
  bucket: 'arn:aws:s3:::records',
  group: 'arn:aws:ec2:us-east-1:123456789012:security-group/sg-0123456789abcdef0',
  key: 'arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555',
  listener: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/portal/0123456789abcdef/0011223344556677',
  trail: 'arn:aws:cloudtrail:us-east-1:123456789012:trail/audit',
  vpc: 'arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123456789abcdef0',
};

/** What each event reaches: the control and the ARN, or * where it names no resource. */
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'cloudtrail-log-file/PutBucketPublicAccessBlock': {
    's3-bucket-acl-not-public': arn.bucket,
    's3-bucket-policy-not-public': arn.bucket,
    's3-bucket-public-access-block': arn.bucket,
  },
  'cloudtrail-log-file/DeleteAccountPublicAccessBlock': {
    's3-account-public-access-block': arn.account,
    's3-bucket-acl-not-public': '*',
    's3-bucket-policy-not-public': '*',
  },
  'cloudtrail-log-file/DisableKeyRotation': { 'kms-key-rotation-enabled': arn.key },
  'cloudtrail-log-file/ScheduleKeyDeletion': { 'kms-key-not-scheduled-for-deletion': arn.key, 'kms-key-rotation-enabled': arn.key },
  'cloudtrail-log-file/DeleteAccountPasswordPolicy': { 'iam-password-policy-strong': arn.account },
  'cloudtrail-log-file/DisableEbsEncryptionByDefault': { 'ebs-encryption-by-default': arn.account },
  'cloudtrail-log-file/CreateListener': { 'alb-http-redirects-to-https': arn.listener },
  'cloudtrail-log-file/ModifyDBInstance': { 'rds-instance-not-public': 'arn:aws:rds:us-east-1:123456789012:db:charts' },
  'cloudtrail-stop-logging': { 'cloudtrail-logging-on': arn.trail },
  'config-item-change': {
    's3-bucket-acl-not-public': arn.bucket,
    's3-bucket-policy-not-public': arn.bucket,
    's3-bucket-public-access-block': arn.bucket,
    's3-bucket-tls-only': arn.bucket,
    's3-bucket-versioning': arn.bucket,
    's3-default-encryption-kms': arn.bucket,
  },
  'config-item-change-oversized': { 'vpc-flow-logs-enabled': arn.vpc },
  'config-rule-compliance-change': { 's3-bucket-public-access-block': arn.bucket },
  'ec2-authorize-ingress': { 'security-group-no-world-ssh-rdp': arn.group, 'vpc-default-security-group-closed': arn.group },
  'ec2-delete-flow-logs': { 'vpc-flow-logs-enabled': '*' },
  'ec2-share-snapshot': { 'ebs-snapshot-not-public': 'arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0' },
  'securityhub-account-failed': { 'ebs-encryption-by-default': '*' },
  'securityhub-custom-action': { 's3-bucket-public-access-block': arn.bucket },
  'securityhub-fsbp-failed': { 's3-bucket-public-access-block': arn.bucket },
  'securityhub-prowler-failed': { 's3-bucket-public-access-block': arn.bucket },
  sweep: { 's3-bucket-public-access-block': '*' },
  check: { 's3-bucket-public-access-block': 'arn:aws:s3:::records' },
  // Of the controls named here, these reach none: they make no setting of theirs, or they failed.
  'cloudtrail-put-event-selectors': {},
  'console-login-without-mfa': {},
  'ec2-run-instances-denied/RunInstances': {},
  'ec2-user-data/ModifyInstanceAttribute': {},
  'iam-backdoor-role': {},
  'iam-create-admin-user/CreateUser': {},
  'kms-rotate-key': {},
  'lambda-backdoor-function': {},
  'organizations-leave-denied/LeaveOrganization': {},
  'securityhub-passed': {},
};
const named = new Set(Object.values(table).flatMap((row) => Object.keys(row)));

describe('each event reaches its controls', () => {
  for (const [name, row] of Object.entries(table)) {
    test(name, () => {
      const expected = Object.entries(row)
        .filter(([id]) => controls.has(id))
        .map(([id, resource]) => `${id} ${resource} us-east-1`);
      expect(worked(eventNamed(name)).filter((line) => named.has(line.split(' ')[0]!))).toEqual(expected.sort());
    });
  }

  test('the controls named here are those of the catalogue', () => {
    expect([...named].filter((id) => !controls.has(id))).toEqual([]);
  });
});

describe('failed calls', () => {
  test('reach no state control, and event controls only that ask for them', () => {
    for (const event of fixtureNames.flatMap(fixture).filter(({ detail }) => (detail as { eventSource?: string }).eventSource)) {
      for (const trigger of triggersOf(changed(event, { errorCode: 'AccessDenied' }))) {
        const { items, sweeps } = routed(trigger);
        expect(sweeps).toEqual([]);
        for (const { control } of items) {
          if (!isEventControl(control)) throw new Error(`${control.id} was reached`);
          expect(control.triggers.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining([expect.stringMatching(/^(failed|any)$/)]));
        }
      }
    }
  });
});

describe('event controls', () => {
  const reached = (event: unknown) => triggersOf(event).flatMap((trigger) => routed(trigger).items.filter(({ fold }) => fold !== undefined));

  test('see the kinds of events they ask for', () => {
    for (const event of fixtureNames.flatMap(fixture)) {
      for (const { control, trigger } of reached(event)) {
        if (!isEventControl(control) || trigger.source !== 'cloudtrail') throw new Error('not an event');
        expect(control.triggers.flatMap(({ kinds }) => kinds)).toContain(trigger.kind);
      }
    }
  });

  test('are told of the resource that the event names, and only of events their pattern takes', () => {
    const expected: Readonly<Record<string, string>> = {
      'iam-console-login-with-mfa': 'arn:aws:iam::123456789012:user/dana',
    };
    const login = reached(eventNamed('console-login-without-mfa')).filter(({ control }) => control.id in expected);
    expect(Object.fromEntries(login.map(({ control, resource }) => [control.id, resource.id]))).toEqual(expected);
  });

  test('what only Config or Security Hub tells reaches none', () => {
    for (const name of fixtureNames.filter((each) => /^(config|securityhub|sweep)/.test(each))) expect(reached(fixture(name)[0])).toEqual([]);
  });
});

describe('how a resource is named', () => {
  const stop = eventNamed('cloudtrail-stop-logging');
  const stopping = (name: unknown, detail: object = {}) => changed(stop, { requestParameters: { name }, ...detail });
  const only = (control: string, lines: string[]) => lines.filter((line) => line.startsWith(`${control} `)).map((line) => line.slice(control.length + 1));
  const cases: Readonly<Record<string, readonly [event: unknown, trail: readonly string[]]>> = {
    'by its name': [stopping('audit'), [`${arn.trail} us-east-1`]],
    'by its ARN': [stopping(arn.trail), [`${arn.trail} us-east-1`]],
    'by an ARN of another region: the region of the resource': [
      stopping('arn:aws:cloudtrail:us-west-2:123456789012:trail/audit'),
      ['arn:aws:cloudtrail:us-west-2:123456789012:trail/audit us-west-2'],
    ],
    'by an ARN of another account: not ours': [stopping('arn:aws:cloudtrail:us-east-1:210987654321:trail/audit'), []],
    'by an ARN of another form: all are looked at': [stopping(arn.bucket), ['* us-east-1']],
    'by nothing': [changed(stop, { requestParameters: null }), ['* us-east-1']],
    'by a name that is no text': [stopping({ $ne: 1 }), ['* us-east-1']],
    'by an empty name': [stopping(''), ['* us-east-1']],
    'in a form that makes the reader stumble': [changed(stop, { requestParameters: 'name=audit', responseElements: [1] }), ['* us-east-1']],
    'by a name full of signs that mean something elsewhere': [stopping('$&.*(a|b)'), ['arn:aws:cloudtrail:us-east-1:123456789012:trail/$&.*(a|b) us-east-1']],
    'in GovCloud': [stopping('audit', { awsRegion: 'us-gov-east-1' }), ['arn:aws-us-gov:cloudtrail:us-gov-east-1:123456789012:trail/audit us-gov-east-1']],
  };
  for (const [name, [event, trail]] of Object.entries(cases)) test(name, () => expect(only('cloudtrail-logging-on', worked(event))).toEqual(trail));

  test('in a form at which the control throws: all are looked at', () => {
    const stumbling = {
      ...controls.get('cloudtrail-logging-on')!,
      triggers: [
        {
          source: 'cloudtrail',
          eventSource: 'cloudtrail.amazonaws.com',
          eventNames: ['StopLogging'],
          resourceIds: () => {
            throw new TypeError('x is not iterable');
          },
        },
      ],
    } as unknown as AnyControl;
    const [trigger] = triggersOf(stop);
    expect(route(trigger!, [stumbling], all)).toMatchObject({ items: [], sweeps: [{ place: { accountId: '123456789012', region: 'us-east-1' } }] });
  });

  test('twice in one event: once', () => {
    const event = eventNamed('cloudtrail-log-file/DisableKeyRotation');
    const twice = changed(event, { resources: [{ ARN: arn.key }, { ARN: arn.key }] });
    expect(only('kms-key-rotation-enabled', worked(twice))).toEqual([`${arn.key} us-east-1`]);
  });

  test('a Config item by its ARN, without one by its id; one of another account is not ours', () => {
    const event = eventNamed('config-item-change-oversized');
    const summary = (event.detail as { configurationItemSummary: object }).configurationItemSummary;
    const as = (ARN: unknown) => only('vpc-flow-logs-enabled', worked(changed(event, { configurationItemSummary: { ...summary, ARN } })));
    expect(as(undefined)).toEqual([`${arn.vpc} us-east-1`]);
    expect(as('arn:aws:ec2:us-east-1:210987654321:vpc/vpc-0123456789abcdef0')).toEqual([]);
    expect(as(arn.bucket)).toEqual(['* us-east-1']);
  });
});

describe('settings of the whole account', () => {
  const cases: Readonly<Record<string, readonly [name: string, control: string, region: string, expected: string]>> = {
    'a global one, called in another region': [
      'cloudtrail-log-file/DeleteAccountPublicAccessBlock',
      's3-account-public-access-block',
      'eu-west-1',
      `${arn.account} us-east-1`,
    ],
    'a global one in GovCloud': [
      'cloudtrail-log-file/DeleteAccountPublicAccessBlock',
      's3-account-public-access-block',
      'us-gov-east-1',
      'arn:aws-us-gov:iam::123456789012:root us-gov-west-1',
    ],
    'IAM in GovCloud': [
      'cloudtrail-log-file/DeleteAccountPasswordPolicy',
      'iam-password-policy-strong',
      'us-gov-west-1',
      'arn:aws-us-gov:iam::123456789012:root us-gov-west-1',
    ],
    'a regional one stays where it was called': [
      'cloudtrail-log-file/DisableEbsEncryptionByDefault',
      'ebs-encryption-by-default',
      'eu-west-1',
      `${arn.account} eu-west-1`,
    ],
  };
  for (const [name, [event, control, awsRegion, expected]] of Object.entries(cases)) {
    test(name, () => expect(worked(changed(eventNamed(event), { awsRegion }))).toContain(`${control} ${expected}`));
  }

  test('each partition has a home of its own', () => {
    expect(['eu-west-1', 'us-east-1', 'us-gov-east-1', 'us-isob-east-1'].map(globalRegionOf)).toEqual([
      'us-east-1',
      'us-east-1',
      'us-gov-west-1',
      'us-isob-east-1',
    ]);
  });
});

describe('the regions the policy watches', () => {
  const stop = eventNamed('cloudtrail-stop-logging');
  test('an event elsewhere is left alone, also by event controls', () => {
    const elsewhere = changed(stop, { awsRegion: 'eu-west-1' });
    expect(worked(elsewhere, { watch: ['us-east-1', 'us-west-2'] })).toEqual([]);
    expect(triggersOf(elsewhere).map((trigger) => routed(trigger, { watch: ['us-east-1'] }))).toEqual([{ items: [], sweeps: [] }]);
    expect(worked(elsewhere, all)).not.toEqual([]);
  });
  test('an event inside is seen', () => expect(worked(stop, { watch: ['us-east-1'] })).toEqual(worked(stop)));
  test('a sweep elsewhere too', () => expect(worked({ ...eventNamed('sweep'), region: 'eu-west-1' }, { watch: ['us-east-1'] })).toEqual([]));
});

describe('what other tools say', () => {
  const rule = eventNamed('config-rule-compliance-change');
  const hub = eventNamed('securityhub-fsbp-failed');
  const finding = (hub.detail as { findings: Record<string, unknown>[] }).findings[0]!;
  const saying = (changes: Record<string, unknown>) => worked(changed(hub, { findings: [{ ...finding, ...changes }] }));
  const control = 's3-bucket-public-access-block';

  for (const [name, configRuleName] of Object.entries({
    'by its plain name': 's3-bucket-level-public-access-prohibited',
    'with the suffix of a conformance pack': 's3-bucket-level-public-access-prohibited-conformance-pack-abc123xyz',
  })) {
    test(`a Config rule ${name}`, () => expect(worked(changed(rule, { configRuleName }))).toContain(`${control} ${arn.bucket} us-east-1`));
  }

  test('a rule whose name only begins alike is another rule', () => {
    expect(worked(changed(rule, { configRuleName: 's3-bucket-level-public-access-prohibitedness' }))).toEqual([]);
  });

  test('a rule that judged another type: all of the control’s are looked at', () => {
    expect(worked(changed(rule, { resourceType: 'AWS::::Account', resourceId: '123456789012' }))).toContain(`${control} * us-east-1`);
  });

  test('Security Hub by each name it may use for one control', () => {
    const names = [
      { Compliance: { Status: 'FAILED', SecurityControlId: 'S3.8' }, GeneratorId: 'x', ProductFields: {} },
      { Compliance: { Status: 'FAILED' }, GeneratorId: 'aws-foundational-security-best-practices/v/1.0.0/S3.8', ProductFields: {} },
      { Compliance: { Status: 'FAILED' }, GeneratorId: 'security-control/S3.8', ProductFields: {} },
      { Compliance: { Status: 'FAILED' }, GeneratorId: 'x', ProductFields: { ControlId: 'S3.8' } },
      { Compliance: { Status: 'FAILED' }, GeneratorId: 'prowler-s3_bucket_level_public_access_block', ProductFields: {} },
    ];
    for (const name of names) expect(saying(name)).toEqual([`${control} ${arn.bucket} us-east-1`]);
  });

  test('a control that nobody here knows', () =>
    expect(saying({ Compliance: { Status: 'FAILED', SecurityControlId: 'S3.999' }, GeneratorId: 'x', ProductFields: {} })).toEqual([]));

  test('the region of the resource, not of the finding that was gathered elsewhere', () => {
    expect(saying({ Resources: [{ Id: arn.bucket, Region: 'us-west-2' }] })).toEqual([`${control} ${arn.bucket} us-west-2`]);
  });

  test('an operator names one resource; an ARN of another form or account is not taken for it', () => {
    const check = (resourceId: string) => worked(changed(eventNamed('check'), { resourceId }));
    expect(check(arn.bucket)).toEqual([`${control} ${arn.bucket} us-east-1`]);
    expect(check('arn:aws:ec2:us-east-1:123456789012:volume/vol-1')).toEqual([`${control} * us-east-1`]);
  });

  test('a control that does not exist', () => {
    expect(worked(changed(eventNamed('sweep'), { control: 'no-such-control' }))).toEqual([]);
    expect(worked(changed(eventNamed('sweep'), { control: 'constructor' }))).toEqual([]);
  });
});

describe('an event loads only what it can concern', () => {
  test('the controls that name its call, or that take every call', () => {
    for (const event of fixtureNames.flatMap(fixture)) {
      for (const trigger of triggersOf(event)) {
        if (trigger.source !== 'cloudtrail') continue;
        for (const { id, triggers } of router.select(trigger)) {
          const concerned = triggers.some(
            (each) =>
              each.source === 'cloudtrail' &&
              (each.eventSource === '*' || each.eventSource === trigger.eventSource) &&
              each.eventNames.some((name) => name === trigger.eventName || name.endsWith('*')),
          );
          expect([id, concerned]).toEqual([id, true]);
        }
        expect(new Set(router.select(trigger)).size).toBe(router.select(trigger).length);
      }
    }
  });
});

describe('however an event is bent', () => {
  test('no throw, and no resource outside its account', () => {
    fc.assert(
      fc.property(mutatedFixture, (event) => {
        for (const trigger of triggersOf(event)) {
          const { items, sweeps } = routed(trigger);
          for (const { resource, control } of items) {
            const account = /^arn:[^:]*:[^:]*:[^:]*:([^:]*):/s.exec(resource.id)?.[1];
            expect([control.id, resource.accountId]).toEqual([control.id, '123456789012']);
            expect(['', '123456789012']).toContain(account);
            if (!isEventControl(control)) expect(resource.type).toBe(control.resourceType);
            expect(resource.region).toMatch(/./);
          }
          for (const { place } of sweeps) expect(place.accountId).toBe('123456789012');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
