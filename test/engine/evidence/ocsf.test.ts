/** Against the attributes, types, requirements and enums of OCSF 1.5.0, from the fixture that names where they come from. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { type About, ocsfOf } from '../../../engine/evidence/ocsf.ts';
import { step } from '../../../engine/finding.ts';
import { change, type Entry, type Finding } from '../../../engine/model.ts';
import { catalogue } from '../../../remediations/index.ts';
import { chainOf } from '../../support/chains.ts';
import { findingOf } from '../../support/ledger-samples.ts';

const schema = JSON.parse(readFileSync('test/fixtures/ocsf/compliance-finding-1.5.0.json', 'utf8'));
const valid = new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(schema);
const faults = (value: unknown) => {
  valid(value);
  return valid.errors ?? [];
};

const at = '2026-11-01T03:00:00.000Z';
const about: About = {
  title: 'Each bucket is closed',
  rationale: 'Open ones leak.',
  hipaa: [{ section: '164.312(a)(1)', specification: 'standard', rationale: 'r' }],
};
const entryOf = (parts: Partial<Finding>, kind: Entry['kind'] = 'SEEN'): Entry => step(findingOf(parts), {}, { kind, by: 'detect', at, note: 'Seen.' }).entry;
const ocsf = (parts: Partial<Finding>, kind?: Entry['kind']) => JSON.parse(JSON.stringify(ocsfOf(entryOf(parts, kind), about, '1.2.3')));

const fix = change({ action: 's3:PutBucketPolicy', summary: 'Close it', before: {}, after: {} });
const outcome = (status: NonNullable<Finding['outcome']>['status']) => ({ status, reason: 'So it is.', at });
const cases: Record<string, readonly [Partial<Finding>, object]> = {
  'open, to be told': [
    {},
    { status: 'New', status_id: 1, activity_name: 'Update', severity: 'High', severity_id: 4, compliance: { status: 'Fail', status_id: 3 } },
  ],
  'open, to be fixed': [
    { decision: { action: 'fix', reason: 'r' }, proposal: 'Close it' },
    { status: 'In Progress', remediation: { desc: 'Close it' } },
  ],
  fixed: [
    {
      state: 'resolved',
      resolvedAt: at,
      severity: 'CRITICAL',
      evaluation: { complianceType: 'COMPLIANT', annotation: 'Closed.' },
      outcome: outcome('REMEDIATED'),
      changes: [{ change: fix, intendedAt: at, doneAt: at }],
    },
    { status: 'Resolved', activity_name: 'Close', type_uid: 200303, severity_id: 5, compliance: { status: 'Pass', status_id: 1 }, end_time: Date.parse(at) },
  ],
  excepted: [
    { state: 'resolved', resolvedAt: at, outcome: outcome('EXCEPTED') },
    { status: 'Suppressed', status_id: 3, activity_name: 'Close' },
  ],
  'not to be seen': [{ evaluation: { complianceType: 'INSUFFICIENT_DATA', annotation: 'Denied.' } }, { compliance: { status: 'Warning', status_id: 2 } }],
  'not applicable any more': [{ evaluation: { complianceType: 'NOT_APPLICABLE', annotation: 'Gone.' } }, { compliance: { status_code: 'NOT_APPLICABLE' } }],
  'with its actor': [
    { actor: { arn: 'arn:aws:sts::123456789012:assumed-role/Dev/dana', type: 'AssumedRole' } },
    { actor: { user: { uid: 'arn:aws:sts::123456789012:assumed-role/Dev/dana' } }, metadata: { profiles: ['cloud', 'host'] } },
  ],
};

describe('a finding as an OCSF Compliance Finding', () => {
  test.each(Object.entries(cases))('%s: valid', (_, [parts, expected]) => {
    const finding = ocsf(parts);
    expect(faults(finding)).toEqual([]);
    expect(finding).toMatchObject(expected);
  });

  test('opened: the activity is Create', () => {
    const first = ocsfOf(chainOf('records', 1)[0]!, about, '1.2.3');
    expect(faults(JSON.parse(JSON.stringify(first)))).toEqual([]);
    expect(first).toMatchObject({ activity_name: 'Create', type_uid: 200301, finding_info: { uid: chainOf('records', 1)[0]!.findingId } });
  });

  test('names the sections of HIPAA, the resource and what speaks for it', () => {
    expect(ocsf({})).toMatchObject({
      class_uid: 2003,
      category_uid: 2,
      cloud: { provider: 'AWS', account: { uid: '123456789012' }, region: 'us-east-1', cloud_partition: 'aws' },
      compliance: { control: 's3-bucket-public-access-block', requirements: ['45 CFR 164.312(a)(1)'], standards: ['HIPAA'] },
      resources: [{ uid: 'arn:aws:s3:::records', type: 'AWS::S3::Bucket' }],
      observables: [{ name: 'resources[].uid', type_id: 10, value: 'arn:aws:s3:::records' }],
    });
  });

  test('nothing is invented: no actor, no remedy, no requirement that is not known', () => {
    const finding = ocsf({});
    expect(finding).not.toHaveProperty('actor');
    expect(finding).not.toHaveProperty('remediation');
    const unknown = JSON.parse(JSON.stringify(ocsfOf(entryOf({}), undefined, '1.2.3')));
    expect(faults(unknown)).toEqual([]);
    expect(unknown.compliance).not.toHaveProperty('requirements');
    expect(unknown.finding_info.title).toBe('s3-bucket-public-access-block');
  });

  test('of every control of the catalogue: valid', async () => {
    for (const entry of catalogue) {
      const control = await entry.load();
      const finding = ocsfOf(entryOf({ control: control.id, severity: control.severity }), control, '1.2.3');
      expect([control.id, faults(JSON.parse(JSON.stringify(finding)))]).toEqual([control.id, []]);
    }
  });

  test('an entry from before evidence was chained tells too little', () => {
    const { facts: _, ...older } = entryOf({});
    expect(ocsfOf(older, about, '1.2.3')).toBeUndefined();
  });
});

describe('the fixture', () => {
  const good = ocsf({});
  const bad: Record<string, (finding: Record<string, unknown>) => object> = {
    'an attribute that the class does not have': (finding) => ({ ...finding, verdict: 'fine' }),
    'a required one missing': ({ finding_info: _, ...finding }) => finding,
    'a time in words': (finding) => ({ ...finding, time: at }),
    'a status that there is not': (finding) => ({ ...finding, status_id: 7 }),
    'an object without what names it': (finding) => ({ ...finding, resources: [{ type: 'AWS::S3::Bucket' }] }),
  };
  test.each(Object.entries(bad))('refuses %s', (_, spoil) => {
    expect(faults(spoil(good))).not.toEqual([]);
  });
});
