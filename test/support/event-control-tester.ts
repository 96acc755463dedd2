/** What every event control owes: a verdict for each named event, the resource it is told of, and the key that folds repeats. */
import { describe, expect, test } from '@jest/globals';
import type { output, ZodType } from 'zod';
import { type EventControl, isEventControl } from '../../engine/control.ts';
import { type DropReason, normalise } from '../../engine/normalise.ts';
import { route } from '../../engine/route.ts';

const allowed = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'];

interface EventExpectation<Params> {
  /** A CloudTrail record. */
  readonly detail: Record<string, unknown>;
  readonly params?: Params;
  /** Earlier events under the same fold key. */
  readonly recent?: number;
  readonly annotation?: string | RegExp;
  readonly fold?: string;
  /** ARN of the resource. */
  readonly resource?: string;
}

export interface EventControlCases<Params> {
  readonly nonCompliant: Readonly<Record<string, EventExpectation<Params>>>;
  readonly compliant: Readonly<Record<string, EventExpectation<Params>>>;
  readonly notApplicable?: Readonly<Record<string, EventExpectation<Params>>>;
  /** Events that never reach `evaluate`: another source or name, a failed call. */
  readonly ignored: Readonly<Record<string, { readonly detail: Record<string, unknown> }>>;
}

export function testEventControl<Params extends ZodType>(control: EventControl<Params>, cases: EventControlCases<Partial<output<Params>>>): void {
  describe(`${control.id} (pure: judged from the event)`, () => {
    const routed = (detail: Record<string, unknown>) => {
      const { triggers, dropped } = normalise({
        eventID: 'e-1',
        awsRegion: 'us-east-1',
        recipientAccountId: '123456789012',
        eventTime: '2026-11-01T03:00:00Z',
        ...detail,
      });
      expect(dropped).toEqual([] satisfies DropReason[]);
      const trigger = triggers[0]!;
      if (trigger.source !== 'cloudtrail') throw new Error('not a CloudTrail record');
      return { trigger, items: route(trigger, [control], { watch: 'all' }).items };
    };

    const groups = { NON_COMPLIANT: cases.nonCompliant, COMPLIANT: cases.compliant, NOT_APPLICABLE: cases.notApplicable ?? {} };
    for (const [complianceType, group] of Object.entries(groups)) {
      for (const [name, expected] of Object.entries(group)) {
        test(`${complianceType}: ${name}`, () => {
          const { trigger, items } = routed(expected.detail);
          // The pattern may keep these away already; `evaluate` must not rely on it.
          if (complianceType !== 'NOT_APPLICABLE') expect(items).toHaveLength(1);
          const params = control.params.parse(expected.params ?? {});
          const evaluation = control.evaluate(trigger.detail, params, { count: expected.recent ?? 0 }, { regions: allowed });
          expect(evaluation).toMatchObject({ complianceType });
          expect(evaluation.annotation).toMatch(/\S.*\.$/s);
          if (expected.annotation) expect(evaluation.annotation).toMatch(expected.annotation);
          if (expected.fold) expect(items[0]!.fold).toBe(expected.fold);
          if (expected.resource) expect(items[0]!.resource.id).toBe(expected.resource);
        });
      }
    }

    for (const [name, { detail }] of Object.entries(cases.ignored)) {
      test(`ignored: ${name}`, () => expect(routed(detail).items).toEqual([]));
    }

    test('an event with nothing but its name is judged without a crash', () => {
      const name = control.triggers[0]!.eventNames[0]!.replace('*', 'Something');
      const { trigger } = routed({ eventName: name || 'Something', eventSource: control.triggers[0]!.eventSource.replace('*', 'ec2.amazonaws.com') });
      expect(() => control.fold(trigger.detail)).not.toThrow();
      expect(() => control.evaluate(trigger.detail, control.params.parse({}), { count: 0 }, { regions: allowed })).not.toThrow();
    });

    test('is an event control without a fix', () => {
      expect(isEventControl(control)).toBe(true);
      expect(control.noFix).toMatch(/\S/);
      expect(['notify', 'page', 'off']).toContain(control.defaultMode);
    });
  });
}
