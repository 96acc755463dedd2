/** The findings that previews are made of. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { resourceNames } from '../../../cli/alert/examples.ts';
import { isTrigger, sampleFinding } from '../../../cli/alert/sample-finding.ts';
import { outcomeUnder, samplesOf } from '../../../cli/alert/samples.ts';
import { matchArn } from '../../../engine/arn.ts';
import { type AnyControl, isEventControl } from '../../../engine/control.ts';
import { redact } from '../../../engine/redact.ts';
import { catalogue } from '../../../remediations/index.ts';

const controls = new Map<string, AnyControl>();
beforeAll(async () => {
  for (const entry of catalogue) controls.set(entry.id, await entry.load());
});
const of = (id: string) => samplesOf(controls.get(id)!);
const outcomes = (id: string) => of(id).map(({ outcome }) => outcome);

describe('samples', () => {
  test.each(catalogue.map(({ id }) => id))('%s: a believable finding', (id) => {
    const control = controls.get(id)!;
    const { finding, change } = sampleFinding(control);
    expect(matchArn(control.arn, finding.resource.id)).toBeDefined();
    if (control.arn.includes('{id}')) expect(resourceNames).toHaveProperty([control.resourceType]);
    expect(isTrigger(control, finding.openedBy.eventName!)).toBe(true);
    expect(finding.evaluation.complianceType).toBe('NON_COMPLIANT');
    expect(change !== undefined).toBe('remediate' in control && control.remediate !== undefined);
    // Nothing in it looks like an identifier of a person.
    for (const text of [finding.resource.id, finding.evaluation.annotation, finding.actor!.arn]) expect(redact(text, { keep: ['session'] })).toBe(text);
  });

  test.each(catalogue.map(({ id }) => id))('%s: each outcome is told in its own way', (id) => {
    const samples = of(id);
    expect(new Set(outcomes(id)).size).toBe(samples.length);
    expect(new Set(samples.map(({ alert }) => JSON.stringify(alert))).size).toBe(samples.length);
  });

  test('only what the control can have', () => {
    for (const [id, control] of controls) {
      const has = (outcome: string) => outcomes(id).includes(outcome);
      const state = isEventControl(control) ? undefined : control;
      expect([id, has('fixed'), has('undone'), has('gone'), has('backlog'), has('gone-already')]).toEqual([
        id,
        state?.remediate !== undefined,
        state?.undo !== undefined,
        state !== undefined,
        state !== undefined,
        Boolean(state?.reportTransient),
      ]);
    }
  });

  test('headlines, as people read them', () => {
    const heads = Object.fromEntries(of('s3-bucket-public-access-block').map(({ outcome, alert }) => [outcome, `${alert.headline}, ${alert.urgency}`]));
    expect(heads).toEqual({
      drift: 'Drift, notify',
      page: 'ACTION NEEDED, page',
      'control-off': 'Closed, control off, notify',
      excepted: 'Closed, excepted, notify',
      resolved: 'Resolved, notify',
      'not-applicable': 'Resolved, notify',
      gone: 'Resource gone, notify',
      'state-unclear': 'CANNOT SEE, page',
      'gone-already': 'Gone already, notify',
      'approval-asked': 'Approval needed, page',
      'approval-half': 'Approval needed, page',
      'fix-planned': 'Fix planned, notify',
      'fix-under-way': 'Fix under way, notify',
      'fix-waits': 'Fix waits, notify',
      'fix-blocked': 'ACTION NEEDED, page',
      'fix-held': 'Approval needed, page',
      fixed: 'Fixed, notify',
      'fixed-confirmed': 'Fixed, notify',
      'fix-failed': 'FIX FAILED, page',
      'fix-failed-in-part': 'FIX FAILED, page',
      'retry-later': expect.any(String),
      'undo-asked': 'Undo asked, page',
      'undo-under-way': 'Undo under way, notify',
      undone: 'Undone, notify',
      'undo-withdrawn': 'Not undone, notify',
      'undo-failed': 'UNDO FAILED, page',
      'cannot-see': 'CANNOT SEE, page',
      backlog: 'Was there before, notify',
    });
  });

  test.each([
    ['off', undefined],
    ['notify', 'drift'],
    ['page', 'page'],
    ['approve', 'approval-asked'],
    ['fix', 'fixed'],
  ] as const)('under %s: %s', (mode, outcome) => {
    expect(outcomeUnder(mode, {}, of('cloudtrail-logging-on'))).toBe(outcome);
    // Where there is no fix, a person is called.
    expect(outcomeUnder(mode, {}, of('cloudtrail-trail-exists'))).toBe(mode === 'approve' || mode === 'fix' ? 'page' : outcome);
  });

  test('under fix after a while', () => expect(outcomeUnder('fix', { fixAfter: 60 }, of('cloudtrail-logging-on'))).toBe('fix-planned'));
});
