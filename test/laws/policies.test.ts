/** Every policy that the project ships or shows can be deployed. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadPolicy } from '../../engine/policy/load.ts';
import { loadProjectPolicy } from '../../infra/load-policy.ts';
import { catalogue } from '../../remediations/index.ts';

const now = new Date('2026-11-01T00:00:00Z');

test.each(globSync('policies/*.yaml'))('%s loads without a warning', async (file) => {
  expect((await loadProjectPolicy(file, now)).warnings).toEqual([]);
});

/** YAML fences that begin with `version:` are whole policies; those that begin with `controls:` are parts of one. */
const shown = [...globSync('docs/**/*.md'), ...globSync('*.md')].flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].flatMap(([, text = ''], index) => {
    const keys = Object.keys((parse(text) as object | null) ?? {});
    const whole = keys.includes('version') && keys.includes('extends');
    return whole || keys[0] === 'controls' ? [{ name: `${file}, example ${index + 1}`, text: whole ? text : `version: 1\nextends: hipaa\n${text}` }] : [];
  }),
);

test('examples in the docs load', async () => {
  for (const { name, text } of shown) {
    const read = (path: string) => (path === name ? text : readFileSync('policies/hipaa.yaml', 'utf8'));
    const { policy } = await loadPolicy({ file: name, read, catalogue, today: '2026-11-01', baseline: 'policies/hipaa.yaml' });
    expect(Object.keys(policy.controls).sort()).toEqual(catalogue.map(({ id }) => id));
  }
});
