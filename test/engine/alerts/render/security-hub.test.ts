import {
  type AwsSecurityFinding,
  AwsSecurityFinding$,
  Compliance$,
  ComplianceStatus,
  FindingProviderFields$,
  FindingProviderSeverity$,
  Partition,
  Recommendation$,
  RecordState,
  Remediation$,
  Resource$,
  ResourceDetails$,
  SeverityLabel,
} from '@aws-sdk/client-securityhub';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../../engine/alerts/alert.ts';
import { backlogAlertOf } from '../../../../engine/alerts/backlog.ts';
import { asffType } from '../../../../engine/alerts/render/asff-types.ts';
import { asffFinding } from '../../../../engine/alerts/render/security-hub.ts';
import { catalogue } from '../../../../remediations/index.ts';
import { control, done, finding, type Life, lives, named, off } from '../../../support/findings.ts';
import { hostile } from '../../../support/hostile-names.ts';
import { told } from '../../../support/lamps.ts';

const context = { stack: 'phidelity-prod', region: 'us-east-1' };
/** The type is the SDK's: what it does not know does not compile. */
const asff = (alert: Alert, more: object = {}): AwsSecurityFinding => asffFinding(alert, { ...context, ...more })!;

/** A structure of the SDK: its members, of which so many, the first, are required. */
type Shape = readonly [kind: number, namespace: string, name: string, traits: unknown, members: readonly string[], types: unknown, required?: number];
function fitsShape(shape: unknown, value: object | undefined): void {
  const [, , name, , members, , required = 0] = shape as Shape;
  expect([name, Object.keys(value!).filter((key) => !members.includes(key))]).toEqual([name, []]);
  expect([name, members.slice(0, required).filter((key) => (value as Record<string, unknown>)[key] === undefined)]).toEqual([name, []]);
}

/** https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html; the SDK holds these lengths in words only. */
function withinLimits(alert: Alert): AwsSecurityFinding {
  const one = asff(alert);
  fitsShape(AwsSecurityFinding$, one);
  fitsShape(Compliance$, one.Compliance);
  fitsShape(FindingProviderFields$, one.FindingProviderFields);
  fitsShape(FindingProviderSeverity$, one.FindingProviderFields!.Severity);
  fitsShape(Remediation$, one.Remediation);
  fitsShape(Recommendation$, one.Remediation!.Recommendation);
  for (const resource of one.Resources!) fitsShape(Resource$, resource);
  const [resource] = one.Resources!;
  const lengths: readonly (readonly [string, string | undefined, number])[] = [
    ['Id', one.Id, 512],
    ['ProductArn', one.ProductArn, 2_048],
    ['ProductName', one.ProductName, 128],
    ['CompanyName', one.CompanyName, 128],
    ['GeneratorId', one.GeneratorId, 512],
    ['Title', one.Title, 256],
    ['Description', one.Description, 1_024],
    ['Resource.Type', resource!.Type, 256],
    ['Resource.Id', resource!.Id, 2_048],
    ['Resource.Region', resource!.Region, 16],
    ['Severity.Original', one.FindingProviderFields!.Severity!.Original, 64],
    ['Recommendation.Text', one.Remediation!.Recommendation!.Text, 512],
    ...one.Compliance!.RelatedRequirements!.map((words) => ['RelatedRequirements', words, 64] as const),
    ...Object.entries(one.ProductFields!).flatMap(([key, value]) => [['a key', key, 128] as const, [key, value, 2_048] as const]),
  ];
  for (const [name, text, most] of lengths) {
    expect([name, text]).toEqual([name, expect.stringMatching(/\S/)]);
    expect([name, text!.length <= most, text!.isWellFormed(), /[\p{Cc}\p{Cf}]/u.test(text!)]).toEqual([name, true, true, false]);
  }
  expect(Object.keys(one.ProductFields!).length).toBeLessThanOrEqual(50);
  expect(one.Compliance!.RelatedRequirements!.length).toBeLessThanOrEqual(32);
  expect(Buffer.byteLength(JSON.stringify(one))).toBeLessThan(240_000);
  for (const time of [one.CreatedAt, one.UpdatedAt, one.FirstObservedAt, one.LastObservedAt]) expect(time).toBe(new Date(time!).toISOString());
  expect(Object.values(ComplianceStatus)).toContain(one.Compliance!.Status);
  expect(Object.values(RecordState)).toContain(one.RecordState);
  expect(Object.values(Partition)).toContain(resource!.Partition);
  expect(Object.values(SeverityLabel)).toContain(one.FindingProviderFields!.Severity!.Label);
  for (const theirs of ['Workflow', 'WorkflowState', 'Note', 'UserDefinedFields', 'VerificationState', 'Severity', 'Types', 'Confidence', 'Criticality'])
    expect(one).not.toHaveProperty(theirs);
  return one;
}

test('a finding, in whole', () => {
  expect(withinLimits(told({ ...lives['an approval is asked for'], version: 3 }))).toEqual({
    SchemaVersion: '2018-10-08',
    Id: 'phidelity/123456789012/us-east-1/f-abcdefghijklmnopqrstuvwxyz',
    ProductArn: 'arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default',
    ProductName: 'phidelity',
    CompanyName: 'phidelity',
    GeneratorId: 'phidelity/lamp-off',
    AwsAccountId: '123456789012',
    CreatedAt: '2026-11-01T03:00:00.000Z',
    UpdatedAt: '2026-11-01T03:00:00.003Z',
    FirstObservedAt: '2026-11-01T03:00:00.000Z',
    LastObservedAt: '2026-11-01T03:00:00.000Z',
    FindingProviderFields: {
      Severity: { Label: 'HIGH', Original: 'HIGH' },
      Types: ['Software and Configuration Checks/Industry and Regulatory Standards/HIPAA Controls (USA)'],
    },
    Title: 'Lamps are off',
    Description: 'Approval needed. Wrong: The lamp is on. Done: Nothing. It waits for a person. Decided: approve - The policy says approve.',
    Resources: [{ Type: 'Other', Id: 'arn:aws:lamp:us-east-1:123456789012:lamp/hall', Partition: 'aws', Region: 'us-east-1' }],
    Compliance: { Status: 'FAILED', RelatedRequirements: ['HIPAA 164.312(a)(1)', 'HIPAA 164.312(e)(2)(ii)'] },
    RecordState: 'ACTIVE',
    Remediation: {
      Recommendation: {
        Text: 'Switch the lamp off; to approve: npx phidelity approve f-abcdefghijklmnopqrstuvwxyz --plan abababababababab --stack phidelity-prod --region us-east-1; all of it: npx phidelity findings --stack phidelity-prod --region us-east-1',
      },
    },
    ProductFields: {
      'phidelity/FindingId': 'f-abcdefghijklmnopqrstuvwxyz',
      'phidelity/Version': '3',
      'phidelity/Episode': '1',
      'phidelity/Status': 'AWAITING_APPROVAL',
      'phidelity/Verified': 'false',
      'phidelity/Confirmed': 'false',
      'phidelity/Stack': 'phidelity-prod',
      'phidelity/DriftBy': 'arn:aws:sts::123456789012:assumed-role/Admin/dana through the AWS CLI from 192.0.2.1',
      'phidelity/When': 'SwitchOn at 2026-11-01T03:00:00.000Z',
      'phidelity/Exposed': 'since 2026-11-01T03:00:00.000Z (SwitchOn); not ended when last read, at 2026-11-01T03:00:00.000Z',
      'phidelity/Differences': 'on: true -> false',
    },
  });
});

describe('passed is said of what was read as compliant, archived of what is closed', () => {
  const expected: Readonly<Record<Life, readonly [string, string]>> = {
    drift: ['FAILED', 'ACTIVE'],
    'a page': ['FAILED', 'ACTIVE'],
    'a page that was told': ['FAILED', 'ACTIVE'],
    'the bot cannot see': ['NOT_AVAILABLE', 'ACTIVE'],
    'an approval is asked for': ['FAILED', 'ACTIVE'],
    'one of two has approved': ['FAILED', 'ACTIVE'],
    'a fix under way': ['FAILED', 'ACTIVE'],
    'a fix planned': ['FAILED', 'ACTIVE'],
    'a fix that waits for its stack': ['FAILED', 'ACTIVE'],
    'a fix to be tried again': ['FAILED', 'ACTIVE'],
    'a fix that failed': ['FAILED', 'ACTIVE'],
    fixed: ['PASSED', 'ARCHIVED'],
    'fixed and confirmed': ['PASSED', 'ARCHIVED'],
    'not applicable any more': ['NOT_AVAILABLE', 'ARCHIVED'],
    'gone already': ['PASSED', 'ARCHIVED'],
    'put right by somebody': ['PASSED', 'ARCHIVED'],
    gone: ['FAILED', 'ARCHIVED'],
    excepted: ['FAILED', 'ARCHIVED'],
    'excepted, though read as compliant': ['NOT_AVAILABLE', 'ARCHIVED'],
    'switched off': ['FAILED', 'ARCHIVED'],
    'an undo is asked for': ['PASSED', 'ARCHIVED'],
    'an undo under way': ['NOT_AVAILABLE', 'ARCHIVED'],
    undone: ['FAILED', 'ARCHIVED'],
    'not undone': ['PASSED', 'ARCHIVED'],
    'an undo that failed': ['NOT_AVAILABLE', 'ARCHIVED'],
  };
  test.each(Object.entries(lives))('%s', (name, given) => {
    const { Compliance, RecordState: state } = withinLimits(told(given));
    expect([Compliance!.Status, state]).toEqual(expected[name as Life]);
  });

  test('undone, whatever was read last', () => expect(asff(told({ ...lives.undone, evaluation: off })).Compliance!.Status).toBe('FAILED'));
});

test('one finding is one finding there, whatever becomes of it and wherever the stack is', () => {
  const one = asff(told(lives['a page']));
  const later = asff(told({ ...lives.fixed, version: 9 }), { region: 'eu-west-1' });
  expect(later.Id).toBe(one.Id);
  expect(later.ProductArn).toBe('arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default');
});

test('in another partition', () => {
  const one = asff(told(lives['a page']), { region: 'us-gov-west-1' });
  expect([one.ProductArn, one.Resources![0]!.Partition]).toEqual([
    'arn:aws-us-gov:securityhub:us-gov-west-1:123456789012:product/123456789012/default',
    'aws-us-gov',
  ]);
});

test('each later state is newer: Security Hub ignores what is not', () => {
  const later = '2026-11-01T03:10:00.000Z';
  const lived = [
    lives['a page'],
    lives['an approval is asked for'],
    { outcome: undefined, intended: { change: done.change, intendedAt: later } },
    { ...lives.fixed, resolvedAt: later, outcome: { ...lives.fixed.outcome, at: later } },
    { ...lives.fixed, resolvedAt: later, outcome: { ...lives.fixed.outcome, at: later }, confirmedBy: 'event' },
    { ...lives.undone, resolvedAt: later, undo: { ...lives.undone.undo, at: '2026-11-02T03:00:00.000Z' } },
  ].map((given, index) => asff(told({ ...given, version: index + 1 })).UpdatedAt!);
  expect(lived).toEqual([...new Set(lived)].sort());
});

describe('what others have written', () => {
  for (const [outcome, given] of Object.entries(lives)) {
    test(outcome, () => {
      for (const name of Object.values(hostile)) withinLimits(told(named(name, given)));
    });
  }

  test('any name', () => {
    const anyone = fc.tuple(fc.constantFrom(...Object.values(lives)), fc.string({ unit: 'binary', maxLength: 2_500 }));
    fc.assert(
      fc.property(anyone, ([given, name]) => {
        withinLimits(told(named(`x${name}`, given)));
      }),
      { numRuns: 60 },
    );
  });

  test('an ARN of 2,000 characters is whole', () => {
    const id = `arn:aws:s3:::${'a'.repeat(1_987)}`;
    expect(withinLimits(told({ evaluation: off, resource: { ...finding().resource, id } })).Resources![0]!.Id).toBe(id);
  });

  test('more sections than Security Hub takes', () => {
    const hipaa = Array.from({ length: 40 }, (_, index) => `164.312(a)(2)(${'i'.repeat(index * 3)})`);
    expect(withinLimits({ ...told(lives['a page']), hipaa }).Compliance!.RelatedRequirements).toHaveLength(32);
  });
});

test('what is about many is no finding', () => {
  expect(
    asffFinding(backlogAlertOf({ id: 'lamp-off', severity: 'LOW', ...control }, { ...finding().resource, began: 'now' }, [finding()]), context),
  ).toBeUndefined();
});

test('each type of resource of the catalogue has a name of Security Hub, or is Other', () => {
  const [, , , , details] = ResourceDetails$ as unknown as Shape;
  const named = new Map(catalogue.map(({ resourceType }) => [resourceType, asffType(resourceType)]));
  for (const name of named.values()) expect([...details, 'AwsAccount', 'AwsIamUser', 'Other']).toContain(name);
  // Where the SDK has a type that is spelt like Config's, it is used.
  const spelt = (type: string) => type.replaceAll('::', '').replace('LoadBalancingV2', 'lbv2').toLowerCase();
  const missed = [...named].filter(([type, name]) => name === 'Other' && details.some((detail) => detail.toLowerCase() === spelt(type)));
  expect(missed).toEqual([]);
});
