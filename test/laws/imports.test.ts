/** Who may import whom. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const folders = ['engine', 'remediations', 'handlers', 'infra', 'cli', 'gallery', 'bench', 'test'];

interface Import {
  readonly file: string;
  /** A path in the project, or the name of a package. */
  readonly target: string;
}

const importsOf = (file: string): Import[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:^|\s)(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/g)].map(([, from, lazy]) => {
    const specifier = from ?? lazy ?? '';
    return { file, target: specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier };
  });

const files = folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,cjs,mjs}`)).filter((file) => !file.includes('node_modules'));
const imports = files.flatMap(importsOf);
const of = (folder: string) => imports.filter(({ file }) => file.startsWith(`${folder}/`));
const broken = (found: readonly Import[], allowed: (target: string, file: string) => boolean) =>
  found.filter(({ file, target }) => !allowed(target, file)).map(({ file, target }) => `${file} imports ${target}`);

test('the reader of imports finds them', () => {
  expect(of('engine').length).toBeGreaterThan(20);
  expect(of('remediations').map(({ target }) => target)).toEqual(
    expect.arrayContaining(['zod', 'remediations/define.ts', '@aws-sdk/client-s3', 'remediations/s3/s3-bucket-public-access-block.ts']),
  );
});

test('the engine imports itself, zod, yaml and node:crypto: no SDK, no control, no clock', () => {
  expect(broken(of('engine'), (target) => target.startsWith('engine/') || ['zod', 'yaml', 'node:crypto'].includes(target))).toEqual([]);
});

describe('remediations', () => {
  const isControlOrService = (file: string) => file.split('/').length === 3;

  test('import their own service, what all share, the engine’s nouns, zod and SDK clients', () => {
    const allowed = (target: string, file: string) =>
      target.startsWith(`${dirname(file)}/`) ||
      (target.startsWith('remediations/') && !isControlOrService(target)) ||
      (target.startsWith('engine/') && !target.startsWith('engine/policy/')) ||
      target === 'zod' ||
      target.startsWith('@aws-sdk/') ||
      target === '@smithy/types';
    expect(
      broken(
        of('remediations').filter(({ file }) => file !== 'remediations/index.ts'),
        allowed,
      ),
    ).toEqual([]);
  });

  test('the index imports controls only when asked for one', () => {
    const index = readFileSync('remediations/index.ts', 'utf8');
    expect([...index.matchAll(/^import .*$/gm)].map(([line]) => line)).toEqual(["import type { Catalogue } from '../engine/control.ts';"]);
  });
});

test('nobody imports handlers or cli but themselves and what stands around the bot', () => {
  const outside = imports.filter(({ file }) => /^(engine|remediations)\//.test(file));
  expect(broken(outside, (target) => !/^(handlers|cli|infra|test|bench)\//.test(target))).toEqual([]);
  expect(broken(of('handlers'), (target) => !/^(cli|infra|test|bench)\//.test(target))).toEqual([]);
});

test('nothing that runs imports a test', () => {
  expect(
    broken(
      imports.filter(({ file }) => !/^(test|bench)\//.test(file)),
      (target) => !target.startsWith('test/'),
    ),
  ).toEqual([]);
});

test('zod is imported whole: a named import loads 20 ms longer in a cold start', () => {
  const named = files.filter((file) => /import \{[^}]*\bz\b[^}]*\} from 'zod'/.test(readFileSync(file, 'utf8')));
  expect(named).toEqual([]);
});
